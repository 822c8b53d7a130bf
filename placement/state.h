/* state.h - where every unit is at one moment, and what that does to loads and rules.
 *
 * Pure.  A solver tries things on a state and takes them back; putting a unit
 * down and taking it up again leaves the state exactly as it was.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_STATE_H
#define VRMS_PLACEMENT_STATE_H

#include "placement/model_data.h"

struct vrms_state {
	const struct vrms_model *model;
	int64_t *used;     /* [node][dim] configured demand, binds capacity */
	int64_t *weight;   /* [node][dim] for balance; the same array as used when they agree */
	int *where;        /* [unit] node or VRMS_NODE_NONE */
	int *head;         /* [node] first unit there, -1: none */
	int *next, *prev;  /* [unit] neighbours on its node */
	int *count;        /* counters of all groups */
	int *group_placed; /* [group] members that run anywhere */
	bool *alive;       /* [node] not failed */
	bool *open;        /* [node] alive and takes new units */
};

/* As the model says; units of offline nodes and hostless ones are nowhere.
 * Returns NULL when out of memory.
 */
struct vrms_state *vrms_state_new(const struct vrms_model *model);
void vrms_state_free(struct vrms_state *state); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_state *, vrms_state_free);

/* Makes `to` equal to `from`; both are of the same model. */
void vrms_state_copy(struct vrms_state *to, const struct vrms_state *from);

/* The unit must be nowhere. Does not ask whether it fits. */
void vrms_state_put(struct vrms_state *state, int unit, int node);

/* The unit must be somewhere; returns where it was. */
int vrms_state_take(struct vrms_state *state, int unit);

/* Makes the unit, which is somewhere, the first of its node: as taking and putting it back does. */
void vrms_state_to_front(struct vrms_state *state, int unit);

/* Would the unit, which is nowhere, break no capacity and no hard rule on this node? */
bool vrms_state_fits(const struct vrms_state *state, int unit, int node);

/* The parts of vrms_state_fits(): room in every dimension it needs; hard rules. */
bool vrms_state_has_room(const struct vrms_state *state, int unit, int node);
bool vrms_state_keeps_rules(const struct vrms_state *state, int unit, int node);

/* Weight of the soft rules and preferences it would break there; only differences matter. */
int64_t vrms_state_dislike(const struct vrms_state *state, int unit, int node);

/* Takes the node out of service and lists its units (which are nowhere then) at the end of list.
 * Returns the new length of the list.
 */
int vrms_state_fail(struct vrms_state *state, int node, int *list, int count);

/* Opposite of vrms_state_fail() for the node itself; its units come back with put(). */
void vrms_state_revive(struct vrms_state *state, int node);

/* Copies the node's units into list; returns how many. For loops that put and take meanwhile. */
int vrms_state_list(const struct vrms_state *state, int node, int *list);

/* Load of a node in one dimension: share of its physical capacity. */
static inline double vrms_state_ratio(const struct vrms_state *state, int node, int dim)
{
	size_t at = (size_t)node * state->model->dim_count + dim;

	return (double)state->weight[at] * state->model->inverse[at];
}

/* Highest load over all living nodes in one dimension. */
double vrms_state_highest(const struct vrms_state *state, int dim);

/* Is the node above its capacity in a dimension that one of its units needs? */
bool vrms_state_overloaded(const struct vrms_state *state, int node);

#endif
