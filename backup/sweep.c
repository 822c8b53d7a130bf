/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/sweep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/session.h"
#include "backup/walk.h"

enum { READ_ENTRIES = 256, REWRITE_MAX = 1 << 20 };

struct pack_use {
	uint64_t live_bytes;
	uint64_t live_blocks;
	bool has_bad_copy;  /* of a block that has a good one elsewhere */
	bool has_only_copy; /* of a block that a point needs, and a bad one */
	bool is_dropped;
	bool is_rewritten;
};

struct run {
	const struct vrms_sweep *sweep;
	struct vrms_repository *repository;
	struct vrms_index *index;
	uint64_t entry_count;
	uint8_t *marks; /* one bit per index entry */
	struct pack_use *packs;
	uint32_t pack_count; /* when the marks were set */
	struct vrms_sweep_result result;
	struct vrms_error *error;
};

static void run_done(struct run *run)
{
	free(run->marks);
	free(run->packs);
}

static bool is_marked(const struct run *run, uint64_t entry)
{
	return (run->marks[entry / 8] & 1U << entry % 8) != 0;
}

static bool is_good(const struct run *run, const struct vrms_index_entry *entry)
{
	struct vrms_index_pack pack = vrms_index_pack(run->index, entry->pack);

	return !vrms_repository_is_damaged(run->repository, &pack.pack, entry->offset);
}

/* No copy is good: the disk may yet give one of them back. */
static int keep_bad_copies(struct run *run, const struct vrms_name *name, uint64_t first)
{
	int rc = 0;

	run->result.missing_blocks++;
	for (uint64_t i = first; i < run->entry_count; i++) {
		struct vrms_index_entry entry;

		rc = vrms_index_read(run->index, i, 1, &entry);
		if (rc < 0 || vrms_name_compare(&entry.name, name) != 0) {
			break;
		}
		run->packs[entry.pack].has_only_copy = true;
	}
	return rc;
}

/* Marks one good copy in the point's own generation.  When that has none, every
 * copy elsewhere is what keeps the point alive. */
static int mark(void *context, const struct vrms_walk_step *step)
{
	struct run *run = context;
	uint64_t first, foreign = 0;
	int rc = vrms_index_position(run->index, &step->name, &first);

	for (uint64_t i = first; rc == 0 && i < run->entry_count; i++) {
		struct vrms_index_entry entry;

		rc = vrms_index_read(run->index, i, 1, &entry);
		if (rc < 0 || vrms_name_compare(&entry.name, &step->name) != 0) {
			break;
		}
		if (is_good(run, &entry) &&
		    vrms_index_pack(run->index, entry.pack).generation == step->generation) {
			run->marks[i / 8] |= (uint8_t)(1U << i % 8);
			return 0;
		}
	}
	for (uint64_t i = first; rc == 0 && i < run->entry_count; i++) {
		struct vrms_index_entry entry;

		rc = vrms_index_read(run->index, i, 1, &entry);
		if (rc < 0 || vrms_name_compare(&entry.name, &step->name) != 0) {
			break;
		}
		if (is_good(run, &entry)) {
			run->marks[i / 8] |= (uint8_t)(1U << i % 8);
			foreign++;
		}
	}
	if (rc == 0 && foreign == 0) {
		rc = keep_bad_copies(run, &step->name, first);
	}
	return rc < 0 ? vrms_error_errno(run->error, rc, "index") : 0;
}

/* A part of a disk's map: what is below it nobody knows. */
static int lose_map(void *context, const struct vrms_walk_step *step, const char *text)
{
	struct run *run = context;
	uint64_t first;
	int rc = vrms_index_position(run->index, &step->name, &first);

	if (!run->sweep->is_forced) {
		return vrms_error_set(run->error, -EBADMSG,
				      "a disk's map: %s; what it needs is unknown, so nothing is "
				      "freed (--force)",
				      text);
	}
	if (rc == 0) {
		rc = keep_bad_copies(run, &step->name, first);
	}
	return rc < 0 ? vrms_error_errno(run->error, rc, "index") : 0;
}

static int mark_all(struct run *run)
{
	struct vrms_walk *walk VRMS_CLEANUP(vrms_walk_freep) = NULL;
	struct vrms_walk_calls calls = {run, mark, lose_map};
	int rc = vrms_walk_new(run->repository, &walk, run->error);

	for (size_t i = 0; i < run->sweep->point_count && rc == 0; i++) {
		rc = vrms_walk_point(walk, &run->sweep->points[i], &calls, run->error);
	}
	return rc;
}

