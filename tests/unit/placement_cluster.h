/* placement_cluster.h - clusters for tests: written down, random, and checked independently.
 *
 * The checks add up demands and look at rules from the test's own notes, by the
 * public interface only, so that an error in placement/ cannot hide itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_TESTS_UNIT_PLACEMENT_CLUSTER_H
#define VRMS_TESTS_UNIT_PLACEMENT_CLUSTER_H

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/random.h"
#include "placement/planner.h"

enum { CLUSTER_NODES = 16, CLUSTER_VMS = 128, CLUSTER_RULES = 24, CLUSTER_DIMS = 3 };

struct cluster_rule {
	enum vrms_rule_kind kind;
	int vms[8], vm_count, nodes[CLUSTER_NODES], node_count, limit;
};

/* Everything a test knows about a cluster; model is made from it. */
struct cluster {
	int node_count, vm_count, dim_count, rule_count;
	int64_t capacity[CLUSTER_NODES][VRMS_DIM_MAX];
	int rack[CLUSTER_NODES];
	int64_t demand[CLUSTER_VMS][VRMS_DIM_MAX];
	int64_t priority[CLUSTER_VMS];
	int host[CLUSTER_VMS];
	bool cold[CLUSTER_VMS], pinned[CLUSTER_VMS];
	struct cluster_rule rule[CLUSTER_RULES];
	struct vrms_model *model;
};

static inline void cluster_add_rule(struct cluster *cluster, const struct cluster_rule *rule, int r)
{
	struct vrms_error error = {""};
	char name[16];

	snprintf(name, sizeof(name), "rule%d", r);
	struct vrms_rule_spec spec = {
	    .kind = rule->kind,
	    .name = name,
	    .vms = rule->vms,
	    .vm_count = rule->vm_count,
	    .nodes = rule->nodes,
	    .node_count = rule->node_count,
	    .domain = "rack",
	    .limit = rule->limit,
	};
	ck_assert_msg(vrms_model_add_rule(cluster->model, &spec, &error) == 0, "%s", error.text);
}

static inline void cluster_add_things(struct cluster *cluster)
{
	static const char *const dims[] = {"memory", "cpu", "disk"};
	struct vrms_error error = {""};
	char name[16], rack[16];

	for (int d = 0; d < cluster->dim_count; d++) {
		ck_assert_int_eq(vrms_model_add_dim(cluster->model, dims[d], 1000, &error), d);
	}
	for (int n = 0; n < cluster->node_count; n++) {
		struct vrms_node_spec spec = {.name = name};

		snprintf(name, sizeof(name), "n%d", n);
		snprintf(rack, sizeof(rack), "r%d", cluster->rack[n]);
		memcpy(spec.capacity, cluster->capacity[n], sizeof(spec.capacity));
		ck_assert_int_eq(vrms_model_add_node(cluster->model, &spec, &error), n);
		ck_assert_int_eq(vrms_model_set_domain(cluster->model, n, "rack", rack, &error), 0);
	}
	for (int v = 0; v < cluster->vm_count; v++) {
		struct vrms_vm_spec spec = {.name = name,
					    .host = cluster->host[v],
					    .priority = cluster->priority[v],
					    .cold = cluster->cold[v],
					    .pinned = cluster->pinned[v] && cluster->host[v] >= 0};

		snprintf(name, sizeof(name), "vm%d", v);
		memcpy(spec.demand, cluster->demand[v], sizeof(spec.demand));
		ck_assert_int_eq(vrms_model_add_vm(cluster->model, &spec, &error), v);
	}
}

/* (Re)makes the model.  Returns what vrms_model_seal() returned. */
static inline int cluster_build(struct cluster *cluster, struct vrms_error *error)
{
	struct vrms_model_limits limits = {
	    .nodes = CLUSTER_NODES,
	    .vms = CLUSTER_VMS,
	    .rules = CLUSTER_RULES + CLUSTER_VMS,
	    .members = CLUSTER_RULES * 32 + 2 * CLUSTER_VMS,
	    .name_bytes = 16384,
	};

	vrms_model_free(cluster->model);
	cluster->model = vrms_model_new(&limits);
	ck_assert_ptr_nonnull(cluster->model);
	cluster_add_things(cluster);
	for (int r = 0; r < cluster->rule_count; r++) {
		cluster_add_rule(cluster, &cluster->rule[r], r);
	}
	return vrms_model_seal(cluster->model, error);
}

