/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/journal_read.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "simulator/line.h"

enum { LINE_BYTES_MAX = 1 << 16, IDS_MAX = 4096, SAME_CRASH_US = 2000000 };

/* A line of a journal. */
struct entry {
	int64_t at_us; /* since 1970 */
	size_t sequence;
	json_t *line;
};

/* What is known of a node while the entries are gone through. */
struct host {
	char name[VRMS_SIM_NAME_BYTES];
	int node; /* in the scenario; -1: none yet */
	bool lost, left, returning, restarted;
	int64_t silent_us; /* its last beat, while it is silent; -1: it beats */
	int64_t fault_us;  /* when it was struck */
	int64_t fresh_us;  /* its first beat after that; -1 */
	bool was_silent;
};

struct vrms_sim_journal {
	struct entry *entry;
	size_t count, capacity;
	struct host host[IDS_MAX]; /* by corosync's node id */
	int64_t token_us;
	int64_t first_us;
};

bool vrms_sim_journal_is(const char *text)
{
	const char *end;

	text += strspn(text, " \t\r\n");
	end = strchr(text, '\n');
	size_t length = end == NULL ? strlen(text) : (size_t)(end - text);

	return text[0] == '{' && memmem(text, length, "\"mono_ms\"", 9) != NULL &&
	       memmem(text, length, "\"event\"", 7) != NULL;
}

struct vrms_sim_journal *vrms_sim_journal_new(void)
{
	struct vrms_sim_journal *journal = calloc(1, sizeof(*journal));

	for (int i = 0; journal != NULL && i < IDS_MAX; i++) {
		journal->host[i].node = -1;
		journal->host[i].silent_us = -1;
		journal->host[i].fresh_us = -1;
	}
	return journal;
}

void vrms_sim_journal_free(struct vrms_sim_journal *journal)
{
	if (journal == NULL) {
		return;
	}
	for (size_t i = 0; i < journal->count; i++) {
		json_decref(journal->entry[i].line);
	}
	free(journal->entry);
	free(journal);
}

static const char *text_of(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text == NULL ? "" : text;
}

static int64_t number_of(const json_t *line, const char *key)
{
	return json_integer_value(json_object_get(line, key));
}

/* "2026-11-23T05:59:03.286Z" */
static int read_wall(const char *text, int64_t *ret_us)
{
	struct tm when = {0};
	int ms = 0, used = 0;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &when.tm_year, &when.tm_mon,
		   &when.tm_mday, &when.tm_hour, &when.tm_min, &when.tm_sec, &ms, &used) != 7 ||
	    used == 0 || text[used] != '\0') {
		return -EINVAL;
	}
	when.tm_year -= 1900;
	when.tm_mon -= 1;
	*ret_us = timegm(&when) * INT64_C(1000000) + ms * 1000;
	return 0;
}

static int append(struct vrms_sim_journal *journal, json_t *line, int64_t at_us)
{
	if (journal->count == journal->capacity) {
		size_t capacity = journal->capacity == 0 ? 256 : 2 * journal->capacity;
		struct entry *grown = reallocarray(journal->entry, capacity, sizeof(*grown));

		if (grown == NULL) {
			return -ENOMEM;
		}
		journal->entry = grown;
		journal->capacity = capacity;
	}
	journal->entry[journal->count] =
	    (struct entry){.at_us = at_us, .sequence = journal->count, .line = json_incref(line)};
	journal->count++;
	return 0;
}

static int check_line(const json_t *line, int64_t *ret_at_us, struct vrms_error *error)
{
	int64_t id = number_of(line, "id");

	if (number_of(line, "v") != 1) {
		return vrms_error_set(error, -EINVAL, "not of version 1 of the journal");
	}
	if (text_of(line, "node")[0] == '\0' || text_of(line, "event")[0] == '\0') {
		return vrms_error_set(error, -EINVAL, "without \"node\" or \"event\"");
	}
	if (read_wall(text_of(line, "wall"), ret_at_us) < 0) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not a time",
				      text_of(line, "wall"));
	}
	if (id < 0 || id >= IDS_MAX) {
		return vrms_error_set(error, -ERANGE, "node id %lld", (long long)id);
	}
	return 0;
}

static int add_line(struct vrms_sim_journal *journal, const char *text, size_t length,
		    struct vrms_error *error)
{
	json_error_t where;
	json_t *line = json_loadb(text, length, 0, &where);
	int64_t at_us = 0;
	int rc;

	if (line == NULL) {
		return vrms_error_set(error, -EINVAL, "%s", where.text);
	}
	rc = check_line(line, &at_us, error);
	if (rc == 0 && append(journal, line, at_us) < 0) {
		rc = vrms_error_set(error, -ENOMEM, "out of memory for a journal");
	}
	json_decref(line);
	return rc;
}

