/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "backup/civil.h"
#include "backup/schedule.h"
#include "tests/unit/unit.h"

enum { HOUR = VRMS_HOUR_S, DAY = VRMS_DAY_S };
static const int64_t monday = 1704067200; /* 2024-01-01 00:00, a Monday */

static struct vrms_policies *policies;
static const struct vrms_policy *policy;

static void use(const char *text)
{
	char whole[400];
	struct vrms_error error = {0};

	snprintf(whole, sizeof(whole), "[vm a]\n%s", text);
	ck_assert_msg(vrms_policies_parse(whole, "f", &policies, &error) == 0, "%s", error.text);
	policy = vrms_policies_find(policies, "a");
}
static void teardown(void)
{
	vrms_policies_free(policies);
	policies = NULL;
}

/* A VM whose last full, differential and point of any kind lie so long after Monday. */
static struct vrms_schedule_done done(int64_t full_s, int64_t differential_s, int64_t any_s)
{
	return (struct vrms_schedule_done){
	    .last_s = {monday + full_s, monday + differential_s, monday + any_s},
	    .failed_s = VRMS_SCHEDULE_NEVER,
	};
}

static struct vrms_schedule_decision decide(const struct vrms_schedule_done *facts, int64_t now_s)
{
	struct vrms_schedule_decision decision;

	vrms_schedule_decide(policy, facts, monday + now_s, &decision);
	return decision;
}

#define WEEK "full = Sun 02:00\ndifferential = Wed 02:00\nincremental = hourly\n"

START_TEST(the_first_backup_is_a_full_at_once)
{
	struct vrms_schedule_done never = {{VRMS_SCHEDULE_NEVER, VRMS_SCHEDULE_NEVER,
					    VRMS_SCHEDULE_NEVER},
					   .failed_s = VRMS_SCHEDULE_NEVER};
	struct vrms_schedule_decision decision;

	use("incremental = Fri 02:00\n");
	decision = decide(&never, 5 * HOUR);
	ck_assert_int_eq(decision.hold, VRMS_SCHEDULE_GO);
	ck_assert_int_eq(decision.job, VRMS_POLICY_FULL);
	teardown();
}
END_TEST

START_TEST(the_greatest_job_that_is_due_does_for_the_others)
{
	struct vrms_schedule_done facts = done(0, 0, 6 * DAY + HOUR);
	struct vrms_schedule_decision decision;

	use(WEEK);
	decision = decide(&facts, 6 * DAY + 2 * HOUR);
	ck_assert_int_eq(decision.job, VRMS_POLICY_FULL);
	/* A lesser one that somebody took by hand does not do for it. */
	facts = done(0, 0, 6 * DAY + 2 * HOUR + 60);
	decision = decide(&facts, 6 * DAY + 2 * HOUR + 120);
	ck_assert_int_eq(decision.hold, VRMS_SCHEDULE_GO);
	ck_assert_int_eq(decision.job, VRMS_POLICY_FULL);
	facts = done(6 * DAY + 2 * HOUR + 60, 6 * DAY + 2 * HOUR + 60, 6 * DAY + 2 * HOUR + 60);
	decision = decide(&facts, 6 * DAY + 2 * HOUR + 300);
	ck_assert_int_eq(decision.hold, VRMS_SCHEDULE_NOT_DUE);
	ck_assert_int_eq(decision.next_job, VRMS_POLICY_INCREMENTAL);
	ck_assert_int_eq(decision.next_s, monday + 6 * DAY + 3 * HOUR);
	teardown();
}
END_TEST

START_TEST(what_was_missed_is_caught_up_once)
{
	struct vrms_schedule_done facts = done(-20 * HOUR, -20 * HOUR, 3 * HOUR);
	struct vrms_schedule_decision decision;

	use(WEEK);
	/* From Monday 03:00 to Thursday everything was down: the differential of Wednesday. */
	decision = decide(&facts, 3 * DAY + 9 * HOUR);
	ck_assert_int_eq(decision.job, VRMS_POLICY_DIFFERENTIAL);
	ck_assert_int_eq(decision.since_s, monday + 2 * DAY + 2 * HOUR);
	facts = done(-20 * HOUR, 3 * DAY + 9 * HOUR, 3 * DAY + 9 * HOUR);
	decision = decide(&facts, 3 * DAY + 9 * HOUR + 600);
	ck_assert_int_eq(decision.hold, VRMS_SCHEDULE_NOT_DUE);
	teardown();
}
END_TEST