static inline void cluster_done(struct cluster *cluster)
{
	vrms_model_free(cluster->model);
	cluster->model = NULL;
}

/* Equal nodes in one dimension, VMs of the given sizes on the given hosts. */
static inline void cluster_plain(struct cluster *cluster, int nodes, int64_t capacity,
				 const int64_t *sizes, const int *hosts, int vms)
{
	struct vrms_error error = {""};

	*cluster = (struct cluster){.node_count = nodes, .vm_count = vms, .dim_count = 1};
	for (int n = 0; n < nodes; n++) {
		cluster->capacity[n][0] = capacity;
		cluster->rack[n] = n;
	}
	for (int v = 0; v < vms; v++) {
		cluster->demand[v][0] = sizes[v];
		cluster->host[v] = hosts[v];
	}
	ck_assert_msg(cluster_build(cluster, &error) == 0, "%s", error.text);
}

static inline int cluster_pick(struct vrms_random *random, int bound)
{
	return (int)vrms_random_below(random, (uint64_t)bound);
}

static inline void cluster_random_rule(struct cluster *cluster, struct vrms_random *random)
{
	struct cluster_rule *rule = &cluster->rule[cluster->rule_count];
	int vms = 2 + cluster_pick(random, 3);

	*rule = (struct cluster_rule){.limit = 1 + cluster_pick(random, 4) / 3};
	rule->kind = (enum vrms_rule_kind)cluster_pick(random, VRMS_RULE_SPREAD + 1);
	if (rule->kind == VRMS_RULE_PREFER) {
		rule->kind = VRMS_RULE_APART;
	}
	for (int i = 0; i < vms; i++) {
		rule->vms[rule->vm_count++] = cluster_pick(random, cluster->vm_count);
	}
	if (rule->kind == VRMS_RULE_ALLOW || rule->kind == VRMS_RULE_DENY) {
		int first = cluster_pick(random, cluster->node_count);
		int count = rule->kind == VRMS_RULE_ALLOW ? (cluster->node_count + 1) / 2 : 1;

		for (int i = 0; i < count; i++) {
			rule->nodes[rule->node_count++] = (first + i) % cluster->node_count;
		}
	}
	cluster->rule_count++;
}

/* Places everything that runs nowhere and makes that the cluster's state. */
static inline void cluster_settle(struct cluster *cluster)
{
	struct vrms_planner *planner = vrms_planner_new(cluster->model);
	struct vrms_outcome *outcome = vrms_outcome_new(cluster->model);
	struct vrms_error error = {""};

	vrms_planner_set_effort(planner, 200, 8);
	vrms_planner_fail(planner, NULL, 0, outcome);
	for (int v = 0; v < cluster->vm_count; v++) {
		cluster->host[v] = vrms_planner_where(planner, v);
	}
	vrms_outcome_free(outcome);
	vrms_planner_free(planner);
	ck_assert_msg(cluster_build(cluster, &error) == 0, "%s", error.text);
}

