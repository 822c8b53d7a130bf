/* pipeline_read.c - the part of a pipeline that reads.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>

#include "backup/pipeline_line.h"
#include "common/clock.h"

enum { REAP_MAX = 32 };

struct reader {
	struct vrms_line *line;
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
static struct vrms_line_slot *enter(struct reader *reader)
{
	struct vrms_line *line = reader->line;
	struct vrms_line_slot *slot = NULL;

	pthread_mutex_lock(&line->lock);
	while (line->rc == 0 && line->next_read - line->next_store == VRMS_LINE_SLOTS &&
	       reader->in_flight == 0) {
		pthread_cond_wait(&line->can_enter, &line->lock);
	}
	if (line->rc == 0 && line->next_read - line->next_store < VRMS_LINE_SLOTS) {
		slot = &line->slots[line->next_read++ % VRMS_LINE_SLOTS];
		slot->state = SLOT_READING;
	}
	pthread_mutex_unlock(&line->lock);
	return slot;
}

static bool has_failed(struct vrms_line *line)
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
		vrms_line_set(reader->line, &reader->line->slots[cookies[i]], SLOT_READ);
	}
	if (count > 0) {
		reader->in_flight -= (size_t)count;
	}
	return count < 0 ? count : 0;
}

static int start_piece(struct reader *reader, struct vrms_line_slot *slot,
		       const struct vrms_extent *piece, struct vrms_error *error)
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
		vrms_line_set(reader->line, slot, SLOT_READ);
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
		struct vrms_line_slot *slot = NULL;

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

void *vrms_line_read(void *argument)
{
	struct vrms_line *line = argument;
	struct reader reader = {
	    .line = line,
	    .start_ms = vrms_clock_now_ms(vrms_clock_system()),
	};
	struct vrms_error error = {0};
	int rc = read_pieces(&reader, &error);

	if (rc < 0) {
		vrms_line_fail(line, rc, &error);
	}
	/* Buffers must not be freed under a read: it ends here, well or badly. */
	while (reader.in_flight > 0 && reap(&reader, NULL) == 0) {
	}
	pthread_mutex_lock(&line->lock);
	line->is_all_read = true;
	vrms_line_wake_all(line);
	pthread_mutex_unlock(&line->lock);
	return NULL;
}