START_TEST(nothing_begins_outside_the_window)
{
	struct vrms_schedule_done facts = done(-DAY, -DAY, -DAY);
	struct vrms_schedule_decision decision;

	use("incremental = daily\nwindow = 22:00-06:00\n");
	decision = decide(&facts, 7 * HOUR);
	ck_assert_int_eq(decision.hold, VRMS_SCHEDULE_OUTSIDE_WINDOW);
	ck_assert(decision.is_due);
	decision = decide(&facts, 22 * HOUR);
	ck_assert_int_eq(decision.hold, VRMS_SCHEDULE_GO);
	teardown();
}
END_TEST

START_TEST(a_failure_is_tried_again_later_and_later)
{
	struct vrms_schedule_done facts = done(-DAY, -DAY, -DAY);

	use("incremental = daily\n");
	facts.failed_s = monday + HOUR;
	for (uint32_t count = 1; count < 40; count++) {
		int64_t wait_s = count < 4 ? 300LL << (count - 1) : count == 4 ? 2400 : 3600;

		facts.failed_count = count;
		ck_assert_int_eq(decide(&facts, HOUR + wait_s - 1).hold,
				 VRMS_SCHEDULE_FAILED_LATELY);
		ck_assert_int_eq(decide(&facts, HOUR + wait_s).hold, VRMS_SCHEDULE_GO);
	}
	teardown();
}
END_TEST

START_TEST(a_backup_from_the_future_proves_nothing)
{
	struct vrms_schedule_done facts = done(-DAY, -DAY, 30 * DAY);

	use("incremental = daily\n");
	ck_assert_int_eq(decide(&facts, HOUR).hold, VRMS_SCHEDULE_GO);
	teardown();
}
END_TEST

START_TEST(each_nth_full_stands_alone)
{
	struct vrms_schedule_done facts = done(-DAY, -DAY, -DAY);

	use("full = daily\nself_contained = 3\n");
	facts.fulls_since_self_contained = 1;
	ck_assert(!decide(&facts, HOUR).is_self_contained);
	facts.fulls_since_self_contained = 2;
	ck_assert(decide(&facts, HOUR).is_self_contained);
	teardown();
}
END_TEST

/* A month in steps of ten minutes, with an outage: every elapse has a backup after it, none has
 * two, and none begins where it must not. */
START_TEST(a_month_has_each_backup_once)
{
	struct vrms_schedule_done facts = done(0, 0, 0);
	int counts[VRMS_POLICY_JOB_COUNT] = {0};

	use("full = Sun 02:00\ndifferential = Mon..Sat 02:00\nincremental = 12:00\n");
	for (int64_t now_s = 600; now_s < 28 * DAY; now_s += 600) {
		struct vrms_schedule_decision decision = decide(&facts, now_s);
		bool is_down = now_s > 9 * DAY && now_s < 11 * DAY; /* Wednesday, Thursday */

		if (decision.hold != VRMS_SCHEDULE_GO || is_down) {
			continue;
		}
		counts[decision.job]++;
		for (int job = (int)decision.job; job < VRMS_POLICY_JOB_COUNT; job++) {
			facts.last_s[job] = monday + now_s;
		}
	}
	ck_assert_int_eq(counts[VRMS_POLICY_FULL], 4);
	/* 24 days; of two one is missed, the other caught up at the outage's end. */
	ck_assert_int_eq(counts[VRMS_POLICY_DIFFERENTIAL], 23);
	ck_assert_int_eq(counts[VRMS_POLICY_INCREMENTAL], 26);
	teardown();
}
END_TEST

UNIT_MAIN("backup_schedule", the_first_backup_is_a_full_at_once,
	  the_greatest_job_that_is_due_does_for_the_others, what_was_missed_is_caught_up_once,
	  nothing_begins_outside_the_window, a_failure_is_tried_again_later_and_later,
	  a_backup_from_the_future_proves_nothing, each_nth_full_stands_alone,
	  a_month_has_each_backup_once)
