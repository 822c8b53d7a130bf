/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fakes/backup_world.h"
#include "tests/unit/unit.h"

START_TEST(every_order_of_modes_restores_bit_for_bit)
{
	static const enum vrms_mode modes[] = {VRMS_MODE_FULL, VRMS_MODE_INCREMENTAL,
					       VRMS_MODE_DIFFERENTIAL};

	/* All sequences of four, after a first full. */
	for (unsigned int order = 0; order < 81; order++) {
		struct world *world = world_new(order, order % 40 == 1);

		world_live(world);
		world_must_take(world, VRMS_MODE_FULL);
		for (unsigned int i = 0, rest = order; i < 4; i++, rest /= 3) {
			world_live(world);
			world_must_take(world, modes[rest % 3]);
		}
		world_reopen(world);
		ck_assert_uint_eq(world_check_all(world), 5);
		world_free(world);
	}
}
END_TEST

START_TEST(an_unchanged_disk_costs_no_blocks)
{
	struct world *world = world_new(3, false);
	uint64_t before;

	world_live(world);
	world_must_take(world, VRMS_MODE_FULL);
	before = store_memory_bytes(world->memory, "packs/");
	world_must_take(world, VRMS_MODE_INCREMENTAL);
	world_must_take(world, VRMS_MODE_FULL);
	ck_assert_uint_eq(store_memory_bytes(world->memory, "packs/"), before);
	ck_assert_uint_eq(world_check_all(world), 3);
	world_free(world);
}
END_TEST

START_TEST(power_lost_at_any_change_leaves_earlier_points)
{
	uint64_t calls, lost = 0;
	struct world *world = world_new(5, false);

	world_live(world);
	world_must_take(world, VRMS_MODE_FULL);
	calls = store_memory_calls(world->memory);
	world_live(world);
	world_must_take(world, VRMS_MODE_INCREMENTAL);
	calls = store_memory_calls(world->memory) - calls;
	world_free(world);

	for (uint64_t at = 1; at <= calls; at++) {
		for (uint64_t seed = 0; seed < 3; seed++) {
			struct vrms_error error = {0};
			size_t points;

			world = world_new(5, seed == 2 && at % 16 == 0);
			world_live(world);
			world_must_take(world, VRMS_MODE_FULL);
			world_live(world);
			store_memory_fail_at(world->memory, at);
			/* It may be committed and still be told as failed: what is
			 * there then must be whole. */
			world->states[2] = malloc(DISK_BYTES);
			memcpy(world->states[2], world->disk, DISK_BYTES);
			lost += world_take(world, VRMS_MODE_INCREMENTAL, &error) < 0;
			store_memory_crash(world->memory, seed);
			world_reopen(world);
			points = world_check_all(world);
			ck_assert_uint_ge(points, 1);
			/* The next run goes on from the last committed point. */
			world->last = points;
			if (points == 2) {
				memset(world->since_last, 0, sizeof(world->since_last));
			}
			world_live(world);
			world_must_take(world, VRMS_MODE_INCREMENTAL);
			ck_assert_uint_eq(world_check_all(world), points + 1);
			ck_assert_uint_eq(store_memory_count(world->memory, "tmp/"), 0);
			world_free(world);
		}
	}
	ck_assert_uint_ge(lost, calls * 3 - 3);
}
END_TEST

/* What a killed program had renamed is seen at once, but not yet durable: who builds on it must see
 * to that. */
START_TEST(power_lost_after_a_kill_leaves_what_was_committed_since)
{
	uint64_t calls, kills = 0;
	struct world *world = world_new(7, false);

	world_live(world);
	world_must_take(world, VRMS_MODE_FULL);
	calls = store_memory_calls(world->memory);
	world_free(world);

	for (uint64_t at = 1; at <= calls; at++) {
		for (uint64_t seed = 0; seed < 3; seed++) {
			struct vrms_error error = {0};

			world = world_new(7, false);
			world_live(world);
			world->states[1] = malloc(DISK_BYTES); /* should it be committed */
			memcpy(world->states[1], world->disk, DISK_BYTES);
			store_memory_fail_at(world->memory, at);
			kills += world_take(world, VRMS_MODE_FULL, &error) < 0;
			store_memory_fail_at(world->memory, 0);
			world_reopen(world);
			world_must_take(world, VRMS_MODE_FULL);
			store_memory_crash(world->memory, seed);
			world_reopen(world);
			ck_assert_uint_ge(world_check_all(world), 1);
			world_free(world);
		}
	}
	ck_assert_uint_gt(kills, 0);
}
END_TEST

