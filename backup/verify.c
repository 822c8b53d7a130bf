/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/document.h"
#include "backup/verify_state.h"
#include "backup/walk.h"
#include "common/random.h"

enum { THREADS_MAX = 16, COPIES_MAX = 16 };

/* Packs to read, taken in turn by the threads. */
struct work {
	const struct vrms_verify *verify;
	struct vrms_index *index;
	pthread_mutex_t lock; /* over all below */
	uint32_t *rows;
	size_t row_count, next;
	struct vrms_random random; /* for a budget */
	struct vrms_verify_result result;
	int rc;
	struct vrms_error error;
};

void vrms_verify_result_done(struct vrms_verify_result *result)
{
	free(result->damages);
	free(result->verified);
	memset(result, 0, sizeof(*result));
}

static void tell(struct work *work, const char *text)
{
	if (work->verify->found != NULL) {
		work->verify->found(work->verify->context, text);
	}
}

/* text: NULL when it was told already */
static int add_damage(struct work *work, const struct vrms_damage *damage, const char *text)
{
	struct vrms_verify_result *result = &work->result;
	struct vrms_damage *damages =
	    realloc(result->damages, (result->damage_count + 1) * sizeof(*damages));

	if (damages == NULL) {
		return -ENOMEM;
	}
	result->damages = damages;
	result->damages[result->damage_count++] = *damage;
	result->damaged_blocks++;
	if (text != NULL) {
		tell(work, text);
	}
	return 0;
}

static int add_verified(struct work *work, const struct vrms_id *pack)
{
	struct vrms_verify_result *result = &work->result;
	struct vrms_id *verified =
	    realloc(result->verified, (result->verified_count + 1) * sizeof(*verified));

	if (verified == NULL) {
		return -ENOMEM;
	}
	result->verified = verified;
	result->verified[result->verified_count++] = *pack;
	return 0;
}

/* One copy; a damaged one is noted and is no error. */
static int check_block(struct work *work, struct vrms_block_reader *reader, uint32_t row,
		       const struct vrms_pack_entry *entry, bool *ret_good)
{
	struct vrms_location location = {.pack = row, .entry = *entry};
	struct vrms_error text = {0};
	uint32_t raw_bytes;
	int rc = vrms_block_reader_check(reader, &location, NULL, &raw_bytes, &text);

	*ret_good = rc == 0;
	pthread_mutex_lock(&work->lock);
	work->result.read_blocks++;
	work->result.read_bytes += entry->stored_bytes;
	if (vrms_store_is_damage(rc)) {
		struct vrms_damage damage = {vrms_index_pack(work->index, row).pack, entry->offset,
					     entry->name};

		rc = add_damage(work, &damage, text.text);
	} else if (rc < 0 && work->rc == 0) {
		work->error = text;
	}
	pthread_mutex_unlock(&work->lock);
	return rc;
}

/* All copies in a pack that cannot be opened. */
struct lost_pack {
	struct work *work;
	struct vrms_id pack;
};

static int add_lost(void *context, const struct vrms_pack_entry *entry)
{
	const struct lost_pack *lost = context;
	struct vrms_damage damage = {lost->pack, entry->offset, entry->name};

	return add_damage(lost->work, &damage, NULL);
}

/* lock held */
static int lose_pack(struct work *work, uint32_t row, const char *text)
{
	struct lost_pack lost = {work, vrms_index_pack(work->index, row).pack};

	work->result.damaged_packs++;
	tell(work, text);
	return vrms_index_each(work->index, row, add_lost, &lost);
}

static int compare_offsets(const void *a, const void *b)
{
	uint32_t first = ((const struct vrms_pack_entry *)a)->offset;
	uint32_t second = ((const struct vrms_pack_entry *)b)->offset;

	return (first > second) - (first < second);
}

/* lock held */
static bool has_budget(const struct work *work)
{
	return work->verify->budget_bytes == 0 ||
	       work->result.read_bytes < work->verify->budget_bytes;
}

static bool may_go_on(struct work *work)
{
	bool may;

	pthread_mutex_lock(&work->lock);
	may = has_budget(work);
	pthread_mutex_unlock(&work->lock);
	return may;
}

/* With a budget from anywhere in the pack, and then round, so that no block is never read. */
static size_t first_entry(struct work *work, size_t count)
{
	size_t first = 0;

	if (work->verify->budget_bytes > 0 && count > 0) {
		pthread_mutex_lock(&work->lock);
		first = vrms_random_below(&work->random, count);
		pthread_mutex_unlock(&work->lock);
	}
	return first;
}

/* Reads a pack's blocks in the order given.  Returns 1 when all of them were read and are good, 0
 * when not. */
