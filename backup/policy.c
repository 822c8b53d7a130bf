/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/policy.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/civil.h"
#include "common/parse.h"

enum { LINE_BYTES = 600 };

enum key_type { TEXT, TIMES, WINDOW, SIZE, CONSISTENCY, COUNT, DISKS, DURATION, FLAG };

struct key {
	const char *name;
	enum key_type type;
	size_t offset, size;
};

#define OF(type, field) offsetof(struct type, field), sizeof(((struct type *)0)->field)

static const struct key global_keys[] = {
    {"repository", TEXT, OF(vrms_policies, repository)},
    {"key_file", TEXT, OF(vrms_policies, key_file)},
    {"key_command", TEXT, OF(vrms_policies, key_command)},
    {"connect", TEXT, OF(vrms_policies, connect)},
    {"scratch", TEXT, OF(vrms_policies, scratch)},
    {"prune", TIMES, OF(vrms_policies, prune)},
    {"verify", TIMES, OF(vrms_policies, verify)},
    {"verify_budget", SIZE, OF(vrms_policies, verify_bytes)},
};

static const struct key policy_keys[] = {
    {"backup", FLAG, OF(vrms_policy, is_backed_up)},
    {"full", TIMES, OF(vrms_policy, times[VRMS_POLICY_FULL])},
    {"differential", TIMES, OF(vrms_policy, times[VRMS_POLICY_DIFFERENTIAL])},
    {"incremental", TIMES, OF(vrms_policy, times[VRMS_POLICY_INCREMENTAL])},
    {"window", WINDOW, OF(vrms_policy, window)},
    {"rate", SIZE, OF(vrms_policy, rate_bytes)},
    {"consistency", CONSISTENCY, OF(vrms_policy, consistency)},
    {"self_contained", COUNT, OF(vrms_policy, self_contained_every)},
    {"exclude", DISKS, OF(vrms_policy, exclude)},
    {"keep_last", COUNT, OF(vrms_policy, keep[VRMS_KEEP_LAST])},
    {"keep_hourly", COUNT, OF(vrms_policy, keep[VRMS_KEEP_HOURLY])},
    {"keep_daily", COUNT, OF(vrms_policy, keep[VRMS_KEEP_DAILY])},
    {"keep_weekly", COUNT, OF(vrms_policy, keep[VRMS_KEEP_WEEKLY])},
    {"keep_monthly", COUNT, OF(vrms_policy, keep[VRMS_KEEP_MONTHLY])},
    {"keep_yearly", COUNT, OF(vrms_policy, keep[VRMS_KEEP_YEARLY])},
    {"alarm_age", DURATION, OF(vrms_policy, age_ms)},
    {"alarm_verify_age", DURATION, OF(vrms_policy, verify_age_ms)},
    {"alarm_test_age", DURATION, OF(vrms_policy, test_age_ms)},
};

_Static_assert(VRMS_COUNT_OF(policy_keys) <= 32, "is_set has 32 bits");

static const char *const consistencies[] = {
    [VRMS_POLICY_CRASH] = "crash",
    [VRMS_POLICY_BEST] = "best",
    [VRMS_POLICY_FILESYSTEM] = "filesystem",
};

static const char *const jobs[VRMS_POLICY_JOB_COUNT] = {"full", "differential", "incremental"};

const char *vrms_policy_job_name(enum vrms_policy_job job)
{
	return jobs[job];
}

static int set_text(const char *text, char *field, size_t size, struct vrms_error *error)
{
	if (strlen(text) >= size) {
		return vrms_error_set(error, -EINVAL, "longer than %zu bytes", size - 1);
	}
	strcpy(field, text);
	return 0;
}

static int add_time(const char *text, struct vrms_policy_times *times, struct vrms_error *error)
{
	int rc;

	if (times->count == VRMS_POLICY_TIMES_MAX) {
		return vrms_error_set(error, -E2BIG, "more than %d times", VRMS_POLICY_TIMES_MAX);
	}
	rc = set_text(text, times->texts[times->count], sizeof(times->texts[0]), error);
	if (rc == 0) {
		rc = vrms_calendar_parse(text, &times->rows[times->count], error);
	}
	times->count += rc == 0;
	return rc;
}

