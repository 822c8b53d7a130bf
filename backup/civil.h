/* civil.h - days of the calendar, without time zones.
 *
 * Pure.  Source: H. Hinnant, "chrono-compatible low-level date algorithms".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_CIVIL_H
#define VRMS_BACKUP_CIVIL_H

#include <stdint.h>

enum { VRMS_HOUR_S = 3600, VRMS_DAY_S = 86400 };

struct vrms_civil_day {
	int64_t year;
	int month; /* 1..12 */
	int day;   /* 1..31 */
};

/* Rounds down, also below zero. */
int64_t vrms_civil_divide(int64_t value, int64_t by);

/* days: since 1970-01-01. */
struct vrms_civil_day vrms_civil_from_days(int64_t days);

/* 0 Monday .. 6 Sunday. */
int vrms_civil_weekday(int64_t days);

#endif
