/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/parse.h"

#include <errno.h>

#include "tests/unit/unit.h"

static int parse_int(const char *text, int64_t *ret_value)
{
	struct vrms_error error = {""};
	int rc = vrms_int_parse(text, -10, 1000, ret_value, &error);

	ck_assert_int_eq(rc < 0, error.text[0] != '\0');
	return rc;
}

START_TEST(integers_are_read_whole)
{
	int64_t value = 0;

	ck_assert_int_eq(parse_int("42", &value), 0);
	ck_assert_int_eq(value, 42);
	ck_assert_int_eq(parse_int("-10", &value), 0);
	ck_assert_int_eq(value, -10);
	ck_assert_int_eq(parse_int("+7", &value), 0);
	ck_assert_int_eq(value, 7);
	ck_assert_int_eq(parse_int("007", &value), 0);
	ck_assert_int_eq(value, 7);
}
END_TEST

START_TEST(what_is_not_quite_an_integer_is_refused)
{
	static const char *const bad[] = {"",  " 1",  "1 ",  "1x",   "x",   "-",
					  "+", "--1", "1.5", "0x10", "1e3", "- 1"};
	int64_t value = 99;

	for (size_t i = 0; i < VRMS_COUNT_OF(bad); i++) {
		ck_assert_msg(parse_int(bad[i], &value) == -EINVAL, "\"%s\"", bad[i]);
	}
	ck_assert_int_eq(value, 99);
}
END_TEST

START_TEST(integers_outside_the_limits_are_a_range_error)
{
	static const char *const bad[] = {"1001", "-11", "9223372036854775808",
					  "99999999999999999999999"};
	int64_t value = 99;

	for (size_t i = 0; i < VRMS_COUNT_OF(bad); i++) {
		ck_assert_msg(parse_int(bad[i], &value) == -ERANGE, "\"%s\"", bad[i]);
	}
	ck_assert_int_eq(value, 99);
	ck_assert_int_eq(vrms_int_parse("9223372036854775807", INT64_MIN, INT64_MAX, &value, NULL),
			 0);
	ck_assert_int_eq(value, INT64_MAX);
	ck_assert_int_eq(vrms_int_parse("9223372036854775808", INT64_MIN, INT64_MAX, &value, NULL),
			 -ERANGE);
}
END_TEST

START_TEST(the_text_quotes_the_input)
{
	struct vrms_error error = {""};
	int64_t value;

	ck_assert_int_eq(vrms_int_parse("12k", 0, 9, &value, &error), -EINVAL);
	ck_assert_str_eq(error.text, "\"12k\" is not an integer");
	ck_assert_int_eq(vrms_int_parse("12", 0, 9, &value, &error), -ERANGE);
	ck_assert_str_eq(error.text, "\"12\" is not between 0 and 9");
}
END_TEST

START_TEST(booleans_in_every_spelling_of_the_cluster)
{
	static const char *const yes[] = {"yes", "true", "on", "1", "y", "t", "TRUE", "Yes", "ON"};
	static const char *const no[] = {"no", "false", "off", "0", "n", "f", "FALSE", "No"};
	static const char *const bad[] = {"", "2", "ye", "truee", " yes", "yes ", "-1"};
	bool value = false;

	for (size_t i = 0; i < VRMS_COUNT_OF(yes); i++) {
		ck_assert_msg(vrms_bool_parse(yes[i], &value, NULL) == 0 && value, "%s", yes[i]);
	}
	for (size_t i = 0; i < VRMS_COUNT_OF(no); i++) {
		ck_assert_msg(vrms_bool_parse(no[i], &value, NULL) == 0 && !value, "%s", no[i]);
	}
	value = true;
	for (size_t i = 0; i < VRMS_COUNT_OF(bad); i++) {
		ck_assert_int_eq(vrms_bool_parse(bad[i], &value, NULL), -EINVAL);
	}
	ck_assert(value);
}
END_TEST

