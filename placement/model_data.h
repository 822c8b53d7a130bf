/* model_data.h - the inside of a model, for the solvers of placement/ only.
 *
 * A UNIT is what moves as one: all VMs of a hard "together" that run on one
 * host, or a single VM.  Solvers know units; VMs come back in at the edges.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_MODEL_DATA_H
#define VRMS_PLACEMENT_MODEL_DATA_H

#include "placement/model.h"
#include "placement/names.h"

struct vrms_rule {
	enum vrms_rule_kind kind;
	bool soft;
	const char *name;
	int vm_first, vm_count;     /* in member[] */
	int node_first, node_count; /* in member[] */
	int domain;                 /* -1: the node itself is the domain */
	int limit;
	int64_t score;
};

struct vrms_vm {
	int64_t priority, dirty;
	int host;
	int unit; /* set by seal */
	bool pinned, cold;
};

/* A counting rule (apart, spread, soft together) as the state checks it. */
struct vrms_group {
	int rule;
	int domain; /* -1: the node itself */
	int values; /* how many domains */
	int limit;
	bool soft, together;
	int64_t score;
	size_t first; /* of its `values` counters in a state's count[] */
};

struct vrms_unit_group {
	int group;
	int members; /* VMs of the unit that the rule names */
};

struct vrms_unit_like {
	int node;
	int64_t score;
};

struct vrms_unit {
	int64_t priority; /* the highest of its VMs */
	int64_t cost;     /* of one live migration: memory plus what is dirtied meanwhile */
	int host;
	int vm_first, vm_count;       /* in unit_vm[] */
	int group_first, group_count; /* in unit_group[] */
	int like_first, like_count;   /* in unit_like[] */
	int class_next; /* ring of units that belong together but run apart; itself when alone */
	int allowed;    /* index of its node set, -1: all nodes */
	bool movable;   /* may be live-migrated */
	bool pinned;
};

struct vrms_model {
	struct vrms_model_limits limits;
	bool sealed, measured; /* measured: some balance weight is not just the demand */
	char *name_text;
	size_t name_used;

	int dim_count, domain_count, node_count, vm_count, rule_count, member_count;
	const char *dim_name[VRMS_DIM_MAX];
	int64_t permille[VRMS_DIM_MAX];
	const char *domain_name[VRMS_DOMAIN_MAX];
	int value_count[VRMS_DOMAIN_MAX];

	struct vrms_names node_names, vm_names;
	enum vrms_node_state *node_state;
	int64_t *physical;       /* [node][dim] */
	int64_t *capacity;       /* [node][dim] physical times overcommit */
	int64_t *other;          /* [node][dim] */
	int *node_value;         /* [node][VRMS_DOMAIN_MAX], -1: in no domain of that kind */
	const char **value_name; /* [VRMS_DOMAIN_MAX][nodes] */

	struct vrms_vm *vm;
	int64_t *demand; /* [vm][dim] */
	int64_t *weight; /* [vm][dim] what counts for balance */
	struct vrms_rule *rule;
	int *member;
	int *mark, stamp; /* scratch: who was seen in the rule being added */

	/* Set by seal. */
	int unit_count, group_count, set_count, set_words;
	size_t counter_count;
	struct vrms_unit *unit;
	int *unit_vm;
	int64_t *unit_demand, *unit_weight; /* [unit][dim] */
	struct vrms_group *group;
	struct vrms_unit_group *unit_group;
	struct vrms_unit_like *unit_like;
	uint64_t *set;                     /* [set_count][set_words] node sets */
	double *inverse;                   /* [node][dim] 1 / physical; 0 where physical is 0 */
	double mean_inverse[VRMS_DIM_MAX]; /* 1 / mean physical capacity */
	double *size; /* [unit] largest share of a mean node over all dimensions */
};

static inline bool vrms_set_has(const uint64_t *set, int bit)
{
	return (set[bit / 64] >> (bit % 64) & 1) != 0;
}

/* May the unit run on the node, by allow and deny rules alone? */
static inline bool vrms_unit_allowed(const struct vrms_model *model, int unit, int node)
{
	int set = model->unit[unit].allowed;

	return set < 0 || vrms_set_has(&model->set[(size_t)set * model->set_words], node);
}

/* The domain of a group that a node is in; -1: none. */
static inline int vrms_group_value(const struct vrms_model *model, const struct vrms_group *group,
				   int node)
{
	return group->domain < 0 ? node : model->node_value[node * VRMS_DOMAIN_MAX + group->domain];
}

/* rules.c: -EDEADLK with the fewest contradicting rules named, -ENOMEM, or 0. */
VRMS_MUST_CHECK int vrms_rules_check(const struct vrms_model *model, struct vrms_error *error);

/* units.c: fills everything below "set by seal".  0, -ENOMEM or -EOVERFLOW. */
VRMS_MUST_CHECK int vrms_units_build(struct vrms_model *model, struct vrms_error *error);

#endif
