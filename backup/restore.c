/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/restore.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 16, RUN_BYTES = 1 << 20, READ_BYTES_MAX = 64 << 20 };

/* Threads take level 0 nodes of the map in turn: each node is read once. */
struct work {
	const struct vrms_restore *restore;
	uint32_t block_bytes;
	pthread_mutex_t lock;
	uint64_t next_leaf;
	uint64_t leaf_count;
	unsigned int lanes;
	int rc;
	struct vrms_error error;
};

struct worker {
	struct work *work;
	unsigned int lane;
	struct vrms_block_reader *reader;
	struct vrms_tree_cursor *cursor;
	uint8_t *buffer; /* RUN_BYTES, aligned */
};

void vrms_target_close(struct vrms_target *target)
{
	if (target->close != NULL) {
		target->close(target->context);
		target->close = NULL;
	}
}

static bool take_leaf(struct work *work, uint64_t *ret_leaf)
{
	const atomic_bool *stop = work->restore->stop;
	bool has_leaf;

	pthread_mutex_lock(&work->lock);
	if (work->rc == 0 && stop != NULL && atomic_load(stop)) {
		work->rc = vrms_error_set(&work->error, -ECANCELED, "stopped");
	}
	has_leaf = work->rc == 0 && work->next_leaf < work->leaf_count;
	*ret_leaf = work->next_leaf;
	work->next_leaf += has_leaf;
	pthread_mutex_unlock(&work->lock);
	return has_leaf;
}

static uint64_t cut(const struct worker *worker, uint64_t offset, uint64_t bytes)
{
	uint64_t left = worker->work->restore->part->bytes - offset;

	return bytes < left ? bytes : left;
}

static int write_zeros(struct worker *worker, uint64_t offset, uint64_t bytes)
{
	const struct vrms_target *target = worker->work->restore->target;

	if (target->is_zeroed) {
		return 0;
	}
	return target->zero(target->context, worker->lane, cut(worker, offset, bytes), offset);
}

static int read_run(struct worker *worker, const struct vrms_name *names, size_t count,
		    struct vrms_error *error)
{
	uint32_t block_bytes = worker->work->block_bytes;
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i++) {
		struct vrms_want want = {
		    .name = names[i],
		    .generation = worker->work->restore->part->tree.generation,
		    .raw_bytes = block_bytes,
		};

		rc = vrms_block_reader_get(worker->reader, &want, worker->buffer + i * block_bytes,
					   error);
	}
	return rc;
}

/* How many blocks from here are all zero, or all not zero. */
static size_t run_length(const struct vrms_name *names, size_t left, size_t max)
{
	bool is_zero = vrms_name_is_zero(&names[0]);
	size_t length = 1;

	while (length < left && (is_zero || length < max) &&
	       vrms_name_is_zero(&names[length]) == is_zero) {
		length++;
	}
	return length;
}

static int restore_leaf(struct worker *worker, uint64_t leaf, struct vrms_error *error)
{
	const struct vrms_restore *restore = worker->work->restore;
	const struct vrms_target *target = restore->target;
	uint64_t block_bytes = worker->work->block_bytes;
	uint64_t first = leaf * VRMS_TREE_FAN;
	uint64_t left = restore->part->tree.block_count - first;
	size_t count = left < VRMS_TREE_FAN ? left : VRMS_TREE_FAN;
	const struct vrms_name *names;
	int rc = vrms_tree_cursor_leaf(worker->cursor, leaf, &names, error);

	for (size_t i = 0, length; i < count && rc == 0; i += length) {
		uint64_t offset = (first + i) * block_bytes;

		length = run_length(names + i, count - i, RUN_BYTES / block_bytes);
		if (vrms_name_is_zero(&names[i])) {
			rc = write_zeros(worker, offset, length * block_bytes);
		} else {
			rc = read_run(worker, names + i, length, error);
			if (rc < 0) {
				return rc;
			}
			rc = target->write(target->context, worker->lane, worker->buffer,
					   cut(worker, offset, length * block_bytes), offset);
		}
		if (rc < 0) {
			return vrms_error_errno(error, rc, "writing at %llu",
						(unsigned long long)offset);
		}
	}
	return rc;
}

static void worker_done(struct worker *worker)
{
	vrms_tree_cursor_free(worker->cursor);
	vrms_block_reader_free(worker->reader);
	free(worker->buffer);
}

