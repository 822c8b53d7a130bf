/* index_write.c - the files of an index: joined, made anew.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/index_struct.h"
#include "backup/pack.h"

enum { JOIN_COUNT = 8, LEVEL_ENTRIES = 1 << 13, LEVEL_MAX = 12 };

/* Who was killed between a pack's rename and the sync of its folder leaves a name that a loss of
 * power can still take away; lock held. */
static int settle(struct vrms_index *index, struct vrms_error *error)
{
	const struct vrms_store *store = index->store;
	int rc = 0;

	for (size_t i = 0; i < index->segment_count && rc == 0; i++) {
		const struct vrms_segment *segment = index->segments[i];

		for (uint32_t k = 0; segment->name[0] == '\0' && k < segment->pack_count && rc == 0;
		     k++) {
			char path[VRMS_PACK_PATH_BYTES];

			vrms_pack_path(&segment->packs[k].pack, path);
			rc = store->publish(store->context, path, path, error);
		}
	}
	return rc;
}

int vrms_index_settle(struct vrms_index *index, struct vrms_error *error)
{
	int rc;

	pthread_rwlock_rdlock(&index->lock);
	rc = settle(index, error);
	pthread_rwlock_unlock(&index->lock);
	return rc;
}

/* Writes the join of some segments and puts it in their place; lock held. */
static int join(struct vrms_index *index, const bool *joins, const bool *drops,
		struct vrms_error *error)
{
	struct vrms_segment **picked VRMS_CLEANUP(vrms_freep) =
	    calloc(index->segment_count + 1, sizeof(struct vrms_segment *));
	struct vrms_merge merge = {
	    .store = index->store,
	    .repository = index->repository,
	    .segments = picked,
	    .packs = index->packs.packs,
	    .drops = drops,
	    .pack_count = index->packs.count,
	};
	char name[VRMS_ID_TEXT_BYTES];
	size_t kept = 0;
	int rc;

	if (picked == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < index->segment_count; i++) {
		if (joins[i]) {
			picked[merge.segment_count++] = index->segments[i];
		}
	}
	rc = vrms_segment_merge(&merge, name, error);
	if (rc < 0) {
		return rc;
	}
	for (size_t i = 0; i < index->segment_count; i++) {
		if (!joins[i]) {
			index->segments[kept++] = index->segments[i];
		}
	}
	index->segment_count = kept;
	rc = vrms_index_open_segment(index, name, error);
	for (size_t i = 0; i < merge.segment_count; i++) {
		char path[8 + VRMS_ID_TEXT_BYTES];

		snprintf(path, sizeof(path), "index/%s", picked[i]->name);
		if (rc == 0 && picked[i]->name[0] != '\0') {
			rc = index->store->remove(index->store->context, path, error);
		}
		vrms_segment_free(picked[i]);
	}
	return rc;
}

static unsigned int level_of(const struct vrms_segment *segment)
{
	unsigned int level = 0;

	for (uint64_t n = segment->entry_count / LEVEL_ENTRIES; n > 0 && level < LEVEL_MAX;
	     n /= JOIN_COUNT) {
		level++;
	}
	return level;
}

/* Joins the files of one size when they are many, so that their number grows
 * with the logarithm of the repository only. */
static int join_levels(struct vrms_index *index, struct vrms_error *error)
{
	int rc = 0;

	for (unsigned int level = 0; level <= LEVEL_MAX && rc == 0; level++) {
		bool *joins VRMS_CLEANUP(vrms_freep) = calloc(index->segment_count, sizeof(*joins));
		size_t count = 0;

		if (joins == NULL) {
			return vrms_error_set(error, -ENOMEM, "out of memory");
		}
		for (size_t i = 0; i < index->segment_count; i++) {
			joins[i] = level_of(index->segments[i]) == level;
			count += joins[i];
		}
		if (count >= JOIN_COUNT) {
			rc = join(index, joins, index->packs.is_missing, error);
		}
		if (vrms_store_is_damage(rc)) { /* left as they are, for a repair */
			rc = 0;
		}
	}
	return rc;
}

