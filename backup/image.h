/* image.h - disk images of a VM that is off: what they are, their bitmaps, reading them.
 *
 * Through qemu-img and qemu-nbd, which hold the image's lock: a VM that runs is refused,
 * after a few seconds in which a program that is just ending may let go.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_IMAGE_H
#define VRMS_BACKUP_IMAGE_H

#include <stdbool.h>

#include "backup/nbd_server.h"
#include "backup/source.h"

struct vrms_image {
	char *path;
	char *format; /* "raw", "qcow2", ... */
	uint64_t bytes;
	char **bitmaps; /* good and enabled ones, NULL-terminated */
	char **broken;  /* the others: good for nothing, and in the way of snapshots */
	bool can_bitmap;
};

void vrms_image_done(struct vrms_image *image); /* for VRMS_CLEANUP; accepts a zeroed one */

/* A disk on the network, as QEMU's programs name it: "iscsi://...", "nbd://...". */
bool vrms_image_is_uri(const char *path);

/* Whether both are the same file or device, also by a link or another name of the device. */
bool vrms_image_is_same(const char *path, const char *other);

/* Asks qemu-img.  format: NULL to find out.  Returns -EBUSY when a VM or a program holds it. */
VRMS_MUST_CHECK int vrms_image_inspect(const char *path, const char *format,
				       struct vrms_image *ret_image, struct vrms_error *error);

VRMS_MUST_CHECK int vrms_image_bitmap_add(const struct vrms_image *image, const char *bitmap,
					  struct vrms_error *error);
VRMS_MUST_CHECK int vrms_image_bitmap_remove(const struct vrms_image *image, const char *bitmap,
					     struct vrms_error *error);

/* Opens it to read; bitmap: whose changes it tells, or NULL.
 * ret_server: NULL for a raw image, else to be stopped after the source is closed. */
VRMS_MUST_CHECK int vrms_image_open(const struct vrms_image *image, const char *bitmap,
				    struct vrms_source *ret_source,
				    struct vrms_nbd_server **ret_server, struct vrms_error *error);

#endif