/* "22:00-06:00" */
static int set_window(const char *text, struct vrms_policy_window *window, struct vrms_error *error)
{
	int hours[2], minutes[2], end = 0;

	if (sscanf(text, "%2d:%2d-%2d:%2d%n", &hours[0], &minutes[0], &hours[1], &minutes[1],
		   &end) != 4 ||
	    text[end] != '\0' || strspn(text, "0123456789:-") != strlen(text)) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not HH:MM-HH:MM", text);
	}
	for (int i = 0; i < 2; i++) {
		if (hours[i] < 0 || minutes[i] < 0 || minutes[i] > 59 ||
		    hours[i] * 60 + minutes[i] > 24 * 60) {
			return vrms_error_set(error, -ERANGE, "\"%s\" is beyond a day", text);
		}
	}
	window->from_s = (hours[0] * 60 + minutes[0]) * 60;
	window->to_s = (hours[1] * 60 + minutes[1]) * 60;
	return 0;
}

static int set_consistency(const char *text, enum vrms_policy_consistency *field,
			   struct vrms_error *error)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(consistencies); i++) {
		if (strcmp(text, consistencies[i]) == 0) {
			*field = (enum vrms_policy_consistency)i;
			return 0;
		}
	}
	return vrms_error_set(error, -EINVAL, "\"%s\" is none of crash, best, filesystem", text);
}

static int set_value(const struct key *key, const char *text, void *field, struct vrms_error *error)
{
	switch (key->type) {
	case TIMES:
		return add_time(text, field, error);
	case WINDOW:
		return set_window(text, field, error);
	case SIZE:
		return vrms_size_parse(text, field, error);
	case CONSISTENCY:
		return set_consistency(text, field, error);
	case COUNT:
		return vrms_int_parse(text, 0, UINT32_MAX, field, error);
	case DURATION:
		return vrms_duration_parse(text, field, error);
	case FLAG:
		return vrms_bool_parse(text, field, error);
	default:
		return set_text(text, field, key->size, error);
	}
}

enum section { GLOBAL, DEFAULT, VMS };

struct reader {
	const char *name;
	uint32_t line;
	enum section section;
	struct vrms_policies *policies;
	struct vrms_policy defaults;
	uint32_t global_set;
	size_t first; /* row of the VMs of this section */
};

static int fail(const struct reader *reader, int rc, struct vrms_error *error)
{
	return vrms_error_wrap(error, rc, "%s:%u", reader->name, reader->line);
}

static int add_vm(struct reader *reader, const char *vm, struct vrms_error *error)
{
	struct vrms_policies *policies = reader->policies;
	struct vrms_policy *rows;

	for (size_t i = 0; i < policies->count; i++) {
		if (strcmp(policies->rows[i].vm, vm) == 0) {
			return vrms_error_set(error, -EEXIST,
					      "VM '%s' has a policy in line %u already", vm,
					      policies->rows[i].line);
		}
	}
	if (strlen(vm) >= VRMS_POLICY_NAME_BYTES ||
	    (strpbrk(vm, "*?[") != NULL && strcmp(vm, "*") != 0)) {
		return vrms_error_set(error, -EINVAL,
				      "'%.60s' is not a VM's name (or * for all others)", vm);
	}
	rows = reallocarray(policies->rows, policies->count + 1, sizeof(*rows));
	if (rows == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	policies->rows = rows;
	rows[policies->count] = (struct vrms_policy){.line = reader->line, .is_backed_up = true};
	strcpy(rows[policies->count++].vm, vm);
	return 0;
}

/* "default", or "vm NAME..." */
static int begin_section(struct reader *reader, char *text, struct vrms_error *error)
{
	char *rest = text;
	const char *word = strsep(&rest, " \t");
	int rc = 0;

	if (strcmp(word, "default") == 0 && rest == NULL) {
		if (reader->defaults.line > 0) {
			return vrms_error_set(error, -EEXIST, "[default] begins in line %u already",
					      reader->defaults.line);
		}
		reader->section = DEFAULT;
		reader->defaults.line = reader->line;
		return 0;
	}
	if (strcmp(word, "vm") != 0) {
		return vrms_error_set(error, -EINVAL, "[%s] is neither [default] nor [vm NAME...]",
				      word);
	}
	reader->section = VMS;
	reader->first = reader->policies->count;
	while (rc == 0 && (word = strsep(&rest, " \t")) != NULL) {
		rc = word[0] != '\0' ? add_vm(reader, word, error) : 0;
	}
	if (rc == 0 && reader->first == reader->policies->count) {
		rc = vrms_error_set(error, -EINVAL, "[vm] names no VM");
	}
	return rc;
}

static const struct key *find_key(const struct key *keys, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(keys[i].name, name) == 0) {
			return &keys[i];
		}
	}
	return NULL;
}

