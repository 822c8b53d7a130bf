/* rule_read.c - the [rule NAME] sections of a scenario file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/reader.h"

#include <errno.h>
#include <string.h>

#include "simulator/line.h"

/* What VMs and nodes have to do with each other. */
static const struct {
	const char *word;
	bool of_nodes, strict, negative;
} kinds[] = {
    {.word = "prefer", .of_nodes = true},
    {.word = "only", .of_nodes = true, .strict = true},
    {.word = "avoid", .of_nodes = true, .negative = true},
    {.word = "never", .of_nodes = true, .strict = true, .negative = true},
    {.word = "together"},
    {.word = "apart", .negative = true},
};

struct rule {
	int line; /* of its first; 0: none is open */
	bool has_kind;
	struct vrms_sim_rule_spec spec;
};

static int read_kind(const char *word, struct rule *rule, struct vrms_error *error)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(kinds); i++) {
		if (strcmp(kinds[i].word, word) == 0) {
			rule->has_kind = true;
			rule->spec.of_nodes = kinds[i].of_nodes;
			rule->spec.strict = kinds[i].strict;
			rule->spec.negative = kinds[i].negative;
			return 0;
		}
	}
	return vrms_error_set(
	    error, -EINVAL,
	    "kind: \"%s\" is none of prefer, only, avoid, never, together and apart", word);
}

static int read_key(char *text, struct rule *rule, struct vrms_error *error)
{
	const char *key, *value;

	if (!vrms_sim_key_value(text, &key, &value)) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not key = value", text);
	}
	if (strcmp(key, "kind") == 0) {
		return read_kind(value, rule, error);
	}
	if (strcmp(key, "vms") != 0 && strcmp(key, "nodes") != 0) {
		return vrms_error_set(error, -ENOENT, "there is no \"%s\" in [rule NAME]", key);
	}
	snprintf(key[0] == 'v' ? rule->spec.vms : rule->spec.nodes, VRMS_SIM_RULE_BYTES, "%s",
		 value);
	return 0;
}

static int close_rule(struct vrms_sim_scenario *scenario, struct rule *rule,
		      struct vrms_error *error)
{
	int rc = 0;

	if (rule->line != 0 && !rule->has_kind) {
		rc = vrms_error_set(error, -EINVAL, "a rule without kind");
	} else if (rule->line != 0) {
		rc = vrms_sim_scenario_add_rule(scenario, &rule->spec, error);
	}
	return rc;
}

int vrms_sim_scenario_read_rules(struct vrms_sim_scenario *scenario, const char *path,
				 const char *text, struct vrms_error *error)
{
	struct vrms_sim_lines lines = {.next = text};
	struct rule rule = {0};
	int rc = 0, line = 0;
	bool more = true;

	while (more && rc == 0) {
		more = vrms_sim_lines_next(&lines);
		if (more) {
			vrms_sim_drop_comment(lines.text);
		}
		line = lines.number;
		if (!more || lines.text[0] == '[') {
			line = rule.line; /* what is wrong as a whole is wrong where it begins */
			rc = close_rule(scenario, &rule, error);
			rule = (struct rule){0};
			if (more && strncmp(lines.text, "[rule ", 6) == 0) {
				rule.line = lines.number;
			}
		} else if (rule.line != 0 && lines.text[0] != '\0') {
			rc = read_key(lines.text, &rule, error);
		}
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "%s:%d", path, line) : 0;
}
