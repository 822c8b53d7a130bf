/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backup/job.h"
#include "backup/restore.h"
#include "backup/sweep.h"
#include "backup/verify.h"
#include "common/random.h"
#include "tests/fakes/source_memory.h"
#include "tests/fakes/store_memory.h"
#include "tests/unit/unit.h"

/* A disk that lives, and every state that was committed, to compare with what
 * the repository gives back. */
enum {
	BLOCK = 4096,
	DISK_BYTES = 300 * BLOCK + 512, /* three nodes, and a block cut short */
	GRAINS = DISK_BYTES / SOURCE_MEMORY_GRAIN + 1,
	STATES_MAX = 64,
};

struct world {
	struct store_memory *memory;
	const struct vrms_store *store;
	struct vrms_repository *repository;
	struct vrms_random random;
	uint8_t disk[DISK_BYTES];
	uint8_t since_last[GRAINS], since_full[GRAINS];
	uint8_t *states[STATES_MAX]; /* by sequence */
	uint64_t last, full;         /* sequences, 0 none */
	struct vrms_secret secret;
	bool is_encrypted;
};

static struct vrms_repository_config config_of(bool is_encrypted)
{
	return (struct vrms_repository_config){
	    .block_bytes = BLOCK,
	    .pack_bytes = 1 << 20,
	    .hash = is_encrypted ? VRMS_HASH_HMAC_SHA256 : VRMS_HASH_SHA256,
	    .is_compressing = true,
	    .level = 1,
	    .is_encrypted = is_encrypted,
	};
}

static void reopen(struct world *world)
{
	struct vrms_error error = {0};

	vrms_repository_close(world->repository);
	world->repository = NULL;
	ck_assert_msg(vrms_repository_open(world->store,
					   world->is_encrypted ? &world->secret : NULL,
					   &world->repository, &error) == 0,
		      "%s", error.text);
}

static struct world *world_new(uint64_t seed, bool is_encrypted)
{
	struct world *world = calloc(1, sizeof(*world));
	struct vrms_repository_config config = config_of(is_encrypted);
	struct vrms_error error = {0};

	world->memory = store_memory_new();
	world->store = store_memory_port(world->memory);
	world->secret = (struct vrms_secret){"open sesame", 11};
	world->is_encrypted = is_encrypted;
	vrms_random_init(&world->random, seed);
	ck_assert_msg(vrms_repository_create(world->store, &config,
					     is_encrypted ? &world->secret : NULL, &error) == 0,
		      "%s", error.text);
	reopen(world);
	return world;
}

static void world_free(struct world *world)
{
	vrms_repository_close(world->repository);
	store_memory_free(world->memory);
	for (size_t i = 0; i < STATES_MAX; i++) {
		free(world->states[i]);
	}
	free(world);
}

static void mark(struct world *world, size_t grain)
{
	world->since_last[grain] = 1;
	world->since_full[grain] = 1;
}

/* Writes, writes of what is there already, and discards. */
static void live(struct world *world)
{
	for (int i = 0; i < 12; i++) {
		size_t at = vrms_random_below(&world->random, DISK_BYTES);
		size_t size = 1 + vrms_random_below(&world->random, 20000);
		bool is_discard = vrms_random_below(&world->random, 4) == 0;

		for (size_t k = at; k < at + size && k < DISK_BYTES; k++) {
			/* Half of it compresses. */
			world->disk[k] = is_discard || (k / BLOCK) % 2 == 0
					     ? 0
					     : (uint8_t)vrms_random_next(&world->random);
			if (!is_discard && (k / BLOCK) % 2 == 0) {
				world->disk[k] = (uint8_t)('a' + k % 7);
			}
			mark(world, k / SOURCE_MEMORY_GRAIN);
		}
	}
}

