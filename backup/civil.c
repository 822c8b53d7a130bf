/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/civil.h"

int64_t vrms_civil_divide(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

struct vrms_civil_day vrms_civil_from_days(int64_t days)
{
	int64_t shifted = days + 719468; /* days since 0000-03-01 */
	int64_t era = vrms_civil_divide(shifted, 146097);
	int64_t day_of_era = shifted - era * 146097;
	int64_t year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
	    day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;
	struct vrms_civil_day day = {
	    .month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9),
	    .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
	};

	day.year = year_of_era + era * 400 + (day.month <= 2);
	return day;
}

int vrms_civil_weekday(int64_t days)
{
	int64_t shifted = days + 3; /* 1970-01-01 was a Thursday */

	return (int)(shifted - vrms_civil_divide(shifted, 7) * 7);
}
