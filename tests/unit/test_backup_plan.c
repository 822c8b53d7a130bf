/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "backup/plan.h"
#include "tests/unit/unit.h"

/* Points 1 full, 2 incremental, 3 incremental, each with a bitmap of its own. */
static struct vrms_point points[3];

static void history(void)
{
	static const char *const bitmaps[] = {"b1", "b2", "b3"};

	for (size_t i = 0; i < 3; i++) {
		struct vrms_point_part *part;

		vrms_point_done(&points[i]);
		part = vrms_point_add(&points[i], "vda", true);
		part->bytes = 1000;
		part->mode = i == 0 ? VRMS_MODE_FULL : VRMS_MODE_INCREMENTAL;
		free(part->bitmap);
		part->bitmap = strdup(bitmaps[i]);
		points[i].sequence = i + 1;
	}
}

static struct vrms_plan_choice choose(enum vrms_mode mode, const char *const *bitmaps)
{
	struct vrms_plan_disk disk = {.name = "vda", .bytes = 1000, .bitmaps = bitmaps};
	struct vrms_plan_choice choice;

	vrms_plan_disk(points, 3, mode, &disk, &choice);
	return choice;
}

static const char *const all[] = {"b1", "b2", "b3", NULL};

START_TEST(an_incremental_starts_from_the_last_point)
{
	struct vrms_plan_choice choice;

	history();
	choice = choose(VRMS_MODE_INCREMENTAL, all);
	ck_assert_int_eq(choice.mode, VRMS_MODE_INCREMENTAL);
	ck_assert_ptr_eq(choice.base_point, &points[2]);
	ck_assert_str_eq(choice.reason, "");
	choice = choose(VRMS_MODE_AUTO, all);
	ck_assert_int_eq(choice.mode, VRMS_MODE_INCREMENTAL);
}
END_TEST

START_TEST(a_differential_starts_from_the_last_full)
{
	struct vrms_plan_choice choice;

	history();
	choice = choose(VRMS_MODE_DIFFERENTIAL, all);
	ck_assert_int_eq(choice.mode, VRMS_MODE_DIFFERENTIAL);
	ck_assert_ptr_eq(choice.base_point, &points[0]);
	ck_assert_str_eq(choice.base->bitmap, "b1");
}
END_TEST

/* After a killed run the image has a newer bitmap; after a killed QEMU the last
 * one is not good any more.  Neither an older nor a newer bitmap will do. */
START_TEST(only_the_last_points_own_bitmap_counts)
{
	static const char *const older[] = {"b1", "b2", "b9", NULL};
	struct vrms_plan_choice choice;

	history();
	choice = choose(VRMS_MODE_INCREMENTAL, older);
	ck_assert_int_eq(choice.mode, VRMS_MODE_FULL);
	ck_assert_ptr_null(choice.base);
	ck_assert_str_eq(choice.reason, "the disk has no good bitmap 'b3' of point 3 any more: "
					"read in full, only changes are stored");
	choice = choose(VRMS_MODE_AUTO, NULL);
	ck_assert_int_eq(choice.mode, VRMS_MODE_FULL);
}
END_TEST

START_TEST(a_smaller_disk_is_read_in_full)
{
	struct vrms_plan_disk disk = {.name = "vda", .bytes = 999, .bitmaps = all};
	struct vrms_plan_choice choice;

	history();
	vrms_plan_disk(points, 3, VRMS_MODE_INCREMENTAL, &disk, &choice);
	ck_assert_int_eq(choice.mode, VRMS_MODE_FULL);
	ck_assert_str_eq(choice.reason,
			 "the disk became smaller: read in full, only changes are stored");
}
END_TEST

START_TEST(a_new_disk_is_read_in_full)
{
	struct vrms_plan_disk disk = {.name = "vdb", .bytes = 999, .bitmaps = all};
	struct vrms_plan_choice choice;

	history();
	vrms_plan_disk(points, 3, VRMS_MODE_INCREMENTAL, &disk, &choice);
	ck_assert_int_eq(choice.mode, VRMS_MODE_FULL);
	ck_assert_str_eq(choice.reason, "no earlier backup of this disk");
}
END_TEST

START_TEST(a_format_without_bitmaps_says_so)
{
	struct vrms_plan_disk disk = {.name = "vda", .bytes = 1000, .no_bitmap = "raw"};
	struct vrms_plan_choice choice;

	history();
	vrms_plan_disk(points, 3, VRMS_MODE_INCREMENTAL, &disk, &choice);
	ck_assert_int_eq(choice.mode, VRMS_MODE_FULL);
	ck_assert_str_eq(choice.reason, "raw: read in full, only changes are stored");
}
END_TEST

START_TEST(asking_for_a_full_needs_no_reason)
{
	struct vrms_plan_choice choice;

	history();
	choice = choose(VRMS_MODE_FULL, all);
	ck_assert_int_eq(choice.mode, VRMS_MODE_FULL);
	ck_assert_str_eq(choice.reason, "");
}
END_TEST

UNIT_MAIN("backup_plan", an_incremental_starts_from_the_last_point,
	  a_differential_starts_from_the_last_full, only_the_last_points_own_bitmap_counts,
	  a_smaller_disk_is_read_in_full, a_new_disk_is_read_in_full,
	  a_format_without_bitmaps_says_so, asking_for_a_full_needs_no_reason)
