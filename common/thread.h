/* thread.h - a thread of a known stack, at corosync's priority where that is allowed, and waits
 * that a step of the wall clock neither shortens nor lengthens.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_COMMON_THREAD_H
#define VRMS_COMMON_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/error.h"

struct vrms_thread_job {
	void *(*run)(void *context);
	void *context;
	size_t stack_bytes; /* at least PTHREAD_STACK_MIN */
};

/* Starts a thread, with the scheduling of the caller or with SCHED_RR at its highest priority.
 *
 * is_realtime: NULL: as the caller.  Whether SCHED_RR is wanted; set to false, and the thread runs
 *              as the caller, when the kernel refuses it.
 * ret_thread:  to be joined or detached.
 * Returns 0 or a negative errno (source: pthread_create(3)).
 */
VRMS_MUST_CHECK int vrms_thread_start(const struct vrms_thread_job *job, bool *is_realtime,
				      pthread_t *ret_thread, struct vrms_error *error);

/* Waits for the thread's end and takes it away.  Returns 0, or -ETIMEDOUT when it has not ended
 * within that time: it is detached then, and what it uses must stay. */
VRMS_MUST_CHECK int vrms_thread_join_within(pthread_t thread, int64_t timeout_ms);

/* Makes a condition whose timed waits go by CLOCK_MONOTONIC. */
void vrms_thread_condition_init(pthread_cond_t *condition);

/* The end of a wait on such a condition, that long from now. */
struct timespec vrms_thread_in_ms(int64_t ms);

#endif
