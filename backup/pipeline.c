/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/pipeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/pipeline_line.h"

enum { THREADS_MAX = 16 };

void vrms_line_wake_all(struct vrms_line *line)
{
	pthread_cond_broadcast(&line->can_enter);
	pthread_cond_broadcast(&line->can_code);
	pthread_cond_broadcast(&line->can_store);
}

void vrms_line_fail(struct vrms_line *line, int rc, const struct vrms_error *error)
{
	pthread_mutex_lock(&line->lock);
	if (line->rc == 0) {
		line->rc = rc;
		line->error = *error;
	}
	vrms_line_wake_all(line);
	pthread_mutex_unlock(&line->lock);
}

static const struct vrms_line_slot *slot_of(const struct vrms_line *line, uint64_t piece)
{
	return &line->slots[piece % VRMS_LINE_SLOTS];
}

/* Wakes who can go on with the slot; a coder wakes the next one (take_read). */
void vrms_line_set(struct vrms_line *line, struct vrms_line_slot *slot, enum vrms_line_state state)
{
	pthread_mutex_lock(&line->lock);
	slot->state = state;
	if (state == SLOT_READ && slot == slot_of(line, line->next_code)) {
		pthread_cond_signal(&line->can_code);
	} else if (state == SLOT_CODED && slot == slot_of(line, line->next_store)) {
		pthread_cond_signal(&line->can_store);
	}
	pthread_mutex_unlock(&line->lock);
}

/* Hashing and compressing. */

/* The next piece to code, or NULL at the end.  Pieces are taken in order, so a
 * coder may wait for one that is still being read. */
static struct vrms_line_slot *take_read(struct vrms_line *line)
{
	struct vrms_line_slot *slot = NULL;

	pthread_mutex_lock(&line->lock);
	while (line->rc == 0) {
		if (line->next_code < line->next_read &&
		    line->slots[line->next_code % VRMS_LINE_SLOTS].state == SLOT_READ) {
			slot = &line->slots[line->next_code++ % VRMS_LINE_SLOTS];
			slot->state = SLOT_CODING;
			if (line->next_code < line->next_read &&
			    line->slots[line->next_code % VRMS_LINE_SLOTS].state == SLOT_READ) {
				pthread_cond_signal(&line->can_code);
			}
			break;
		}
		if (line->is_all_read && line->next_code == line->next_read) {
			break;
		}
		pthread_cond_wait(&line->can_code, &line->lock);
	}
	pthread_mutex_unlock(&line->lock);
	return slot;
}

static int code_block(struct vrms_line *line, struct vrms_coder *coder, struct vrms_line_slot *slot,
		      size_t i, struct vrms_error *error)
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

static size_t block_count(const struct vrms_line *line, const struct vrms_extent *piece)
{
	return (size_t)((piece->bytes + line->block_bytes - 1) / line->block_bytes);
}

static int code_piece(struct vrms_line *line, struct vrms_coder *coder, struct vrms_line_slot *slot,
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
	struct vrms_line *line = argument;
	struct vrms_coder_config config =
	    vrms_repository_coder_config(vrms_session_repository(line->job->session));
	struct vrms_coder *coder VRMS_CLEANUP(vrms_coder_freep) = NULL;
	struct vrms_error error = {0};
	struct vrms_line_slot *slot;
	int rc = vrms_coder_new(&config, &coder, &error);

	while (rc == 0 && (slot = take_read(line)) != NULL) {
		rc = code_piece(line, coder, slot, &error);
		if (rc == 0) {
			vrms_line_set(line, slot, SLOT_CODED);
		}
	}
	if (rc < 0) {
		vrms_line_fail(line, rc, &error);
	}
	return NULL;
}

/* Storing. */

static struct vrms_line_slot *take_coded(struct vrms_line *line)
{
	struct vrms_line_slot *slot = NULL;

	pthread_mutex_lock(&line->lock);
	while (line->rc == 0) {
		struct vrms_line_slot *next = &line->slots[line->next_store % VRMS_LINE_SLOTS];

		if (line->next_store < line->next_read && next->state == SLOT_CODED) {
			slot = next;
			break;
		}
		if (line->is_all_read && line->next_store == line->next_read) {
			break;
		}
		pthread_cond_wait(&line->can_store, &line->lock);
	}
	pthread_mutex_unlock(&line->lock);
	return slot;
}

static int store_block(struct vrms_line *line, struct vrms_line_slot *slot, size_t i,
		       struct vrms_error *error)
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

static int store_zeros(struct vrms_line *line, const struct vrms_line_slot *slot,
		       struct vrms_error *error)
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

static int store_pieces(struct vrms_line *line, struct vrms_error *error)
{
	struct vrms_line_slot *slot;
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
		pthread_cond_signal(&line->can_enter);
		pthread_mutex_unlock(&line->lock);
	}
	return rc;
}

/* The line. */

static void line_done(struct vrms_line *line)
{
	for (size_t i = 0; i < VRMS_LINE_SLOTS; i++) {
		free(line->slots[i].data);
		free(line->slots[i].coded);
	}
	pthread_cond_destroy(&line->can_enter);
	pthread_cond_destroy(&line->can_code);
	pthread_cond_destroy(&line->can_store);
	pthread_mutex_destroy(&line->lock);
}

static int line_init(struct vrms_line *line, const struct vrms_pipeline *job)
{
	memset(line, 0, sizeof(*line));
	line->job = job;
	line->block_bytes =
	    vrms_repository_config(vrms_session_repository(job->session))->block_bytes;
	line->piece_bytes =
	    line->block_bytes > VRMS_LINE_READ_BYTES ? line->block_bytes : VRMS_LINE_READ_BYTES;
	pthread_mutex_init(&line->lock, NULL);
	pthread_cond_init(&line->can_enter, NULL);
	pthread_cond_init(&line->can_code, NULL);
	pthread_cond_init(&line->can_store, NULL);
	for (size_t i = 0; i < VRMS_LINE_SLOTS; i++) {
		line->slots[i].data = malloc(line->piece_bytes);
		line->slots[i].coded = malloc(line->piece_bytes);
		if (line->slots[i].data == NULL || line->slots[i].coded == NULL) {
			return -ENOMEM;
		}
	}
	return 0;
}

static unsigned int start_threads(struct vrms_line *line, pthread_t *threads)
{
	unsigned int wanted = line->job->thread_count + 1, started = 0;

	wanted = wanted > THREADS_MAX ? THREADS_MAX : wanted;
	while (started < wanted &&
	       pthread_create(&threads[started], NULL, started == 0 ? vrms_line_read : code_thread,
			      line) == 0) {
		started++;
	}
	return started;
}

int vrms_pipeline_run(const struct vrms_pipeline *pipeline, struct vrms_pipeline_result *ret_result,
		      struct vrms_error *error)
{
	struct vrms_line *line = malloc(sizeof(*line));
	struct vrms_error text = {0};
	pthread_t threads[THREADS_MAX];
	unsigned int started = 0;
	int rc = line == NULL ? -ENOMEM : line_init(line, pipeline);

	if (rc == 0) {
		started = start_threads(line, threads);
		rc = started < 2 ? vrms_error_set(&text, -EAGAIN, "no thread could be started")
				 : store_pieces(line, &text);
		if (rc < 0) {
			vrms_line_fail(line, rc, &text);
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
