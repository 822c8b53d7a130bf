/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "backup/restore.h"
#include "backup/verify.h"
#include "tests/fakes/backup_world.h"
#include "tests/unit/unit.h"

static struct vrms_verify_result verify(struct world *world, bool only_new)
{
	struct vrms_verify verify = {
	    .repository = world->repository,
	    .only_new = only_new,
	    .thread_count = 2,
	};
	struct vrms_verify_result result;
	struct vrms_error error = {0};

	ck_assert_msg(vrms_verify_run(&verify, &result, &error) == 0, "%s", error.text);
	ck_assert_msg(vrms_verify_record(world->repository, &result, &error) == 0, "%s",
		      error.text);
	return result;
}

START_TEST(prune_frees_what_nobody_needs)
{
	struct world *world = world_new(23, false);
	struct vrms_error error = {0};
	uint64_t one, all;

	world_live(world);
	world_must_take(world, VRMS_MODE_FULL);
	one = store_memory_bytes(world->memory, "packs/");
	for (int i = 0; i < 10; i++) {
		world_live(world);
		world_must_take(world, VRMS_MODE_INCREMENTAL);
	}
	all = store_memory_bytes(world->memory, "packs/");
	for (uint64_t victim = 1; victim <= 10; victim++) {
		ck_assert_msg(world_prune(world, victim, &error) == 0, "%s", error.text);
	}
	ck_assert_uint_eq(world_check_all(world), 1);
	ck_assert_uint_lt(store_memory_bytes(world->memory, "packs/"), all / 2);
	ck_assert_uint_gt(store_memory_bytes(world->memory, "packs/"), one / 2);
	world_free(world);
}
END_TEST

START_TEST(a_damaged_block_heals_at_the_next_backup)
{
	struct world *world = world_new(29, false);
	struct vrms_verify_result result VRMS_CLEANUP(vrms_verify_result_done) = {0};
	struct vrms_verify_result after VRMS_CLEANUP(vrms_verify_result_done) = {0};

	world_live(world);
	world_must_take(world, VRMS_MODE_FULL);
	ck_assert_ptr_nonnull(store_memory_damage(world->memory, "packs/", 0, 300));
	result = verify(world, false);
	ck_assert_uint_eq(result.damaged_blocks, 1);
	ck_assert_uint_eq(result.lost_blocks, 1);
	ck_assert_uint_eq(result.damaged_points, 1);
	/* The block has not changed on the disk, and yet it is read. */
	world_must_take(world, VRMS_MODE_INCREMENTAL);
	ck_assert_uint_eq(world_check_all(world), 2);
	after = verify(world, false);
	ck_assert_uint_eq(after.lost_blocks, 0);
	world_free(world);
}
END_TEST

START_TEST(what_was_verified_is_not_new)
{
	struct world *world = world_new(31, false);
	struct vrms_verify_result result VRMS_CLEANUP(vrms_verify_result_done) = {0};
	struct vrms_verify_result again VRMS_CLEANUP(vrms_verify_result_done) = {0};
	struct vrms_verify_result more VRMS_CLEANUP(vrms_verify_result_done) = {0};

	world_live(world);
	world_must_take(world, VRMS_MODE_FULL);
	result = verify(world, false);
	ck_assert_uint_gt(result.read_packs, 0);
	again = verify(world, true);
	ck_assert_uint_eq(again.read_packs, 0);
	world_live(world);
	world_must_take(world, VRMS_MODE_INCREMENTAL);
	more = verify(world, true);
	ck_assert_uint_eq(more.read_packs, 2);
	world_free(world);
}
END_TEST

