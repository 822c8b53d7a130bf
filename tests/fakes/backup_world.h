/* backup_world.h - a disk that lives, its repository in memory, and every state that was
 * committed, to compare with what the repository gives back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_TESTS_FAKES_BACKUP_WORLD_H
#define VRMS_TESTS_FAKES_BACKUP_WORLD_H

#include "backup/job.h"
#include "common/random.h"
#include "tests/fakes/source_memory.h"
#include "tests/fakes/store_memory.h"

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
	uint32_t generation;         /* of the next point */
	struct vrms_secret secret;
	bool is_encrypted;
};

struct world *world_new(uint64_t seed, bool is_encrypted);
void world_free(struct world *world);
/* Opens the repository again, as another process would. */
void world_reopen(struct world *world);

/* Writes, writes of what is there already, and discards. */
void world_live(struct world *world);

/* Takes a point of the disk as it is; incrementals from world->last, differentials from
 * world->full. */
int world_take(struct world *world, enum vrms_mode mode, struct vrms_error *error);
void world_must_take(struct world *world, enum vrms_mode mode);

/* Every point there is gives back the state of its moment.  Returns their number. */
size_t world_check_all(struct world *world);

/* Frees what no point needs; packs with less in use than that are written anew. */
int world_sweep(struct world *world, unsigned int live_pct_min, struct vrms_error *error);

/* Removes a point (0: none) and frees what nobody needs. */
int world_prune(struct world *world, uint64_t victim, struct vrms_error *error);

#endif
