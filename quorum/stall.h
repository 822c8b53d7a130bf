/* stall.h - how late does a real-time thread wake up on this host?
 *
 * A thread with the scheduling that corosync has (SCHED_RR, below its priority) sleeps
 * for a few milliseconds and measures how much longer it took; the largest lateness of
 * each 100 ms goes to the main loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_STALL_H
#define VRMS_QUORUM_STALL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"

struct vrms_stall; /* opaque */

/* Starts the thread.  ret_is_realtime: false when the kernel refused SCHED_RR; what is
 * measured then is an upper bound.
 */
VRMS_MUST_CHECK int vrms_stall_start(struct vrms_stall **ret_stall, bool *ret_is_realtime,
				     struct vrms_error *error);
void vrms_stall_free(struct vrms_stall *stall); /* accepts NULL; ends the thread */

/* Becomes readable when there is something to take. */
int vrms_stall_fd(const struct vrms_stall *stall);

/* Takes one measurement, in us; false when there is none. */
bool vrms_stall_take(struct vrms_stall *stall, uint32_t *ret_late_us);

#endif
