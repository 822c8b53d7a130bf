/* take_images.h - a backup of a VM that is off, from its image files.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_TAKE_IMAGES_H
#define VRMS_BACKUP_TAKE_IMAGES_H

#include <stdatomic.h>

#include "backup/job.h"

struct vrms_take_image {
	const char *disk; /* "vda" */
	const char *path;
	const char *format; /* NULL: find out */
};

struct vrms_take {
	const char *vm;
	const char *uuid; /* NULL unknown */
	enum vrms_mode mode;
	bool is_self_contained;
	const struct vrms_take_image *images;
	size_t image_count;
	const struct vrms_job_file *files;
	size_t file_count;
	unsigned int thread_count;
	uint64_t rate_bytes;
	const atomic_bool *stop;
};

/* Takes one point.  The caller holds the write lock, and calls vrms_point_done(). */
VRMS_MUST_CHECK int vrms_take_images(struct vrms_repository *repository,
				     const struct vrms_take *take, struct vrms_point *ret_point,
				     struct vrms_error *error);

#endif