/* Bit rot anywhere: every point either comes back right or is said to be lost. */
START_TEST(no_flipped_byte_restores_wrong_content)
{
	struct world *world = world_new(37, false);
	uint64_t noticed = 0;

	world_live(world);
	world_must_take(world, VRMS_MODE_FULL);
	world_live(world);
	world_must_take(world, VRMS_MODE_INCREMENTAL);
	for (unsigned int file = 0; file < store_memory_count(world->memory, "packs/"); file++) {
		for (int64_t offset = 0;
		     store_memory_damage(world->memory, "packs/", file, offset) != NULL;
		     offset += 397) {
			struct vrms_point_list list VRMS_CLEANUP(vrms_point_list_done) = {0};
			struct vrms_error error = {0};

			world_reopen(world);
			ck_assert_int_eq(vrms_points_read(world->repository, NULL, &list, &error),
					 0);
			for (size_t i = 0; i < list.count; i++) {
				uint8_t *data = NULL;

				if (vrms_restore_read(world->repository,
						      vrms_point_find(&list.points[i], "vda"),
						      &data, &error) < 0) {
					noticed++;
					continue;
				}
				ck_assert_mem_eq(data, world->states[list.points[i].sequence],
						 DISK_BYTES);
				free(data);
			}
			ck_assert_ptr_nonnull(
			    store_memory_damage(world->memory, "packs/", file, offset));
		}
	}
	ck_assert_uint_gt(noticed, 0);
	world_free(world);
}
END_TEST

/* Flips bits all over a pack; a second time puts them right again. */
static void spoil(struct world *world, unsigned int file)
{
	for (int64_t offset = 0; store_memory_damage(world->memory, "packs/", file, offset) != NULL;
	     offset += 97) {
	}
}

START_TEST(a_second_generation_stands_in_for_any_pack)
{
	struct world *world = world_new(47, false);
	unsigned int count;

	world_live(world);
	world_must_take(world, VRMS_MODE_FULL);
	count = store_memory_count(world->memory, "packs/");
	world->generation = 2;
	world_must_take(world, VRMS_MODE_FULL);
	ck_assert_uint_eq(store_memory_count(world->memory, "packs/"), 2 * count);
	/* Data and nodes, of the first and of the second. */
	for (unsigned int file = 0; file < 2 * count; file++) {
		spoil(world, file);
		world_reopen(world);
		ck_assert_uint_eq(world_check_all(world), 2);
		spoil(world, file);
	}
	/* The index may be lost as well: what says where the copies are is in the packs. */
	while (store_memory_count(world->memory, "index/") > 0) {
		store_memory_lose(world->memory, "index/", 0);
	}
	spoil(world, 0);
	world_reopen(world);
	ck_assert_uint_eq(world_check_all(world), 2);
	world_free(world);
}
END_TEST

START_TEST(a_wrong_key_is_refused)
{
	struct world *world = world_new(41, true);
	struct vrms_secret wrong = {"open barley", 11};
	struct vrms_secret next = {"new words", 9};
	struct vrms_repository *repository = NULL;
	struct vrms_error error = {0};

	world_live(world);
	world_must_take(world, VRMS_MODE_FULL);
	ck_assert_int_eq(vrms_repository_open(world->store, &wrong, &repository, &error),
			 -EKEYREJECTED);
	ck_assert_int_eq(vrms_repository_open(world->store, NULL, &repository, &error), -ENOKEY);
	ck_assert_int_eq(vrms_repository_rekey(world->repository, &next, &error), 0);
	ck_assert_int_eq(vrms_repository_open(world->store, &world->secret, &repository, &error),
			 -EKEYREJECTED);
	world->secret = next;
	world_reopen(world);
	ck_assert_uint_eq(world_check_all(world), 1);
	world_free(world);
}
END_TEST

START_TEST(an_encrypted_repository_shows_no_content)
{
	struct world *world = world_new(43, true);
	static const char marker[] = "nobody should see this text in the repository";

	for (size_t at = 0; at + sizeof(marker) < DISK_BYTES; at += 3000) {
		memcpy(world->disk + at, marker, sizeof(marker));
	}
	world_must_take(world, VRMS_MODE_FULL);
	ck_assert(!store_memory_contains(world->memory, marker));
	ck_assert(!store_memory_contains(world->memory, "domain"));
	world_free(world);
}
END_TEST

UNIT_MAIN("backup_care", prune_frees_what_nobody_needs, a_damaged_block_heals_at_the_next_backup,
	  what_was_verified_is_not_new, no_flipped_byte_restores_wrong_content,
	  a_second_generation_stands_in_for_any_pack, a_wrong_key_is_refused,
	  an_encrypted_repository_shows_no_content)
