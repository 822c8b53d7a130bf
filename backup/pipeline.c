/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/pipeline.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

enum {
	SLOTS = 24,
	READ_BYTES = 512 << 10, /* larger requests cost QEMU more, smaller ones cost system calls */
	BLOCKS_MAX = READ_BYTES / VRMS_BLOCK_BYTES_MIN,
	THREADS_MAX = 16,
	REAP_MAX = 32,
};

enum slot_state { SLOT_FREE, SLOT_READING, SLOT_READ, SLOT_CODING, SLOT_CODED };

/* A piece of the disk on its way. */
struct slot {
	enum slot_state state;
	struct vrms_extent piece; /* ZERO pieces may be long; others fit the buffer */
	uint8_t *data;            /* READ_BYTES, or one block when that is larger */
	uint8_t *coded;           /* as long */
	struct vrms_block blocks[BLOCKS_MAX];
	bool is_known[BLOCKS_MAX]; /* stored already, or zero */
};

struct line {
	const struct vrms_pipeline *job;
	size_t block_bytes;
	size_t piece_bytes;
	pthread_mutex_t lock; /* over all below */
	pthread_cond_t changed;
	struct slot slots[SLOTS];
	uint64_t next_read;  /* piece that enters next; slot is this % SLOTS */
	uint64_t next_code;  /* first piece no coder has taken */
	uint64_t next_store; /* piece that leaves next */
	bool is_all_read;    /* no piece enters any more */
	int rc;              /* first failure */
	struct vrms_error error;
	struct vrms_pipeline_result result;
};

static void fail(struct line *line, int rc, const struct vrms_error *error)
{
	pthread_mutex_lock(&line->lock);
	if (line->rc == 0) {
		line->rc = rc;
		line->error = *error;
	}
	pthread_cond_broadcast(&line->changed);
	pthread_mutex_unlock(&line->lock);
}

static void set_state(struct line *line, struct slot *slot, enum slot_state state)
{
	pthread_mutex_lock(&line->lock);
	slot->state = state;
	pthread_cond_broadcast(&line->changed);
	pthread_mutex_unlock(&line->lock);
}

/* Reading. */

struct reader {
	struct line *line;
	size_t row;  /* of the extents */
	uint64_t at; /* inside that row's extent, from its start */
	size_t in_flight;
	int64_t start_ms;
	uint64_t granted_bytes;
};

/* Cuts the next piece from the extents; false at the end. */
static bool next_piece(struct reader *reader, struct vrms_extent *ret_piece)
{
	const struct vrms_extents *extents = reader->line->job->extents;

	while (reader->row < extents->count) {
		const struct vrms_extent *extent = &extents->rows[reader->row];
		uint64_t left = extent->bytes - reader->at;
		bool is_short =
		    extent->kind == VRMS_EXTENT_ZERO || left < reader->line->piece_bytes;

		if (left == 0 || extent->kind == VRMS_EXTENT_SKIP ||
		    (extent->kind == VRMS_EXTENT_ZERO && !reader->line->job->has_base)) {
			reader->row++;
			reader->at = 0;
			continue;
		}
		ret_piece->offset = extent->offset + reader->at;
		ret_piece->bytes = is_short ? left : reader->line->piece_bytes;
		ret_piece->kind = extent->kind;
		reader->at += ret_piece->bytes;
		return true;
	}
	return false;
}

/* Sleeps until the rate allows these bytes too. */
static void keep_rate(struct reader *reader, uint64_t bytes)
{
	const struct vrms_clock *clock = vrms_clock_system();
	uint64_t rate = reader->line->job->rate_bytes;
	int64_t due_ms;

	if (rate == 0) {
		return;
	}
	due_ms =
	    reader->start_ms + (int64_t)((double)reader->granted_bytes * 1000.0 / (double)rate);
	reader->granted_bytes += bytes;
	vrms_clock_sleep_ms(clock, due_ms - vrms_clock_now_ms(clock));
}

/* The slot for the next piece, or NULL: to wait for, when nothing is in flight, or failed. */
static struct slot *enter(struct reader *reader)
{
	struct line *line = reader->line;
	struct slot *slot = NULL;