static int work_through(struct work *work, struct vrms_error *error)
{
	struct worker worker VRMS_CLEANUP(worker_done) = {.work = work};
	uint64_t leaf;
	int rc;

	pthread_mutex_lock(&work->lock);
	worker.lane = work->lanes++;
	/* Opening the index is not for several threads at once. */
	rc = vrms_block_reader_new(work->restore->repository, &worker.reader, error);
	pthread_mutex_unlock(&work->lock);
	if (rc == 0) {
		rc = vrms_tree_cursor_new(worker.reader, &work->restore->part->tree, &worker.cursor,
					  error);
	}
	worker.buffer = aligned_alloc(VRMS_STORE_ALIGN, RUN_BYTES);
	if (rc == 0 && worker.buffer == NULL) {
		rc = vrms_error_set(error, -ENOMEM, "out of memory");
	}
	while (rc == 0 && take_leaf(work, &leaf)) {
		rc = restore_leaf(&worker, leaf, error);
	}
	return rc;
}

static void *work_thread(void *argument)
{
	struct work *work = argument;
	struct vrms_error error = {0};
	int rc = work_through(work, &error);

	if (rc < 0) {
		pthread_mutex_lock(&work->lock);
		if (work->rc == 0) {
			work->rc = rc;
			work->error = error;
		}
		pthread_mutex_unlock(&work->lock);
	}
	return NULL;
}

static int run_threads(struct work *work)
{
	unsigned int wanted = work->restore->thread_count;
	pthread_t threads[THREADS_MAX];
	unsigned int started = 0;

	wanted = wanted > THREADS_MAX ? THREADS_MAX : wanted;
	wanted =
	    wanted > work->restore->target->lane_max ? work->restore->target->lane_max : wanted;
	wanted = wanted == 0 ? 1 : wanted;
	while (started < wanted &&
	       pthread_create(&threads[started], NULL, work_thread, work) == 0) {
		started++;
	}
	for (unsigned int i = 0; i < started; i++) {
		pthread_join(threads[i], NULL);
	}
	return started == 0 ? vrms_error_set(&work->error, -EAGAIN, "no thread could be started")
			    : work->rc;
}

int vrms_restore_run(const struct vrms_restore *restore, struct vrms_error *error)
{
	const struct vrms_target *target = restore->target;
	uint64_t blocks = restore->part->tree.block_count;
	struct work work = {
	    .restore = restore,
	    .block_bytes = vrms_repository_config(restore->repository)->block_bytes,
	    .leaf_count = blocks / VRMS_TREE_FAN + (blocks % VRMS_TREE_FAN != 0),
	};
	int rc;

	if (target->bytes < restore->part->bytes) {
		return vrms_error_set(error, -ENOSPC,
				      "disk '%s': the target has %llu bytes, %llu are needed",
				      restore->part->name, (unsigned long long)target->bytes,
				      (unsigned long long)restore->part->bytes);
	}
	pthread_mutex_init(&work.lock, NULL);
	rc = run_threads(&work);
	pthread_mutex_destroy(&work.lock);
	if (rc < 0) {
		vrms_error_set(error, rc, "%s", work.error.text);
		return vrms_error_wrap(error, rc, "disk '%s'", restore->part->name);
	}
	return target->flush(target->context, error);
}

int vrms_restore_read(struct vrms_repository *repository, const struct vrms_point_part *part,
		      uint8_t **ret_data, struct vrms_error *error)
{
	struct vrms_block_reader *reader VRMS_CLEANUP(vrms_block_reader_freep) = NULL;
	struct vrms_tree_cursor *cursor VRMS_CLEANUP(vrms_tree_cursor_freep) = NULL;
	uint32_t block_bytes = vrms_repository_config(repository)->block_bytes;
	uint8_t *data VRMS_CLEANUP(vrms_freep) = NULL;
	int rc;

	if (part->bytes > READ_BYTES_MAX) {
		return vrms_error_set(error, -EFBIG, "'%s' is too large for memory", part->name);
	}
	data = malloc(part->tree.block_count * block_bytes + 1);
	if (data == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = vrms_block_reader_new(repository, &reader, error);
	if (rc == 0) {
		rc = vrms_tree_cursor_new(reader, &part->tree, &cursor, error);
	}
	for (uint64_t i = 0; i < part->tree.block_count && rc == 0; i++) {
		const struct vrms_name *names;

		rc = vrms_tree_cursor_leaf(cursor, i / VRMS_TREE_FAN, &names, error);
		if (rc == 0) {
			struct vrms_want want = {names[i % VRMS_TREE_FAN], part->tree.generation,
						 block_bytes};

			rc = vrms_block_reader_get(reader, &want, data + i * block_bytes, error);
		}
	}
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "'%s'", part->name);
	}
	data[part->bytes] = '\0';
	*ret_data = VRMS_TAKE(data);
	return 0;
}
