/* wakeup.h - how long a woken thread waits for a CPU, measured while something else happens.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_WAKEUP_H
#define VRMS_SIMULATOR_WAKEUP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "common/error.h"

struct vrms_sim_wakeup {
	pthread_t thread;
	atomic_bool is_over;
	double waited_us; /* all waits together */
	long count;
};

/* Begins a thread of the caller's priority that sleeps for a millisecond again and again and notes
 * how late it goes on.  0, or what pthread_create() said; text in error.
 */
VRMS_MUST_CHECK int vrms_sim_wakeup_begin(struct vrms_sim_wakeup *wakeup, struct vrms_error *error);

/* Ends it; the mean wait in microseconds. */
double vrms_sim_wakeup_end(struct vrms_sim_wakeup *wakeup);

#endif
