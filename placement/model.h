/* model.h - the cluster as placement sees it: nodes, VMs, dimensions, rules.
 *
 * Pure.  A model is built once (dimensions, then nodes, then VMs, then rules),
 * sealed, and never changes afterwards; every solver reads it.  All memory is
 * taken in vrms_model_new() and vrms_model_seal(), bounded by the limits given.
 *
 * Amounts are whole numbers in one unit per dimension, chosen by the caller
 * (MiB, bytes, hundredths of a core ...).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_MODEL_H
#define VRMS_PLACEMENT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

enum {
	VRMS_DIM_MAX = 8,       /* dimensions of one model */
	VRMS_DOMAIN_MAX = 8,    /* kinds of failure domain: rack, room ... */
	VRMS_NODE_NONE = -1,    /* "runs nowhere" */
	VRMS_NODE_LIMIT = 4096, /* the largest model: nodes */
	VRMS_VM_LIMIT = 1000000 /* and VMs */
};

/* Largest amount of anything: whole numbers up to here are exact in a double. */
#define VRMS_AMOUNT_MAX ((int64_t)1 << 53)

struct vrms_model_limits {
	int nodes, vms;    /* how many may be added */
	int rules;         /* rules, and one more for each pinned VM */
	int members;       /* VMs plus nodes named in all rules together; 2 for each pinned VM */
	size_t name_bytes; /* all names with their NULs; a name used twice counts twice */
};

enum vrms_node_state {
	VRMS_NODE_ONLINE,
	VRMS_NODE_STANDBY,     /* takes nothing new; what runs there stays */
	VRMS_NODE_MAINTENANCE, /* likewise, and nothing there may be moved */
	VRMS_NODE_OFFLINE,     /* has failed: its VMs are displaced */
};

struct vrms_node_spec {
	const char *name;
	int64_t capacity[VRMS_DIM_MAX]; /* physical, before overcommit */
	int64_t other[VRMS_DIM_MAX];    /* used by things that are not VMs of this model */
	enum vrms_node_state state;
};

struct vrms_vm_spec {
	const char *name;
	int64_t demand[VRMS_DIM_MAX];   /* configured: binds capacity */
	int64_t measured[VRMS_DIM_MAX]; /* really used: for balance */
	uint32_t measured_bits;         /* bit d: measured[d] is given */
	int64_t priority;               /* higher stays up longer */
	int64_t dirty;                  /* memory written per second, for the cost of a migration */
	int host;                       /* node index or VRMS_NODE_NONE */
	bool pinned;                    /* may run on its host only */
	bool cold;                      /* cannot be live-migrated; may be started elsewhere */
};

enum vrms_rule_kind {
	VRMS_RULE_ALLOW,    /* the VMs run on these nodes only */
	VRMS_RULE_DENY,     /* the VMs never run on these nodes */
	VRMS_RULE_PREFER,   /* the VMs like these nodes by `score` (negative: dislike) */
	VRMS_RULE_TOGETHER, /* the VMs run on one node */
	VRMS_RULE_APART,    /* at most `limit` of the VMs on one node */
	VRMS_RULE_SPREAD,   /* at most `limit` of the VMs in one failure domain */
};

struct vrms_rule_spec {
	enum vrms_rule_kind kind;
	const char *name; /* what messages call it; need not be unique */
	bool soft;        /* TOGETHER, APART, SPREAD: kept where capacity allows */
	const int *vms;
	int vm_count;
	const int *nodes; /* ALLOW, DENY, PREFER */
	int node_count;
	const char *domain; /* SPREAD: kind of domain */
	int limit;          /* APART, SPREAD: > 0 */
	int64_t score;      /* PREFER; weight of a soft rule; within +-1000000 */
};

struct vrms_model; /* opaque */

/* Returns NULL when a limit is negative or above its maximum, or out of memory. */
struct vrms_model *vrms_model_new(const struct vrms_model_limits *limits);
void vrms_model_free(struct vrms_model *model); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_model *, vrms_model_free);

/* Adds a dimension; all of them come before the first node.
 *
 * permille: overcommit, 1000 = none, 4000 = four times the physical capacity; 1..100000.
 * Returns its index, -EEXIST (name taken), -ENOSPC (limit reached), -ERANGE (permille).
 */
VRMS_MUST_CHECK int vrms_model_add_dim(struct vrms_model *model, const char *name, int64_t permille,
				       struct vrms_error *error);

/* Adds a node.  Returns its index, -EEXIST, -ENOSPC or -ERANGE (an amount below 0 or too large). */
VRMS_MUST_CHECK int vrms_model_add_node(struct vrms_model *model, const struct vrms_node_spec *spec,
					struct vrms_error *error);

/* Says in which domain of a kind the node is: ("rack", "r3").  Kinds come into being by use.
 * Returns 0, -ENOSPC or -EEXIST (the node already is in another domain of this kind).
 */
VRMS_MUST_CHECK int vrms_model_set_domain(struct vrms_model *model, int node, const char *kind,
					  const char *value, struct vrms_error *error);

/* Adds a VM.  Returns its index, -EEXIST, -ENOSPC, -ERANGE or -EINVAL (pinned to no node). */
VRMS_MUST_CHECK int vrms_model_add_vm(struct vrms_model *model, const struct vrms_vm_spec *spec,
				      struct vrms_error *error);

/* Adds a rule.  Returns 0, -ENOSPC, -ERANGE, -EINVAL, -ENOENT (no node is in a domain of that
 * kind). */
VRMS_MUST_CHECK int vrms_model_add_rule(struct vrms_model *model, const struct vrms_rule_spec *spec,
					struct vrms_error *error);

/* Checks the rules against each other and prepares the model for the solvers.
 *
 * Returns 0, -ENOMEM, -EOVERFLOW (a sum of demands), or -EDEADLK when hard rules
 * contradict each other; the text then names rules that do, none of which can be
 * left out (and no three or fewer contradict if more are named, where the model
 * has at most 40 hard rules).
 */
VRMS_MUST_CHECK int vrms_model_seal(struct vrms_model *model, struct vrms_error *error);

/* What is in it.  Names are borrowed.  Indices must be in range. */
int vrms_model_dim_count(const struct vrms_model *model);
int vrms_model_node_count(const struct vrms_model *model);
int vrms_model_vm_count(const struct vrms_model *model);
const char *vrms_model_dim_name(const struct vrms_model *model, int dim);
const char *vrms_model_node_name(const struct vrms_model *model, int node);
const char *vrms_model_vm_name(const struct vrms_model *model, int vm);
enum vrms_node_state vrms_model_node_state(const struct vrms_model *model, int node);
int vrms_model_vm_host(const struct vrms_model *model, int vm);
int64_t vrms_model_vm_demand(const struct vrms_model *model, int vm, int dim);
int64_t vrms_model_vm_priority(const struct vrms_model *model, int vm);
/* Sum of the scores with which PREFER rules speak for the VM on the node; after sealing. */
int64_t vrms_model_vm_like(const struct vrms_model *model, int vm, int node);
int64_t vrms_model_capacity(const struct vrms_model *model, int node, int dim); /* physical */

/* Index by name, or -ENOENT. */
int vrms_model_find_dim(const struct vrms_model *model, const char *name);
int vrms_model_find_node(const struct vrms_model *model, const char *name);
int vrms_model_find_vm(const struct vrms_model *model, const char *name);

#endif
