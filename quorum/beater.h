/* beater.h - the thread that beats: writes this node's slot, reads all others, over and over.
 *
 * All of its I/O may hang with the storage; the main loop only takes snapshots, and
 * sees from their age that the storage does not answer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_BEATER_H
#define VRMS_QUORUM_BEATER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "quorum/beat.h"

struct vrms_beater_config {
	const char *device;
	const char *cluster;
	const char *seen_path;
	const char *node_name;
	uint32_t node_id;
	int64_t interval_ms;
	int64_t silent_count; /* intervals without a change that count as silence */
};

struct vrms_beater_row {
	uint32_t node_id; /* 0: free */
	char name[VRMS_BEAT_NAME_BYTES];
	uint64_t sequence;
	int64_t changed_ms; /* on this host's monotonic clock */
	int64_t interval_ms;
	bool is_stopped;
	bool silent; /* the reader's own mark; the thread leaves it false */
	uint32_t last_us, slowest_us;
	uint64_t fresh_bits;
};

struct vrms_beater_state {
	bool is_open;     /* the area is open and the last round succeeded */
	int64_t round_ms; /* when the last round ended; 0: never */
	int64_t read_ms;  /* when the rows were read; 0: never */
	int64_t began_ms; /* when the present round began; 0: none is under way */
	uint32_t write_us, read_us, slowest_us;
	unsigned slot; /* this node's */
	bool has_slot;
	bool is_contested; /* another daemon beats under this node's id */
	struct vrms_beater_row rows[VRMS_BEAT_SLOTS];
	struct vrms_error error; /* why the last round failed; "" */
};

struct vrms_beater; /* opaque */

/* Starts the thread; it opens the area itself, and again after failures. */
VRMS_MUST_CHECK int vrms_beater_start(const struct vrms_beater_config *config,
				      struct vrms_beater **ret_beater, struct vrms_error *error);

/* Says goodbye in the slot and ends the thread.  A thread that hangs in its I/O for
 * longer than timeout_ms is left behind, with its memory.
 */
void vrms_beater_stop(struct vrms_beater *beater, int64_t timeout_ms); /* accepts NULL */

/* Copies the present state; never waits for I/O. */
void vrms_beater_state(struct vrms_beater *beater, struct vrms_beater_state *ret_state);

#endif
