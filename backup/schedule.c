/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/schedule.h"

enum { CLOCK_SLACK_S = 60, DOUBLINGS_MAX = 10 };

static const char *const hold_texts[] = {
    [VRMS_SCHEDULE_GO] = "due",
    [VRMS_SCHEDULE_NOT_DUE] = "not due",
    [VRMS_SCHEDULE_OUTSIDE_WINDOW] = "due, outside its window",
    [VRMS_SCHEDULE_FAILED_LATELY] = "due, waits after a failure",
};

const char *vrms_schedule_hold_text(enum vrms_schedule_hold hold)
{
	return hold_texts[hold];
}

/* The last elapse until now; NEVER when there was none. */
static int64_t last_elapse(const struct vrms_policy_times *times, int64_t now_s)
{
	int64_t last_s = VRMS_SCHEDULE_NEVER, elapse_s;

	for (uint32_t i = 0; i < times->count; i++) {
		if (vrms_calendar_previous(&times->rows[i], now_s, &elapse_s) &&
		    elapse_s > last_s) {
			last_s = elapse_s;
		}
	}
	return last_s;
}

/* A backup that claims to come from the future was taken by a wrong clock: it proves nothing. */
static bool is_missed(int64_t elapse_s, int64_t last_s, int64_t now_s)
{
	return elapse_s != VRMS_SCHEDULE_NEVER &&
	       (last_s < elapse_s || last_s > now_s + CLOCK_SLACK_S);
}

bool vrms_schedule_is_due(const struct vrms_policy_times *times, int64_t last_s, int64_t now_s)
{
	if (last_s == VRMS_SCHEDULE_NEVER) {
		return times->count > 0;
	}
	return is_missed(last_elapse(times, now_s), last_s, now_s);
}

static void find_due(const struct vrms_policy *policy, const struct vrms_schedule_done *done,
		     int64_t now_s, struct vrms_schedule_decision *decision)
{
	/* The first backup is a full, at once: until then the VM is not protected. */
	if (done->last_s[VRMS_POLICY_INCREMENTAL] == VRMS_SCHEDULE_NEVER) {
		decision->is_due = true;
		decision->job = VRMS_POLICY_FULL;
		return;
	}
	for (int job = 0; job < VRMS_POLICY_JOB_COUNT && !decision->is_due; job++) {
		int64_t elapse_s = last_elapse(&policy->times[job], now_s);

		if (is_missed(elapse_s, done->last_s[job], now_s)) {
			decision->is_due = true;
			decision->job = (enum vrms_policy_job)job;
			decision->since_s = elapse_s;
		}
	}
}

static void find_next(const struct vrms_policy *policy, int64_t now_s,
		      struct vrms_schedule_decision *decision)
{
	for (int job = 0; job < VRMS_POLICY_JOB_COUNT; job++) {
		const struct vrms_policy_times *times = &policy->times[job];
		int64_t elapse_s;

		for (uint32_t i = 0; i < times->count; i++) {
			if (vrms_calendar_next(&times->rows[i], now_s, &elapse_s) &&
			    (decision->next_s == VRMS_SCHEDULE_NEVER ||
			     elapse_s < decision->next_s)) {
				decision->next_s = elapse_s;
				decision->next_job = (enum vrms_policy_job)job;
			}
		}
	}
}

/* Five minutes, ten, twenty, up to an hour. */
static bool has_failed_lately(const struct vrms_schedule_done *done, int64_t now_s)
{
	uint32_t doublings = done->failed_count > 0 ? done->failed_count - 1 : 0;
	int64_t wait_s = (int64_t)VRMS_SCHEDULE_RETRY_MIN_S
			 << (doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX);

	wait_s = wait_s < VRMS_SCHEDULE_RETRY_MAX_S ? wait_s : VRMS_SCHEDULE_RETRY_MAX_S;
	return done->failed_s != VRMS_SCHEDULE_NEVER && done->failed_s <= now_s + CLOCK_SLACK_S &&
	       now_s < done->failed_s + wait_s;
}

static enum vrms_schedule_hold find_hold(const struct vrms_policy *policy,
					 const struct vrms_schedule_done *done, int64_t now_s,
					 bool is_due)
{
	if (!is_due) {
		return VRMS_SCHEDULE_NOT_DUE;
	}
	if (!vrms_policy_window_has(&policy->window, now_s)) {
		return VRMS_SCHEDULE_OUTSIDE_WINDOW;
	}
	return has_failed_lately(done, now_s) ? VRMS_SCHEDULE_FAILED_LATELY : VRMS_SCHEDULE_GO;
}

void vrms_schedule_decide(const struct vrms_policy *policy, const struct vrms_schedule_done *done,
			  int64_t now_s, struct vrms_schedule_decision *ret_decision)
{
	*ret_decision = (struct vrms_schedule_decision){
	    .since_s = VRMS_SCHEDULE_NEVER,
	    .next_s = VRMS_SCHEDULE_NEVER,
	};
	find_due(policy, done, now_s, ret_decision);
	find_next(policy, now_s, ret_decision);
	ret_decision->hold = find_hold(policy, done, now_s, ret_decision->is_due);
	ret_decision->is_self_contained =
	    ret_decision->is_due && ret_decision->job == VRMS_POLICY_FULL &&
	    policy->self_contained_every > 0 &&
	    done->fulls_since_self_contained + 1 >= policy->self_contained_every;
}