/* Times may be given several times; everything else once. */
static int set_key(const struct key *key, uint32_t bit, const char *value, void *object,
		   uint32_t *is_set, struct vrms_error *error)
{
	int rc;

	if ((*is_set & bit) != 0 && key->type != TIMES) {
		return vrms_error_set(error, -EEXIST, "%s is set twice here", key->name);
	}
	*is_set |= bit;
	rc = set_value(key, value, (char *)object + key->offset, error);
	return rc < 0 ? vrms_error_wrap(error, rc, "%s", key->name) : 0;
}

static int set_policy_key(struct reader *reader, const struct key *key, const char *value,
			  struct vrms_error *error)
{
	uint32_t bit = 1U << (key - policy_keys);
	int rc = 0;

	if (reader->section == DEFAULT) {
		return set_key(key, bit, value, &reader->defaults, &reader->defaults.is_set, error);
	}
	for (size_t i = reader->first; i < reader->policies->count && rc == 0; i++) {
		struct vrms_policy *policy = &reader->policies->rows[i];

		rc = set_key(key, bit, value, policy, &policy->is_set, error);
	}
	return rc;
}

static int take_setting(struct reader *reader, const char *name, const char *value,
			struct vrms_error *error)
{
	bool is_global = reader->section == GLOBAL;
	const struct key *key = is_global ? find_key(global_keys, VRMS_COUNT_OF(global_keys), name)
					  : find_key(policy_keys, VRMS_COUNT_OF(policy_keys), name);
	const struct key *other = is_global
				      ? find_key(policy_keys, VRMS_COUNT_OF(policy_keys), name)
				      : find_key(global_keys, VRMS_COUNT_OF(global_keys), name);

	if (key == NULL) {
		return vrms_error_set(error, -EINVAL, "%s '%s'%s",
				      other != NULL ? "the setting" : "no setting", name,
				      other == NULL ? ""
				      : is_global   ? " belongs into [default] or [vm NAME]"
						    : " belongs before the first section");
	}
	if (value[0] == '\0') {
		return vrms_error_set(error, -EINVAL, "%s: no value", name);
	}
	return is_global ? set_key(key, 1U << (key - global_keys), value, reader->policies,
				   &reader->global_set, error)
			 : set_policy_key(reader, key, value, error);
}

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t\r");
	length = strlen(text);
	while (length > 0 && strchr(" \t\r", text[length - 1]) != NULL) {
		text[--length] = '\0';
	}
	return text;
}

static int take_line(struct reader *reader, char *line, struct vrms_error *error)
{
	char *text = trim(line);
	char *equals = strchr(text, '=');
	size_t length = strlen(text);

	if (length == 0 || text[0] == '#' || text[0] == ';') {
		return 0;
	}
	if (text[0] == '[') {
		if (text[length - 1] != ']') {
			return vrms_error_set(error, -EINVAL, "no ] at the end");
		}
		text[length - 1] = '\0';
		return begin_section(reader, trim(text + 1), error);
	}
	if (equals == NULL) {
		return vrms_error_set(error, -EINVAL, "\"%.60s\" is not NAME = VALUE", text);
	}
	*equals = '\0';
	return take_setting(reader, trim(text), trim(equals + 1), error);
}