static int check_entries(struct work *work, struct vrms_block_reader *reader, uint32_t row,
			 const struct vrms_pack_entry *entries, size_t count)
{
	size_t first = first_entry(work, count), i = 0;
	bool is_good = true;
	int rc = 0;

	for (; i < count && rc == 0 && may_go_on(work); i++) {
		bool is_block_good;

		rc = check_block(work, reader, row, &entries[(first + i) % count], &is_block_good);
		is_good = is_good && is_block_good;
	}
	return rc < 0 ? rc : is_good && i == count;
}

static int check_pack(struct work *work, struct vrms_block_reader *reader, uint32_t row)
{
	struct vrms_repository *repository = work->verify->repository;
	struct vrms_index_pack pack = vrms_index_pack(work->index, row);
	struct vrms_pack_reader *file VRMS_CLEANUP(vrms_pack_reader_closep) = NULL;
	struct vrms_pack_entry *entries VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_error text = {0};
	size_t count = 0;
	int rc = vrms_pack_reader_open(vrms_repository_store(repository), &pack.pack,
				       vrms_repository_master(repository), &file, &text);

	if (rc == 0) {
		rc = vrms_pack_reader_table(file, &entries, &count, &text);
	}
	if (rc == 0) {
		if (count > 0) { /* a disk reads in order many times as fast */
			qsort(entries, count, sizeof(*entries), compare_offsets);
		}
		rc = check_entries(work, reader, row, entries, count);
	}
	pthread_mutex_lock(&work->lock);
	work->result.read_packs++;
	if (vrms_store_is_damage(rc) || rc == -ENOENT) {
		rc = lose_pack(work, row, text.text);
	} else if (rc > 0) {
		rc = add_verified(work, &pack.pack);
	}
	pthread_mutex_unlock(&work->lock);
	return rc;
}

static bool take_row(struct work *work, uint32_t *ret_row)
{
	const atomic_bool *stop = work->verify->stop;
	bool has_row;

	pthread_mutex_lock(&work->lock);
	if (work->rc == 0 && stop != NULL && atomic_load(stop)) {
		work->rc = vrms_error_set(&work->error, -ECANCELED, "stopped");
	}
	has_row = work->rc == 0 && work->next < work->row_count && has_budget(work);
	if (has_row) {
		*ret_row = work->rows[work->next++];
	}
	pthread_mutex_unlock(&work->lock);
	return has_row;
}

static void *work_thread(void *argument)
{
	struct work *work = argument;
	struct vrms_block_reader *reader VRMS_CLEANUP(vrms_block_reader_freep) = NULL;
	struct vrms_error error = {0};
	uint32_t row;
	int rc = vrms_block_reader_new(work->verify->repository, &reader, &error);

	while (rc == 0 && take_row(work, &row)) {
		rc = check_pack(work, reader, row);
	}
	if (rc < 0) {
		pthread_mutex_lock(&work->lock);
		if (work->rc == 0) {
			work->rc = rc;
			if (error.text[0] != '\0') {
				work->error = error;
			}
		}
		pthread_mutex_unlock(&work->lock);
	}
	return NULL;
}

static void shuffle(struct work *work)
{
	vrms_random_init(&work->random, work->verify->seed);
	for (size_t i = work->row_count; i > 1; i--) {
		size_t k = vrms_random_below(&work->random, i);
		uint32_t row = work->rows[i - 1];

		work->rows[i - 1] = work->rows[k];
		work->rows[k] = row;
	}
}

static int pick_packs(struct work *work, struct vrms_error *error)
{
	const struct vrms_verify *verify = work->verify;
	struct vrms_verified_packs known VRMS_CLEANUP(vrms_verified_packs_done) = {0};
	uint64_t bytes = 0;
	size_t kept = 0;
	int rc = verify->only_new ? vrms_verified_packs_read(verify->repository, &known, error) : 0;

	work->rows = calloc(vrms_index_pack_count(work->index) + 1, sizeof(*work->rows));
	if (rc < 0 || work->rows == NULL) {
		return rc < 0 ? rc : vrms_error_set(error, -ENOMEM, "out of memory");
	}
	for (uint32_t row = 0; row < vrms_index_pack_count(work->index); row++) {
		struct vrms_index_pack pack = vrms_index_pack(work->index, row);

		if (vrms_index_pack_is_missing(work->index, row) ||
		    (verify->only_new && vrms_verified_packs_have(&known, &pack.pack))) {
			continue;
		}
		work->rows[work->row_count++] = row;
	}
	if (verify->budget_bytes > 0) {
		shuffle(work);
		while (kept < work->row_count && bytes < verify->budget_bytes) {
			bytes += vrms_index_pack(work->index, work->rows[kept++]).pack_bytes;
		}
		work->row_count = kept;
	}
	return 0;
}

