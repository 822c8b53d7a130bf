/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/retention.h"

#include "backup/civil.h"

static const char *const names[VRMS_KEEP_COUNT] = {
    [VRMS_KEEP_LAST] = "last",     [VRMS_KEEP_HOURLY] = "hourly",   [VRMS_KEEP_DAILY] = "daily",
    [VRMS_KEEP_WEEKLY] = "weekly", [VRMS_KEEP_MONTHLY] = "monthly", [VRMS_KEEP_YEARLY] = "yearly",
};

const char *vrms_keep_name(enum vrms_keep rule)
{
	return names[rule];
}

/* A number that is the same for all times of one period. */
static int64_t period_of(enum vrms_keep rule, int64_t local_s)
{
	int64_t days = vrms_civil_divide(local_s, VRMS_DAY_S);
	struct vrms_civil_day day;

	switch (rule) {
	case VRMS_KEEP_HOURLY:
		return vrms_civil_divide(local_s, VRMS_HOUR_S);
	case VRMS_KEEP_DAILY:
		return days;
	case VRMS_KEEP_WEEKLY:
		return vrms_civil_divide(days + 3,
					 7); /* 1970-01-01 was a Thursday; weeks start on Monday */
	default:
		day = vrms_civil_from_days(days);
		return rule == VRMS_KEEP_YEARLY ? day.year : day.year * 12 + day.month;
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