/* What a VM does not say itself, [default] says. */
static void inherit(const struct vrms_policy *defaults, struct vrms_policy *policy)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(policy_keys); i++) {
		const struct key *key = &policy_keys[i];

		if ((policy->is_set & 1U << i) == 0 && (defaults->is_set & 1U << i) != 0) {
			memcpy((char *)policy + key->offset, (const char *)defaults + key->offset,
			       key->size);
		}
	}
}

static int check(const struct vrms_policy *policy, struct vrms_error *error)
{
	for (int job = 0; job < VRMS_POLICY_JOB_COUNT; job++) {
		if (policy->times[job].count > 0) {
			return 0;
		}
	}
	return policy->is_backed_up
		   ? vrms_error_set(error, -EINVAL,
				    "VM '%s' has no full, differential or incremental", policy->vm)
		   : 0;
}

static int read_lines(struct reader *reader, const char *text, struct vrms_error *error)
{
	int rc = 0;

	while (rc == 0 && *text != '\0') {
		size_t length = strcspn(text, "\n");
		char line[LINE_BYTES];

		reader->line++;
		if (length >= sizeof(line)) {
			rc = vrms_error_set(error, -EINVAL, "longer than %d bytes", LINE_BYTES - 1);
		} else {
			memcpy(line, text, length);
			line[length] = '\0';
			rc = take_line(reader, line, error);
		}
		text += length + (text[length] == '\n');
	}
	return rc;
}

int vrms_policies_parse(const char *text, const char *name, struct vrms_policies **ret_policies,
			struct vrms_error *error)
{
	struct vrms_policies *policies VRMS_CLEANUP(vrms_policies_freep) =
	    calloc(1, sizeof(*policies));
	struct reader *reader VRMS_CLEANUP(vrms_freep) = calloc(1, sizeof(*reader));
	int rc;

	if (policies == NULL || reader == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	*reader = (struct reader){.name = name, .policies = policies};
	reader->defaults.consistency = VRMS_POLICY_BEST;
	reader->defaults.is_set =
	    1U << (find_key(policy_keys, VRMS_COUNT_OF(policy_keys), "consistency") - policy_keys);
	rc = read_lines(reader, text, error);
	for (size_t i = 0; i < policies->count && rc == 0; i++) {
		inherit(&reader->defaults, &policies->rows[i]);
		reader->line = policies->rows[i].line;
		rc = check(&policies->rows[i], error);
	}
	if (rc < 0) {
		return fail(reader, rc, error);
	}
	*ret_policies = VRMS_TAKE(policies);
	return 0;
}

void vrms_policies_free(struct vrms_policies *policies)
{
	if (policies != NULL) {
		free(policies->rows);
		free(policies);
	}
}

const struct vrms_policy *vrms_policies_find(const struct vrms_policies *policies, const char *vm)
{
	const struct vrms_policy *found = NULL;

	for (size_t i = 0; i < policies->count; i++) {
		const struct vrms_policy *policy = &policies->rows[i];

		if (strcmp(policy->vm, vm) == 0) {
			found = policy;
			break;
		}
		if (strcmp(policy->vm, "*") == 0) {
			found = policy;
		}
	}
	return found != NULL && found->is_backed_up ? found : NULL;
}

bool vrms_policy_window_has(const struct vrms_policy_window *window, int64_t local_s)
{
	int64_t of_day = local_s - vrms_civil_divide(local_s, VRMS_DAY_S) * VRMS_DAY_S;

	if (window->from_s == window->to_s) {
		return true;
	}
	return window->from_s < window->to_s ? of_day >= window->from_s && of_day < window->to_s
					     : of_day >= window->from_s || of_day < window->to_s;
}

bool vrms_policy_excludes(const struct vrms_policy *policy, const char *disk)
{
	size_t length = strlen(disk);

	for (const char *at = policy->exclude; *at != '\0';) {
		size_t word = strcspn(at, " \t");

		if (word == length && strncmp(at, disk, length) == 0) {
			return true;
		}
		at += word + strspn(at + word, " \t");
	}
	return false;
}

struct vrms_retention vrms_policy_retention(const struct vrms_policy *policy)
{
	struct vrms_retention retention;

	for (int rule = 0; rule < VRMS_KEEP_COUNT; rule++) {
		retention.keep[rule] = (uint32_t)policy->keep[rule];
	}
	return retention;
}
