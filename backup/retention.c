/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/retention.h"

enum { HOUR_S = 3600, DAY_S = 86400 };

static const char *const names[VRMS_KEEP_COUNT] = {
    [VRMS_KEEP_LAST] = "last",     [VRMS_KEEP_HOURLY] = "hourly",   [VRMS_KEEP_DAILY] = "daily",
    [VRMS_KEEP_WEEKLY] = "weekly", [VRMS_KEEP_MONTHLY] = "monthly", [VRMS_KEEP_YEARLY] = "yearly",
};

const char *vrms_keep_name(enum vrms_keep rule)
{
	return names[rule];
}

static int64_t floor_divide(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

/* Year and month of a day number since 1970.
 * Source: H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days. */
static void civil_from_days(int64_t days, int64_t *ret_year, int64_t *ret_month)
{
	int64_t shifted = days + 719468; /* days since 0000-03-01 */
	int64_t era = floor_divide(shifted, 146097);
	int64_t day_of_era = shifted - era * 146097;
	int64_t year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
	    day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;

	*ret_month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
	*ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

/* A number that is the same for all times of one period. */
static int64_t period_of(enum vrms_keep rule, int64_t local_s)
{
	int64_t days = floor_divide(local_s, DAY_S);
	int64_t year, month;

	switch (rule) {
	case VRMS_KEEP_HOURLY:
		return floor_divide(local_s, HOUR_S);
	case VRMS_KEEP_DAILY:
		return days;
	case VRMS_KEEP_WEEKLY:
		return floor_divide(days + 3,
				    7); /* 1970-01-01 was a Thursday; weeks start on Monday */
	default:
		civil_from_days(days, &year, &month);
		return rule == VRMS_KEEP_YEARLY ? year : year * 12 + month;
	}
}

static void apply_rule(enum vrms_keep rule, uint32_t limit, int64_t utc_offset_s,
		       struct vrms_retention_point *points, size_t count)
{
	int64_t last_period = 0;
	uint32_t kept = 0;

	for (size_t i = count; i-- > 0 && kept < limit;) {
		int64_t period = rule == VRMS_KEEP_LAST
				     ? (int64_t)i
				     : period_of(rule, points[i].time_s + utc_offset_s);

		if (kept > 0 && period == last_period) {
			continue;
		}
		points[i].reasons |= 1U << rule;
		last_period = period;
		kept++;
	}
}

void vrms_retention_apply(const struct vrms_retention *retention, int64_t utc_offset_s,
			  struct vrms_retention_point *points, size_t count)
{
	bool have_rule = false;

	for (size_t i = 0; i < count; i++) {
		points[i].reasons = 0;
	}
	for (enum vrms_keep rule = 0; rule < VRMS_KEEP_COUNT; rule++) {
		have_rule |= retention->keep[rule] > 0;
		apply_rule(rule, retention->keep[rule], utc_offset_s, points, count);
	}
	if (!have_rule) {
		apply_rule(VRMS_KEEP_LAST, UINT32_MAX, utc_offset_s, points, count);
	} else if (count > 0) {
		points[count - 1].reasons |= 1U << VRMS_KEEP_LAST;
	}
}