int vrms_sim_journal_add(struct vrms_sim_journal *journal, const char *path, const char *text,
			 bool skip_bad, struct vrms_sim_scenario *scenario,
			 struct vrms_error *error)
{
	for (int number = 1; *text != '\0'; number++) {
		size_t length = strcspn(text, "\n");
		int rc = length == 0 ? 0 : add_line(journal, text, length, error);

		if (rc < 0 && (!skip_bad || rc == -ENOMEM)) {
			return vrms_error_wrap(error, rc, "%s:%d", path, number);
		}
		scenario->skipped_lines += rc < 0 ? 1 : 0;
		text += length + (text[length] == '\n' ? 1 : 0);
	}
	vrms_error_clear(error);
	return 0;
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *one = left, *other = right;

	if (one->at_us != other->at_us) {
		return one->at_us < other->at_us ? -1 : 1;
	}
	return one->sequence < other->sequence ? -1 : one->sequence > other->sequence;
}

static int add_fault(const struct vrms_sim_journal *journal, struct vrms_sim_scenario *scenario,
		     enum vrms_sim_fault_kind kind, int subject, int64_t at_us, int64_t for_us)
{
	int64_t since_us = at_us - journal->first_us;
	struct vrms_sim_fault fault = {.at_us = since_us > 0 ? since_us : 0,
				       .for_us = for_us,
				       .kind = (uint16_t)kind,
				       .link = -1,
				       .first = subject};

	return vrms_sim_scenario_add_fault(scenario, &fault);
}

/* What struck a node that is back, or is not. */
static int settle(const struct vrms_sim_journal *journal, struct vrms_sim_scenario *scenario,
		  struct host *host, int64_t back_us)
{
	int rc;

	if (back_us < 0 || host->restarted) {
		rc = add_fault(journal, scenario, VRMS_SIM_FAULT_DOWN, host->node, host->fault_us,
			       0);
		if (rc == 0 && back_us >= 0) {
			rc =
			    add_fault(journal, scenario, VRMS_SIM_FAULT_UP, host->node, back_us, 0);
		}
	} else if (host->was_silent) {
		int64_t until_us = host->fresh_us >= 0 ? host->fresh_us : back_us;

		rc = add_fault(journal, scenario, VRMS_SIM_FAULT_FREEZE, host->node, host->fault_us,
			       until_us > host->fault_us ? until_us - host->fault_us : 1000);
	} else {
		/* It beat all the time: the network was away. */
		rc = add_fault(journal, scenario, VRMS_SIM_FAULT_ISOLATE, host->node,
			       host->fault_us, 0);
		rc = rc < 0 ? rc : add_fault(journal, scenario, VRMS_SIM_FAULT_HEAL, 0, back_us, 0);
	}
	host->lost = host->returning = host->restarted = false;
	host->silent_us = host->fresh_us = -1;
	return rc;
}

static struct host *by_name(struct vrms_sim_journal *journal, const char *name)
{
	for (int i = 0; i < IDS_MAX; i++) {
		if (strcmp(journal->host[i].name, name) == 0) {
			return &journal->host[i];
		}
	}
	return NULL;
}

static int take_member(struct vrms_sim_journal *journal, struct vrms_sim_scenario *scenario,
		       const struct entry *entry)
{
	struct host *host = &journal->host[number_of(entry->line, "id")];
	const char *reason = text_of(entry->line, "reason");
	int rc = 0;

	if (host->node < 0) {
		return 0;
	}
	if (strcmp(reason, "MEMBER_LOST") == 0 && !host->lost) {
		host->lost = true;
		host->was_silent = host->silent_us >= 0;
		/* Without a beat to tell: token and consensus ran out before. */
		host->fault_us =
		    host->was_silent ? host->silent_us : entry->at_us - journal->token_us * 22 / 10;
	} else if (strcmp(reason, "MEMBER_LEFT") == 0 && !host->left) {
		host->left = true;
		rc = add_fault(journal, scenario, VRMS_SIM_FAULT_SHUTDOWN, host->node, entry->at_us,
			       0);
	} else if (strcmp(reason, "MEMBER_JOINED") == 0 && host->left) {
		host->left = false;
		rc = add_fault(journal, scenario, VRMS_SIM_FAULT_UP, host->node, entry->at_us, 0);
	} else if (strcmp(reason, "MEMBER_JOINED") == 0 && host->lost && host->restarted) {
		rc = settle(journal, scenario, host, entry->at_us);
	} else if (strncmp(reason, "MEMBER_BACK_", 12) == 0 && host->lost) {
		host->restarted |= strcmp(reason, "MEMBER_BACK_NEW_BOOT") == 0;
		rc = settle(journal, scenario, host, entry->at_us);
	}
	return rc;
}

static int take_beat(struct vrms_sim_journal *journal, const struct entry *entry)
{
	struct host *host = &journal->host[number_of(entry->line, "id")];
	bool silent = strcmp(text_of(entry->line, "state"), "silent") == 0;

	if (silent && host->silent_us < 0) {
		host->silent_us =
		    entry->at_us - number_of(entry->line, "unchanged_ms") * INT64_C(1000);
	} else if (!silent && host->lost && host->fresh_us < 0) {
		host->fresh_us = entry->at_us;
	} else if (!silent && !host->lost) {
		host->silent_us = -1;
	}
	return 0;
}

