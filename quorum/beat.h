/* beat.h - the bytes of the beat area: one header block, then one block for each of 64 nodes.
 *
 * A node writes its own block only, whole, in one write; a reader takes header and all
 * blocks in one read.  A block is `block_bytes` long: 512, or 4096 where the
 * device writes no less.  All integers are little-endian, all times
 * milliseconds.  The checksum is the CRC-32 of zlib over bytes 0..507; every
 * byte that is not listed is 0.  vrms_beat_area(5) is this comment as a manual page.
 *
 *   HEADER, at offset 0
 *   OFFSET  SIZE  FIELD
 *        0     8  magic, "VRMSAREA"
 *        8     4  version, 1
 *       12     4  block_bytes, 512 or 4096
 *       16     4  slot count, 64
 *       24    16  area id: random, made by `vrms san init`
 *       40     8  when it was made, milliseconds since 1970
 *       48    64  cluster name (corosync's totem.cluster_name), filled up with 0
 *      508     4  checksum
 *
 *   SLOT number i (0..63), at offset (1 + i) * block_bytes; all 0: free
 *   OFFSET  SIZE  FIELD
 *        0     8  magic, "VRMSBEAT"
 *        8     4  version, 1
 *       12     4  node id in corosync, > 0
 *       16    16  area id, as in the header
 *       32    16  boot id (/proc/sys/kernel/random/boot_id)
 *       48     8  sequence: grows by one with every write
 *       56     8  monotonic age of the writer's kernel
 *       64     8  claim: random, chosen when the writer took the slot
 *       72     4  state: 1 beating, 2 stopped on purpose
 *       76     4  interval between two writes
 *       80     8  slots whose beat the writer finds fresh, bit i for slot i
 *       88     4  microseconds that the writer's last write took
 *       92     4  microseconds that its slowest write of the last minute took
 *       96    64  node name, filled up with 0
 *      508     4  checksum
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_BEAT_H
#define VRMS_QUORUM_BEAT_H

#include <stdint.h>

#include "common/error.h"

enum {
	VRMS_BEAT_VERSION = 1,
	VRMS_BEAT_SLOTS = 64,
	VRMS_BEAT_RECORD_BYTES = 512, /* of a block; the rest of it is 0 */
	VRMS_BEAT_NAME_BYTES = 64,    /* with the NUL */
	VRMS_BEAT_ID_BYTES = 16,
};

struct vrms_beat_header {
	uint32_t block_bytes;
	uint8_t area_id[VRMS_BEAT_ID_BYTES];
	int64_t created_ms;
	char cluster[VRMS_BEAT_NAME_BYTES];
};

enum vrms_beat_state { VRMS_BEAT_BEATING = 1, VRMS_BEAT_STOPPED = 2 };

struct vrms_beat {
	uint32_t node_id;
	uint8_t area_id[VRMS_BEAT_ID_BYTES];
	uint8_t boot_id[VRMS_BEAT_ID_BYTES];
	uint64_t sequence;
	int64_t age_ms;
	uint64_t claim;
	enum vrms_beat_state state;
	int64_t interval_ms; /* 1..60000 */
	uint64_t fresh_bits;
	uint32_t last_us, slowest_us;
	char name[VRMS_BEAT_NAME_BYTES];
};

/* Writes a header's 512 bytes.  -EINVAL: a field outside its range. */
VRMS_MUST_CHECK int vrms_beat_header_encode(const struct vrms_beat_header *header,
					    uint8_t record[VRMS_BEAT_RECORD_BYTES],
					    struct vrms_error *error);

/* -ENODATA: all bytes are 0; -EMEDIUMTYPE: not a beat area; -EPROTONOSUPPORT: of a version that
 * this program does not know; -EBADMSG: checksum or a field is wrong.
 */
VRMS_MUST_CHECK int vrms_beat_header_decode(const uint8_t record[VRMS_BEAT_RECORD_BYTES],
					    struct vrms_beat_header *ret_header,
					    struct vrms_error *error);

/* As for the header. */
VRMS_MUST_CHECK int vrms_beat_encode(const struct vrms_beat *beat,
				     uint8_t record[VRMS_BEAT_RECORD_BYTES],
				     struct vrms_error *error);
VRMS_MUST_CHECK int vrms_beat_decode(const uint8_t record[VRMS_BEAT_RECORD_BYTES],
				     struct vrms_beat *ret_beat, struct vrms_error *error);

/* A number that tells two boot ids apart, never 0. */
uint64_t vrms_beat_boot_digest(const uint8_t boot_id[VRMS_BEAT_ID_BYTES]);

#endif
