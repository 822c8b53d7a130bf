/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "backup/schedule_facts.h"
#include "backup/status_record.h"
#include "tests/fakes/backup_world.h"
#include "tests/unit/unit.h"

static json_t *record_of(struct world *world)
{
	json_t *record = NULL;
	struct vrms_error error = {0};

	ck_assert_msg(vrms_status_read(world->repository, &record, &error) == 0, "%s", error.text);
	return record;
}

START_TEST(failures_are_counted_until_one_goes_well)
{
	struct world *world = world_new(3, true);
	json_t *record;

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(vrms_status_note_attempt(world->repository, "a/b", "no \"space\"",
							  NULL),
				 0);
	}
	ck_assert_int_eq(vrms_status_note_attempt(world->repository, "c", NULL, NULL), 0);
	world_reopen(world);
	record = record_of(world);
	ck_assert_uint_eq(vrms_status_attempt(record, "a/b").failed_count, 3);
	ck_assert_str_eq(vrms_status_attempt(record, "a/b").text, "no \"space\"");
	ck_assert_int_eq(vrms_status_attempt(record, "c").failed_s, 0);
	json_decref(record);
	ck_assert_int_eq(vrms_status_note_attempt(world->repository, "a/b", NULL, NULL), 0);
	record = record_of(world);
	ck_assert_int_eq(vrms_status_attempt(record, "a/b").failed_s, 0);
	json_decref(record);
	world_free(world);
}
END_TEST

START_TEST(care_is_remembered_with_its_findings)
{
	struct world *world = world_new(3, false);
	json_t *record = record_of(world);
	int64_t findings;

	ck_assert_int_eq(vrms_status_care(record, VRMS_STATUS_VERIFY, NULL), 0);
	json_decref(record);
	ck_assert_int_eq(vrms_status_note_care(world->repository, VRMS_STATUS_VERIFY, 5, NULL), 0);
	ck_assert_int_eq(vrms_status_note_care(world->repository, VRMS_STATUS_PRUNE, 0, NULL), 0);
	record = record_of(world);
	ck_assert_int_ge(vrms_status_care(record, VRMS_STATUS_VERIFY, &findings), time(NULL) - 60);
	ck_assert_int_eq(findings, 5);
	ck_assert_int_eq(vrms_status_care(record, VRMS_STATUS_SAMPLE, NULL), 0);
	json_decref(record);
	world_free(world);
}
END_TEST

START_TEST(a_damaged_record_is_begun_anew)
{
	struct world *world = world_new(3, false);
	json_t *record;

	ck_assert_int_eq(vrms_status_note_attempt(world->repository, "a", "x", NULL), 0);
	ck_assert_ptr_nonnull(store_memory_damage(world->memory, "status", 0, 60));
	record = record_of(world);
	ck_assert_int_eq(vrms_status_attempt(record, "a").failed_s, 0);
	json_decref(record);
	ck_assert_int_eq(vrms_status_note_attempt(world->repository, "b", "y", NULL), 0);
	record = record_of(world);
	ck_assert_str_eq(vrms_status_attempt(record, "b").text, "y");
	json_decref(record);
	world_free(world);
}
END_TEST

START_TEST(a_point_does_for_what_it_was_asked_to_be_and_for_less)
{
	struct vrms_point points[] = {
	    {.mode = VRMS_MODE_AUTO, .time_s = 1000}, /* the first: a full, whatever was asked */
	    {.mode = VRMS_MODE_INCREMENTAL, .time_s = 2000},
	    {.mode = VRMS_MODE_DIFFERENTIAL, .time_s = 3000},
	    {.mode = VRMS_MODE_AUTO, .time_s = 4000},
	    {.mode = VRMS_MODE_FULL, .time_s = 5000},
	    {.mode = VRMS_MODE_INCREMENTAL, .time_s = 6000, .is_self_contained = true},
	    {.mode = VRMS_MODE_FULL, .time_s = 7000},
	};
	int64_t offset_s = vrms_schedule_local(5000) - 5000;
	json_t *record = json_object();
	struct vrms_schedule_done done;

	vrms_schedule_facts(points, 0, record, "a", &done);
	ck_assert_int_eq(done.last_s[VRMS_POLICY_INCREMENTAL], VRMS_SCHEDULE_NEVER);
	ck_assert_int_eq(done.failed_s, VRMS_SCHEDULE_NEVER);
	json_object_update_new(record, json_pack("{s:{s:{s:{s:i,s:i}}}}", "vms", "a", "failure",
						 "time_s", 3500, "count", 2));
	vrms_schedule_facts(points, 3, record, "a", &done);
	ck_assert_int_eq(done.failed_s, 3500 + offset_s);
	vrms_schedule_facts(points, 4, record, "a", &done); /* since then one went well */
	ck_assert_int_eq(done.failed_s, VRMS_SCHEDULE_NEVER);
	ck_assert_int_eq(done.last_s[VRMS_POLICY_FULL], 1000 + offset_s);
	ck_assert_int_eq(done.last_s[VRMS_POLICY_DIFFERENTIAL], 3000 + offset_s);
	ck_assert_int_eq(done.last_s[VRMS_POLICY_INCREMENTAL], 4000 + offset_s);
	ck_assert_uint_eq(done.fulls_since_self_contained, 1);
	vrms_schedule_facts(points, 7, record, "a", &done);
	ck_assert_int_eq(done.last_s[VRMS_POLICY_DIFFERENTIAL], 7000 + offset_s);
	ck_assert_uint_eq(done.fulls_since_self_contained, 1);
	json_decref(record);
}
END_TEST

UNIT_MAIN("backup_record", failures_are_counted_until_one_goes_well,
	  care_is_remembered_with_its_findings, a_damaged_record_is_begun_anew,
	  a_point_does_for_what_it_was_asked_to_be_and_for_less)
