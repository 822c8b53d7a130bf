/* schedule.h - what is to be done now of what a policy says: the decision alone.
 *
 * Pure.  What was done is known from the repository, not from notes of this host: so a VM that
 * failed over is due exactly where it is now, and what was missed is caught up, once.
 * All times are local, in seconds (see backup/calendar.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_SCHEDULE_H
#define VRMS_BACKUP_SCHEDULE_H

#include "backup/policy.h"

enum { VRMS_SCHEDULE_RETRY_MIN_S = 300, VRMS_SCHEDULE_RETRY_MAX_S = 3600 };
#define VRMS_SCHEDULE_NEVER INT64_MIN

/* What the repository says of a VM. */
struct vrms_schedule_done {
	int64_t last_s[VRMS_POLICY_JOB_COUNT]; /* of a point that does for this job, or NEVER */
	uint32_t fulls_since_self_contained;
	int64_t failed_s;      /* the last attempt, when it failed; otherwise NEVER */
	uint32_t failed_count; /* in a row */
};

enum vrms_schedule_hold {
	VRMS_SCHEDULE_GO,
	VRMS_SCHEDULE_NOT_DUE,
	VRMS_SCHEDULE_OUTSIDE_WINDOW,
	VRMS_SCHEDULE_FAILED_LATELY,
};

struct vrms_schedule_decision {
	enum vrms_schedule_hold hold; /* GO: do it now */
	bool is_due;                  /* though something may hold it */
	enum vrms_policy_job job;     /* when it is due */
	bool is_self_contained;
	int64_t since_s; /* when it became due; NEVER: there was no backup yet */
	/* The first of the next elapses, and whose; NEVER: none. */
	int64_t next_s;
	enum vrms_policy_job next_job;
};

void vrms_schedule_decide(const struct vrms_policy *policy, const struct vrms_schedule_done *done,
			  int64_t now_s, struct vrms_schedule_decision *ret_decision);

/* True when one of the times has come since last_s (NEVER: always, when there are any). */
bool vrms_schedule_is_due(const struct vrms_policy_times *times, int64_t last_s, int64_t now_s);

/* One sentence for the admin. */
const char *vrms_schedule_hold_text(enum vrms_schedule_hold hold);

#endif
