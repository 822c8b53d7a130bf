/* worker.h - a thread for calls that may never return, and a deadline for who asked.
 *
 * A call that outlasts its deadline is abandoned: the worker counts as stuck
 * from then on and takes no more jobs.  The process must then leave by
 * _exit(), since the thread may hold locks of the library it hangs in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_WORKER_H
#define VRMS_AGENTS_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/error.h"

/* One call, on the heap: it must outlive who asked.  First member of the caller's own struct. */
struct vrms_job {
	/* In the worker's thread; returns 0 or a negative errno with ->error set. */
	int (*run)(struct vrms_job *job);
	/* When both sides are done with it. */
	void (*free)(struct vrms_job *job);
	int rc; /* of run() */
	struct vrms_error error;
	bool is_done;      /* the worker's: */
	bool is_abandoned; /* read and written under its lock */
};

struct vrms_worker; /* opaque: a thread and the one job it has */

/* The thread starts with the first job.  Returns NULL only when out of memory. */
struct vrms_worker *vrms_worker_new(void);

/* Ends the thread; a stuck worker is left as it is, on purpose.  Accepts NULL. */
void vrms_worker_free(struct vrms_worker *worker);

/* Hands a job over and returns; -EBUSY while there is one, -ETIMEDOUT when stuck, or -errno of
 * making the thread.  The job is the worker's and the caller's until vrms_worker_wait() returned 0.
 */
VRMS_MUST_CHECK int vrms_worker_begin(struct vrms_worker *worker, struct vrms_job *job);

/* Waits for the job's end.
 *
 * deadline_ms: on `clock`, which is the system's; in the past: only looks.
 * abandon:     at the deadline, give the job up; else it stays and can be waited for again.
 * Returns 0 with the job the caller's alone (free it by job->free), or -ETIMEDOUT.
 */
VRMS_MUST_CHECK int vrms_worker_wait(struct vrms_worker *worker, const struct vrms_clock *clock,
				     int64_t deadline_ms, bool abandon);

/* True after a job was abandoned and has not come back. */
bool vrms_worker_is_stuck(struct vrms_worker *worker);

#endif