	pthread_mutex_lock(&line->lock);
	while (line->rc == 0 && line->next_read - line->next_store == SLOTS &&
	       reader->in_flight == 0) {
		pthread_cond_wait(&line->changed, &line->lock);
	}
	if (line->rc == 0 && line->next_read - line->next_store < SLOTS) {
		slot = &line->slots[line->next_read++ % SLOTS];
		slot->state = SLOT_READING;
	}
	pthread_mutex_unlock(&line->lock);
	return slot;
}

static bool has_failed(struct line *line)
{
	bool failed;

	pthread_mutex_lock(&line->lock);
	failed = line->rc < 0;
	pthread_mutex_unlock(&line->lock);
	return failed;
}

static int reap(struct reader *reader, struct vrms_error *error)
{
	const struct vrms_source *source = reader->line->job->source;
	uint64_t cookies[REAP_MAX];
	int count = source->reap(source->context, cookies, REAP_MAX, error);

	for (int i = 0; i < count; i++) {
		set_state(reader->line, &reader->line->slots[cookies[i]], SLOT_READ);
	}
	if (count > 0) {
		reader->in_flight -= (size_t)count;
	}
	return count < 0 ? count : 0;
}

static int start_piece(struct reader *reader, struct slot *slot, const struct vrms_extent *piece,
		       struct vrms_error *error)
{
	const struct vrms_source *source = reader->line->job->source;
	struct vrms_source_read read = {
	    .offset = piece->offset,
	    .size = piece->bytes,
	    .buffer = slot->data,
	    .cookie = (uint64_t)(slot - reader->line->slots),
	};
	int rc;

	slot->piece = *piece;
	if (piece->kind == VRMS_EXTENT_ZERO) {
		set_state(reader->line, slot, SLOT_READ);
		return 0;
	}
	keep_rate(reader, piece->bytes);
	rc = source->submit(source->context, &read, error);
	reader->in_flight += rc == 0;
	return rc;
}

static int read_pieces(struct reader *reader, struct vrms_error *error)
{
	const struct vrms_pipeline *job = reader->line->job;
	struct vrms_extent piece;
	bool has_piece = next_piece(reader, &piece);
	int rc = 0;

	while (rc == 0 && (has_piece || reader->in_flight > 0) && !has_failed(reader->line)) {
		struct slot *slot = NULL;

		if (job->stop != NULL && atomic_load(job->stop)) {
			return vrms_error_set(error, -ECANCELED, "stopped");
		}
		if (has_piece && reader->in_flight < job->source->in_flight_max) {
			slot = enter(reader);
		}
		if (slot != NULL) {
			rc = start_piece(reader, slot, &piece, error);
			has_piece = next_piece(reader, &piece);
		} else if (reader->in_flight > 0) {
			rc = reap(reader, error);
		}
	}
	return rc;
}

static void *read_thread(void *argument)
{
	struct line *line = argument;
	struct reader reader = {
	    .line = line,
	    .start_ms = vrms_clock_now_ms(vrms_clock_system()),
	};
	struct vrms_error error = {0};
	int rc = read_pieces(&reader, &error);

	if (rc < 0) {
		fail(line, rc, &error);
	}
	/* Buffers must not be freed under a read: it ends here, well or badly. */
	while (reader.in_flight > 0 && reap(&reader, NULL) == 0) {
	}
	pthread_mutex_lock(&line->lock);
	line->is_all_read = true;
	pthread_cond_broadcast(&line->changed);
	pthread_mutex_unlock(&line->lock);
	return NULL;
}

/* Hashing and compressing. */

/* The next piece to code, or NULL at the end.  Pieces are taken in order, so a
 * coder may wait for one that is still being read. */
static struct slot *take_read(struct line *line)
{
	struct slot *slot = NULL;

	pthread_mutex_lock(&line->lock);
	while (line->rc == 0) {
		if (line->next_code < line->next_read &&
		    line->slots[line->next_code % SLOTS].state == SLOT_READ) {
			slot = &line->slots[line->next_code++ % SLOTS];
			slot->state = SLOT_CODING;
			break;
		}
		if (line->is_all_read && line->next_code == line->next_read) {
			break;
		}
		pthread_cond_wait(&line->changed, &line->lock);
	}
	pthread_mutex_unlock(&line->lock);
	return slot;
}

