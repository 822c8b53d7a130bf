/* san.h - the beat area on a LUN, a partition or a file: O_DIRECT, one write a beat, one read for
 * all.
 *
 * Not thread-safe: one handle belongs to one thread.  Reads and writes may
 * block for as long as the storage does; who cannot wait uses a thread or a
 * process of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_SAN_H
#define VRMS_QUORUM_SAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "quorum/beat.h"

struct vrms_san; /* opaque */

/* How big the area is on a device with such blocks: header and 64 slots. */
uint64_t vrms_san_area_bytes(uint32_t block_bytes);

/* Makes an empty area.
 *
 * path:    a block device, or a file (made when absent).
 * cluster: name of the cluster that it is for.
 * force:   also over something that looks used.
 * Errors: -EEXIST: an area, or anything else but zeros, is in the first or last MiB; -EBUSY: the
 * device is mounted or held by the device mapper; -ENOSPC: too small; -EINVAL.
 */
VRMS_MUST_CHECK int vrms_san_init(const char *path, const char *cluster, bool force,
				  struct vrms_error *error);

/* Opens an area.
 *
 * cluster: must be its cluster; NULL: any.
 * Errors: those of vrms_beat_header_decode(); -ENXIO: of another cluster; -ENOSPC: too small;
 * -errno.
 */
VRMS_MUST_CHECK int vrms_san_open(const char *path, const char *cluster, bool for_writing,
				  struct vrms_san **ret_san, struct vrms_error *error);
void vrms_san_free(struct vrms_san *san); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_san *, vrms_san_free);

const struct vrms_beat_header *vrms_san_header(const struct vrms_san *san);

enum vrms_slot_state {
	VRMS_SLOT_FREE,
	VRMS_SLOT_VALID,
	VRMS_SLOT_FOREIGN, /* well-formed, but of another area */
	VRMS_SLOT_BROKEN,  /* checksum, version or a field */
};

struct vrms_san_view {
	enum vrms_slot_state states[VRMS_BEAT_SLOTS];
	struct vrms_beat beats[VRMS_BEAT_SLOTS]; /* of VALID slots */
	int64_t latency_us;
};

/* Reads header and all slots in one I/O.  The header must be the one of _open(): -ESTALE when the
 * area was made anew meanwhile.
 */
VRMS_MUST_CHECK int vrms_san_read(struct vrms_san *san, struct vrms_san_view *view,
				  struct vrms_error *error);

/* Finds the slot of a node, or the one it should take.
 *
 * Its own (by node id) first, else the first that holds no valid beat.  -ENOSPC: all 64 are
 * taken by others.
 */
VRMS_MUST_CHECK int vrms_san_find_slot(const struct vrms_san_view *view, uint32_t node_id,
				       unsigned *ret_slot, struct vrms_error *error);

/* Writes a beat into a slot; fills in area id.  ret_latency_us: how long it took. */
VRMS_MUST_CHECK int vrms_san_write(struct vrms_san *san, unsigned slot, struct vrms_beat *beat,
				   int64_t *ret_latency_us, struct vrms_error *error);

#endif
