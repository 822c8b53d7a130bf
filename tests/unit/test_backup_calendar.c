/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backup/calendar.h"
#include "common/child.h"
#include "common/random.h"
#include "tests/unit/unit.h"

static const int64_t saturday = 1769853600; /* 2026-01-31 10:00 UTC */

static struct vrms_calendar parsed(const char *text)
{
	struct vrms_calendar calendar;
	struct vrms_error error = {0};

	ck_assert_msg(vrms_calendar_parse(text, &calendar, &error) == 0, "%s: %s", text,
		      error.text);
	return calendar;
}

static void print(int64_t time_s, char text[32])
{
	time_t time = time_s;
	struct tm parts;

	gmtime_r(&time, &parts);
	strftime(text, 32, "%F %T", &parts);
}

static const struct {
	const char *text, *next, *previous; /* of 2026-01-31 10:00; previous may be that moment */
} cases[] = {
    {"minutely", "2026-01-31 10:01:00", "2026-01-31 10:00:00"},
    {"hourly", "2026-01-31 11:00:00", "2026-01-31 10:00:00"},
    {"daily", "2026-02-01 00:00:00", "2026-01-31 00:00:00"},
    {"weekly", "2026-02-02 00:00:00", "2026-01-26 00:00:00"},
    {"monthly", "2026-02-01 00:00:00", "2026-01-01 00:00:00"},
    {"quarterly", "2026-04-01 00:00:00", "2026-01-01 00:00:00"},
    {"semiannually", "2026-07-01 00:00:00", "2026-01-01 00:00:00"},
    {"yearly", "2027-01-01 00:00:00", "2026-01-01 00:00:00"},
    {"*:0/15", "2026-01-31 10:15:00", "2026-01-31 10:00:00"},
    {"2:5", "2026-02-01 02:05:00", "2026-01-31 02:05:00"},
    {"Mon,Wed..Fri 2:30", "2026-02-02 02:30:00", "2026-01-30 02:30:00"},
    {"*-*-1..7,15 12:00", "2026-02-01 12:00:00", "2026-01-15 12:00:00"},
    {"12-24", "2026-12-24 00:00:00", "2025-12-24 00:00:00"},
    {"*-2-29", "2028-02-29 00:00:00", "2024-02-29 00:00:00"},
    {"sunday", "2026-02-01 00:00:00", "2026-01-25 00:00:00"},
    {"Sat *-*-1..7", "2026-02-07 00:00:00", "2026-01-03 00:00:00"},
    {"7/2:00", "2026-01-31 11:00:00", "2026-01-31 09:00:00"},
    {"10:00:00/20", "2026-01-31 10:00:20", "2026-01-31 10:00:00"},
    {"22..23:59:59", "2026-01-31 22:59:59", "2026-01-30 23:59:59"},
    {"2024..2032/4-*-* 06:00", "2028-01-01 06:00:00", "2024-12-31 06:00:00"},
};

START_TEST(elapses_are_found_both_ways)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(cases); i++) {
		struct vrms_calendar calendar = parsed(cases[i].text);
		char text[32];
		int64_t time_s;

		ck_assert(vrms_calendar_next(&calendar, saturday, &time_s));
		print(time_s, text);
		ck_assert_msg(strcmp(text, cases[i].next) == 0, "%s: next %s", cases[i].text, text);
		ck_assert(vrms_calendar_previous(&calendar, saturday, &time_s));
		print(time_s, text);
		ck_assert_msg(strcmp(text, cases[i].previous) == 0, "%s: previous %s",
			      cases[i].text, text);
	}
}
END_TEST

START_TEST(what_never_comes_is_found_out)
{
	struct vrms_calendar never = parsed("*-02-30"), past = parsed("1999-12-31");
	int64_t time_s = 7;

	ck_assert(!vrms_calendar_next(&never, saturday, &time_s));
	ck_assert(!vrms_calendar_previous(&never, saturday, &time_s));
	ck_assert(!vrms_calendar_next(&past, saturday, &time_s));
	ck_assert_int_eq(time_s, 7);
	ck_assert(vrms_calendar_previous(&past, saturday, &time_s));
}
END_TEST

