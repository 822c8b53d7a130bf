/* proxmox_rules.c - the rules_config of Proxmox: "node-affinity: NAME" and "resource-affinity:
 * NAME", their properties on the lines that follow, to the next blank one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/parse.h"
#include "simulator/line.h"
#include "simulator/reader.h"

enum { LIST_BYTES = VRMS_SIM_LINE_BYTES, APART_MAX = 64 };

static const char separators[] = ", \t";

struct rule {
	int line; /* of its first; 0: none is open */
	bool of_nodes, disabled, strict, negative;
	char resources[LIST_BYTES], nodes[LIST_BYTES];
};

struct reading {
	struct vrms_sim_scenario *scenario;
	int apart, together; /* rules of that kind so far */
	struct vrms_error *error;
};

static int add_preference(struct reading *reading, int vm, int node, int64_t priority)
{
	struct vrms_sim_preference preference = {.vm = vm, .node = node, .priority = priority};

	return vrms_sim_scenario_add_preference(reading->scenario, &preference) < 0
		   ? vrms_error_set(reading->error, -ENOMEM, "out of memory for rules")
		   : 0;
}

/* "node1:2": the node's number, and 2. */
static int read_node(struct reading *reading, char *text, int64_t *ret_priority)
{
	char *colon = strchr(text, ':');
	int rc = 0;

	*ret_priority = 0;
	if (colon != NULL) {
		*colon = '\0';
		rc = vrms_int_parse(colon + 1, 0, 1000, ret_priority, reading->error);
	}
	if (rc < 0) {
		return vrms_error_wrap(reading->error, rc, "the priority of %s", text);
	}
	rc = vrms_sim_scenario_node(reading->scenario, text);
	return rc < 0 ? vrms_error_set(reading->error, -ENOENT, "there is no node \"%s\"", text)
		      : rc;
}

/* Whom a negative rule does not name is preferred. */
static int prefer_others(struct reading *reading, int vm, const bool *named)
{
	int rc = 0;

	for (int node = 0; node < reading->scenario->node_count && rc == 0; node++) {
		rc = named[node] ? 0 : add_preference(reading, vm, node, 0);
	}
	return rc;
}

static int prefer_nodes(struct reading *reading, const struct rule *rule, int vm)
{
	char list[LIST_BYTES], *rest = list, *word;
	bool *named = calloc((size_t)reading->scenario->node_count + 1, sizeof(*named));
	int rc =
	    named == NULL ? vrms_error_set(reading->error, -ENOMEM, "out of memory for rules") : 0;

	memcpy(list, rule->nodes, sizeof(list));
	while (rc == 0 && (word = vrms_sim_word(&rest, separators)) != NULL) {
		int64_t priority = 0;
		int node = read_node(reading, word, &priority);

		rc = node < 0 ? node : 0;
		if (rc == 0 && rule->negative) {
			named[node] = true;
		} else if (rc == 0) {
			rc = add_preference(reading, vm, node, priority);
		}
	}
	rc = rc == 0 && rule->negative ? prefer_others(reading, vm, named) : rc;
	free(named);
	return rc;
}

/* Who runs together with one runs together with all that do so with it. */
static void join(struct vrms_sim_scenario *scenario, int32_t from, int32_t to)
{
	for (int vm = 0; vm < scenario->vm_count && from != 0; vm++) {
		if (scenario->vm[vm].together == from) {
			scenario->vm[vm].together = to;
		}
	}
}

static int apply_to(struct reading *reading, const struct rule *rule, int vm)
{
	struct vrms_sim_vm_spec *spec = &reading->scenario->vm[vm];

	if (vrms_sim_scenario_add_ruled(reading->scenario, vm) < 0) {
		return vrms_error_set(reading->error, -ENOMEM, "out of memory for rules");
	}
	if (!rule->of_nodes && rule->negative) {
		spec->apart |= UINT64_C(1) << reading->apart;
		return 0;
	}
	if (!rule->of_nodes) {
		join(reading->scenario, spec->together, reading->together + 1);
		spec->together = reading->together + 1;
		return 0;
	}
	for (int i = 0; i < reading->scenario->preference_count; i++) {
		if (reading->scenario->preference[i].vm == vm) {
			return vrms_error_set(reading->error, -EEXIST,
					      "%s is in a node-affinity rule already", spec->name);
		}
	}
	spec->strict = rule->strict;
	return prefer_nodes(reading, rule, vm);
}

