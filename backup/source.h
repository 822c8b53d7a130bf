/* source.h - the port from which a backup reads one disk, frozen in time.
 *
 * Reads are asynchronous: several are in flight, and end in any order.
 * Implementations: backup/source_file.c, backup/source_nbd.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_SOURCE_H
#define VRMS_BACKUP_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup/extent.h"
#include "common/error.h"

struct vrms_source_read {
	uint64_t offset;
	size_t size;
	void *buffer;
	uint64_t cookie; /* the caller's */
};

struct vrms_source {
	void *context;
	uint64_t bytes; /* of the disk */
	size_t in_flight_max;
	/* What the disk holds, as DATA and ZERO, from 0 to its end. */
	int (*content)(void *context, struct vrms_extents *ret_extents, struct vrms_error *error);
	/* What changed since the bitmap began, as DATA and SKIP, from 0 to the end.
	 * NULL when the source knows no changes. */
	int (*dirty)(void *context, struct vrms_extents *ret_extents, struct vrms_error *error);
	/* Starts a read; the buffer is the source's until the cookie is reaped. */
	int (*submit)(void *context, const struct vrms_source_read *read, struct vrms_error *error);
	/* Waits until at least one read has ended.  Fills cookies of those that
	 * succeeded; any that failed is an error.  Returns their number. */
	int (*reap)(void *context, uint64_t *ret_cookies, size_t max, struct vrms_error *error);
	void (*close)(void *context);
};

/* Closes it when it is open; for VRMS_CLEANUP. */
void vrms_source_close(struct vrms_source *source);

/* A raw image or a block device that nobody writes.  Its holes are what the file system says. */
VRMS_MUST_CHECK int vrms_source_file_open(const char *path, struct vrms_source *ret_source,
					  struct vrms_error *error);

struct vrms_nbd_options {
	const char *uri;          /* "nbd+unix:///vda?socket=/run/x" */
	const char *dirty_bitmap; /* "qemu:dirty-bitmap:NAME"; NULL: none */
	unsigned int connections; /* used when the server allows several */
};

/* An NBD export: of libvirt's pull mode, of qemu-nbd, of anything.
 * Returns -ENOENT when the server does not know the bitmap. */
VRMS_MUST_CHECK int vrms_source_nbd_open(const struct vrms_nbd_options *options,
					 struct vrms_source *ret_source, struct vrms_error *error);

#endif
