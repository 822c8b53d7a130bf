/* test_lun_health.c - when a LUN is fit for guests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "san/health.h"
#include "tests/unit/unit.h"

static const struct vrms_lun_limits limits = {.warn_ms = 100, .fail_ms = 1000, .paths_min = 1};
static struct vrms_error error;

static struct vrms_lun_reading good(void)
{
	return (struct vrms_lun_reading){.name = "lun",
					 .path_count = 2,
					 .good_count = 2,
					 .latency_us = 800,
					 .has_reservation = true,
					 .needs_key = true,
					 .has_key = true};
}

static enum vrms_lun_health judge(const struct vrms_lun_reading *reading)
{
	vrms_error_clear(&error);
	return vrms_lun_judge(reading, &limits, &error);
}

START_TEST(a_lun_that_answers_on_all_paths_is_green)
{
	struct vrms_lun_reading reading = good();

	ck_assert_int_eq(judge(&reading), VRMS_LUN_GREEN);
	ck_assert_str_eq(error.text, "");
	ck_assert_str_eq(vrms_lun_health_name(VRMS_LUN_RED), "red");
}
END_TEST

START_TEST(a_lost_path_is_yellow_and_the_last_one_red)
{
	struct vrms_lun_reading reading = good();

	reading.trouble = "no answer";
	reading.good_count = 1;
	ck_assert_int_eq(judge(&reading), VRMS_LUN_YELLOW);
	ck_assert_str_eq(error.text, "lun: 1 of 2 paths: no answer");
	reading.good_count = 0;
	ck_assert_int_eq(judge(&reading), VRMS_LUN_RED);
	ck_assert_str_eq(error.text, "lun: no answer");
}
END_TEST

START_TEST(a_slow_lun_is_yellow_and_a_very_slow_one_red)
{
	struct vrms_lun_reading reading = good();

	reading.latency_us = 100000;
	ck_assert_int_eq(judge(&reading), VRMS_LUN_GREEN);
	reading.latency_us = 100001;
	ck_assert_int_eq(judge(&reading), VRMS_LUN_YELLOW);
	ck_assert_str_eq(error.text, "lun: a read took 101 ms, more than 100");
	reading.latency_us = 1000001;
	ck_assert_int_eq(judge(&reading), VRMS_LUN_RED);
}
END_TEST

START_TEST(a_node_without_its_key_is_fenced_and_a_lun_without_reservation_is_a_warning)
{
	struct vrms_lun_reading reading = good();

	reading.has_key = false;
	ck_assert_int_eq(judge(&reading), VRMS_LUN_RED);
	ck_assert_str_eq(error.text, "lun: this node's key is not registered: it is fenced here");
	reading.has_reservation = false;
	ck_assert_int_eq(judge(&reading), VRMS_LUN_YELLOW);
	reading.needs_key = false; /* a file */
	ck_assert_int_eq(judge(&reading), VRMS_LUN_GREEN);
}
END_TEST

UNIT_MAIN("lun_health", a_lun_that_answers_on_all_paths_is_green,
	  a_lost_path_is_yellow_and_the_last_one_red, a_slow_lun_is_yellow_and_a_very_slow_one_red,
	  a_node_without_its_key_is_fenced_and_a_lun_without_reservation_is_a_warning)
