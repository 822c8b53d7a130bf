/* growth.h - by how much the sum of squared loads grows when a unit is put on a node.
 *
 * Placing asks that of every node for every unit.  So the loads of all nodes are kept, in parts of
 * what the solver's bound says is reachable, and the lowest of each block of nodes: a block
 * whose lowest could not do better is passed over as a whole.  No answer is changed by that, for
 * rounding keeps order.
 *
 * Pure; of assign.c and level.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_GROWTH_H
#define VRMS_PLACEMENT_GROWTH_H

#include "placement/state.h"

enum { VRMS_GROWTH_BLOCK = 32 };

struct vrms_growth {
	const struct vrms_model *model;
	double *load, *scale;         /* [node][dim] */
	double *low_load, *low_scale; /* [block][dim] */
};

/* What a unit weighs, as numbers to reckon with. */
struct vrms_growth_weights {
	double value[VRMS_DIM_MAX];
};

/* NULL when out of memory. */
struct vrms_growth *vrms_growth_new(const struct vrms_model *model);
void vrms_growth_free(struct vrms_growth *growth); /* accepts NULL */

/* Takes the loads of all nodes, or of one that has changed, from a state; scale: [dim]. */
void vrms_growth_note_all(struct vrms_growth *growth, const struct vrms_state *state,
			  const double *scale);
void vrms_growth_note(struct vrms_growth *growth, const struct vrms_state *state,
		      const double *scale, int node);

struct vrms_growth_weights vrms_growth_weights(const struct vrms_model *model, int unit);

/* By how much it grows when the unit is added. */
double vrms_growth_with(const struct vrms_growth *growth, const struct vrms_growth_weights *weights,
			int node);

/* Nodes to look at, and the growth that a node has to stay below. */
struct vrms_growth_range {
	int from, end;
	double limit;
};

/* The first node of the range where it grows by less than the limit; range->end: none. */
int vrms_growth_next(const struct vrms_growth *growth, const struct vrms_growth_weights *weights,
		     const struct vrms_growth_range *range);

/* By how much it grows on the node that it is on, had it not been there; scale: [dim]. */
double vrms_growth_where(const struct vrms_growth *growth, const struct vrms_state *state,
			 const double *scale, int unit);

#endif
