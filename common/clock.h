/* clock.h - the clock as a port, so that everything that waits can be tested without waiting.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_COMMON_CLOCK_H
#define VRMS_COMMON_CLOCK_H

#include <stdint.h>

struct vrms_clock {
	void *context;
	/* Milliseconds of a clock that never goes back; its zero has no meaning. */
	int64_t (*now_ms)(void *context);
	/* Returns after at least `ms` milliseconds; at once for ms <= 0. */
	void (*sleep_ms)(void *context, int64_t ms);
};

/* CLOCK_MONOTONIC and clock_nanosleep. */
const struct vrms_clock *vrms_clock_system(void);

/* Shorthands. */
int64_t vrms_clock_now_ms(const struct vrms_clock *clock);
void vrms_clock_sleep_ms(const struct vrms_clock *clock, int64_t ms);

#endif
