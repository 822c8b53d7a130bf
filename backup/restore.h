/* restore.h - a point's disks and files, out of the repository.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_RESTORE_H
#define VRMS_BACKUP_RESTORE_H

#include <stdatomic.h>

#include "backup/point.h"

/* Where a disk goes.  Calls come from several threads, each with its own lane. */
struct vrms_target {
	void *context;
	uint64_t bytes;
	bool is_zeroed;        /* reads as zeros already: zeros need not be written */
	unsigned int lane_max; /* threads that may call at once */
	/* Offset and size are multiples of the block size, except at the end. */
	int (*write)(void *context, unsigned int lane, const void *data, size_t size,
		     uint64_t offset);
	int (*zero)(void *context, unsigned int lane, uint64_t size, uint64_t offset);
	int (*flush)(void *context, struct vrms_error *error); /* durable on return */
	void (*close)(void *context);
};

/* Closes it when it is open; for VRMS_CLEANUP. */
void vrms_target_close(struct vrms_target *target);

/* A raw image, made new (-EEXIST unless is_overwriting) and sparse, or a block device
 * (only with is_overwriting), which must be large enough: -ENOSPC. */
VRMS_MUST_CHECK int vrms_target_file_open(const char *path, uint64_t bytes, bool is_overwriting,
					  struct vrms_target *ret_target, struct vrms_error *error);

/* A new qcow2 image, written through qemu-nbd.
 *
 * below: image in the same folder (its name only) whose content it changes; NULL: all zeros.
 */
struct vrms_qcow2 {
	const char *path;
	uint64_t bytes;
	bool is_overwriting;
	const char *below;
};
VRMS_MUST_CHECK int vrms_target_qcow2_open(const struct vrms_qcow2 *image,
					   struct vrms_target *ret_target,
					   struct vrms_error *error);

/* An NBD export that can be written: a network disk. -EROFS, -ENOSPC. */
VRMS_MUST_CHECK int vrms_target_nbd_open(const char *uri, uint64_t bytes,
					 struct vrms_target *ret_target, struct vrms_error *error);

/* Any other disk on the network that qemu-nbd can write, raw: "iscsi://...". -ENOSPC. */
VRMS_MUST_CHECK int vrms_target_uri_open(const char *uri, uint64_t bytes,
					 struct vrms_target *ret_target, struct vrms_error *error);

struct vrms_restore {
	struct vrms_repository *repository;
	const struct vrms_point_part *part;
	const struct vrms_target *target;
	unsigned int thread_count;
	const atomic_bool *stop; /* may be NULL */
};

/* Writes the whole disk.  Every block's hash is checked before it is written. */
VRMS_MUST_CHECK int vrms_restore_run(const struct vrms_restore *restore, struct vrms_error *error);

/* Writes only the blocks that differ from base, which the target has already. */
VRMS_MUST_CHECK int vrms_restore_changes(const struct vrms_restore *restore,
					 const struct vrms_point_part *base,
					 struct vrms_error *error);

/* A small part as one heap buffer; -EFBIG above 64 MiB. */
VRMS_MUST_CHECK int vrms_restore_read(struct vrms_repository *repository,
				      const struct vrms_point_part *part, uint8_t **ret_data,
				      struct vrms_error *error);

#endif
