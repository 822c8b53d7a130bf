/* extent.h - which parts of a disk a backup must read, in whole blocks.
 *
 * Pure.  A list is sorted, its extents do not overlap, and neighbours of the
 * same kind are one extent.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_EXTENT_H
#define VRMS_BACKUP_EXTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/random.h"

enum vrms_extent_kind {
	VRMS_EXTENT_SKIP = 0,  /* as in the base */
	VRMS_EXTENT_ZERO = 1,  /* reads as zeros, without reading */
	VRMS_EXTENT_DATA = 2,  /* must be read */
	VRMS_EXTENT_AUDIT = 3, /* said to be as in the base; read to see whether that is true */
};

struct vrms_extent {
	uint64_t offset;
	uint64_t bytes;
	enum vrms_extent_kind kind;
};

struct vrms_extents {
	struct vrms_extent *rows;
	size_t count;
	size_t capacity;
};

void vrms_extents_init(struct vrms_extents *extents);
void vrms_extents_done(struct vrms_extents *extents); /* for VRMS_CLEANUP; accepts a zeroed one */

/* Adds an extent behind all others; a gap to the last one becomes SKIP.
 *
 * offset: not before the end of the last extent.
 * Returns 0, -EINVAL (goes back, or offset + bytes overflows) or -ENOMEM.  An empty one is ignored.
 */
VRMS_MUST_CHECK int vrms_extents_append(struct vrms_extents *extents,
					const struct vrms_extent *extent);

/* Where the list ends: 0 when it is empty. */
uint64_t vrms_extents_end(const struct vrms_extents *extents);

/* Bytes of one kind. */
uint64_t vrms_extents_bytes(const struct vrms_extents *extents, enum vrms_extent_kind kind);

/* What to do with the parts that `dirty` marks (DATA), given what the disk says about its
 * contents: ZERO there stays ZERO, everything else that is dirty is DATA; the rest is SKIP.
 * Both lists must cover the same bytes; ret_extents is initialised by the caller.
 *
 * A discarded block is dirty and a hole: it must become zeros in the backup, or
 * the base's old content would come back.
 */
VRMS_MUST_CHECK int vrms_extents_combine(const struct vrms_extents *dirty,
					 const struct vrms_extents *content,
					 struct vrms_extents *ret_extents);

/* Rounds to whole blocks of block_bytes: a block that holds any DATA is DATA; otherwise one that
 * is ZERO throughout is ZERO, and one that is ZERO in part is DATA, because the rest is unknown
 * here; otherwise it is SKIP.  The last block may be cut short at disk_bytes, where the result
 * ends.
 */
VRMS_MUST_CHECK int vrms_extents_align(const struct vrms_extents *extents, uint64_t block_bytes,
				       uint64_t disk_bytes, struct vrms_extents *ret_extents);

/* Turns up to block_count blocks of the SKIP extents, picked at random, into AUDIT.
 * extents: aligned to block_bytes. */
VRMS_MUST_CHECK int vrms_extents_sample(const struct vrms_extents *extents, uint64_t block_bytes,
					uint64_t block_count, struct vrms_random *random,
					struct vrms_extents *ret_extents);

#endif
