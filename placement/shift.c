/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/solver.h"

/* Moves whatever can move now to the front, again and again. */
bool vrms_shift_order(struct vrms_state *state, struct vrms_shift *shift, int count)
{
	int done = 0;

	for (int at = 0; at < count;) {
		struct vrms_shift next = shift[at];

		vrms_state_take(state, next.unit);
		if (!vrms_state_fits(state, next.unit, next.to)) {
			vrms_state_put(state, next.unit, next.from);
			at++;
			continue;
		}
		vrms_state_put(state, next.unit, next.to);
		for (int i = at; i > done; i--) { /* keeps the order of those that wait */
			shift[i] = shift[i - 1];
		}
		shift[done++] = next;
		at = done;
	}
	for (int i = done - 1; i >= 0; i--) {
		vrms_state_take(state, shift[i].unit);
		vrms_state_put(state, shift[i].unit, shift[i].from);
	}
	return done == count;
}
