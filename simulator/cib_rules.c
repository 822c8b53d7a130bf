/* cib_rules.c - a CIB's constraints as rules of a scenario.
 *
 * placement/ has read them already: locations, with their rules and lists of vrms plan, and
 * colocations.  What is kept only where there is room (soft rules), and failure domains, are not
 * known to the simulator and left out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdio.h>

#include "placement/model_data.h"
#include "simulator/cluster_import.h"

/* Appends " NAME", or " NAME:PRIORITY". */
static int append(char text[VRMS_SIM_RULE_BYTES], size_t *length, const char *name,
		  int64_t priority, struct vrms_error *error)
{
	size_t left = VRMS_SIM_RULE_BYTES - *length;
	int added = priority < 0
			? snprintf(text + *length, left, " %s", name)
			: snprintf(text + *length, left, " %s:%lld", name, (long long)priority);

	if (added < 0 || (size_t)added >= left) {
		return vrms_error_set(error, -ENOSPC, "too many names in one rule");
	}
	*length += (size_t)added;
	return 0;
}

/* Does a rule forbid the VM the node? */
static bool is_forbidden(const struct vrms_model *model, int vm, int node)
{
	for (int i = 0; i < model->rule_count; i++) {
		const struct vrms_rule *rule = &model->rule[i];
		bool has_vm = false, has_node = false;

		if (rule->kind != VRMS_RULE_ALLOW && rule->kind != VRMS_RULE_DENY) {
			continue;
		}
		for (int j = 0; j < rule->vm_count; j++) {
			has_vm = has_vm || model->member[rule->vm_first + j] == vm;
		}
		for (int j = 0; j < rule->node_count; j++) {
			has_node = has_node || model->member[rule->node_first + j] == node;
		}
		if (has_vm && has_node == (rule->kind == VRMS_RULE_DENY)) {
			return true;
		}
	}
	return false;
}

/* The scores of the nodes where it may run, and whether there are others. */
struct scores {
	int64_t least, most;
	bool strict;
};

static struct scores look_at(const struct vrms_model *model, int vm)
{
	struct scores scores = {.least = INT64_MAX, .most = INT64_MIN};

	for (int node = 0; node < model->node_count; node++) {
		int64_t score = vrms_model_vm_like(model, vm, node);

		if (is_forbidden(model, vm, node)) {
			scores.strict = true;
			continue;
		}
		scores.least = score < scores.least ? score : scores.least;
		scores.most = score > scores.most ? score : scores.most;
	}
	return scores;
}

/* Its locations as one rule. */
static int add_locations(struct vrms_sim_scenario *scenario, const struct vrms_model *model, int vm,
			 int64_t stickiness, struct vrms_error *error)
{
	struct scores scores = look_at(model, vm);
	struct vrms_sim_rule_spec rule = {.of_nodes = true, .strict = scores.strict};
	size_t length = 0;
	int rc;

	if (scores.most < scores.least || (!scores.strict && scores.most == scores.least)) {
		return 0;
	}
	snprintf(rule.vms, sizeof(rule.vms), "%s", vrms_model_vm_name(model, vm));
	for (int node = 0; node < model->node_count; node++) {
		int64_t likes = vrms_model_vm_like(model, vm, node) - scores.least;

		if (is_forbidden(model, vm, node) || (!scores.strict && likes == 0)) {
			continue;
		}
		rc = append(rule.nodes, &length, vrms_model_node_name(model, node),
			    scores.strict ? likes : likes - 1, error);
		if (rc < 0) {
			return rc;
		}
	}
	scenario->vm[vm].stays = scores.most - scores.least <= stickiness;
	return vrms_sim_scenario_add_rule(scenario, &rule, error);
}

/* A colocation of VMs, where it must be kept. */
static int add_colocation(struct vrms_sim_scenario *scenario, const struct vrms_model *model,
			  const struct vrms_rule *from, struct vrms_error *error)
{
	bool apart = from->kind == VRMS_RULE_APART;
	struct vrms_sim_rule_spec rule = {.negative = apart};
	size_t length = 0;
	int rc = 0;

	if (from->soft || (!apart && from->kind != VRMS_RULE_TOGETHER) ||
	    (apart && from->limit != 1)) {
		return 0;
	}
	for (int i = 0; i < from->vm_count && rc == 0; i++) {
		int vm = model->member[from->vm_first + i];

		rc = append(rule.vms, &length, vrms_model_vm_name(model, vm), -1, error);
	}
	rc = rc < 0 ? rc : vrms_sim_scenario_add_rule(scenario, &rule, error);
	return rc < 0 ? vrms_error_wrap(error, rc, "%s", from->name) : 0;
}

int vrms_sim_cib_rules(struct vrms_sim_scenario *scenario, const struct vrms_model *model,
		       int64_t stickiness, struct vrms_error *error)
{
	int rc = 0;

	for (int vm = 0; vm < model->vm_count && rc == 0; vm++) {
		rc = add_locations(scenario, model, vm, stickiness, error);
	}
	for (int i = 0; i < model->rule_count && rc == 0; i++) {
		rc = add_colocation(scenario, model, &model->rule[i], error);
	}
	return rc;
}
