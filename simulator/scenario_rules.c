/* scenario_rules.c - rules about VMs and nodes, as a scenario keeps them for affinity.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/parse.h"
#include "simulator/line.h"
#include "simulator/scenario.h"

enum { PRIORITY_MAX = 1000000 };

static const char separators[] = ", \t";

static int no_memory(struct vrms_error *error)
{
	return vrms_error_set(error, -ENOMEM, "out of memory for rules");
}

static int add_preference(struct vrms_sim_scenario *scenario, int vm, int node, int64_t priority,
			  struct vrms_error *error)
{
	struct vrms_sim_preference *grown =
	    reallocarray(scenario->preference, (size_t)scenario->preference_count + 1,
			 sizeof(*grown));

	if (grown == NULL) {
		return no_memory(error);
	}
	scenario->preference = grown;
	grown[scenario->preference_count++] =
	    (struct vrms_sim_preference){.vm = vm, .node = node, .priority = priority};
	return 0;
}

static int add_ruled(struct vrms_sim_scenario *scenario, int vm, struct vrms_error *error)
{
	int32_t *grown;

	if (scenario->vm[vm].ruled) {
		return 0;
	}
	grown = reallocarray(scenario->ruled, (size_t)scenario->ruled_count + 1, sizeof(*grown));
	if (grown == NULL) {
		return no_memory(error);
	}
	scenario->ruled = grown;
	scenario->vm[vm].ruled = true;
	grown[scenario->ruled_count++] = vm;
	return 0;
}

/* "node1:2": the node's number, and 2. */
static int read_node(const struct vrms_sim_scenario *scenario, char *text, int64_t *ret_priority,
		     struct vrms_error *error)
{
	char *colon = strchr(text, ':');
	int rc = 0;

	*ret_priority = 0;
	if (colon != NULL) {
		*colon = '\0';
		rc = vrms_int_parse(colon + 1, 0, PRIORITY_MAX, ret_priority, error);
	}
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "the priority of %s", text);
	}
	rc = vrms_sim_scenario_node(scenario, text);
	return rc < 0 ? vrms_error_set(error, -ENOENT, "there is no node \"%s\"", text) : rc;
}

/* Whom a negative rule does not name is preferred. */
static int prefer_others(struct vrms_sim_scenario *scenario, int vm, const bool *named,
			 struct vrms_error *error)
{
	int rc = 0;

	for (int node = 0; node < scenario->node_count && rc == 0; node++) {
		rc = named[node] ? 0 : add_preference(scenario, vm, node, 0, error);
	}
	return rc;
}

static int prefer_nodes(struct vrms_sim_scenario *scenario, const struct vrms_sim_rule_spec *rule,
			int vm, struct vrms_error *error)
{
	char *list VRMS_CLEANUP(vrms_freep) = strdup(rule->nodes), *rest = list, *word;
	bool *named = calloc((size_t)scenario->node_count + 1, sizeof(*named));
	int rc = named == NULL || list == NULL ? no_memory(error) : 0;

	while (rc == 0 && (word = vrms_sim_word(&rest, separators)) != NULL) {
		int64_t priority = 0;
		int node = read_node(scenario, word, &priority, error);

		rc = node < 0 ? node : 0;
		if (rc == 0 && rule->negative) {
			named[node] = true;
		} else if (rc == 0) {
			rc = add_preference(scenario, vm, node, priority, error);
		}
	}
	rc = rc == 0 && rule->negative ? prefer_others(scenario, vm, named, error) : rc;
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

static int apply_to(struct vrms_sim_scenario *scenario, const struct vrms_sim_rule_spec *rule,
		    int vm, struct vrms_error *error)
{
	struct vrms_sim_vm_spec *spec = &scenario->vm[vm];
	int rc = add_ruled(scenario, vm, error);

	if (rc < 0) {
		return rc;
	}
	if (!rule->of_nodes && rule->negative) {
		spec->apart |= UINT64_C(1) << scenario->apart_rules;
		return 0;
	}
	if (!rule->of_nodes) {
		join(scenario, spec->together, scenario->together_rules + 1);
		spec->together = scenario->together_rules + 1;
		return 0;
	}
	for (int i = 0; i < scenario->preference_count; i++) {
		if (scenario->preference[i].vm == vm) {
			return vrms_error_set(error, -EEXIST, "%s is in a rule of nodes already",
					      spec->name);
		}
	}
	spec->strict = rule->strict;
	return prefer_nodes(scenario, rule, vm, error);
}

int vrms_sim_scenario_add_rule(struct vrms_sim_scenario *scenario,
			       const struct vrms_sim_rule_spec *rule, struct vrms_error *error)
{
	bool apart = !rule->of_nodes && rule->negative;
	char *list VRMS_CLEANUP(vrms_freep) = strdup(rule->vms), *rest = list, *word;
	int rc = list == NULL ? no_memory(error) : 0;

	if (rule->vms[0] == '\0' || (rule->of_nodes && rule->nodes[0] == '\0')) {
		return vrms_error_set(error, -EINVAL, "a rule without %s",
				      rule->vms[0] == '\0' ? "VMs" : "nodes");
	}
	if (apart && scenario->apart_rules == VRMS_SIM_APART_MAX) {
		return vrms_error_set(error, -ENOSPC, "more than %d rules that keep VMs apart",
				      VRMS_SIM_APART_MAX);
	}
	while (rc == 0 && (word = vrms_sim_word(&rest, separators)) != NULL) {
		int vm = vrms_sim_scenario_vm(scenario, word);

		rc = vm < 0 ? vrms_error_set(error, -ENOENT, "there is no VM \"%s\"", word)
			    : apply_to(scenario, rule, vm, error);
	}
	scenario->apart_rules += apart ? 1 : 0;
	scenario->together_rules += !rule->of_nodes && !rule->negative ? 1 : 0;
	return rc;
}

/* Priority of the VM's rule there and one more; 0: the node is not named. */
static int64_t liking(const struct vrms_sim_scenario *scenario, int vm, int node)
{
	for (int i = 0; i < scenario->preference_count; i++) {
		if (scenario->preference[i].vm == vm && scenario->preference[i].node == node) {
			return scenario->preference[i].priority + 1;
		}
	}
	return 0;
}

int64_t vrms_sim_scenario_score(const struct vrms_sim_scenario *scenario, int vm, int node)
{
	int64_t likes = liking(scenario, vm, node), least = likes;

	if (!scenario->vm[vm].strict) {
		return likes;
	}
	/* Nodes that are all the same to it count nothing. */
	for (int other = 0; other < scenario->node_count && likes > 0; other++) {
		int64_t there = liking(scenario, vm, other);

		least = there > 0 && there < least ? there : least;
	}
	return likes > 0 ? likes - least : VRMS_SIM_FORBIDDEN;
}

void vrms_sim_scenario_drop_rules(struct vrms_sim_scenario *scenario, int vm)
{
	struct vrms_sim_vm_spec *spec = &scenario->vm[vm];
	int kept = 0;

	spec->ruled = spec->strict = false;
	spec->apart = 0;
	spec->together = 0;
	for (int i = 0; i < scenario->preference_count; i++) {
		if (scenario->preference[i].vm != vm) {
			scenario->preference[kept++] = scenario->preference[i];
		}
	}
	scenario->preference_count = kept;
	kept = 0;
	for (int i = 0; i < scenario->ruled_count; i++) {
		if (scenario->ruled[i] != vm) {
			scenario->ruled[kept++] = scenario->ruled[i];
		}
	}
	scenario->ruled_count = kept;
}