static int take(struct world *world, enum vrms_mode mode, struct vrms_error *error)
{
	struct vrms_point base_point VRMS_CLEANUP(vrms_point_done) = {0};
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {0};
	struct source_memory memory = {.data = world->disk, .bytes = DISK_BYTES};
	uint64_t base = mode == VRMS_MODE_INCREMENTAL ? world->last : world->full;
	struct vrms_source source;
	struct vrms_job_disk disk = {.name = "vda", .mode = mode, .source = &source};
	struct vrms_job_file file = {"domain.xml", "<domain/>", 9};
	struct vrms_job job = {
	    .vm = "vm 1",
	    .mode = mode,
	    .generation = 1,
	    .disks = &disk,
	    .disk_count = 1,
	    .files = &file,
	    .file_count = 1,
	    .thread_count = 2,
	    .seed = 7,
	};
	char name[32];
	int rc = 0;

	if (mode == VRMS_MODE_FULL || base == 0) {
		disk.mode = VRMS_MODE_FULL;
	} else {
		memory.dirty =
		    mode == VRMS_MODE_INCREMENTAL ? world->since_last : world->since_full;
		snprintf(name, sizeof(name), "vm 1@%u", (unsigned int)base);
		rc = vrms_point_read(world->repository, name, &base_point, error);
		if (rc < 0) {
			return rc;
		}
		disk.base = vrms_point_find(&base_point, "vda");
	}
	source = source_memory_port(&memory);
	rc = vrms_job_run(world->repository, &job, &point, error);
	if (rc < 0) {
		return rc;
	}
	ck_assert_uint_lt(point.sequence, STATES_MAX);
	free(world->states[point.sequence]);
	world->states[point.sequence] = malloc(DISK_BYTES);
	memcpy(world->states[point.sequence], world->disk, DISK_BYTES);
	world->last = point.sequence;
	memset(world->since_last, 0, sizeof(world->since_last));
	if (disk.mode == VRMS_MODE_FULL) {
		world->full = point.sequence;
		memset(world->since_full, 0, sizeof(world->since_full));
	}
	return 0;
}

static void must_take(struct world *world, enum vrms_mode mode)
{
	struct vrms_error error = {0};

	ck_assert_msg(take(world, mode, &error) == 0, "%s", error.text);
}

/* Every point there is gives back the state of its moment. */
static size_t check_all(struct world *world)
{
	struct vrms_point_list list VRMS_CLEANUP(vrms_point_list_done) = {0};
	struct vrms_error error = {0};

	ck_assert_int_eq(vrms_points_read(world->repository, NULL, &list, &error), 0);
	ck_assert_uint_eq(list.damaged_count, 0);
	for (size_t i = 0; i < list.count; i++) {
		const struct vrms_point *point = &list.points[i];
		uint8_t *data = NULL;

		ck_assert_msg(vrms_restore_read(world->repository, vrms_point_find(point, "vda"),
						&data, &error) == 0,
			      "point %u: %s", (unsigned int)point->sequence, error.text);
		ck_assert_ptr_nonnull(world->states[point->sequence]);
		ck_assert_mem_eq(data, world->states[point->sequence], DISK_BYTES);
		free(data);
		ck_assert_int_eq(vrms_restore_read(world->repository,
						   vrms_point_find(point, "domain.xml"), &data,
						   &error),
				 0);
		ck_assert_str_eq((char *)data, "<domain/>");
		free(data);
	}
	return list.count;
}

START_TEST(every_order_of_modes_restores_bit_for_bit)
{
	static const enum vrms_mode modes[] = {VRMS_MODE_FULL, VRMS_MODE_INCREMENTAL,
					       VRMS_MODE_DIFFERENTIAL};

	/* All sequences of four, after a first full. */
	for (unsigned int order = 0; order < 81; order++) {
		struct world *world = world_new(order, order % 9 == 1);

		live(world);
		must_take(world, VRMS_MODE_FULL);
		for (unsigned int i = 0, rest = order; i < 4; i++, rest /= 3) {
			live(world);
			must_take(world, modes[rest % 3]);
		}
		reopen(world);
		ck_assert_uint_eq(check_all(world), 5);
		world_free(world);
	}
}
END_TEST

START_TEST(an_unchanged_disk_costs_no_blocks)
{
	struct world *world = world_new(3, false);
	uint64_t before;

	live(world);
	must_take(world, VRMS_MODE_FULL);
	before = store_memory_bytes(world->memory, "packs/");
	must_take(world, VRMS_MODE_INCREMENTAL);
	must_take(world, VRMS_MODE_FULL);
	ck_assert_uint_eq(store_memory_bytes(world->memory, "packs/"), before);
	ck_assert_uint_eq(check_all(world), 3);
	world_free(world);
}
END_TEST

