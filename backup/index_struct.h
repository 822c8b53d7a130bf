/* index_struct.h - what is inside an index, for index.c and index_write.c only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_INDEX_STRUCT_H
#define VRMS_BACKUP_INDEX_STRUCT_H

#include <pthread.h>

#include "backup/index.h"
#include "backup/index_segment.h"
#include "backup/pack_table.h"

struct vrms_index {
	const struct vrms_store *store;
	struct vrms_id repository;
	pthread_rwlock_t lock; /* over everything below */
	struct vrms_segment **segments;
	size_t segment_count;
	struct vrms_pack_table packs;
	size_t damaged_count;
	size_t adopted_count;
};

/* Takes the segment over, also when it fails.  Returns 0 or -ENOMEM. */
VRMS_MUST_CHECK int vrms_index_take(struct vrms_index *index, struct vrms_segment *taken);

/* Opens index/NAME and adds it; -EBADMSG: damaged. */
VRMS_MUST_CHECK int vrms_index_open_segment(struct vrms_index *index, const char *name,
					    struct vrms_error *error);

/* Fills an empty index: the files that are good, then the packs that none of them names. */
VRMS_MUST_CHECK int vrms_index_load(struct vrms_index *index, struct vrms_error *error);
/* Empties it again; rows of packs are void. */
void vrms_index_unload(struct vrms_index *index);

#endif
