/* stall.h - how late does a real-time thread wake up on this host?
 *
 * A thread with the very scheduling that corosync has (SCHED_RR, the highest priority)
 * sleeps for 20 ms and measures how much longer it took: what delays it delays corosync, and
 * only that.  With a lower priority it would measure how long corosync runs.  The largest
 * lateness of each half second goes to the main loop, one of 20 ms and more at once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_STALL_H
#define VRMS_QUORUM_STALL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"

/* A stall that begins just after the thread has gone to sleep is seen shorter by this than it was:
 * see sampling_us in quorum/tuner.h.  Half of it costs 0.6 % of a core, this 0.3 %. */
enum { VRMS_STALL_PERIOD_US = 20000 };

struct vrms_stall; /* opaque */

/* Starts the thread.
 *
 * is_realtime: whether it shall run as corosync does by default; set to false when the kernel
 * refuses SCHED_RR.  What is measured without is an upper bound, unless corosync has none either.
 */
VRMS_MUST_CHECK int vrms_stall_start(struct vrms_stall **ret_stall, bool *is_realtime,
				     struct vrms_error *error);
void vrms_stall_free(struct vrms_stall *stall); /* accepts NULL; ends the thread */

/* Becomes readable when there is something to take. */
int vrms_stall_fd(const struct vrms_stall *stall);

/* Takes one measurement, in us; false when there is none. */
bool vrms_stall_take(struct vrms_stall *stall, uint32_t *ret_late_us);

#endif
