/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/log_line.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

static int64_t moment(const char *line)
{
	int64_t ms = -1;

	ck_assert_int_eq(vrms_lab_log_moment_parse(line, &ms), 0);
	return ms;
}

START_TEST(both_kinds_of_stamp_mean_the_same_moment)
{
	ck_assert_int_eq(moment("Nov 23 02:39:00.123 node1 corosync"),
			 moment("2026-11-23 02:39:00.123 node2 off"));
}
END_TEST

START_TEST(later_is_greater)
{
	ck_assert_int_eq(moment("Nov 23 02:39:01.000 x") - moment("Nov 23 02:39:00.999 x"), 1);
	ck_assert_int_gt(moment("Dec  1 00:00:00.000 x"), moment("Nov 30 23:59:59.999 x"));
	ck_assert_int_gt(moment("Feb  1 00:00:00 x"), moment("Jan 31 23:59:59 x"));
}
END_TEST

START_TEST(other_lines_have_no_moment)
{
	static const char *const lines[] = {"",
					    "corosync: started",
					    "Nov",
					    "Foo 23 02:39:00.123",
					    "2026-13-23 02:39:00.123",
					    "anN 23 02:39:00.123"};

	for (size_t i = 0; i < VRMS_COUNT_OF(lines); i++) {
		int64_t ms = -7;

		ck_assert_int_eq(vrms_lab_log_moment_parse(lines[i], &ms), -EINVAL);
		ck_assert_int_eq(ms, -7);
	}
}
END_TEST

START_TEST(lines_of_two_logs_come_in_the_order_of_time)
{
	char first[] = "Nov 23 02:39:00.100 a\n  continued\nNov 23 02:39:00.300 c\n";
	char second[] = "Nov 23 02:39:00.200 b\n";
	struct vrms_lab_log_lines lines VRMS_CLEANUP(vrms_lab_log_lines_done) = {.count = 0};

	ck_assert_int_eq(vrms_lab_log_lines_add(&lines, "one", first), 0);
	ck_assert_int_eq(vrms_lab_log_lines_add(&lines, "two", second), 0);
	vrms_lab_log_lines_sort(&lines);
	ck_assert_uint_eq(lines.count, 4);
	ck_assert_str_eq(lines.items[1].text, "  continued");
	ck_assert_str_eq(lines.items[2].source, "two");
	ck_assert_ptr_nonnull(strstr(lines.items[3].text, " c"));
}
END_TEST

START_TEST(many_lines_find_room)
{
	static char text[4000];
	struct vrms_lab_log_lines lines VRMS_CLEANUP(vrms_lab_log_lines_done) = {.count = 0};

	memset(text, '\n', sizeof(text) - 1);
	for (size_t i = 0; i < sizeof(text) - 1; i += 2) {
		text[i] = 'x';
	}
	ck_assert_int_eq(vrms_lab_log_lines_add(&lines, "log", text), 0);
	ck_assert_uint_eq(lines.count, 2000);
}
END_TEST

UNIT_MAIN("lab_log_line", both_kinds_of_stamp_mean_the_same_moment, later_is_greater,
	  other_lines_have_no_moment, lines_of_two_logs_come_in_the_order_of_time,
	  many_lines_find_room)