/* A cluster of up to 10 nodes and 60 VMs whose rules do not contradict each other. */
static inline void cluster_random(struct cluster *cluster, uint64_t seed)
{
	struct vrms_random random;
	struct vrms_error error = {""};
	int64_t total[VRMS_DIM_MAX] = {0};
	int fill_pct;

	vrms_random_init(&random, seed);
	*cluster = (struct cluster){.node_count = 2 + cluster_pick(&random, 9),
				    .vm_count = 3 + cluster_pick(&random, 58),
				    .dim_count = 1 + cluster_pick(&random, CLUSTER_DIMS)};
	fill_pct = 30 + cluster_pick(&random, 66);
	for (int v = 0; v < cluster->vm_count; v++) {
		cluster->host[v] = VRMS_NODE_NONE;
		cluster->priority[v] = cluster_pick(&random, 3) * 10;
		cluster->cold[v] = cluster_pick(&random, 10) == 0;
		cluster->pinned[v] = cluster_pick(&random, 40) == 0;
		for (int d = 0; d < cluster->dim_count; d++) {
			cluster->demand[v][d] = cluster_pick(&random, 48);
			total[d] += cluster->demand[v][d];
		}
	}
	for (int n = 0; n < cluster->node_count; n++) {
		cluster->rack[n] = n / 2;
		for (int d = 0; d < cluster->dim_count; d++) {
			int64_t mean = total[d] * 100 / fill_pct / cluster->node_count;

			cluster->capacity[n][d] =
			    mean * 3 / 4 + cluster_pick(&random, (int)(mean / 2) + 1) + 1;
		}
	}
	ck_assert_int_eq(cluster_build(cluster, &error), 0);
	for (int rules = cluster_pick(&random, 6); rules > 0; rules--) {
		cluster_random_rule(cluster, &random);
		if (cluster_build(cluster, &error) < 0) {
			cluster->rule_count--; /* contradicts an earlier one */
			ck_assert_int_eq(cluster_build(cluster, &error), 0);
		}
	}
	cluster_settle(cluster);
}

/* Demand on a node when VMs are at `where`. */
static inline int64_t cluster_load(const struct cluster *cluster, const int *where, int node, int d)
{
	int64_t load = 0;

	for (int v = 0; v < cluster->vm_count; v++) {
		load += where[v] == node ? cluster->demand[v][d] : 0;
	}
	return load;
}

static inline bool cluster_keeps_capacity(const struct cluster *cluster, const int *where)
{
	for (int n = 0; n < cluster->node_count; n++) {
		for (int d = 0; d < cluster->dim_count; d++) {
			if (cluster_load(cluster, where, n, d) > cluster->capacity[n][d]) {
				return false;
			}
		}
	}
	return true;
}

/* Are there more than `limit` members of an apart or spread rule in one domain? */
static inline bool cluster_crowded(const struct cluster *cluster, const struct cluster_rule *rule,
				   const int *where)
{
	int count[CLUSTER_NODES] = {0};
	bool seen[CLUSTER_VMS] = {false};

	for (int i = 0; i < rule->vm_count; i++) {
		int at = where[rule->vms[i]];
		int domain = at < 0 || rule->kind == VRMS_RULE_APART ? at : cluster->rack[at];

		if (at >= 0 && !seen[rule->vms[i]] && ++count[domain] > rule->limit) {
			return true;
		}
		seen[rule->vms[i]] = true;
	}
	return false;
}

static inline bool cluster_keeps_rule(const struct cluster *cluster,
				      const struct cluster_rule *rule, const int *where)
{
	int first = VRMS_NODE_NONE;

	if (rule->kind == VRMS_RULE_APART || rule->kind == VRMS_RULE_SPREAD) {
		return !cluster_crowded(cluster, rule, where);
	}
	for (int i = 0; i < rule->vm_count; i++) {
		int at = where[rule->vms[i]];
		bool named = false;

		if (at < 0) {
			continue;
		}
		first = first < 0 ? at : first;
		for (int k = 0; k < rule->node_count; k++) {
			named = named || rule->nodes[k] == at;
		}
		if ((rule->kind == VRMS_RULE_ALLOW && !named) ||
		    (rule->kind == VRMS_RULE_DENY && named) ||
		    (rule->kind == VRMS_RULE_TOGETHER && at != first)) {
			return false;
		}
	}
	return true;
}

static inline bool cluster_keeps_rules(const struct cluster *cluster, const int *where)
{
	for (int r = 0; r < cluster->rule_count; r++) {
		if (!cluster_keeps_rule(cluster, &cluster->rule[r], where)) {
			return false;
		}
	}
	return true;
}

#endif