static int take_vm(struct vrms_sim_journal *journal, struct vrms_sim_scenario *scenario,
		   const struct entry *entry, struct vrms_error *error)
{
	const struct host *host = by_name(journal, text_of(entry->line, "node"));
	int known = vrms_sim_scenario_vm(scenario, text_of(entry->line, "vm"));
	bool managed = strcmp(text_of(entry->line, "state"), "managed") == 0;
	int vm = known;

	if (known < 0 && managed && host != NULL) {
		vm = vrms_sim_scenario_add_vm(scenario, text_of(entry->line, "vm"), error);
		if (vm >= 0) {
			scenario->vm[vm].host = host->node;
		}
		return vm < 0 ? vm : 0;
	}
	if (vm < 0 || strcmp(text_of(entry->line, "state"), "failed") != 0) {
		return 0;
	}
	for (size_t i = 0; i < scenario->fault_count; i++) {
		const struct vrms_sim_fault *fault = &scenario->fault[i];

		if (fault->kind == VRMS_SIM_FAULT_VM_CRASH && fault->first == vm &&
		    entry->at_us - journal->first_us - fault->at_us < SAME_CRASH_US) {
			return 0; /* told of already */
		}
	}
	return add_fault(journal, scenario,
			 strncmp(text_of(entry->line, "reason"), "VM_IO_", 6) == 0
			     ? VRMS_SIM_FAULT_VM_PAUSE
			     : VRMS_SIM_FAULT_VM_CRASH,
			 vm, entry->at_us, 0);
}

static int take(struct vrms_sim_journal *journal, struct vrms_sim_scenario *scenario,
		const struct entry *entry, struct vrms_error *error)
{
	const char *event = text_of(entry->line, "event");
	struct host *host = by_name(journal, text_of(entry->line, "node"));

	if (strcmp(event, "member") == 0) {
		return take_member(journal, scenario, entry);
	}
	if (strcmp(event, "beat") == 0) {
		return take_beat(journal, entry);
	}
	if (strcmp(event, "vm") == 0) {
		return take_vm(journal, scenario, entry, error);
	}
	if (strcmp(event, "start") == 0 && host != NULL && host->lost) {
		host->restarted = true;
	}
	if (strcmp(event, "load") == 0 && host != NULL && host->node >= 0) {
		return add_fault(journal, scenario, VRMS_SIM_FAULT_ANNOUNCE, host->node,
				 entry->at_us, number_of(entry->line, "for_ms") * 1000);
	}
	return 0;
}

/* Names of node ids, and the configured token, from wherever they are told. */
static int learn_nodes(struct vrms_sim_journal *journal, struct vrms_sim_scenario *scenario,
		       struct vrms_error *error)
{
	for (size_t i = 0; i < journal->count; i++) {
		const json_t *line = journal->entry[i].line;
		struct host *host = &journal->host[number_of(line, "id")];
		const char *name = text_of(line, "name");

		if (number_of(line, "configured_ms") > 0) {
			journal->token_us = number_of(line, "configured_ms") * 1000;
		}
		if (number_of(line, "id") > 0 && name[0] != '\0' && host->node < 0) {
			host->node = vrms_sim_scenario_add_node(scenario, name, error);
			if (host->node < 0) {
				return host->node;
			}
			snprintf(host->name, sizeof(host->name), "%s", name);
		}
	}
	if (journal->token_us == 0) {
		journal->token_us = 3000000;
	}
	return 0;
}

/* Who has not come back. */
static int settle_all(struct vrms_sim_journal *journal, struct vrms_sim_scenario *scenario)
{
	int rc = 0;

	for (int i = 0; i < IDS_MAX && rc == 0; i++) {
		if (journal->host[i].lost) {
			rc = settle(journal, scenario, &journal->host[i], -1);
		}
	}
	return rc;
}

int vrms_sim_journal_finish(struct vrms_sim_journal *journal, struct vrms_sim_scenario *scenario,
			    bool sets_cluster, struct vrms_error *error)
{
	int rc;

	if (journal->count == 0) {
		return 0;
	}
	qsort(journal->entry, journal->count, sizeof(*journal->entry), compare_entries);
	journal->first_us = journal->entry[0].at_us;
	rc = learn_nodes(journal, scenario, error);
	for (size_t i = 0; i < journal->count && rc == 0; i++) {
		rc = take(journal, scenario, &journal->entry[i], error);
	}
	rc = rc < 0 ? rc : settle_all(journal, scenario);
	if (rc == 0 && sets_cluster) {
		scenario->settings.token_us = journal->token_us;
		scenario->settings.token_coefficient_us = 0;
		scenario->settings.vrmsd = true;
	}
	return rc == -ENOMEM ? vrms_error_set(error, rc, "out of memory for a journal") : rc;
}