START_TEST(what_is_not_understood_is_refused)
{
	static const char *const wrong[] = {
	    "",           " ",         "often",    "Mon Tue",     "Fri..Mon",  "*-*-*/2",
	    "*:*/5",      "5..3:00",   "24:00",    "10:60",       "*-13-01",   "*-*-32",
	    "*-*-0",      "Mon 10",    "2:00 Mon", "02:00 *-*-*", "*-*-~3",    "@1700000000",
	    "2:00 UTC",   "1:2:3:4",   "1-2-3-4",  "2:00,",       "2:00:00.5", "Mo 2:00",
	    "Mon.. 2:00", "Mon, 2:00", "00/0:00",  "99999-1-1",   "Mon 2:00 ", " daily",
	    "1/3,:00",    "-1:00",     "+1:00",    "*-*",         "2:",        ":2",
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(wrong); i++) {
		struct vrms_calendar calendar = {.year_count = 9};
		struct vrms_error error = {0};
		bool may_be = strcmp(wrong[i], "*-*") == 0; /* month and day: every day */

		ck_assert_msg((vrms_calendar_parse(wrong[i], &calendar, &error) == 0) == may_be,
			      "\"%s\" was taken", wrong[i]);
		ck_assert(may_be || (error.text[0] != '\0' && calendar.year_count == 9));
	}
}
END_TEST

/* "Next elapse: Sat 2026-01-31 10:15:00 UTC" of systemd's own program; 0 when it refuses. */
static int ask_systemd(const char *text, int64_t base_s, char ret_next[32])
{
	char base[64] = "--base-time=";
	const char *const argv[] = {"systemd-analyze", "calendar", base, text, NULL};
	const char *const envp[] = {"PATH=/usr/bin:/bin", "TZ=UTC", "LC_ALL=C", NULL};
	struct vrms_child_spec spec = {.argv = argv, .envp = envp, .timeout_ms = 30000};
	struct vrms_child_result result = {0};
	struct vrms_error error = {0};
	const char *found;
	int rc;

	print(base_s, base + strlen(base));
	rc = vrms_child_run(&spec, &result, &error);
	found = rc == 0 && result.exit_code == 0 ? strstr(result.output, "Next elapse: ") : NULL;
	strcpy(ret_next, "never");
	if (found != NULL && sscanf(found, "Next elapse: %*s %31[0-9: -]", ret_next) == 1) {
		ret_next[19] = '\0';
	}
	rc = rc < 0 ? rc : result.exit_code == 0;
	vrms_child_result_done(&result);
	return rc;
}

static const char *pick(struct vrms_random *random, const char *const *from, size_t count)
{
	return from[vrms_random_below(random, count)];
}

START_TEST(systemd_says_the_same)
{
	static const char *const days[] = {"", "", "Mon ", "Tue..Thu ", "Sat,Sun "};
	static const char *const dates[] = {"",           "*-*-* ",    "*-*-1/7 ",
					    "*-2-28,29 ", "*-1..3-* ", "2026..2030/2-*-* ",
					    "11-30 "};
	static const char *const times[] = {"2:30",        "*:00",    "0/6:15",
					    "22..23:5/10", "*:*:0/7", "1,13:59:59"};
	struct vrms_random random;
	char next[32];

	if (ask_systemd("daily", saturday, next) < 0) {
		printf("skipped: no systemd-analyze (Debian package: systemd)\n");
		return;
	}
	vrms_random_init(&random, 7);
	for (int i = 0; i < 60; i++) {
		int64_t base_s = saturday + (int64_t)vrms_random_below(&random, 500000000);
		int64_t own_s;
		char text[96], own[32] = "never";
		struct vrms_calendar calendar;

		snprintf(text, sizeof(text), "%s%s%s", pick(&random, days, VRMS_COUNT_OF(days)),
			 pick(&random, dates, VRMS_COUNT_OF(dates)),
			 pick(&random, times, VRMS_COUNT_OF(times)));
		calendar = parsed(text);
		if (vrms_calendar_next(&calendar, base_s, &own_s)) {
			print(own_s, own);
		}
		ck_assert_int_eq(ask_systemd(text, base_s, next), 1);
		ck_assert_msg(strcmp(own, next) == 0, "\"%s\": %s, systemd: %s", text, own, next);
	}
}
END_TEST

UNIT_MAIN("backup_calendar", elapses_are_found_both_ways, what_never_comes_is_found_out,
	  what_is_not_understood_is_refused, systemd_says_the_same)