static int for_each_marked(struct run *run,
			   int (*seen)(struct run *run, const struct vrms_index_entry *entry,
				       void *context),
			   void *context)
{
	struct vrms_index_entry entries[READ_ENTRIES];
	int rc = 0;

	for (uint64_t at = 0; at < run->entry_count && rc == 0; at += READ_ENTRIES) {
		uint64_t left = run->entry_count - at;
		size_t part = left < READ_ENTRIES ? left : READ_ENTRIES;

		rc = vrms_index_read(run->index, at, part, entries);
		if (rc < 0) {
			return vrms_error_errno(run->error, rc, "index");
		}
		for (size_t i = 0; i < part && rc == 0; i++) {
			if (is_marked(run, at + i)) {
				rc = seen(run, &entries[i], context);
			}
		}
	}
	return rc;
}

static int count_use(struct run *run, const struct vrms_index_entry *entry, void *context)
{
	(void)context;
	run->packs[entry->pack].live_blocks++;
	run->packs[entry->pack].live_bytes += entry->stored_bytes + VRMS_RECORD_HEADER_BYTES;
	return 0;
}

static bool has_good_copy(const struct run *run, const struct vrms_name *name)
{
	uint64_t at;
	int rc = vrms_index_position(run->index, name, &at);

	for (; rc == 0 && at < run->entry_count; at++) {
		struct vrms_index_entry entry;

		if (vrms_index_read(run->index, at, 1, &entry) < 0 ||
		    vrms_name_compare(&entry.name, name) != 0) {
			break;
		}
		if (is_good(run, &entry)) {
			return true;
		}
	}
	return false;
}

/* A bad copy that nobody needs any more must not be found by every verify. */
static void find_bad_copies(struct run *run)
{
	size_t count;
	const struct vrms_damage *damages = vrms_repository_damages(run->repository, &count);

	for (size_t i = 0; i < count; i++) {
		for (uint32_t k = 0; k < run->pack_count; k++) {
			struct vrms_index_pack pack = vrms_index_pack(run->index, k);

			if (vrms_id_is_equal(&pack.pack, &damages[i].pack)) {
				run->packs[k].has_bad_copy |= has_good_copy(run, &damages[i].name);
			}
		}
	}
}

static int judge_packs(struct run *run)
{
	int rc = for_each_marked(run, count_use, NULL);

	find_bad_copies(run);

	for (uint32_t i = 0; i < run->pack_count && rc == 0; i++) {
		struct pack_use *use = &run->packs[i];
		uint64_t bytes = vrms_index_pack(run->index, i).pack_bytes;

		run->result.live_bytes += use->live_bytes;
		use->is_dropped = use->live_blocks == 0 && !use->has_only_copy;
		use->is_rewritten =
		    use->live_blocks > 0 && !use->has_only_copy &&
		    (use->has_bad_copy || use->live_bytes * 100 < bytes * run->sweep->live_pct_min);
		if (!vrms_index_pack_is_missing(run->index, i) && use->is_dropped) {
			run->result.removed_packs++;
			run->result.freed_bytes += bytes;
		} else if (use->is_rewritten) {
			run->result.rewritten_packs++;
			run->result.freed_bytes += bytes - use->live_bytes;
		}
	}
	return rc;
}

/* Rewriting: block by block into new packs of the same generation. */
struct rewrite {
	struct vrms_session *session;
	struct vrms_block_reader *reader;
	uint8_t *data; /* VRMS_BLOCK_BYTES_MAX */
	uint32_t generation;
};

static void rewrite_done(struct rewrite *rewrite)
{
	vrms_block_reader_free(rewrite->reader);
	vrms_session_close(rewrite->session);
	free(rewrite->data);
}

/* The live entries of the packs to rewrite: kept here, because new packs make
 * the index number its entries anew. */
struct live_list {
	struct vrms_index_entry *rows;
	size_t count;
};

static void live_list_done(struct live_list *list)
{
	free(list->rows);
}

static int collect(struct run *run, const struct vrms_index_entry *entry, void *context)
{
	struct live_list *list = context;

	if (run->packs[entry->pack].is_rewritten) {
		list->rows[list->count++] = *entry;
	}
	return 0;
}

/* Leaves packs for the next time when there are too many blocks for memory. */
static int list_live(struct run *run, struct live_list *list)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < run->pack_count; i++) {
		struct pack_use *use = &run->packs[i];

		use->is_rewritten = use->is_rewritten && count + use->live_blocks <= REWRITE_MAX;
		count += use->is_rewritten ? use->live_blocks : 0;
	}
	list->rows = malloc((count + 1) * sizeof(*list->rows));
	if (list->rows == NULL) {
		return vrms_error_set(run->error, -ENOMEM, "out of memory");
	}
	return for_each_marked(run, collect, list);
}

