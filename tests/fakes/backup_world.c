/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fakes/backup_world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/restore.h"
#include "backup/sweep.h"

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

void world_reopen(struct world *world)
{
	struct vrms_error error = {0};

	vrms_repository_close(world->repository);
	world->repository = NULL;
	ck_assert_msg(vrms_repository_open(world->store,
					   world->is_encrypted ? &world->secret : NULL,
					   &world->repository, &error) == 0,
		      "%s", error.text);
}

struct world *world_new(uint64_t seed, bool is_encrypted)
{
	struct world *world = calloc(1, sizeof(*world));
	struct vrms_repository_config config = config_of(is_encrypted);
	struct vrms_error error = {0};

	world->memory = store_memory_new();
	world->store = store_memory_port(world->memory);
	world->secret = (struct vrms_secret){"open sesame", 11};
	world->is_encrypted = is_encrypted;
	world->generation = 1;
	vrms_random_init(&world->random, seed);
	ck_assert_msg(vrms_repository_create(world->store, &config,
					     is_encrypted ? &world->secret : NULL, &error) == 0,
		      "%s", error.text);
	world_reopen(world);
	return world;
}

void world_free(struct world *world)
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
void world_live(struct world *world)
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

int world_take(struct world *world, enum vrms_mode mode, struct vrms_error *error)
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
	    .generation = world->generation,
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

void world_must_take(struct world *world, enum vrms_mode mode)
{
	struct vrms_error error = {0};

	ck_assert_msg(world_take(world, mode, &error) == 0, "%s", error.text);
}

/* Every point there is gives back the state of its moment. */
size_t world_check_all(struct world *world)
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

int world_sweep(struct world *world, unsigned int live_pct_min, struct vrms_error *error)
{
	struct vrms_point_list list VRMS_CLEANUP(vrms_point_list_done) = {0};
	struct vrms_sweep sweep = {.repository = world->repository, .live_pct_min = live_pct_min};
	struct vrms_sweep_result result;
	int rc = vrms_points_read(world->repository, NULL, &list, error);

	sweep.points = list.points;
	sweep.point_count = list.count;
	return rc < 0 ? rc : vrms_sweep_run(&sweep, &result, error);
}

/* Removes a point and frees what only it used. */
int world_prune(struct world *world, uint64_t victim, struct vrms_error *error)
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
