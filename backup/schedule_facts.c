/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/schedule_facts.h"

#include <time.h>

#include "backup/status_record.h"

int64_t vrms_schedule_local(int64_t time_s)
{
	time_t time = time_s;
	struct tm parts;

	return localtime_r(&time, &parts) != NULL ? time_s + parts.tm_gmtoff : time_s;
}

/* What it was asked to be: that a disk had to be read in full makes no full of it. */
static enum vrms_policy_job job_of(const struct vrms_point *points, size_t i)
{
	if (i == 0 || points[i].mode == VRMS_MODE_FULL || points[i].is_self_contained) {
		return VRMS_POLICY_FULL;
	}
	return points[i].mode == VRMS_MODE_DIFFERENTIAL ? VRMS_POLICY_DIFFERENTIAL
							: VRMS_POLICY_INCREMENTAL;
}

void vrms_schedule_facts(const struct vrms_point *points, size_t count, const json_t *record,
			 const char *vm, struct vrms_schedule_done *ret_done)
{
	struct vrms_status_attempt attempt = vrms_status_attempt(record, vm);

	/* One taken by hand since then has made it good. */
	if (count > 0 && points[count - 1].time_s > attempt.failed_s) {
		attempt.failed_s = 0;
	}
	*ret_done = (struct vrms_schedule_done){
	    .failed_s =
		attempt.failed_s > 0 ? vrms_schedule_local(attempt.failed_s) : VRMS_SCHEDULE_NEVER,
	    .failed_count = attempt.failed_count,
	};
	for (int job = 0; job < VRMS_POLICY_JOB_COUNT; job++) {
		ret_done->last_s[job] = VRMS_SCHEDULE_NEVER;
	}
	for (size_t i = 0; i < count; i++) {
		enum vrms_policy_job first = job_of(points, i);

		if (points[i].is_self_contained) {
			ret_done->fulls_since_self_contained = 0;
		} else if (first == VRMS_POLICY_FULL) {
			ret_done->fulls_since_self_contained++;
		}
		/* A full does for a differential too, and any point for an incremental. */
		for (int job = (int)first; job < VRMS_POLICY_JOB_COUNT; job++) {
			ret_done->last_s[job] = vrms_schedule_local(points[i].time_s);
		}
	}
}