static int rewrite_block(struct run *run, struct rewrite *rewrite,
			 const struct vrms_index_entry *entry)
{
	struct vrms_index_pack pack = vrms_index_pack(run->index, entry->pack);
	struct vrms_location location = {
	    .pack = entry->pack,
	    .generation = pack.generation,
	    .entry = {entry->name, entry->offset, entry->stored_bytes},
	};
	uint32_t raw_bytes;
	int rc;

	if (pack.generation != rewrite->generation) {
		return 0;
	}
	rc = vrms_block_reader_check(rewrite->reader, &location, rewrite->data, &raw_bytes,
				     run->error);
	if (rc == -EBADMSG || rc == -ENOENT) {
		/* Not ours to judge: the pack stays, and verify will tell. */
		run->packs[entry->pack].is_rewritten = false;
		return 0;
	}
	return rc < 0 ? rc
		      : vrms_session_put_again(rewrite->session, pack.kind, rewrite->data,
					       raw_bytes, run->error);
}

static int rewrite_generation(struct run *run, const struct live_list *list, uint32_t generation)
{
	struct rewrite rewrite VRMS_CLEANUP(rewrite_done) = {.generation = generation};
	int rc = vrms_session_open(run->repository, generation, &rewrite.session, run->error);

	if (rc == 0) {
		rc = vrms_block_reader_new(run->repository, &rewrite.reader, run->error);
	}
	rewrite.data = malloc(VRMS_BLOCK_BYTES_MAX);
	if (rc == 0 && rewrite.data == NULL) {
		rc = vrms_error_set(run->error, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < list->count && rc == 0; i++) {
		rc = rewrite_block(run, &rewrite, &list->rows[i]);
	}
	return rc == 0 ? vrms_session_flush(rewrite.session, run->error) : rc;
}

static bool is_first_of_generation(struct run *run, uint32_t row)
{
	uint32_t generation = vrms_index_pack(run->index, row).generation;

	for (uint32_t i = 0; i < row; i++) {
		if (run->packs[i].is_rewritten &&
		    vrms_index_pack(run->index, i).generation == generation) {
			return false;
		}
	}
	return run->packs[row].is_rewritten;
}

static int rewrite_packs(struct run *run)
{
	struct live_list list VRMS_CLEANUP(live_list_done) = {0};
	int rc = list_live(run, &list);

	for (uint32_t i = 0; i < run->pack_count && rc == 0; i++) {
		if (is_first_of_generation(run, i)) {
			rc = rewrite_generation(run, &list,
						vrms_index_pack(run->index, i).generation);
		}
	}
	return rc;
}

static int remove_packs(struct run *run, const bool *drops)
{
	const struct vrms_store *store = vrms_repository_store(run->repository);
	int rc = 0;

	for (uint32_t i = 0; i < run->pack_count && rc == 0; i++) {
		char path[VRMS_PACK_PATH_BYTES];
		struct vrms_index_pack pack = vrms_index_pack(run->index, i);

		vrms_pack_path(&pack.pack, path);
		if (drops[i]) {
			rc = store->remove(store->context, path, run->error);
		}
	}
	return rc;
}

static int apply(struct run *run)
{
	bool *drops VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = rewrite_packs(run);

	if (rc < 0) {
		return rc;
	}
	drops = calloc(vrms_index_pack_count(run->index) + 1, sizeof(*drops));
	if (drops == NULL) {
		return vrms_error_set(run->error, -ENOMEM, "out of memory");
	}
	for (uint32_t i = 0; i < run->pack_count; i++) {
		drops[i] = run->packs[i].is_dropped || run->packs[i].is_rewritten;
	}
	rc = vrms_repository_guard(run->repository, run->error);
	if (rc == 0) {
		rc = vrms_index_rewrite(run->index, drops, run->error);
	}
	return rc < 0 ? rc : remove_packs(run, drops);
}

int vrms_sweep_run(const struct vrms_sweep *sweep, struct vrms_sweep_result *ret_result,
		   struct vrms_error *error)
{
	struct run run VRMS_CLEANUP(run_done) = {
	    .sweep = sweep,
	    .repository = sweep->repository,
	    .error = error,
	};
	int rc;

	if (vrms_repository_lost_damages(sweep->repository)) { /* and good copies would go */
		return vrms_error_set(error, -EBADMSG,
				      "the list of damaged blocks cannot be read: run \"verify\"");
	}
	rc = vrms_repository_index(sweep->repository, &run.index, error);
	if (rc == 0) {
		rc = vrms_index_rewrite(run.index, NULL, error);
	}
	if (rc < 0) {
		return rc;
	}
	run.entry_count = vrms_index_entry_count(run.index);
	run.pack_count = vrms_index_pack_count(run.index);
	run.marks = calloc(run.entry_count / 8 + 1, 1);
	run.packs = calloc(run.pack_count + 1, sizeof(*run.packs));
	if (run.marks == NULL || run.packs == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = mark_all(&run);
	if (rc == 0) {
		rc = judge_packs(&run);
	}
	if (rc == 0 && !sweep->is_dry_run) {
		rc = apply(&run);
	}
	*ret_result = run.result;
	return rc;
}
