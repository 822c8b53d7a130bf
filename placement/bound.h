/* bound.h - how low the highest load could be at best: what no plan can beat.
 *
 * Pure.  Each dimension is bounded alone, so that the true optimum of all of
 * them together may be higher, never lower.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_BOUND_H
#define VRMS_PLACEMENT_BOUND_H

#include "placement/state.h"

struct vrms_bound_room; /* scratch memory for one model; opaque */

/* Returns NULL when out of memory. */
struct vrms_bound_room *vrms_bound_room_new(const struct vrms_model *model);
void vrms_bound_room_free(struct vrms_bound_room *room); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_bound_room *, vrms_bound_room_free);

/* Lower bound when the listed units (nowhere now) must be placed and nothing else moves.
 *
 * ret_bound[dim]: share of physical capacity.  The largest of: the highest load
 * there is already; all load spread like water over what is free; for every size
 * s of a listed unit, as many slots of that size as there are units at least as
 * large; each unit that rules restrict, on its best node.
 */
void vrms_bound_fixed(struct vrms_bound_room *room, const struct vrms_state *state,
		      const int *units, int count, double ret_bound[VRMS_DIM_MAX]);

/* Lower bound when every unit that can be live-migrated may move as well. */
void vrms_bound_free(struct vrms_bound_room *room, const struct vrms_state *state, const int *units,
		     int count, double ret_bound[VRMS_DIM_MAX]);

#endif