START_TEST(power_lost_at_any_change_leaves_earlier_points)
{
	uint64_t calls, lost = 0;
	struct world *world = world_new(5, false);

	live(world);
	must_take(world, VRMS_MODE_FULL);
	calls = store_memory_calls(world->memory);
	live(world);
	must_take(world, VRMS_MODE_INCREMENTAL);
	calls = store_memory_calls(world->memory) - calls;
	world_free(world);

	for (uint64_t at = 1; at <= calls; at++) {
		for (uint64_t seed = 0; seed < 4; seed++) {
			struct vrms_error error = {0};
			size_t points;

			world = world_new(5, seed == 3 && at % 4 == 0);
			live(world);
			must_take(world, VRMS_MODE_FULL);
			live(world);
			store_memory_fail_at(world->memory, at);
			/* It may be committed and still be told as failed: what is
			 * there then must be whole. */
			world->states[2] = malloc(DISK_BYTES);
			memcpy(world->states[2], world->disk, DISK_BYTES);
			lost += take(world, VRMS_MODE_INCREMENTAL, &error) < 0;
			store_memory_crash(world->memory, seed);
			reopen(world);
			points = check_all(world);
			ck_assert_uint_ge(points, 1);
			/* The next run goes on from the last committed point. */
			world->last = points;
			if (points == 2) {
				memset(world->since_last, 0, sizeof(world->since_last));
			}
			live(world);
			must_take(world, VRMS_MODE_INCREMENTAL);
			ck_assert_uint_eq(check_all(world), points + 1);
			ck_assert_uint_eq(store_memory_count(world->memory, "tmp/"), 0);
			world_free(world);
		}
	}
	ck_assert_uint_ge(lost, calls * 4 - 4);
}
END_TEST

START_TEST(lost_index_files_are_rebuilt_from_the_packs)
{
	struct world *world = world_new(11, true);

	for (int i = 0; i < 4; i++) {
		live(world);
		must_take(world, i == 0 ? VRMS_MODE_FULL : VRMS_MODE_INCREMENTAL);
	}
	while (store_memory_count(world->memory, "index/") > 0) {
		store_memory_lose(world->memory, "index/", 0);
	}
	reopen(world);
	ck_assert_uint_eq(check_all(world), 4);
	live(world);
	must_take(world, VRMS_MODE_DIFFERENTIAL);
	ck_assert_uint_gt(store_memory_count(world->memory, "index/"), 0);
	ck_assert_uint_eq(check_all(world), 5);
	world_free(world);
}
END_TEST

START_TEST(a_wrong_clean_bit_is_caught_by_the_sample)
{
	struct world *world = world_new(13, false);
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {0};
	struct vrms_error error = {0};

	live(world);
	must_take(world, VRMS_MODE_FULL);
	/* The whole disk changes, and the bitmap does not know. */
	for (size_t i = 0; i < DISK_BYTES; i++) {
		world->disk[i] ^= 1;
	}
	must_take(world, VRMS_MODE_INCREMENTAL);
	ck_assert_int_eq(vrms_point_read(world->repository, "vm 1", &point, &error), 0);
	ck_assert_int_eq(vrms_point_find(&point, "vda")->mode, VRMS_MODE_FULL);
	ck_assert_ptr_nonnull(strstr(vrms_point_find(&point, "vda")->reason, "sampled"));
	ck_assert_uint_eq(check_all(world), 2);
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
		live(world);
	}
	ck_assert_int_eq(vrms_job_run(world->repository, &job, &point, &error), -EIO);
	ck_assert_str_eq(error.text, "disk 'vda': the export has gone");
	ck_assert_uint_eq(check_all(world), 0);
	world_free(world);
}
END_TEST

/* Removes a point and frees what only it used. */
static int prune(struct world *world, uint64_t victim, struct vrms_error *error)
{
	struct vrms_point_list list VRMS_CLEANUP(vrms_point_list_done) = {0};
	struct vrms_sweep sweep = {.repository = world->repository, .live_pct_min = 90};
	struct vrms_sweep_result result;
	size_t kept = 0;
	int rc = vrms_points_read(world->repository, NULL, &list, error);

	for (size_t i = 0; i < list.count && rc == 0; i++) {
		struct vrms_point moved = list.points[i];

		if (moved.sequence == victim) {
			rc = vrms_point_remove(world->repository, &moved, error);
		} else {
			list.points[i] = list.points[kept];
			list.points[kept++] = moved;
		}
	}
	sweep.points = list.points;
	sweep.point_count = kept;
	if (rc == 0) {
		rc = vrms_sweep_run(&sweep, &result, error);
	}
	if (rc == 0) {
		ck_assert_uint_eq(result.missing_blocks, 0);
	}
	return rc;
}

