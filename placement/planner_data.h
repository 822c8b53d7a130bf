/* planner_data.h - the inside of a planner, for planner.c, rebalance.c, drain.c and decide.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_PLANNER_DATA_H
#define VRMS_PLACEMENT_PLANNER_DATA_H

#include "placement/planner.h"
#include "placement/solver.h"

/* A move of one unit, before it is told VM by VM. */
struct vrms_step {
	int unit, from, to;
	enum vrms_move_kind kind;
	int batch;
	bool cold;
};

struct vrms_planner {
	const struct vrms_model *model;
	struct vrms_state *state;
	struct vrms_state *before;  /* the decision being made */
	struct vrms_state *scratch; /* for trying an order of moves */
	struct vrms_solver *solver;
	struct vrms_effort effort;
	int *last;               /* [unit] where it ran last, VRMS_NODE_NONE: never did */
	struct vrms_step *steps; /* of the decision being made; room for 2 per unit */
	struct vrms_step *line;  /* scratch: the steps as they were decided */
	int step_count, step_max;
	int *busy; /* [node] migrations of the batch being formed */
};

/* Notes loads and forgets the last decision. */
void vrms_planner_open_outcome(struct vrms_planner *planner, struct vrms_outcome *outcome);

/* Tells steps and stopped units VM by VM and notes the loads. */
void vrms_planner_close_outcome(struct vrms_planner *planner, struct vrms_outcome *outcome);

/* Appends a step; false when there is no room for more. */
bool vrms_planner_add_step(struct vrms_planner *planner, const struct vrms_step *step);

/* Adds the VMs of a unit that is down to the outcome. */
void vrms_planner_add_stopped(struct vrms_planner *planner, int unit, struct vrms_outcome *outcome);

/* batch.c: puts steps that may go at once into batches, from the state before all of them; where
 * that does not work out, one after the other as decided.  Returns whether every step is possible.
 */
bool vrms_batches_form(struct vrms_planner *planner, const struct vrms_state *before, int parallel);

#endif
