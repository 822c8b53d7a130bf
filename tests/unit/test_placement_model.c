/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "placement/bound.h"
#include "tests/unit/placement_cluster.h"
#include "tests/unit/unit.h"

static const struct vrms_model_limits limits = {
    .nodes = 4, .vms = 6, .rules = 12, .members = 64, .name_bytes = 1024};

/* Four nodes, six VMs on them in turn; rules come from the tests. */
static struct vrms_model *four_nodes(void)
{
	static const char *const nodes[] = {"n1", "n2", "n3", "n4"};
	static const char *const vms[] = {"a", "b", "c", "d", "e", "f"};
	struct vrms_model *model = vrms_model_new(&limits);
	struct vrms_error error = {""};

	ck_assert_int_eq(vrms_model_add_dim(model, "memory", 1000, &error), 0);
	for (int n = 0; n < 4; n++) {
		struct vrms_node_spec spec = {.name = nodes[n], .capacity = {64}};

		ck_assert_int_eq(vrms_model_add_node(model, &spec, &error), n);
	}
	for (int v = 0; v < 6; v++) {
		struct vrms_vm_spec spec = {.name = vms[v], .demand = {8}, .host = v % 4};

		ck_assert_int_eq(vrms_model_add_vm(model, &spec, &error), v);
	}
	return model;
}

static void add_rule(struct vrms_model *model, enum vrms_rule_kind kind, const char *name,
		     const int *vms, int vm_count, const int *nodes, int node_count)
{
	struct vrms_error error = {""};
	struct vrms_rule_spec spec = {
	    .kind = kind,
	    .name = name,
	    .vms = vms,
	    .vm_count = vm_count,
	    .nodes = nodes,
	    .node_count = node_count,
	    .limit = 1,
	};

	ck_assert_msg(vrms_model_add_rule(model, &spec, &error) == 0, "%s", error.text);
}

START_TEST(duplicate_names_are_named)
{
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = vrms_model_new(&limits);
	struct vrms_node_spec node = {.name = "n1", .capacity = {1}};
	struct vrms_vm_spec vm = {.name = "web", .host = 0};
	struct vrms_error error = {""};

	ck_assert_int_eq(vrms_model_add_dim(model, "memory", 1000, &error), 0);
	ck_assert_int_eq(vrms_model_add_dim(model, "memory", 1000, &error), -EEXIST);
	ck_assert_str_eq(error.text, "dimension 'memory': declared twice");
	ck_assert_int_eq(vrms_model_add_node(model, &node, &error), 0);
	ck_assert_int_eq(vrms_model_add_node(model, &node, &error), -EEXIST);
	ck_assert_str_eq(error.text, "node 'n1': declared twice");
	ck_assert_int_eq(vrms_model_add_vm(model, &vm, &error), 0);
	ck_assert_int_eq(vrms_model_add_vm(model, &vm, &error), -EEXIST);
	ck_assert_str_eq(error.text, "vm 'web': declared twice");
}
END_TEST

START_TEST(amounts_out_of_range_are_named)
{
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = vrms_model_new(&limits);
	struct vrms_node_spec node = {.name = "n1", .capacity = {-1}};
	struct vrms_vm_spec vm = {.name = "web", .demand = {VRMS_AMOUNT_MAX + 1}, .host = -1};
	struct vrms_error error = {""};

	ck_assert_int_eq(vrms_model_add_dim(model, "memory", 0, &error), -ERANGE);
	ck_assert_int_eq(vrms_model_add_dim(model, "memory", 1000, &error), 0);
	ck_assert_int_eq(vrms_model_add_node(model, &node, &error), -ERANGE);
	ck_assert_ptr_nonnull(strstr(error.text, "node 'n1': capacity: memory of -1"));
	ck_assert_int_eq(vrms_model_add_vm(model, &vm, &error), -ERANGE);
	ck_assert_ptr_nonnull(strstr(error.text, "vm 'web': demand: memory of 9007199254740993"));
}
END_TEST

START_TEST(limits_given_at_creation_hold)
{
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = four_nodes();
	struct vrms_vm_spec vm = {.name = "one too many", .host = 0};
	struct vrms_error error = {""};

	ck_assert_int_eq(vrms_model_add_vm(model, &vm, &error), -ENOSPC);
	ck_assert_str_eq(error.text, "vm 'one too many': more than 6");
	ck_assert_ptr_null(vrms_model_new(&(struct vrms_model_limits){.nodes = -1}));
}
END_TEST

START_TEST(deny_everywhere_names_the_rules)
{
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = four_nodes();
	struct vrms_error error = {""};

	add_rule(model, VRMS_RULE_APART, "bystander", (int[]){2, 3}, 2, NULL, 0);
	add_rule(model, VRMS_RULE_ALLOW, "only n1", (int[]){0}, 1, (int[]){0}, 1);
	add_rule(model, VRMS_RULE_DENY, "not n2", (int[]){0}, 1, (int[]){1}, 1);
	add_rule(model, VRMS_RULE_DENY, "not n1", (int[]){0, 4}, 2, (int[]){0}, 1);
	ck_assert_int_eq(vrms_model_seal(model, &error), -EDEADLK);
	ck_assert_str_eq(error.text, "rules contradict each other: 'only n1', 'not n1' leave no "
				     "node for vm 'a'");
}
END_TEST

