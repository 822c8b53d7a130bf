/* calendar.h - when something recurs, written as systemd's calendar events are.
 *
 * Pure.  A strict part of systemd.time(7): "[WEEKDAYS] [DATE] [TIME]", such as "Mon..Fri 02:00",
 * "*-*-01 03:30" or "*:0/15", and the words minutely, hourly, daily, weekly, monthly, quarterly,
 * semiannually, yearly and annually.  Not understood, and said to be so: time zones, fractions of
 * seconds, "~" (days counted from a month's end) and "@".
 *
 * Times are seconds since 1970-01-01 00:00 of local time: no zone, no daylight saving.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_CALENDAR_H
#define VRMS_BACKUP_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

enum { VRMS_CALENDAR_YEARS_MAX = 4 };

struct vrms_calendar {
	uint64_t seconds, minutes; /* bit n: at n */
	uint32_t hours, days;
	uint16_t months;
	uint8_t weekdays;   /* bit 0: Monday */
	uint8_t year_count; /* 0: every year */
	struct {
		uint16_t from, to, step;
	} years[VRMS_CALENDAR_YEARS_MAX];
};

/* Returns 0, or -EINVAL with a text that quotes what was not understood. */
VRMS_MUST_CHECK int vrms_calendar_parse(const char *text, struct vrms_calendar *ret_calendar,
					struct vrms_error *error);

/* The first elapse after local_s.  False when there is none any more, or none in 400 years. */
bool vrms_calendar_next(const struct vrms_calendar *calendar, int64_t local_s,
			int64_t *ret_local_s);

/* The last elapse at local_s or before it.  False when there is none, or none in 400 years. */
bool vrms_calendar_previous(const struct vrms_calendar *calendar, int64_t local_s,
			    int64_t *ret_local_s);

#endif
