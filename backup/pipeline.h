/* pipeline.h - one disk through: read, hash, compress, store.
 *
 * One thread keeps reads in flight, some hash and compress, the caller's
 * thread stores in the order of the disk.  Memory is bounded by the ring.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_PIPELINE_H
#define VRMS_BACKUP_PIPELINE_H

#include <stdatomic.h>

#include "backup/extent.h"
#include "backup/session.h"
#include "backup/source.h"
#include "backup/tree.h"

struct vrms_pipeline {
	struct vrms_session *session;
	const struct vrms_source *source;
	const struct vrms_extents *extents; /* aligned to blocks, ending at the disk's end */
	struct vrms_tree_builder *builder;
	bool has_base;             /* ZERO extents then replace what the base has */
	unsigned int thread_count; /* that hash and compress; at least 1 */
	uint64_t rate_bytes;       /* per second, of reads; 0: no limit */
	const atomic_bool *stop;   /* set to give up; NULL: never */
};

struct vrms_pipeline_result {
	uint64_t read_bytes;
	uint64_t changed_bytes;
	uint64_t audited_blocks;
	uint64_t audit_failures; /* blocks that had changed though the bitmap says they had not */
};

/* Returns 0, -ECANCELED (stopped) or the first error of any stage. */
VRMS_MUST_CHECK int vrms_pipeline_run(const struct vrms_pipeline *pipeline,
				      struct vrms_pipeline_result *ret_result,
				      struct vrms_error *error);

#endif
