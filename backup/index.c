/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/index_struct.h"
#include "backup/pack.h"
#include "backup/pack_list.h"

void vrms_index_unload(struct vrms_index *index)
{
	for (size_t i = 0; i < index->segment_count; i++) {
		vrms_segment_free(index->segments[i]);
	}
	free(index->segments);
	index->segments = NULL;
	index->segment_count = 0;
	vrms_pack_table_done(&index->packs);
	memset(&index->packs, 0, sizeof(index->packs));
	index->damaged_count = 0;
	index->adopted_count = 0;
}

void vrms_index_free(struct vrms_index *index)
{
	if (index == NULL) {
		return;
	}
	vrms_index_unload(index);
	pthread_rwlock_destroy(&index->lock);
	free(index);
}

int vrms_index_take(struct vrms_index *index, struct vrms_segment *taken)
{
	struct vrms_segment *segment VRMS_CLEANUP(vrms_segment_freep) = taken;
	struct vrms_segment **segments;

	for (uint32_t i = 0; i < segment->pack_count; i++) {
		int rc =
		    vrms_pack_table_intern(&index->packs, &segment->packs[i], &segment->rows[i]);

		if (rc < 0) {
			return rc;
		}
	}
	segments =
	    realloc(index->segments, (index->segment_count + 1) * sizeof(struct vrms_segment *));
	if (segments == NULL) {
		return -ENOMEM;
	}
	index->segments = segments;
	index->segments[index->segment_count++] = VRMS_TAKE(segment);
	return 0;
}

int vrms_index_open_segment(struct vrms_index *index, const char *name, struct vrms_error *error)
{
	struct vrms_segment *segment;
	int rc = vrms_segment_open(index->store, &index->repository, name, &segment, error);

	if (rc < 0) {
		return rc;
	}
	rc = vrms_index_take(index, segment);
	return rc < 0 ? vrms_error_errno(error, rc, "index/%s", name) : 0;
}

static int open_segments(struct vrms_index *index, struct vrms_error *error)
{
	struct vrms_store_list list VRMS_CLEANUP(vrms_store_list_done) = {0};
	int rc = index->store->list(index->store->context, "index", &list, error);

	for (size_t i = 0; i < list.count && rc == 0; i++) {
		rc = vrms_index_open_segment(index, list.rows[i].name, error);
		if (vrms_store_is_damage(rc)) {
			index->damaged_count++;
			rc = 0;
		} else if (rc == -ENOENT) { /* joined into another one since */
			rc = -EAGAIN;
		}
	}
	return rc;
}

static void match_packs(struct vrms_index *index, struct vrms_pack_list *known)
{
	for (uint32_t row = 0; row < index->packs.count; row++) {
		struct vrms_pack_list_row *found =
		    vrms_pack_list_find(known, &index->packs.packs[row].pack);

		index->packs.is_missing[row] =
		    found == NULL || found->bytes != index->packs.packs[row].pack_bytes;
		if (!index->packs.is_missing[row]) {
			found->is_named = true;
		}
	}
}

/* A pack that no index file names: its own table serves, in memory.  One that is
 * damaged from the start helps nobody; check tells. */
static int adopt_pack(struct vrms_index *index, const struct vrms_pack_list_row *known)
{
	struct vrms_pack_entry *entries VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_pack_reader *reader VRMS_CLEANUP(vrms_pack_reader_closep) = NULL;
	static const struct vrms_key no_key;
	struct vrms_segment *segment;
	struct vrms_index_pack pack = {.pack = known->id, .pack_bytes = known->bytes};
	size_t count;
	/* Tables are not encrypted: any key opens them. */
	int rc = vrms_pack_reader_open(index->store, &known->id, &no_key, &reader, NULL);

	if (vrms_store_is_damage(rc) || rc == -EPROTONOSUPPORT) {
		index->damaged_count++;
		return 0;
	}
	if (rc < 0) {
		return rc == -ENOENT ? 0 : rc;
	}
	pack.generation = vrms_pack_reader_header(reader)->generation;
	pack.kind = vrms_pack_reader_header(reader)->kind;
	rc = vrms_pack_reader_table(reader, &entries, &count, NULL);
	if (rc == 0) {
		rc = vrms_segment_from_pack(&pack, entries, count, &segment);
	}
	if (rc < 0) {
		return rc;
	}
	index->adopted_count++;
	return vrms_index_take(index, segment);
}

int vrms_index_load(struct vrms_index *index, struct vrms_error *error)
{
	struct vrms_pack_list known VRMS_CLEANUP(vrms_pack_list_done) = {0};
	int rc = open_segments(index, error);

	if (rc == 0) {
		rc = vrms_pack_list_read(index->store, &known, error);
	}
	if (rc < 0) {
		return rc;
	}
	match_packs(index, &known);
	for (size_t i = 0; i < known.count && rc == 0; i++) {
		if (!known.rows[i].is_named) {
			rc = adopt_pack(index, &known.rows[i]);
			if (rc < 0) {
				return vrms_error_errno(error, rc, "reading packs");
			}
		}
	}
	return rc;
}

int vrms_index_open(const struct vrms_store *store, const struct vrms_id *repository,
		    struct vrms_index **ret_index, struct vrms_error *error)
{
	int rc = -EAGAIN;