START_TEST(lost_index_files_are_rebuilt_from_the_packs)
{
	struct world *world = world_new(11, true);

	for (int i = 0; i < 4; i++) {
		world_live(world);
		world_must_take(world, i == 0 ? VRMS_MODE_FULL : VRMS_MODE_INCREMENTAL);
	}
	while (store_memory_count(world->memory, "index/") > 0) {
		store_memory_lose(world->memory, "index/", 0);
	}
	world_reopen(world);
	ck_assert_uint_eq(world_check_all(world), 4);
	world_live(world);
	world_must_take(world, VRMS_MODE_DIFFERENTIAL);
	ck_assert_uint_gt(store_memory_count(world->memory, "index/"), 0);
	ck_assert_uint_eq(world_check_all(world), 5);
	world_free(world);
}
END_TEST

START_TEST(a_wrong_clean_bit_is_caught_by_the_sample)
{
	struct world *world = world_new(13, false);
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {0};
	struct vrms_error error = {0};

	world_live(world);
	world_must_take(world, VRMS_MODE_FULL);
	/* The whole disk changes, and the bitmap does not know. */
	for (size_t i = 0; i < DISK_BYTES; i++) {
		world->disk[i] ^= 1;
	}
	world_must_take(world, VRMS_MODE_INCREMENTAL);
	ck_assert_int_eq(vrms_point_read(world->repository, "vm 1", &point, &error), 0);
	ck_assert_int_eq(vrms_point_find(&point, "vda")->mode, VRMS_MODE_FULL);
	ck_assert_ptr_nonnull(strstr(vrms_point_find(&point, "vda")->reason, "sampled"));
	ck_assert_uint_eq(world_check_all(world), 2);
	world_free(world);
}
END_TEST

START_TEST(a_source_that_fails_leaves_no_point)
{
	struct world *world = world_new(17, false);
	struct source_memory memory = {.data = world->disk,
				       .bytes = DISK_BYTES,
				       .fail_offset = DISK_BYTES / 2};
	struct vrms_source source = source_memory_port(&memory);
	struct vrms_job_disk disk = {.name = "vda", .mode = VRMS_MODE_FULL, .source = &source};
	struct vrms_job job = {.vm = "vm 1", .generation = 1, .disks = &disk, .disk_count = 1};
	struct vrms_point point;
	struct vrms_error error = {0};

	for (int i = 0; i < 20; i++) {
		world_live(world);
	}
	ck_assert_int_eq(vrms_job_run(world->repository, &job, &point, &error), -EIO);
	ck_assert_str_eq(error.text, "disk 'vda': the export has gone");
	ck_assert_uint_eq(world_check_all(world), 0);
	world_free(world);
}
END_TEST

/* After a power loss: which points are there is what counts from now on. */
static void recover(struct world *world)
{
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {0};
	struct vrms_error error = {0};

	world_reopen(world);
	ck_assert_int_eq(vrms_point_read(world->repository, "vm 1", &point, &error), 0);
	if (point.sequence != world->last) { /* committed, though it was told as failed */
		world->last = point.sequence;
		memset(world->since_last, 0, sizeof(world->since_last));
	}
}

/* One step of a history: a backup or a prune, perhaps cut off by a power loss. */
static void step(struct world *world)
{
	struct vrms_random *random = &world->random;
	bool is_cut = vrms_random_below(random, 3) == 0;
	struct vrms_error error = {0};
	int rc;

	if (is_cut) {
		store_memory_fail_at(world->memory, 1 + vrms_random_below(random, 40));
	}
	if (vrms_random_below(random, 3) == 0) {
		uint64_t victim = 1 + vrms_random_below(random, world->last);

		victim = victim == world->last || victim == world->full ? 0 : victim;
		rc = world_prune(world, victim, &error);
	} else {
		uint64_t next = world->last + 1;

		world_live(world);
		free(world->states[next]);
		world->states[next] = malloc(DISK_BYTES);
		memcpy(world->states[next], world->disk, DISK_BYTES);
		rc = world_take(world,
				vrms_random_below(random, 2) == 0 ? VRMS_MODE_INCREMENTAL
								  : VRMS_MODE_DIFFERENTIAL,
				&error);
	}
	ck_assert_msg(rc == 0 || is_cut, "%s", error.text);
	if (is_cut) {
		store_memory_crash(world->memory, vrms_random_next(random));
		recover(world);
	}
}