START_TEST(durations_in_every_unit)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
	    {"90", 90000},      {"0", 0},
	    {"90s", 90000},     {"90 s", 90000},
	    {"90sec", 90000},   {"500ms", 500},
	    {"500msec", 500},   {"250us", 0},
	    {"2500usec", 2},    {"2min", 120000},
	    {"2m", 120000},     {"1h", 3600000},
	    {"1hr", 3600000},   {"PT1M30S", 90000},
	    {"PT90S", 90000},   {"P1D", 86400000},
	    {"P1W", 604800000}, {"P1DT2H", 93600000},
	    {"PT0S", 0},        {"10S", 10000},
	    {"1MIN", 60000},    {"9223372036854775ms", 9223372036854775},
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(good); i++) {
		int64_t ms = -1;

		ck_assert_msg(vrms_duration_parse(good[i].text, &ms, NULL) == 0, "%s",
			      good[i].text);
		ck_assert_msg(ms == good[i].ms, "%s: %lld", good[i].text, (long long)ms);
	}
}
END_TEST

START_TEST(what_is_not_a_duration_is_refused)
{
	static const char *const bad[] = {"",      "s",       "-5",  "-5s",    "5x",     "5 s s",
					  "1.5s",  " 5s",     "5s ", "P",      "PT",     "P1",
					  "PT1",   "P1Y",     "P1M", "PT1S1M", "PT1S1S", "P1H",
					  "PTT1S", "PT1ST1S", "5d"};
	int64_t ms = 77;

	for (size_t i = 0; i < VRMS_COUNT_OF(bad); i++) {
		ck_assert_msg(vrms_duration_parse(bad[i], &ms, NULL) == -EINVAL, "\"%s\"", bad[i]);
	}
	ck_assert_int_eq(ms, 77);
}
END_TEST

START_TEST(durations_that_do_not_fit_are_a_range_error)
{
	static const char *const bad[] = {"9223372036854775808ms", "99999999999999999999",
					  "9223372036854776",      "2562047788016h",
					  "PT9223372036854775S9",  "P99999999999999W"};
	int64_t ms = 77;

	for (size_t i = 0; i < VRMS_COUNT_OF(bad); i++) {
		int rc = vrms_duration_parse(bad[i], &ms, NULL);
		ck_assert_msg(rc == (i == 4 ? -EINVAL : -ERANGE), "\"%s\": %d", bad[i], rc);
	}
	ck_assert_int_eq(ms, 77);
}
END_TEST

START_TEST(sizes_in_every_unit)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
	    {"0", 0},
	    {"512", 512},
	    {"512B", 512},
	    {"3 bytes", 3},
	    {"64K", 65536},
	    {"64KiB", 65536},
	    {"64kib", 65536},
	    {"64KB", 64000},
	    {"10M", 10485760},
	    {"10 MiB", 10485760},
	    {"2GiB", 2147483648},
	    {"1TB", 1000000000000},
	    {"1P", 1125899906842624},
	    {"15E", 15 * (UINT64_C(1) << 60)},
	    {"18446744073709551615", UINT64_MAX},
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(good); i++) {
		uint64_t bytes = 1;

		ck_assert_msg(vrms_size_parse(good[i].text, &bytes, NULL) == 0, "%s", good[i].text);
		ck_assert_msg(bytes == good[i].bytes, "%s", good[i].text);
	}
}
END_TEST

START_TEST(what_is_not_a_size_is_refused)
{
	static const char *const bad[] = {"",    "K",    "-1",   "+1", "1X",
					  "1Ki", "1KBB", "1.5G", " 1", "1 K K"};
	static const char *const large[] = {"16E", "18446744073709551616", "18014398509481984K"};
	uint64_t bytes = 77;

	for (size_t i = 0; i < VRMS_COUNT_OF(bad); i++) {
		ck_assert_msg(vrms_size_parse(bad[i], &bytes, NULL) == -EINVAL, "\"%s\"", bad[i]);
	}
	for (size_t i = 0; i < VRMS_COUNT_OF(large); i++) {
		ck_assert_msg(vrms_size_parse(large[i], &bytes, NULL) == -ERANGE, "\"%s\"",
			      large[i]);
	}
	ck_assert_uint_eq(bytes, 77);
}
END_TEST

UNIT_MAIN("parse", integers_are_read_whole, what_is_not_quite_an_integer_is_refused,
	  integers_outside_the_limits_are_a_range_error, the_text_quotes_the_input,
	  booleans_in_every_spelling_of_the_cluster, durations_in_every_unit,
	  what_is_not_a_duration_is_refused, durations_that_do_not_fit_are_a_range_error,
	  sizes_in_every_unit, what_is_not_a_size_is_refused)