	/* Another program may join index files while they are listed. */
	for (int attempt = 0; attempt < 5 && rc == -EAGAIN; attempt++) {
		struct vrms_index *index = calloc(1, sizeof(*index));

		if (index == NULL) {
			return vrms_error_set(error, -ENOMEM, "out of memory");
		}
		index->store = store;
		index->repository = *repository;
		pthread_rwlock_init(&index->lock, NULL);
		rc = vrms_index_load(index, error);
		if (rc == 0) {
			*ret_index = index;
		} else {
			vrms_index_free(index);
		}
	}
	return rc;
}

static int find_in(const struct vrms_index *index, const struct vrms_segment *segment,
		   const struct vrms_name *name, struct vrms_location *ret_locations, size_t max)
{
	uint64_t at;
	size_t count = 0;
	int rc = vrms_segment_find(segment, name, &at);

	for (; rc == 0 && at < segment->entry_count && count < max; at++) {
		struct vrms_index_entry entry;
		uint32_t row;

		rc = vrms_segment_read(segment, at, 1, &entry);
		if (rc < 0 || vrms_name_compare(&entry.name, name) != 0) {
			break;
		}
		if (entry.pack >= segment->pack_count) {
			return -EBADMSG;
		}
		row = segment->rows[entry.pack];
		if (!index->packs.is_missing[row]) {
			struct vrms_location location = {
			    .pack = row,
			    .generation = index->packs.packs[row].generation,
			    .entry = {entry.name, entry.offset, entry.stored_bytes},
			};

			ret_locations[count++] = location;
		}
	}
	return rc < 0 ? rc : (int)count;
}

int vrms_index_find(struct vrms_index *index, const struct vrms_name *name,
		    struct vrms_location *ret_locations, size_t max)
{
	size_t count = 0;
	int rc = 0;

	pthread_rwlock_rdlock(&index->lock);
	/* New packs first: they are the ones most likely to be asked for. */
	for (size_t i = index->segment_count; i-- > 0 && count < max && rc >= 0;) {
		rc = find_in(index, index->segments[i], name, ret_locations + count, max - count);
		count += rc > 0 ? (size_t)rc : 0;
	}
	pthread_rwlock_unlock(&index->lock);
	return rc < 0 ? rc : (int)count;
}

struct vrms_index_pack vrms_index_pack(struct vrms_index *index, uint32_t row)
{
	struct vrms_index_pack pack;

	pthread_rwlock_rdlock(&index->lock);
	pack = index->packs.packs[row];
	pthread_rwlock_unlock(&index->lock);
	return pack;
}

uint32_t vrms_index_pack_count(struct vrms_index *index)
{
	return index->packs.count;
}

bool vrms_index_pack_is_missing(struct vrms_index *index, uint32_t row)
{
	return index->packs.is_missing[row];
}

size_t vrms_index_damaged_count(const struct vrms_index *index)
{
	return index->damaged_count;
}

size_t vrms_index_adopted_count(const struct vrms_index *index)
{
	return index->adopted_count;
}

uint64_t vrms_index_entry_count(struct vrms_index *index)
{
	return index->segment_count == 1 ? index->segments[0]->entry_count : 0;
}

int vrms_index_read(struct vrms_index *index, uint64_t first, size_t count,
		    struct vrms_index_entry *ret_entries)
{
	const struct vrms_segment *segment = index->segments[0];
	int rc;

	if (index->segment_count != 1 || first + count > segment->entry_count) {
		return -EINVAL;
	}
	rc = vrms_segment_read(segment, first, count, ret_entries);
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (ret_entries[i].pack >= segment->pack_count) {
			return -EBADMSG;
		}
		ret_entries[i].pack = segment->rows[ret_entries[i].pack];
	}
	return rc;
}

int vrms_index_position(struct vrms_index *index, const struct vrms_name *name,
			uint64_t *ret_position)
{
	return index->segment_count == 1 ? vrms_segment_find(index->segments[0], name, ret_position)
					 : -EINVAL;
}

size_t vrms_index_check(struct vrms_index *index)
{
	size_t damaged = index->damaged_count;

	pthread_rwlock_rdlock(&index->lock);
	for (size_t i = 0; i < index->segment_count; i++) {
		damaged += vrms_segment_check(index->segments[i]) < 0;
	}
	pthread_rwlock_unlock(&index->lock);
	return damaged;
}

/* lock held */
static int each_in(const struct vrms_segment *segment, uint32_t row,
		   int (*seen)(void *context, const struct vrms_pack_entry *entry), void *context)
{
	int rc = 0;

	for (uint64_t at = 0; at < segment->entry_count && rc == 0; at++) {
		struct vrms_index_entry entry;

		rc = vrms_segment_read(segment, at, 1, &entry);
		if (rc == 0 && entry.pack < segment->pack_count &&
		    segment->rows[entry.pack] == row) {
			struct vrms_pack_entry one = {entry.name, entry.offset, entry.stored_bytes};

			rc = seen(context, &one);
		}
	}
	return rc;
}

int vrms_index_each(struct vrms_index *index, uint32_t row,
		    int (*seen)(void *context, const struct vrms_pack_entry *entry), void *context)
{
	int rc = 0;

	pthread_rwlock_rdlock(&index->lock);
	for (size_t i = 0; i < index->segment_count && rc == 0; i++) {
		rc = each_in(index->segments[i], row, seen, context);
	}
	pthread_rwlock_unlock(&index->lock);
	return rc;
}
