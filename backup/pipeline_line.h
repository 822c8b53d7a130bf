/* pipeline_line.h - the ring of pieces that a pipeline's threads share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_PIPELINE_LINE_H
#define VRMS_BACKUP_PIPELINE_LINE_H

#include <pthread.h>

#include "backup/pipeline.h"

enum {
	VRMS_LINE_SLOTS = 24,
	VRMS_LINE_READ_BYTES =
	    512 << 10, /* larger requests cost QEMU more, smaller ones cost system calls */
	VRMS_LINE_BLOCKS_MAX = VRMS_LINE_READ_BYTES / VRMS_BLOCK_BYTES_MIN,
};

enum vrms_line_state { SLOT_FREE, SLOT_READING, SLOT_READ, SLOT_CODING, SLOT_CODED };

/* A piece of the disk on its way. */
struct vrms_line_slot {
	enum vrms_line_state state;
	struct vrms_extent piece; /* ZERO pieces may be long; others fit the buffer */
	uint8_t *data;            /* VRMS_LINE_READ_BYTES, or one block when that is larger */
	uint8_t *coded;           /* as long */
	struct vrms_block blocks[VRMS_LINE_BLOCKS_MAX];
	bool is_known[VRMS_LINE_BLOCKS_MAX]; /* stored already, or zero */
};

struct vrms_line {
	const struct vrms_pipeline *job;
	size_t block_bytes;
	size_t piece_bytes;
	pthread_mutex_t lock;                          /* over all below */
	pthread_cond_t can_enter, can_code, can_store; /* each waited for by one kind of thread */
	struct vrms_line_slot slots[VRMS_LINE_SLOTS];
	uint64_t next_read;  /* piece that enters next; slot is this % VRMS_LINE_SLOTS */
	uint64_t next_code;  /* first piece no coder has taken */
	uint64_t next_store; /* piece that leaves next */
	bool is_all_read;    /* no piece enters any more */
	int rc;              /* first failure */
	struct vrms_error error;
	struct vrms_pipeline_result result;
};

/* With the lock held. */
void vrms_line_wake_all(struct vrms_line *line);

/* Keeps the first failure and has all threads end. */
void vrms_line_fail(struct vrms_line *line, int rc, const struct vrms_error *error);

/* Wakes who can go on with the slot; a coder wakes the next one itself. */
void vrms_line_set(struct vrms_line *line, struct vrms_line_slot *slot, enum vrms_line_state state);

/* The thread that keeps reads in flight.  argument: the line. */
void *vrms_line_read(void *argument);

#endif