static int code_block(struct line *line, struct vrms_coder *coder, struct slot *slot, size_t i,
		      struct vrms_error *error)
{
	struct vrms_block *block = &slot->blocks[i];
	const uint8_t *data = slot->data + i * line->block_bytes;
	uint8_t *coded = slot->coded + i * line->block_bytes;
	size_t size;
	int rc = vrms_coder_name(coder, data, line->block_bytes, &block->name, error);

	if (rc < 0) {
		return rc;
	}
	rc = vrms_session_has(line->job->session, &block->name);
	slot->is_known[i] = rc == 1;
	if (rc != 0) {
		return rc < 0 ? vrms_error_errno(error, rc, "index") : 0;
	}
	size = vrms_coder_compress(coder, data, line->block_bytes, coded);
	block->encoding = size > 0 ? VRMS_ENCODING_ZSTD : VRMS_ENCODING_RAW;
	block->raw_bytes = (uint32_t)line->block_bytes;
	block->size = (uint32_t)(size > 0 ? size : line->block_bytes);
	block->data = size > 0 ? coded : data;
	return 0;
}

static size_t block_count(const struct line *line, const struct vrms_extent *piece)
{
	return (size_t)((piece->bytes + line->block_bytes - 1) / line->block_bytes);
}

static int code_piece(struct line *line, struct vrms_coder *coder, struct slot *slot,
		      struct vrms_error *error)
{
	size_t count, whole;
	int rc = 0;

	if (slot->piece.kind == VRMS_EXTENT_ZERO) {
		return 0;
	}
	count = block_count(line, &slot->piece);
	whole = count * line->block_bytes;
	/* The disk's last block is named with zeros behind its end. */
	memset(slot->data + slot->piece.bytes, 0, whole - slot->piece.bytes);
	for (size_t i = 0; i < count && rc == 0; i++) {
		rc = code_block(line, coder, slot, i, error);
	}
	return rc;
}

static void *code_thread(void *argument)
{
	struct line *line = argument;
	struct vrms_coder_config config =
	    vrms_repository_coder_config(vrms_session_repository(line->job->session));
	struct vrms_coder *coder VRMS_CLEANUP(vrms_coder_freep) = NULL;
	struct vrms_error error = {0};
	struct slot *slot;
	int rc = vrms_coder_new(&config, &coder, &error);

	while (rc == 0 && (slot = take_read(line)) != NULL) {
		rc = code_piece(line, coder, slot, &error);
		if (rc == 0) {
			set_state(line, slot, SLOT_CODED);
		}
	}
	if (rc < 0) {
		fail(line, rc, &error);
	}
	return NULL;
}

/* Storing. */

static struct slot *take_coded(struct line *line)
{
	struct slot *slot = NULL;

	pthread_mutex_lock(&line->lock);
	while (line->rc == 0) {
		struct slot *next = &line->slots[line->next_store % SLOTS];

		if (line->next_store < line->next_read && next->state == SLOT_CODED) {
			slot = next;
			break;
		}
		if (line->is_all_read && line->next_store == line->next_read) {
			break;
		}
		pthread_cond_wait(&line->changed, &line->lock);
	}
	pthread_mutex_unlock(&line->lock);
	return slot;
}

static int store_block(struct line *line, struct slot *slot, size_t i, struct vrms_error *error)
{
	uint64_t number = slot->piece.offset / line->block_bytes + i;
	bool is_changed;
	int rc = 0;

	if (!slot->is_known[i]) {
		rc = vrms_session_put(line->job->session, VRMS_PACK_DATA, &slot->blocks[i], error);
	}
	if (rc == 0) {
		rc = vrms_tree_builder_set(line->job->builder, number, &slot->blocks[i].name,
					   &is_changed, error);
	}
	if (rc < 0) {
		return rc;
	}
	line->result.changed_bytes += is_changed ? line->block_bytes : 0;
	if (slot->piece.kind == VRMS_EXTENT_AUDIT) {
		line->result.audited_blocks++;
		line->result.audit_failures += is_changed;
	}
	return 0;
}