START_TEST(random_histories_with_prunes_and_power_losses_restore)
{
	/* More of them: VRMS_HISTORIES=1000 tests/unit/test_backup_history */
	const char *wanted = getenv("VRMS_HISTORIES");
	uint64_t count = wanted != NULL ? strtoull(wanted, NULL, 10) : 6;

	for (uint64_t seed = 100; seed < 100 + count; seed++) {
		struct world *world = world_new(seed, seed % 100 == 7);

		world_live(world);
		world_must_take(world, VRMS_MODE_FULL);
		for (int i = 0; i < 24; i++) {
			step(world);
			/* All that is there is checked, so what broke earlier is still seen. */
			ck_assert_msg(i % 4 != 3 || world_check_all(world) > 0, "seed %u",
				      (unsigned int)seed);
		}
		world_free(world);
	}
}
END_TEST

/* The number of the newest point of the only VM. */
static uint64_t newest(const struct world *world)
{
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {0};

	ck_assert_int_eq(vrms_point_read(world->repository, "vm 1", &point, NULL), 0);
	return point.sequence;
}

START_TEST(a_number_is_never_given_twice)
{
	for (uint64_t at = 0; at < 24; at++) { /* 0: nothing fails */
		struct world *world = world_new(17, at % 2 == 1);
		uint64_t given;
		int rc;

		for (int i = 0; i < 3; i++) {
			world_live(world);
			world_must_take(world, VRMS_MODE_FULL);
		}
		ck_assert_uint_eq(newest(world), 3);
		if (at > 0) {
			store_memory_fail_at(world->memory, at);
		}
		rc = world_prune(world, 3, NULL);
		ck_assert(at > 0 || rc == 0);
		store_memory_crash(world->memory, at);
		world_reopen(world);
		given = newest(world);
		ck_assert(given == 2 || (given == 3 && at > 0));
		world->last = world->full = given;
		rc = given == 2 ? 0 : world_prune(world, 3, NULL);
		ck_assert_int_eq(rc, 0);
		world->last = 3; /* the fake numbers its states */
		world_live(world);
		world_must_take(world, VRMS_MODE_FULL);
		ck_assert_uint_eq(newest(world), 4);
		ck_assert_uint_eq(store_memory_count(world->memory, "points/"), 4);
		world_free(world);
	}
}
END_TEST

START_TEST(a_trial_is_told_with_its_point_and_goes_with_it)
{
	struct world *world = world_new(19, true);
	struct vrms_trial trial = {.time_s = 1700000000,
				   .is_passed = true,
				   .took_ms = 1234,
				   .text = "the guest's agent answers",
				   .host = "node1"};
	struct vrms_point_list list VRMS_CLEANUP(vrms_point_list_done) = {0};
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {0};

	world_live(world);
	world_must_take(world, VRMS_MODE_FULL);
	world_must_take(world, VRMS_MODE_FULL);
	ck_assert_int_eq(vrms_point_read(world->repository, "vm 1@1", &point, NULL), 0);
	ck_assert_int_eq(point.trial.time_s, 0);
	ck_assert_int_eq(vrms_trial_write(world->repository, &point, &trial, NULL), 0);
	trial.is_passed = false;
	ck_assert_int_eq(vrms_trial_write(world->repository, &point, &trial, NULL), 0);
	world_reopen(world);
	ck_assert_int_eq(vrms_points_read(world->repository, NULL, &list, NULL), 0);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_int_eq(list.points[0].trial.time_s, 1700000000);
	ck_assert_int_eq(list.points[0].trial.took_ms, 1234);
	ck_assert(!list.points[0].trial.is_passed);
	ck_assert_str_eq(list.points[0].trial.text, "the guest's agent answers");
	ck_assert_str_eq(list.points[0].trial.host, "node1");
	ck_assert_int_eq(list.points[1].trial.time_s, 0);
	ck_assert_int_eq(world_prune(world, 1, NULL), 0);
	ck_assert_uint_eq(store_memory_count(world->memory, "points/"), 1);
	world_free(world);
}
END_TEST

UNIT_MAIN("backup_history", a_number_is_never_given_twice,
	  a_trial_is_told_with_its_point_and_goes_with_it,
	  every_order_of_modes_restores_bit_for_bit, an_unchanged_disk_costs_no_blocks,
	  power_lost_at_any_change_leaves_earlier_points,
	  power_lost_after_a_kill_leaves_what_was_committed_since,
	  lost_index_files_are_rebuilt_from_the_packs, a_wrong_clean_bit_is_caught_by_the_sample,
	  a_source_that_fails_leaves_no_point,
	  random_histories_with_prunes_and_power_losses_restore)
