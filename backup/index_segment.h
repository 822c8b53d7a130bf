/* index_segment.h - one index file: sorted entries behind a fan-out table, read in place.
 *
 * Only the two tables are held in memory: about a fortieth of the file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_INDEX_SEGMENT_H
#define VRMS_BACKUP_INDEX_SEGMENT_H

#include "backup/format.h"
#include "backup/store.h"

struct vrms_segment {
	char name[VRMS_ID_TEXT_BYTES]; /* of the file in index/; empty: lives in memory only */
	const struct vrms_store *store;
	void *file;      /* NULL when in memory */
	uint8_t *memory; /* encoded entries, else NULL */
	uint32_t fan_bits;
	uint32_t *fan; /* 2^fan_bits + 1 */
	uint64_t entries_offset;
	uint64_t entry_count;
	uint64_t entries_checksum; /* of a file: compared when all of them are read */
	struct vrms_index_pack *packs;
	uint32_t *rows; /* of these packs in the index's own table; filled by the index */
	uint32_t pack_count;
};

/* Where a name's bucket is. */
uint32_t vrms_segment_bucket(const struct vrms_name *name, uint32_t fan_bits);

/* A good number of leading bits for so many entries. */
uint32_t vrms_segment_fan_bits(uint64_t entry_count);

/* Opens index/NAME; -EBADMSG: it is damaged, as far as was read.  The caller owns the result. */
VRMS_MUST_CHECK int vrms_segment_open(const struct vrms_store *store,
				      const struct vrms_id *repository, const char *name,
				      struct vrms_segment **ret_segment, struct vrms_error *error);

/* A segment in memory for one pack. entries: sorted by name. */
VRMS_MUST_CHECK int vrms_segment_from_pack(const struct vrms_index_pack *pack,
					   const struct vrms_pack_entry *entries, size_t count,
					   struct vrms_segment **ret_segment);

void vrms_segment_free(struct vrms_segment *segment); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_segment *, vrms_segment_free);

/* Reads all entries of a file that is too large for memory.  Those of others were compared when it
 * was opened.  Returns -EBADMSG when they are not what was written, or -errno of a read. */
VRMS_MUST_CHECK int vrms_segment_check(const struct vrms_segment *segment);

/* Decodes entries first .. first + count - 1; thread-safe. */
VRMS_MUST_CHECK int vrms_segment_read(const struct vrms_segment *segment, uint64_t first,
				      size_t count, struct vrms_index_entry *ret_entries);

/* The first entry with this name, or the number of entries when there is none.
 * Returns 0 or the error of a read. */
VRMS_MUST_CHECK int vrms_segment_find(const struct vrms_segment *segment,
				      const struct vrms_name *name, uint64_t *ret_first);

/* What a merge keeps. */
struct vrms_merge {
	const struct vrms_store *store;
	struct vrms_id repository;
	struct vrms_segment *const *segments;
	size_t segment_count;
	const struct vrms_index_pack
	    *packs;        /* of the whole index; rows[] of the segments point here */
	const bool *drops; /* per pack: leave its entries out; NULL: none */
	uint32_t pack_count;
};

/* Writes one segment that holds what all these hold, publishes it under a new
 * name and says which; text: VRMS_ID_TEXT_BYTES.
 * Returns -EBADMSG when one of them is damaged: then nothing is published. */
VRMS_MUST_CHECK int vrms_segment_merge(const struct vrms_merge *merge, char *ret_name,
				       struct vrms_error *error);

#endif
