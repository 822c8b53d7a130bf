/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "backup/retention.h"
#include "tests/unit/unit.h"

enum { HOUR = 3600, DAY = 86400, COUNT_MAX = 2000 };

/* 2024-01-01 00:00 UTC, a Monday. */
static const int64_t monday = 1704067200;

static size_t kept(const struct vrms_retention_point *points, size_t count)
{
	size_t result = 0;

	for (size_t i = 0; i < count; i++) {
		result += points[i].reasons != 0;
	}
	return result;
}

static void every(struct vrms_retention_point *points, size_t count, int64_t step_s)
{
	for (size_t i = 0; i < count; i++) {
		points[i] = (struct vrms_retention_point){.sequence = i + 1,
							  .time_s = monday + (int64_t)i * step_s};
	}
}

START_TEST(without_rules_everything_stays)
{
	struct vrms_retention none = {{0}};
	struct vrms_retention_point points[10];

	every(points, 10, HOUR);
	vrms_retention_apply(&none, 0, points, 10);
	ck_assert_uint_eq(kept(points, 10), 10);
}
END_TEST

START_TEST(a_period_is_kept_by_its_newest_point)
{
	struct vrms_retention daily = {.keep = {[VRMS_KEEP_DAILY] = 3}};
	struct vrms_retention_point points[24 * 5];

	every(points, 24 * 5, HOUR);
	vrms_retention_apply(&daily, 0, points, 24 * 5);
	ck_assert_uint_eq(kept(points, 24 * 5), 3);
	ck_assert_uint_eq(points[24 * 5 - 1].reasons & 1U << VRMS_KEEP_DAILY,
			  1U << VRMS_KEEP_DAILY);
	ck_assert_uint_ne(points[24 * 4 - 1].reasons, 0);
	ck_assert_uint_ne(points[24 * 3 - 1].reasons, 0);
}
END_TEST

START_TEST(rules_add_up)
{
	struct vrms_retention rules = {
	    .keep = {[VRMS_KEEP_LAST] = 2,
		     [VRMS_KEEP_WEEKLY] = 4,
		     [VRMS_KEEP_MONTHLY] = 6,
		     [VRMS_KEEP_YEARLY] = 2},
	};
	static struct vrms_retention_point points[730];

	every(points, 730, DAY); /* 2024 (a leap year) and 2025, without its last day */
	vrms_retention_apply(&rules, 0, points, 730);
	/* 2025-12-30 (last, week, month, year), -29 (last), weeks: 28, 21, 14; months: Nov..Jul
	 * ends 30, 31, 30, 31, 31; year: 2024-12-31. */
	ck_assert_uint_eq(kept(points, 730), 2 + 3 + 5 + 1);
	ck_assert_uint_eq(points[365].reasons, 1U << VRMS_KEEP_YEARLY);
}
END_TEST

START_TEST(weeks_start_on_monday)
{
	struct vrms_retention weekly = {.keep = {[VRMS_KEEP_WEEKLY] = 2}};
	struct vrms_retention_point points[8];

	every(points, 8, DAY); /* Monday to Monday */
	vrms_retention_apply(&weekly, 0, points, 8);
	ck_assert_uint_eq(kept(points, 8), 2);
	ck_assert_uint_ne(points[6].reasons, 0); /* Sunday */
	ck_assert_uint_ne(points[7].reasons, 0); /* Monday */
}
END_TEST

START_TEST(local_time_decides_which_day_it_is)
{
	struct vrms_retention daily = {.keep = {[VRMS_KEEP_DAILY] = 9}};
	struct vrms_retention_point points[2];

	every(points, 2, HOUR);
	points[0].time_s = monday - HOUR / 2;
	points[1].time_s = monday + HOUR / 2;
	vrms_retention_apply(&daily, 0, points, 2);
	ck_assert_uint_eq(kept(points, 2), 2);
	vrms_retention_apply(&daily, HOUR, points, 2);
	ck_assert_uint_eq(kept(points, 2), 1);
}
END_TEST

START_TEST(a_clock_that_went_back_does_not_lose_the_newest)
{
	struct vrms_retention daily = {.keep = {[VRMS_KEEP_DAILY] = 1}};
	struct vrms_retention_point points[3];

	every(points, 3, DAY);
	points[2].time_s = -5 * DAY; /* 1969 */
	vrms_retention_apply(&daily, 0, points, 3);
	ck_assert_uint_ne(points[2].reasons, 0);
	ck_assert_uint_eq(kept(points, 3), 1);
}
END_TEST

UNIT_MAIN("backup_retention", without_rules_everything_stays, a_period_is_kept_by_its_newest_point,
	  rules_add_up, weeks_start_on_monday, local_time_decides_which_day_it_is,
	  a_clock_that_went_back_does_not_lose_the_newest)
