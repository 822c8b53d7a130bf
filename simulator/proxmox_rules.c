/* proxmox_rules.c - the rules_config of Proxmox: "node-affinity: NAME" and "resource-affinity:
 * NAME", their properties on the lines that follow, to the next blank one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <string.h>

#include "simulator/line.h"
#include "simulator/reader.h"

struct rule {
	int line; /* of its first; 0: none is open */
	bool disabled;
	struct vrms_sim_rule_spec spec;
};

static int apply(struct vrms_sim_scenario *scenario, const struct rule *rule,
		 struct vrms_error *error)
{
	return rule->line == 0 || rule->disabled
		   ? 0
		   : vrms_sim_scenario_add_rule(scenario, &rule->spec, error);
}

static int open_rule(char *text, int line, struct rule *rule, struct vrms_error *error)
{
	*rule =
	    (struct rule){.line = line, .spec.of_nodes = strncmp(text, "node-affinity:", 14) == 0};
	if (!rule->spec.of_nodes && strncmp(text, "resource-affinity:", 18) != 0) {
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
		snprintf(rule->spec.vms, sizeof(rule->spec.vms), "%s", value);
	} else if (strcmp(key, "nodes") == 0 && rule->spec.of_nodes) {
		snprintf(rule->spec.nodes, sizeof(rule->spec.nodes), "%s", value);
	} else if (strcmp(key, "strict") == 0 && rule->spec.of_nodes) {
		rule->spec.strict = yes;
	} else if (strcmp(key, "affinity") == 0 &&
		   (strcmp(value, "negative") == 0 || strcmp(value, "positive") == 0)) {
		rule->spec.negative = value[0] == 'n';
	} else if (strcmp(key, "disable") == 0) {
		rule->disabled = yes;
	} else if (strcmp(key, "comment") != 0) {
		return vrms_error_set(error, -EINVAL, "\"%s %s\" is not understood", key, value);
	}
	return 0;
}

/* One line: it begins a rule, ends one, or is a property of it. */
static int read_line(struct vrms_sim_scenario *scenario, char *text, int number, struct rule *rule,
		     struct vrms_error *error)
{
	const char *blank = strchr(text, ' ');
	bool begins = blank != NULL && blank > text && blank[-1] == ':';
	struct rule done = {0};
	int rc = 0, applied;

	if (text[0] == '#') {
		return 0;
	}
	if (text[0] != '\0' && rule->line != 0 && !begins) {
		return read_property(text, rule, error);
	}
	done = *rule;
	rule->line = 0;
	/* Also when what has ended is bad: its lines are not the next one's. */
	if (text[0] != '\0') {
		rc = open_rule(text, number, rule, error);
	}
	applied = apply(scenario, &done, error);
	return applied < 0 ? applied : rc;
}

int vrms_sim_proxmox_rules_read(struct vrms_sim_scenario *scenario, const char *text,
				const struct vrms_sim_trace_options *options,
				struct vrms_error *error)
{
	struct vrms_sim_lines lines = {.next = text};
	struct rule rule = {0};
	bool more = true;

	while (more) {
		more = vrms_sim_lines_next(&lines);
		if (!more) {
			lines.text[0] = '\0'; /* which ends the last rule */
		}
		int rc = lines.is_cut ? vrms_error_set(error, -EINVAL, "the line is too long")
				      : read_line(scenario, lines.text, lines.number, &rule, error);

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
