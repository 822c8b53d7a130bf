/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/guest.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct vrms_guest_record decode(const char *line, int *ret_rc)
{
	char sector[VRMS_GUEST_SECTOR_BYTES] = {0};
	struct vrms_guest_record record = {0};

	memcpy(sector, line, strlen(line));
	*ret_rc = vrms_guest_record_decode(sector, &record);
	return record;
}

START_TEST(a_guest_s_line_is_read)
{
	int rc;
	struct vrms_guest_record record =
	    decode("VRMS boot 000012 tick 00004711 fail 0003\r\n", &rc);

	ck_assert_int_eq(rc, 0);
	ck_assert_uint_eq(record.boot_count, 12);
	ck_assert_uint_eq(record.tick_count, 4711);
	ck_assert_uint_eq(record.fail_count, 3);
}
END_TEST

START_TEST(leading_zeros_are_decimal)
{
	int rc;
	struct vrms_guest_record record =
	    decode("VRMS boot 000010 tick 00000100 fail 0000\r\n", &rc);

	ck_assert_uint_eq(record.boot_count, 10);
	ck_assert_uint_eq(record.tick_count, 100);
}
END_TEST

START_TEST(a_new_disk_has_no_record)
{
	int rc;

	decode("", &rc);
	ck_assert_int_eq(rc, -ENODATA);
	decode("VRMS boot", &rc);
	ck_assert_int_eq(rc, -ENODATA);
}
END_TEST

START_TEST(a_guest_that_went_on_was_not_restarted)
{
	struct vrms_guest_record earlier = {.boot_count = 1, .tick_count = 10};
	struct vrms_guest_record later = {.boot_count = 1, .tick_count = 25};

	ck_assert(!vrms_guest_record_is_restart(&earlier, &later));
	ck_assert(!vrms_guest_record_is_restart(&earlier, &earlier));
}
END_TEST

START_TEST(a_new_boot_or_a_smaller_tick_is_a_restart)
{
	struct vrms_guest_record earlier = {.boot_count = 1, .tick_count = 10};
	struct vrms_guest_record boot = {.boot_count = 2, .tick_count = 25};
	struct vrms_guest_record tick = {.boot_count = 1, .tick_count = 9};

	ck_assert(vrms_guest_record_is_restart(&earlier, &boot));
	ck_assert(vrms_guest_record_is_restart(&earlier, &tick));
}
END_TEST

START_TEST(every_order_and_kind_reads_back)
{
	struct vrms_error error = {.text = ""};

	for (int i = 0; i < VRMS_GUEST_ORDER_COUNT; i++) {
		enum vrms_guest_order order;
		const char *text = vrms_guest_order_text((enum vrms_guest_order)i);

		ck_assert_int_eq(vrms_guest_order_parse(text, &order, &error), 0);
		ck_assert_int_eq((int)order, i);
	}
	for (int i = 0; i < VRMS_GUEST_KIND_COUNT; i++) {
		enum vrms_guest_kind kind;
		const char *text = vrms_guest_kind_text((enum vrms_guest_kind)i);

		ck_assert_int_eq(vrms_guest_kind_parse(text, &kind, &error), 0);
		ck_assert_int_eq((int)kind, i);
	}
}
END_TEST

START_TEST(an_unknown_order_is_quoted)
{
	struct vrms_error error = {.text = ""};
	enum vrms_guest_order order;

	ck_assert_int_eq(vrms_guest_order_parse("dance", &order, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.text, "\"dance\""));
}
END_TEST

UNIT_MAIN("guest_record", a_guest_s_line_is_read, leading_zeros_are_decimal,
	  a_new_disk_has_no_record, a_guest_that_went_on_was_not_restarted,
	  a_new_boot_or_a_smaller_tick_is_a_restart, every_order_and_kind_reads_back,
	  an_unknown_order_is_quoted)
