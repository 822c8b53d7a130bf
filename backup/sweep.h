/* sweep.h - frees what no point needs any more.
 *
 * Order: copies of live blocks are published before an index names them, and
 * packs go only when no index names them.  A crash anywhere leaves too much,
 * never too little.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_SWEEP_H
#define VRMS_BACKUP_SWEEP_H

#include "backup/point.h"

struct vrms_sweep_result {
	uint64_t freed_bytes; /* net, on the file system */
	uint64_t live_bytes;
	uint32_t removed_packs;
	uint32_t rewritten_packs;
	uint64_t missing_blocks; /* that points need and no copy of which is there */
};

struct vrms_sweep {
	struct vrms_repository *repository;
	const struct vrms_point *points; /* all that remain */
	size_t point_count;
	bool is_dry_run;
	bool is_forced; /* also when a part of a point's map cannot be read: else -EBADMSG */
	unsigned int live_pct_min; /* packs with less are rewritten; 50 is usual; also those with
				      a damaged copy of a block that has a good one */
};

/* The caller holds the exclusive lock. */
VRMS_MUST_CHECK int vrms_sweep_run(const struct vrms_sweep *sweep,
				   struct vrms_sweep_result *ret_result, struct vrms_error *error);

#endif
