/* index.h - where every stored block is: all index files of a repository as one.
 *
 * The packs are the truth; an index file only saves reading their tables.  A
 * pack that no index file names is read when the index is opened, a pack that
 * is gone or has another size is left out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_INDEX_H
#define VRMS_BACKUP_INDEX_H

#include "backup/format.h"
#include "backup/store.h"

struct vrms_index; /* finding is thread-safe, also while a pack is added */

struct vrms_location {
	uint32_t pack; /* row for vrms_index_pack() */
	uint32_t generation;
	struct vrms_pack_entry entry;
};

/* The caller owns the result.  An index file that is damaged is left out and counted. */
VRMS_MUST_CHECK int vrms_index_open(const struct vrms_store *store,
				    const struct vrms_id *repository, struct vrms_index **ret_index,
				    struct vrms_error *error);
void vrms_index_free(struct vrms_index *index); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_index *, vrms_index_free);

/* Finds at most max copies of a block.  Returns their number, or -errno of a read. */
VRMS_MUST_CHECK int vrms_index_find(struct vrms_index *index, const struct vrms_name *name,
				    struct vrms_location *ret_locations, size_t max);

/* A copy: rows move when packs are added. */
struct vrms_index_pack vrms_index_pack(struct vrms_index *index, uint32_t row);
uint32_t vrms_index_pack_count(struct vrms_index *index);
bool vrms_index_pack_is_missing(struct vrms_index *index, uint32_t row);

/* How many index files could not be read, and how many packs none of them named. */
size_t vrms_index_damaged_count(const struct vrms_index *index);
size_t vrms_index_adopted_count(const struct vrms_index *index);

/* How many index files are damaged, by reading all of them. */
size_t vrms_index_check(struct vrms_index *index);

/* Calls `seen` for what the index knows of one pack, in no order; a pack may be told of twice.
 * A non-zero return ends it and is returned, as is -errno of a read. */
VRMS_MUST_CHECK int vrms_index_each(struct vrms_index *index, uint32_t row,
				    int (*seen)(void *context, const struct vrms_pack_entry *entry),
				    void *context);

/* Adds a published pack, in memory: it is found from now on.  entries: sorted by name.
 * The next process reads the pack itself, unless vrms_index_save() is called. */
VRMS_MUST_CHECK int vrms_index_add(struct vrms_index *index, const struct vrms_index_pack *pack,
				   const struct vrms_pack_entry *entries, size_t count,
				   struct vrms_error *error);

/* Makes the names of packs that no index file has yet durable: before anything builds on them. */
VRMS_MUST_CHECK int vrms_index_settle(struct vrms_index *index, struct vrms_error *error);

/* Writes one index file for all that is in memory only, and joins files when there are many. */
VRMS_MUST_CHECK int vrms_index_save(struct vrms_index *index, struct vrms_error *error);

/* Replaces all index files by one that does not name the packs in drops[]
 * (vrms_index_pack_count() flags; NULL: none), nor missing ones.
 * Without drops the packs of damaged files are read instead, and rows may be others. */
VRMS_MUST_CHECK int vrms_index_rewrite(struct vrms_index *index, const bool *drops,
				       struct vrms_error *error);

/* After a rewrite: entries by number, for marking.  Otherwise -EINVAL / 0. */
uint64_t vrms_index_entry_count(struct vrms_index *index);
VRMS_MUST_CHECK int vrms_index_read(struct vrms_index *index, uint64_t first, size_t count,
				    struct vrms_index_entry *ret_entries);
/* The number of the first entry with this name; the entry count when there is none. */
VRMS_MUST_CHECK int vrms_index_position(struct vrms_index *index, const struct vrms_name *name,
					uint64_t *ret_position);

#endif
