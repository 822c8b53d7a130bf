/* verify.h - reads blocks back and checks them; and puts right what can be.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_VERIFY_H
#define VRMS_BACKUP_VERIFY_H

#include <stdatomic.h>

#include "backup/point.h"

struct vrms_verify {
	struct vrms_repository *repository;
	uint64_t budget_bytes; /* of blocks to read, from packs and places at random; 0: all */
	bool only_new;         /* packs that no verify has read yet */
	bool no_blocks;        /* see only whether the points are complete */
	uint64_t seed;
	unsigned int thread_count;
	const atomic_bool *stop; /* may be NULL */
	/* One line per finding; may be NULL. */
	void (*found)(void *context, const char *text);
	void *context;
};

struct vrms_verify_result {
	uint64_t read_packs, read_blocks, read_bytes;
	uint64_t damaged_blocks;     /* copies whose content is not what their name says */
	uint64_t damaged_packs;      /* that could not be opened, and index files */
	uint64_t lost_blocks;        /* that a point needs and no good copy of which is there */
	uint64_t damaged_points;     /* that lost something */
	struct vrms_damage *damages; /* the damaged copies found; freed by _done */
	size_t damage_count;
	struct vrms_id *verified; /* packs read and good */
	size_t verified_count;
	bool is_complete; /* every pack was read */
};

void vrms_verify_result_done(struct vrms_verify_result *result); /* accepts a zeroed one */

/* Reads packs, then sees whether every point still has all it needs. */
VRMS_MUST_CHECK int vrms_verify_run(const struct vrms_verify *verify,
				    struct vrms_verify_result *ret_result,
				    struct vrms_error *error);

/* Remembers the findings: damaged copies are never used again, verified packs
 * are not read by the next verify of what is new.  Needs the write lock. */
VRMS_MUST_CHECK int vrms_verify_record(struct vrms_repository *repository,
				       const struct vrms_verify_result *result,
				       struct vrms_error *error);

struct vrms_repair_result {
	uint64_t healed_blocks; /* copied again from a good copy of another generation */
	uint64_t lost_blocks;   /* heal when the next backup reads them */
};

/* Makes the index anew from the packs and replaces damaged copies by good ones.
 * Needs the exclusive lock. */
VRMS_MUST_CHECK int vrms_repair_run(struct vrms_repository *repository,
				    struct vrms_repair_result *ret_result,
				    struct vrms_error *error);

#endif
