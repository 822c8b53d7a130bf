/* take_images.h - a backup of a VM that is off, from its image files.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_TAKE_IMAGES_H
#define VRMS_BACKUP_TAKE_IMAGES_H

#include "backup/take.h"

struct vrms_take_image {
	const char *disk; /* "vda" */
	const char *path;
	const char *format; /* NULL: find out */
};

/* Takes one point.  The caller holds the write lock, and calls vrms_point_done(). */
VRMS_MUST_CHECK int vrms_take_images(struct vrms_repository *repository,
				     const struct vrms_take *take,
				     const struct vrms_take_image *images, size_t image_count,
				     struct vrms_point *ret_point, struct vrms_error *error);

#endif