static int apply(struct reading *reading, const struct rule *rule)
{
	char list[LIST_BYTES], *rest = list, *word;
	int rc = 0;

	if (rule->line == 0 || rule->disabled) {
		return 0;
	}
	if (rule->resources[0] == '\0' || (rule->of_nodes && rule->nodes[0] == '\0')) {
		return vrms_error_set(reading->error, -EINVAL, "a rule without %s",
				      rule->resources[0] == '\0' ? "resources" : "nodes");
	}
	if (reading->apart == APART_MAX) {
		return vrms_error_set(reading->error, -ENOSPC, "more than %d negative rules",
				      APART_MAX);
	}
	memcpy(list, rule->resources, sizeof(list));
	while (rc == 0 && (word = vrms_sim_word(&rest, separators)) != NULL) {
		int vm = vrms_sim_scenario_vm(reading->scenario, word);

		rc = vm < 0 ? vrms_error_set(reading->error, -ENOENT, "there is no service \"%s\"",
					     word)
			    : apply_to(reading, rule, vm);
	}
	reading->apart += !rule->of_nodes && rule->negative ? 1 : 0;
	reading->together += !rule->of_nodes && !rule->negative ? 1 : 0;
	return rc;
}

static int open_rule(char *text, int line, struct rule *rule, struct vrms_error *error)
{
	*rule = (struct rule){.line = line, .of_nodes = strncmp(text, "node-affinity:", 14) == 0};
	if (!rule->of_nodes && strncmp(text, "resource-affinity:", 18) != 0) {
		rule->line = 0;
		return vrms_error_set(error, -EINVAL, "\"%s\" is no rule", text);
	}
	return 0;
}

static int read_property(char *text, struct rule *rule, struct vrms_error *error)
{
	char *rest = text;
	const char *key = vrms_sim_word(&rest, " \t");
	const char *value = rest == NULL ? "" : rest + strspn(rest, " \t");
	bool yes = strcmp(value, "0") != 0;

	if (strcmp(key, "resources") == 0) {
		snprintf(rule->resources, sizeof(rule->resources), "%s", value);
	} else if (strcmp(key, "nodes") == 0 && rule->of_nodes) {
		snprintf(rule->nodes, sizeof(rule->nodes), "%s", value);
	} else if (strcmp(key, "strict") == 0 && rule->of_nodes) {
		rule->strict = yes;
	} else if (strcmp(key, "affinity") == 0 &&
		   (strcmp(value, "negative") == 0 || strcmp(value, "positive") == 0)) {
		rule->negative = value[0] == 'n';
	} else if (strcmp(key, "disable") == 0) {
		rule->disabled = yes;
	} else if (strcmp(key, "comment") != 0) {
		return vrms_error_set(error, -EINVAL, "\"%s %s\" is not understood", key, value);
	}
	return 0;
}

/* One line: it begins a rule, ends one, or is a property of it. */
static int read_line(struct reading *reading, char *text, int number, struct rule *rule)
{
	const char *blank = strchr(text, ' ');
	bool begins = blank != NULL && blank > text && blank[-1] == ':';
	int rc;

	if (text[0] == '#') {
		return 0;
	}
	if (text[0] == '\0') {
		rc = apply(reading, rule);
		rule->line = 0;
		return rc;
	}
	if (rule->line != 0 && !begins) {
		return read_property(text, rule, reading->error);
	}
	rc = apply(reading, rule);
	return rc < 0 ? rc : open_rule(text, number, rule, reading->error);
}

int vrms_sim_proxmox_rules_read(struct vrms_sim_scenario *scenario, const char *text,
				const struct vrms_sim_trace_options *options,
				struct vrms_error *error)
{
	struct reading reading = {.scenario = scenario, .error = error};
	struct vrms_sim_lines lines = {.next = text};
	struct rule rule = {0};
	bool more = true;

	while (more) {
		more = vrms_sim_lines_next(&lines);
		if (!more) {
			lines.text[0] = '\0'; /* which ends the last rule */
		}
		int rc = lines.is_cut ? vrms_error_set(error, -EINVAL, "the line is too long")
				      : read_line(&reading, lines.text, lines.number, &rule);

		if (rc < 0 && !options->skip_bad) {
			return vrms_error_wrap(error, rc, "%s:%d", options->path, lines.number);
		}
		if (rc < 0) {
			vrms_error_clear(error);
			scenario->skipped_lines++;
		}
	}
	return 0;
}