/* After a power loss: which points are there is what counts from now on. */
static void recover(struct world *world)
{
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {0};
	struct vrms_error error = {0};

	reopen(world);
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
		rc = prune(world, victim, &error);
	} else {
		uint64_t next = world->last + 1;

		live(world);
		free(world->states[next]);
		world->states[next] = malloc(DISK_BYTES);
		memcpy(world->states[next], world->disk, DISK_BYTES);
		rc = take(world,
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
	for (uint64_t seed = 100; seed < 116; seed++) {
		struct world *world = world_new(seed, seed == 107);

		live(world);
		must_take(world, VRMS_MODE_FULL);
		for (int i = 0; i < 25; i++) {
			step(world);
			ck_assert_msg(check_all(world) > 0, "seed %u", (unsigned int)seed);
		}
		world_free(world);
	}
}
END_TEST

START_TEST(prune_frees_what_nobody_needs)
{
	struct world *world = world_new(23, false);
	struct vrms_error error = {0};
	uint64_t one, all;

	live(world);
	must_take(world, VRMS_MODE_FULL);
	one = store_memory_bytes(world->memory, "packs/");
	for (int i = 0; i < 10; i++) {
		live(world);
		must_take(world, VRMS_MODE_INCREMENTAL);
	}
	all = store_memory_bytes(world->memory, "packs/");
	for (uint64_t victim = 1; victim <= 10; victim++) {
		ck_assert_msg(prune(world, victim, &error) == 0, "%s", error.text);
	}
	ck_assert_uint_eq(check_all(world), 1);
	ck_assert_uint_lt(store_memory_bytes(world->memory, "packs/"), all / 2);
	ck_assert_uint_gt(store_memory_bytes(world->memory, "packs/"), one / 2);
	world_free(world);
}
END_TEST

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

START_TEST(a_damaged_block_heals_at_the_next_backup)
{
	struct world *world = world_new(29, false);
	struct vrms_verify_result result VRMS_CLEANUP(vrms_verify_result_done) = {0};
	struct vrms_verify_result after VRMS_CLEANUP(vrms_verify_result_done) = {0};

	live(world);
	must_take(world, VRMS_MODE_FULL);
	ck_assert_ptr_nonnull(store_memory_damage(world->memory, "packs/", 0, 300));
	result = verify(world, false);
	ck_assert_uint_eq(result.damaged_blocks, 1);
	ck_assert_uint_eq(result.lost_blocks, 1);
	ck_assert_uint_eq(result.damaged_points, 1);
	/* The block has not changed on the disk, and yet it is read. */
	must_take(world, VRMS_MODE_INCREMENTAL);
	ck_assert_uint_eq(check_all(world), 2);
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

	live(world);
	must_take(world, VRMS_MODE_FULL);
	result = verify(world, false);
	ck_assert_uint_gt(result.read_packs, 0);
	again = verify(world, true);
	ck_assert_uint_eq(again.read_packs, 0);
	live(world);
	must_take(world, VRMS_MODE_INCREMENTAL);
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

	live(world);
	must_take(world, VRMS_MODE_FULL);
	live(world);
	must_take(world, VRMS_MODE_INCREMENTAL);
	for (unsigned int file = 0; file < store_memory_count(world->memory, "packs/"); file++) {
		for (int64_t offset = 0;
		     store_memory_damage(world->memory, "packs/", file, offset) != NULL;
		     offset += 397) {
			struct vrms_point_list list VRMS_CLEANUP(vrms_point_list_done) = {0};
			struct vrms_error error = {0};

			reopen(world);
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

START_TEST(a_wrong_key_is_refused)
{
	struct world *world = world_new(41, true);
	struct vrms_secret wrong = {"open barley", 11};
	struct vrms_secret next = {"new words", 9};
	struct vrms_repository *repository = NULL;
	struct vrms_error error = {0};

	live(world);
	must_take(world, VRMS_MODE_FULL);
	ck_assert_int_eq(vrms_repository_open(world->store, &wrong, &repository, &error),
			 -EKEYREJECTED);
	ck_assert_int_eq(vrms_repository_open(world->store, NULL, &repository, &error), -ENOKEY);
	ck_assert_int_eq(vrms_repository_rekey(world->repository, &next, &error), 0);
	ck_assert_int_eq(vrms_repository_open(world->store, &world->secret, &repository, &error),
			 -EKEYREJECTED);
	world->secret = next;
	reopen(world);
	ck_assert_uint_eq(check_all(world), 1);
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
	must_take(world, VRMS_MODE_FULL);
	ck_assert(!store_memory_contains(world->memory, marker));
	ck_assert(!store_memory_contains(world->memory, "domain"));
	world_free(world);
}
END_TEST

UNIT_MAIN("backup_history", every_order_of_modes_restores_bit_for_bit,
	  an_unchanged_disk_costs_no_blocks, power_lost_at_any_change_leaves_earlier_points,
	  lost_index_files_are_rebuilt_from_the_packs, a_wrong_clean_bit_is_caught_by_the_sample,
	  a_source_that_fails_leaves_no_point,
	  random_histories_with_prunes_and_power_losses_restore, prune_frees_what_nobody_needs,
	  a_damaged_block_heals_at_the_next_backup, what_was_verified_is_not_new,
	  no_flipped_byte_restores_wrong_content, a_wrong_key_is_refused,
	  an_encrypted_repository_shows_no_content)