static void run_threads(struct work *work)
{
	unsigned int wanted = work->verify->thread_count;
	pthread_t threads[THREADS_MAX];
	unsigned int started = 0;

	wanted = wanted > THREADS_MAX ? THREADS_MAX : wanted;
	while (started < wanted &&
	       pthread_create(&threads[started], NULL, work_thread, work) == 0) {
		started++;
	}
	if (started == 0) {
		work_thread(work);
	}
	for (unsigned int i = 0; i < started; i++) {
		pthread_join(threads[i], NULL);
	}
}

/* Points: does every block have a copy that is not known as damaged? */
struct census {
	struct work *work;
	const struct vrms_point *point;
	uint64_t lost; /* of this point */
};

static bool is_newly_damaged(const struct vrms_verify_result *result, const struct vrms_id *pack,
			     uint32_t offset)
{
	for (size_t i = 0; i < result->damage_count; i++) {
		if (result->damages[i].offset == offset &&
		    vrms_id_is_equal(&result->damages[i].pack, pack)) {
			return true;
		}
	}
	return false;
}

static int count_copies(void *context, const struct vrms_walk_step *step)
{
	struct census *census = context;
	struct work *work = census->work;
	struct vrms_location locations[COPIES_MAX];
	int count = vrms_index_find(work->index, &step->name, locations, COPIES_MAX);

	for (int i = 0; i < count; i++) {
		struct vrms_index_pack pack = vrms_index_pack(work->index, locations[i].pack);

		if (!vrms_repository_is_damaged(work->verify->repository, &pack.pack,
						locations[i].entry.offset) &&
		    !is_newly_damaged(&work->result, &pack.pack, locations[i].entry.offset)) {
			return 0;
		}
	}
	census->lost += count >= 0;
	return count < 0 ? vrms_error_errno(&work->error, count, "index") : 0;
}

static int count_lost(void *context, const struct vrms_walk_step *step, const char *text)
{
	struct census *census = context;
	char line[400];

	(void)step;
	census->lost++;
	snprintf(line, sizeof(line), "%s@%" PRIu64 ": %.300s", census->point->vm,
		 census->point->sequence, text);
	tell(census->work, line);
	return 0;
}

static int check_points(struct work *work, struct vrms_error *error)
{
	struct vrms_walk *walk VRMS_CLEANUP(vrms_walk_freep) = NULL;
	struct vrms_point_list list VRMS_CLEANUP(vrms_point_list_done) = {0};
	int rc = vrms_points_read(work->verify->repository, NULL, &list, error);

	if (rc == 0) {
		rc = vrms_walk_new(work->verify->repository, &walk, error);
	}
	for (size_t i = 0; i < list.damaged_count && rc == 0; i++) {
		work->result.damaged_points++;
		tell(work, list.damaged[i]);
	}
	for (size_t i = 0; i < list.count && rc == 0; i++) {
		struct census census = {.work = work, .point = &list.points[i]};
		struct vrms_walk_calls calls = {&census, count_copies, count_lost};
		char line[200];

		rc = vrms_walk_point(walk, &list.points[i], &calls, error);
		work->result.lost_blocks += census.lost;
		work->result.damaged_points += census.lost > 0;
		if (census.lost > 0) {
			snprintf(line, sizeof(line), "%.100s@%" PRIu64 ": lost %" PRIu64 " blocks",
				 list.points[i].vm, list.points[i].sequence, census.lost);
			tell(work, line);
		}
	}
	return rc;
}

int vrms_verify_run(const struct vrms_verify *verify, struct vrms_verify_result *ret_result,
		    struct vrms_error *error)
{
	struct work work = {.verify = verify};
	int rc = vrms_repository_index(verify->repository, &work.index, error);

	if (rc < 0) {
		return rc;
	}
	pthread_mutex_init(&work.lock, NULL);
	work.result.is_complete =
	    !verify->no_blocks && !verify->only_new && verify->budget_bytes == 0;
	work.result.damaged_packs = vrms_index_check(work.index);
	if (vrms_repository_lost_damages(verify->repository)) {
		tell(&work, "the list of damaged blocks");
		work.result.damaged_packs++;
	}
	rc = verify->no_blocks ? 0 : pick_packs(&work, error);
	if (rc == 0 && work.row_count > 0) {
		run_threads(&work);
		rc = work.rc;
		if (rc < 0) {
			vrms_error_set(error, rc, "%s", work.error.text);
		}
	}
	if (rc == 0) {
		rc = check_points(&work, error);
	}
	free(work.rows);
	pthread_mutex_destroy(&work.lock);
	if (rc < 0) {
		vrms_verify_result_done(&work.result);
	} else {
		*ret_result = work.result;
	}
	return rc;
}
