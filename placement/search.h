/* search.h - the inside of the search for room: shared by room.c and options.c only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_SEARCH_H
#define VRMS_PLACEMENT_SEARCH_H

#include "placement/solver.h"

enum {
	VRMS_LIFT_MAX = 6, /* units lifted from one node for one unit */
	VRMS_OPTION_POOL = 1 << 15,
	VRMS_SEEN_SLOTS = 1 << 16,
};

/* Where a waiting unit could go, and what has to be lifted from there for it. */
struct vrms_option {
	int node, lift_count;
	int lift[VRMS_LIFT_MAX];
	double waste; /* what stays unused, smaller is better */
};

struct vrms_search {
	struct vrms_option *pool;
	int pool_used;
	uint64_t *seen;
	int *seen_at, seen_count; /* slots in use */

	struct vrms_solver *solver;
	struct vrms_state *state;
	int *waiting, waiting_count;
	int *origin; /* [unit] where a lifted unit came from, -1: not lifted */
	int *lifted, lifted_count;
	struct vrms_shift *shift;
	int64_t steps;
	int64_t cost, best_cost;
	uint64_t hash;
	bool complete; /* nothing was left out for lack of effort */
	bool found, first_will_do;
	int64_t largest[VRMS_DIM_MAX]; /* movable unit: what one shift can free at most */
	int *place;                    /* [unit] of the job: its node in the answer at hand */
	int *answer;                   /* [unit] likewise in the best answer */
};

/* The waiting unit with the fewest places, the larger one of two; its index in waiting[]. */
int vrms_option_pick(const struct vrms_search *search, int *ret_places);

/* Appends to the pool all places for the unit, the most promising first. */
void vrms_option_list(struct vrms_search *search, int unit, int shifts_left);

/* Are there more waiting units of some size than slots, even if every shift left gains one? */
bool vrms_option_hopeless(const struct vrms_search *search, int shifts_left);

#endif
