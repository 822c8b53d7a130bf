/* solver.h - one placement job: put these units somewhere, as level as can be.
 *
 * Pure; shared by fail-over, drain, placing and rebalance, not for users of
 * placement/.  A job works on a state and leaves its answer there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_SOLVER_H
#define VRMS_PLACEMENT_SOLVER_H

#include "placement/bound.h"
#include "placement/growth.h"
#include "placement/state.h"

/* A live migration of a unit that makes room. */
struct vrms_shift {
	int unit, from, to;
};

struct vrms_effort {
	int64_t steps;  /* of the search for room, each some microseconds; 0: no search */
	int shifts_max; /* at most so many units may move to make room */
};

struct vrms_solver {
	const struct vrms_model *model;
	struct vrms_state *state; /* borrowed: the caller's */
	struct vrms_bound_room *bounds;

	int *unit; /* the job: what has to be placed */
	int count;
	int start; /* node at which equal choices begin, so that jobs differ in their favourites */

	double bound[VRMS_DIM_MAX]; /* lowest possible highest load, survivors fixed */
	double scale[VRMS_DIM_MAX]; /* 1 / bound: levels of 1.0 cannot be beaten */

	struct vrms_shift *shift; /* answer: what has to move first, in this order */
	int shift_count;
	bool fewest; /* proven: no fewer shifts would do */
	int *down;   /* answer: units that stay down, or are stopped for more important ones */
	int down_count;
	int *cut; /* scratch for down[] */

	struct vrms_growth *growth; /* scratch of assign.c */
	double *key;                /* [unit] scratch */
	int *backup;                /* [unit] scratch */
	bool *mine;                 /* [unit] scratch: belongs to the job */
	bool *visited;              /* [node] scratch */
	struct vrms_search *search; /* scratch of room.c */
};

/* Returns NULL when out of memory. */
struct vrms_solver *vrms_solver_new(const struct vrms_model *model);
void vrms_solver_free(struct vrms_solver *solver); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_solver *, vrms_solver_free);

/* Begins a job on a state: solver->unit[0..count) is filled in and nowhere. Computes the bounds. */
void vrms_solver_begin(struct vrms_solver *solver, struct vrms_state *state, int count);

/* Solves it: first without moving anything, then by making room, then by leaving the least
 * important down.  The state holds the result (shifts done, job placed); nothing is left over
 * that would fit.
 */
void vrms_solver_solve(struct vrms_solver *solver, const struct vrms_effort *effort);

/* Level of a node: its highest load in parts of what the bound says is reachable. */
double vrms_solver_level(const struct vrms_solver *solver, int node);
/* The same if the unit were added. */
double vrms_solver_level_with(const struct vrms_solver *solver, int unit, int node);

/* Does any rule name the unit?  If not, room and level alone say where it goes. */
bool vrms_solver_has_rules(const struct vrms_model *model, int unit);

/* Puts the unit on a node and notes its load in solver->growth. */
void vrms_solver_put(const struct vrms_solver *solver, int unit, int node);

/* assign.c - all return how many units of the job are left unplaced. */
int vrms_assign_spread(struct vrms_solver *solver); /* levels while placing */
int vrms_assign_tight(struct vrms_solver *solver,
		      int dim);                     /* best fit, largest first; dim -1: by size */
void vrms_assign_clear(struct vrms_solver *solver); /* takes the job up again */

/* level.c - evens out what is placed; moves only the job. */
void vrms_assign_level(struct vrms_solver *solver);

/* room.c - finds the fewest (then cheapest) shifts with which all of the job fits.
 * Returns whether there is a way within the effort; then the state has it all done.
 */
bool vrms_room_make(struct vrms_solver *solver, const struct vrms_effort *effort);
struct vrms_search *vrms_search_new(const struct vrms_model *model);
void vrms_search_free(struct vrms_search *search); /* accepts NULL */

/* shift.c - puts the shifts into an order in which each fits when its turn comes.
 * state: before the shifts, the job not placed.  Returns whether there is such an order.
 */
bool vrms_shift_order(struct vrms_state *state, struct vrms_shift *shift, int count);

/* down.c - who stays down.  _readmit() gives those that were dropped what room is left;
 * _drop_homeless() takes out of the job what no open node could take even if it were empty;
 * _choose() decides when not all of it fits, and places the rest.
 */
void vrms_down_readmit(struct vrms_solver *solver);
void vrms_down_drop_homeless(struct vrms_solver *solver);
void vrms_down_choose(struct vrms_solver *solver, const struct vrms_effort *effort);

#endif