START_TEST(together_and_apart_names_the_chain)
{
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = four_nodes();
	struct vrms_error error = {""};

	add_rule(model, VRMS_RULE_TOGETHER, "ab", (int[]){0, 1}, 2, NULL, 0);
	add_rule(model, VRMS_RULE_TOGETHER, "de", (int[]){3, 4}, 2, NULL, 0);
	add_rule(model, VRMS_RULE_TOGETHER, "bc", (int[]){1, 2}, 2, NULL, 0);
	add_rule(model, VRMS_RULE_APART, "ac", (int[]){0, 2}, 2, NULL, 0);
	ck_assert_int_eq(vrms_model_seal(model, &error), -EDEADLK);
	ck_assert_str_eq(error.text, "rules contradict each other: 'ab', 'bc', 'ac' keep together "
				     "and apart vm 'c'");
}
END_TEST

START_TEST(too_few_places_for_an_apart_rule_is_a_contradiction)
{
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = four_nodes();
	struct vrms_error error = {""};

	add_rule(model, VRMS_RULE_ALLOW, "two nodes", (int[]){0, 1, 2}, 3, (int[]){0, 1}, 2);
	add_rule(model, VRMS_RULE_APART, "three apart", (int[]){0, 1, 2}, 3, NULL, 0);
	ck_assert_int_eq(vrms_model_seal(model, &error), -EDEADLK);
	ck_assert_ptr_nonnull(strstr(error.text, "'two nodes', 'three apart'"));
}
END_TEST

START_TEST(the_smallest_contradiction_is_named)
{
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = four_nodes();
	struct vrms_error error = {""};

	/* Four rules contradict as a chain; two of them alone do so too. */
	add_rule(model, VRMS_RULE_ALLOW, "a on n1", (int[]){0}, 1, (int[]){0}, 1);
	add_rule(model, VRMS_RULE_ALLOW, "c on n2", (int[]){2}, 1, (int[]){1}, 1);
	add_rule(model, VRMS_RULE_TOGETHER, "abc", (int[]){0, 1, 2}, 3, NULL, 0);
	add_rule(model, VRMS_RULE_APART, "bc", (int[]){1, 2}, 2, NULL, 0);
	ck_assert_int_eq(vrms_model_seal(model, &error), -EDEADLK);
	ck_assert_ptr_nonnull(strstr(error.text, ": 'abc', 'bc' "));
}
END_TEST

START_TEST(a_pin_against_a_deny_is_named)
{
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = vrms_model_new(&limits);
	struct vrms_node_spec node = {.name = "n1"};
	struct vrms_vm_spec vm = {.name = "web", .host = 0, .pinned = true};
	struct vrms_error error = {""};

	ck_assert_int_eq(vrms_model_add_node(model, &node, &error), 0);
	node.name = "n2";
	ck_assert_int_eq(vrms_model_add_node(model, &node, &error), 1);
	ck_assert_int_eq(vrms_model_add_vm(model, &vm, &error), 0);
	add_rule(model, VRMS_RULE_DENY, "not n1", (int[]){0}, 1, (int[]){0}, 1);
	ck_assert_int_eq(vrms_model_seal(model, &error), -EDEADLK);
	ck_assert_ptr_nonnull(strstr(error.text, "'pinned', 'not n1'"));
}
END_TEST

START_TEST(random_rules_never_pass_when_a_vm_has_no_node)
{
	struct vrms_error error = {""};
	int refused = 0;

	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = four_nodes();
		struct vrms_random random;
		unsigned int allowed[6] = {15, 15, 15, 15, 15, 15};
		bool empty = false;

		vrms_random_init(&random, seed);
		for (int r = 0; r < 8; r++) {
			int vm = cluster_pick(&random, 6), node = cluster_pick(&random, 4);
			bool deny = cluster_pick(&random, 4) > 0;

			add_rule(model, deny ? VRMS_RULE_DENY : VRMS_RULE_ALLOW, "r", &vm, 1, &node,
				 1);
			allowed[vm] &= deny ? ~(1u << node) : 1u << node;
		}
		for (int v = 0; v < 6; v++) {
			empty = empty || allowed[v] == 0;
		}
		ck_assert_int_eq(vrms_model_seal(model, &error), empty ? -EDEADLK : 0);
		refused += empty;
	}
	ck_assert_int_gt(refused, 20);
	ck_assert_int_lt(refused, 280);
}
END_TEST

START_TEST(the_bound_is_the_water_level_or_the_largest_vm)
{
	struct cluster cluster;
	struct vrms_outcome *outcome VRMS_CLEANUP(vrms_outcome_freep) = NULL;
	struct vrms_planner *planner VRMS_CLEANUP(vrms_planner_freep) = NULL;

	/* n0 fails: 10 and 30 go to two nodes that carry 20 each of 100. */
	cluster_plain(&cluster, 3, 100, (int64_t[]){10, 30, 20, 20}, (int[]){0, 0, 1, 2}, 4);
	outcome = vrms_outcome_new(cluster.model);
	planner = vrms_planner_new(cluster.model);
	vrms_planner_fail(planner, (int[]){0}, 1, outcome);
	ck_assert_double_eq_tol(outcome->bound[0], 0.50, 1e-6);
	ck_assert_double_eq_tol(outcome->highest_after[0], 0.50, 1e-6);
	cluster_done(&cluster);
}
END_TEST

UNIT_MAIN("placement_model", duplicate_names_are_named, amounts_out_of_range_are_named,
	  limits_given_at_creation_hold, deny_everywhere_names_the_rules,
	  together_and_apart_names_the_chain, too_few_places_for_an_apart_rule_is_a_contradiction,
	  the_smallest_contradiction_is_named, a_pin_against_a_deny_is_named,
	  random_rules_never_pass_when_a_vm_has_no_node,
	  the_bound_is_the_water_level_or_the_largest_vm)
