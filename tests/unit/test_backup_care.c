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

/* What says where blocks are is made anew from the packs when it is damaged. */
START_TEST(a_damaged_index_costs_nothing)
{
	struct world *world = world_new(39, false);

	for (int i = 0; i < 3; i++) {
		world_live(world);
		world_must_take(world, i == 0 ? VRMS_MODE_FULL : VRMS_MODE_INCREMENTAL);
	}
	for (unsigned int file = 0; file < store_memory_count(world->memory, "index/"); file++) {
		for (int64_t offset = 0;
		     store_memory_damage(world->memory, "index/", file, offset) != NULL;
		     offset += 7) {
			world_reopen(world);
			ck_assert_uint_eq(world_check_all(world), 3);
			store_memory_damage(world->memory, "index/", file, offset);
		}
	}
	world_free(world);
}
END_TEST

/* A bad sector is no worse than a flipped bit, wherever it is: points and blocks elsewhere come
 * back, a verify goes through and says what is lost, and the next backup heals it. */
static void check_unreadable(struct world *world, const char *prefix, unsigned int file,
			     uint64_t offset)
{
	struct vrms_verify_result result VRMS_CLEANUP(vrms_verify_result_done) = {0};

	world_reopen(world);
	result = verify(world, false);
	ck_assert_msg(result.damage_count > 0 || result.damaged_packs > 0 ||
			  strcmp(prefix, "verified") == 0,
		      "%s %u at %u", prefix, file, (unsigned int)offset);
	world_must_take(world, VRMS_MODE_FULL);
	world_reopen(world);
	ck_assert_uint_ge(world_check_all(world), 2);
}

START_TEST(what_cannot_be_read_is_damaged_and_no_more)
{
	static const char *const prefixes[] = {"packs/", "index/", "damaged", "verified"};
	static const uint64_t offsets[] = {0, 70, 5000, 30000, 100000};
	struct world *world = world_new(53, false);
	struct vrms_verify_result first VRMS_CLEANUP(vrms_verify_result_done) = {0};

	world_live(world);
	world_must_take(world, VRMS_MODE_FULL);
	store_memory_damage(world->memory, "packs/", 0, 300);
	first = verify(world, false); /* makes "damaged" and "verified" */
	world_must_take(world, VRMS_MODE_FULL);
	for (size_t i = 0; i < VRMS_COUNT_OF(prefixes); i++) {
		unsigned int count = store_memory_count(world->memory, prefixes[i]);

		for (unsigned int file = 0; file < count; file++) {
			for (size_t k = 0;
			     k < VRMS_COUNT_OF(offsets) &&
			     store_memory_spoil(world->memory, prefixes[i], file, offsets[k]);
			     k++) {
				check_unreadable(world, prefixes[i], file, offsets[k]);
			}
			store_memory_spoil(world->memory, prefixes[i], file, UINT64_MAX);
		}
	}
	world_free(world);
}
END_TEST

/* No backup may rely on a pack that verify could not open. */
START_TEST(a_pack_whose_head_is_damaged_heals_at_the_next_backup)
{
	struct world *world = world_new(59, false);

	world_live(world);
	world_must_take(world, VRMS_MODE_FULL);
	for (unsigned int file = 0; file < 2; file++) {
		struct vrms_verify_result result VRMS_CLEANUP(vrms_verify_result_done) = {0};
		struct vrms_verify_result after VRMS_CLEANUP(vrms_verify_result_done) = {0};

		ck_assert_ptr_nonnull(store_memory_damage(world->memory, "packs/", file, 20));
		world_reopen(world);
		result = verify(world, false);
		ck_assert_uint_eq(result.damaged_packs, file + 1); /* the first one stays */
		ck_assert_uint_gt(result.lost_blocks, 0);
		world_must_take(world, VRMS_MODE_FULL);
		world_reopen(world);
		ck_assert_uint_eq(world_check_all(world), file + 2);
		after = verify(world, false);
		ck_assert_uint_eq(after.lost_blocks, 0);
	}
	world_free(world);
}
END_TEST

/* It may be the disk that fails, and it may yet give the block back. */
START_TEST(prune_leaves_the_only_copy_of_a_block_however_bad)
{
	struct world *world = world_new(61, false);
	struct vrms_verify_result result VRMS_CLEANUP(vrms_verify_result_done) = {0};
	struct vrms_error error = {0};

	world_live(world);
	world_must_take(world, VRMS_MODE_FULL);
	world_live(world);
	world_must_take(world, VRMS_MODE_INCREMENTAL);
	ck_assert_ptr_nonnull(store_memory_damage(world->memory, "packs/", 0, 300));
	result = verify(world, false);
	ck_assert_uint_eq(result.damaged_blocks, 1);
	ck_assert_int_eq(world_sweep(world, 100, &error), 0);
	ck_assert_ptr_nonnull(store_memory_damage(world->memory, "packs/", 0, 300));
	/* What is known as damaged is not used; a look from scratch sees that it is right. */
	store_memory_lose(world->memory, "damaged", 0);
	world_reopen(world);
	ck_assert_uint_eq(world_check_all(world), 2);
	world_free(world);
}
END_TEST

/* Below a part of the map that cannot be read there is what nobody knows of. */
START_TEST(prune_frees_nothing_when_a_map_cannot_be_read)
{
	struct world *world = world_new(67, false);
	unsigned int refused = 0;

	for (int i = 0; i < 2; i++) {
		world_live(world);
		world_must_take(world, i == 0 ? VRMS_MODE_FULL : VRMS_MODE_INCREMENTAL);
	}
	for (unsigned int file = 0; file < 2; file++) { /* data, and maps */
		struct vrms_error error = {0};

		ck_assert_ptr_nonnull(store_memory_damage(world->memory, "packs/", file, 300));
		world_reopen(world);
		refused += world_sweep(world, 0, &error) < 0;
		ck_assert(refused == 0 || strstr(error.text, "nothing is freed") != NULL);
		ck_assert_ptr_nonnull(store_memory_damage(world->memory, "packs/", file, 300));
		world_reopen(world);
		ck_assert_uint_eq(world_check_all(world), 2);
	}
	ck_assert_uint_eq(refused, 1);
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
	  a_damaged_index_costs_nothing, what_cannot_be_read_is_damaged_and_no_more,
	  a_pack_whose_head_is_damaged_heals_at_the_next_backup,
	  prune_leaves_the_only_copy_of_a_block_however_bad,
	  prune_frees_nothing_when_a_map_cannot_be_read, a_second_generation_stands_in_for_any_pack,
	  a_wrong_key_is_refused, an_encrypted_repository_shows_no_content)
