/* space.h - whether disks fit where they are to be restored to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_SPACE_H
#define VRMS_BACKUP_SPACE_H

#include "backup/point.h"

enum { VRMS_SPACE_WANTS_MAX = 64 };

/* A disk, and the file that it is to become. */
struct vrms_space_want {
	const char *path; /* of a file that need not be there, in a folder that is; borrowed */
	const struct vrms_point_part *part;
};

/* Sees, before anything is written, whether every file system has room for what is not zero of the
 * disks that go there.  Devices, URIs and what cannot be looked at are passed over.
 *
 * count: at most VRMS_SPACE_WANTS_MAX.
 * Returns 0, -ENOSPC with both figures, or the error of reading a disk's map.
 */
VRMS_MUST_CHECK int vrms_space_check(struct vrms_repository *repository,
				     const struct vrms_space_want *wants, size_t count,
				     struct vrms_error *error);

/* The same for all of a point's disks in one folder. */
VRMS_MUST_CHECK int vrms_space_check_folder(struct vrms_repository *repository,
					    const struct vrms_point *point, const char *folder,
					    struct vrms_error *error);

#endif
