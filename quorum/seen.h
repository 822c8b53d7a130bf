/* seen.h - what this node's vrmsd has seen of the others' beats, for processes that just started.
 *
 * A small file on /run: the daemon replaces its bytes in place after every look
 * at the beat area; a reader takes it whole and trusts it only when the
 * checksum fits and it is young.  Times are CLOCK_MONOTONIC of this host.
 *
 *   OFFSET  SIZE  FIELD                        all integers little-endian
 *        0     8  magic, "VRMSSEEN"
 *        8     8  when the area was last read, ms
 *       16  64x24 per slot: node id (8; 0: none), sequence (8), when it last changed, ms (8)
 *     1552     4  CRC-32 of bytes 0..1551
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_SEEN_H
#define VRMS_QUORUM_SEEN_H

#include <stdint.h>

#include "common/error.h"
#include "quorum/beat.h"

#define VRMS_SEEN_PATH "/run/vrms/beats"

enum { VRMS_SEEN_BYTES = 1556 };

struct vrms_seen_row {
	uint32_t node_id; /* 0: no valid beat in this slot */
	uint64_t sequence;
	int64_t changed_ms;
};

struct vrms_seen {
	int64_t read_ms;
	struct vrms_seen_row rows[VRMS_BEAT_SLOTS];
};

void vrms_seen_encode(const struct vrms_seen *seen, uint8_t bytes[VRMS_SEEN_BYTES]);

/* -EBADMSG: not such a file, or caught in the middle of a change. */
VRMS_MUST_CHECK int vrms_seen_decode(const uint8_t bytes[VRMS_SEEN_BYTES],
				     struct vrms_seen *ret_seen, struct vrms_error *error);

/* Reads the file; -ENOENT: no daemon has written one. */
VRMS_MUST_CHECK int vrms_seen_load(const char *path, struct vrms_seen *ret_seen,
				   struct vrms_error *error);

/* For how long the daemon has seen this sequence of this node unchanged, in ms.
 *
 * -1: unknown: no such row, another sequence, or the daemon's last look is older than young_ms.
 */
int64_t vrms_seen_unchanged_ms(const struct vrms_seen *seen, uint32_t node_id, uint64_t sequence,
			       int64_t now_ms, int64_t young_ms);

#endif
