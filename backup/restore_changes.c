/* restore_changes.c - what differs between two states of a disk, written over the first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdlib.h>

#include "backup/restore.h"

struct changes {
	const struct vrms_restore *restore;
	struct vrms_block_reader *reader;
	uint64_t block_bytes;
	uint8_t *block;
	struct vrms_error *error;
};

static int write_change(void *context, const struct vrms_tree_change *change)
{
	const struct changes *changes = context;
	const struct vrms_restore *restore = changes->restore;
	const struct vrms_target *target = restore->target;
	uint64_t offset = change->block * changes->block_bytes;
	struct vrms_want want = {
	    .name = change->to,
	    .generation = restore->part->tree.generation,
	    .raw_bytes = (uint32_t)changes->block_bytes,
	};
	uint64_t size = changes->block_bytes;
	int rc;

	if (restore->stop != NULL && atomic_load(restore->stop)) {
		return vrms_error_set(changes->error, -ECANCELED, "stopped");
	}
	if (offset >= restore->part->bytes) { /* the disk became shorter */
		return 0;
	}
	if (size > restore->part->bytes - offset) {
		size = restore->part->bytes - offset;
	}
	if (vrms_name_is_zero(&change->to)) {
		rc = target->zero(target->context, 0, size, offset);
	} else {
		rc = vrms_block_reader_get(changes->reader, &want, changes->block, changes->error);
		if (rc < 0) {
			return rc;
		}
		rc = target->write(target->context, 0, changes->block, size, offset);
	}
	return rc < 0 ? vrms_error_errno(changes->error, rc, "writing at %llu",
					 (unsigned long long)offset)
		      : 0;
}

int vrms_restore_changes(const struct vrms_restore *restore, const struct vrms_point_part *base,
			 struct vrms_error *error)
{
	struct vrms_tree_cursor *from VRMS_CLEANUP(vrms_tree_cursor_freep) = NULL;
	struct vrms_tree_cursor *to VRMS_CLEANUP(vrms_tree_cursor_freep) = NULL;
	struct vrms_block_reader *reader VRMS_CLEANUP(vrms_block_reader_freep) = NULL;
	uint64_t block_bytes = vrms_repository_config(restore->repository)->block_bytes;
	uint8_t *block VRMS_CLEANUP(vrms_freep) = malloc(block_bytes);
	struct changes changes = {restore, NULL, block_bytes, block, error};
	int rc = block == NULL ? vrms_error_set(error, -ENOMEM, "out of memory") : 0;

	if (rc == 0) {
		rc = vrms_block_reader_new(restore->repository, &reader, error);
	}
	if (rc == 0) {
		rc = vrms_tree_cursor_new(reader, &base->tree, &from, error);
	}
	if (rc == 0) {
		rc = vrms_tree_cursor_new(reader, &restore->part->tree, &to, error);
	}
	if (rc == 0) {
		changes.reader = reader;
		rc = vrms_tree_diff(from, to, write_change, &changes, error);
	}
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "disk '%s'", restore->part->name);
	}
	return restore->target->flush(restore->target->context, error);
}