static int store_zeros(struct line *line, const struct slot *slot, struct vrms_error *error)
{
	static const struct vrms_name zero;
	uint64_t first = slot->piece.offset / line->block_bytes;
	size_t count = block_count(line, &slot->piece);
	bool is_changed;
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i++) {
		rc =
		    vrms_tree_builder_set(line->job->builder, first + i, &zero, &is_changed, error);
		line->result.changed_bytes += rc == 0 && is_changed ? line->block_bytes : 0;
	}
	return rc;
}

static int store_pieces(struct line *line, struct vrms_error *error)
{
	struct slot *slot;
	int rc = 0;

	while (rc == 0 && (slot = take_coded(line)) != NULL) {
		if (slot->piece.kind == VRMS_EXTENT_ZERO) {
			rc = store_zeros(line, slot, error);
		} else {
			size_t count = block_count(line, &slot->piece);

			line->result.read_bytes += slot->piece.bytes;
			for (size_t i = 0; i < count && rc == 0; i++) {
				rc = store_block(line, slot, i, error);
			}
		}
		pthread_mutex_lock(&line->lock);
		slot->state = SLOT_FREE;
		line->next_store++;
		pthread_cond_broadcast(&line->changed);
		pthread_mutex_unlock(&line->lock);
	}
	return rc;
}

/* The line. */

static void line_done(struct line *line)
{
	for (size_t i = 0; i < SLOTS; i++) {
		free(line->slots[i].data);
		free(line->slots[i].coded);
	}
	pthread_cond_destroy(&line->changed);
	pthread_mutex_destroy(&line->lock);
}

static int line_init(struct line *line, const struct vrms_pipeline *job)
{
	memset(line, 0, sizeof(*line));
	line->job = job;
	line->block_bytes =
	    vrms_repository_config(vrms_session_repository(job->session))->block_bytes;
	line->piece_bytes = line->block_bytes > READ_BYTES ? line->block_bytes : READ_BYTES;
	pthread_mutex_init(&line->lock, NULL);
	pthread_cond_init(&line->changed, NULL);
	for (size_t i = 0; i < SLOTS; i++) {
		line->slots[i].data = malloc(line->piece_bytes);
		line->slots[i].coded = malloc(line->piece_bytes);
		if (line->slots[i].data == NULL || line->slots[i].coded == NULL) {
			return -ENOMEM;
		}
	}
	return 0;
}

static unsigned int start_threads(struct line *line, pthread_t *threads)
{
	unsigned int wanted = line->job->thread_count + 1, started = 0;

	wanted = wanted > THREADS_MAX ? THREADS_MAX : wanted;
	while (started < wanted &&
	       pthread_create(&threads[started], NULL, started == 0 ? read_thread : code_thread,
			      line) == 0) {
		started++;
	}
	return started;
}

int vrms_pipeline_run(const struct vrms_pipeline *pipeline, struct vrms_pipeline_result *ret_result,
		      struct vrms_error *error)
{
	struct line *line = malloc(sizeof(*line));
	struct vrms_error text = {0};
	pthread_t threads[THREADS_MAX];
	unsigned int started = 0;
	int rc = line == NULL ? -ENOMEM : line_init(line, pipeline);

	if (rc == 0) {
		started = start_threads(line, threads);
		rc = started < 2 ? vrms_error_set(&text, -EAGAIN, "no thread could be started")
				 : store_pieces(line, &text);
		if (rc < 0) {
			fail(line, rc, &text);
		}
		for (unsigned int i = 0; i < started; i++) {
			pthread_join(threads[i], NULL);
		}
		rc = line->rc;
		text = line->error;
		*ret_result = line->result;
	}
	if (line != NULL) {
		line_done(line);
		free(line);
	}
	return rc < 0 ? vrms_error_set(error, rc, "%s",
				       text.text[0] != '\0' ? text.text : "out of memory")
		      : 0;
}