int vrms_index_add(struct vrms_index *index, const struct vrms_index_pack *pack,
		   const struct vrms_pack_entry *entries, size_t count, struct vrms_error *error)
{
	struct vrms_segment *segment;
	int rc = vrms_segment_from_pack(pack, entries, count, &segment);

	if (rc == 0) {
		pthread_rwlock_wrlock(&index->lock);
		rc = vrms_index_take(index, segment);
		pthread_rwlock_unlock(&index->lock);
	}
	return rc < 0 ? vrms_error_errno(error, rc, "index") : 0;
}

/* Also what was adopted at the start goes to disk with the rest; lock held. */
static int save(struct vrms_index *index, struct vrms_error *error)
{
	bool *joins VRMS_CLEANUP(vrms_freep) = calloc(index->segment_count + 1, sizeof(*joins));
	bool is_any = false;
	int rc;

	if (joins == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < index->segment_count; i++) {
		joins[i] = index->segments[i]->name[0] == '\0';
		is_any = is_any || joins[i];
	}
	rc = is_any ? join(index, joins, NULL, error) : 0;
	return rc < 0 ? rc : join_levels(index, error);
}

int vrms_index_save(struct vrms_index *index, struct vrms_error *error)
{
	int rc;

	pthread_rwlock_wrlock(&index->lock);
	rc = save(index, error);
	pthread_rwlock_unlock(&index->lock);
	return rc;
}

/* What is still in index/ beside the one segment: damaged files, and leftovers of a crash. */
static int remove_others(const struct vrms_index *index, struct vrms_error *error)
{
	struct vrms_store_list list VRMS_CLEANUP(vrms_store_list_done) = {0};
	int rc = index->store->list(index->store->context, "index", &list, error);

	for (size_t i = 0; i < list.count && rc == 0; i++) {
		char path[8 + VRMS_ID_TEXT_BYTES];

		snprintf(path, sizeof(path), "index/%.32s", list.rows[i].name);
		if (strcmp(list.rows[i].name, index->segments[0]->name) != 0) {
			rc = index->store->remove(index->store->context, path, error);
		}
	}
	return rc;
}

/* Removes files that are damaged, and reads their packs instead; lock held. */
static int replace_damaged(struct vrms_index *index, struct vrms_error *error)
{
	int rc = 0;

	for (size_t i = 0; i < index->segment_count && rc == 0; i++) {
		char path[8 + VRMS_ID_TEXT_BYTES];

		snprintf(path, sizeof(path), "index/%s", index->segments[i]->name);
		if (vrms_store_is_damage(vrms_segment_check(index->segments[i]))) {
			rc = index->store->remove(index->store->context, path, error);
		}
	}
	if (rc == 0) {
		vrms_index_unload(index);
		rc = vrms_index_load(index, error);
	}
	return rc == 0 ? settle(index, error) : rc;
}

/* Joins all but the packs that drops[] names and the missing ones; lock held. */
static int join_all(struct vrms_index *index, const bool *drops, struct vrms_error *error)
{
	bool *all VRMS_CLEANUP(vrms_freep) = calloc(index->segment_count + 1, sizeof(*all));
	bool *out VRMS_CLEANUP(vrms_freep) = calloc(index->packs.count + 1, sizeof(*out));
	int rc;

	if (all == NULL || out == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	memset(all, true, index->segment_count);
	for (uint32_t row = 0; row < index->packs.count; row++) {
		out[row] = index->packs.is_missing[row] || (drops != NULL && drops[row]);
	}
	rc = join(index, all, out, error);
	return rc < 0 ? rc : remove_others(index, error);
}

int vrms_index_rewrite(struct vrms_index *index, const bool *drops, struct vrms_error *error)
{
	int rc;

	pthread_rwlock_wrlock(&index->lock);
	rc = settle(index, error);
	if (rc == 0) {
		rc = join_all(index, drops, error);
	}
	if (vrms_store_is_damage(rc) && drops == NULL) {
		vrms_error_clear(error);
		rc = replace_damaged(index, error);
		rc = rc < 0 ? rc : join_all(index, NULL, error);
	}
	index->damaged_count = rc == 0 ? 0 : index->damaged_count;
	pthread_rwlock_unlock(&index->lock);
	return rc;
}
