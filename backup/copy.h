/* copy.h - points into another repository: only blocks that it lacks, each checked on its way.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_COPY_H
#define VRMS_BACKUP_COPY_H

#include <stdatomic.h>

#include "backup/point.h"

struct vrms_copy {
	struct vrms_repository *from;
	struct vrms_repository *to;
	const atomic_bool *stop; /* may be NULL */
	/* Told of each point; stored_bytes: what it added; -1: was there already. */
	void (*copied)(const struct vrms_point *point, int64_t stored_bytes);
};

/* The two can exchange blocks.  -EINVAL: the same one, or another block size. */
VRMS_MUST_CHECK int vrms_copy_check(const struct vrms_copy *copy, struct vrms_error *error);

/* Copies points of one VM, rising; the caller holds a reader's lock of one and the writer's of
 * the other.
 *
 * What was copied stays when a later point fails, and blocks already there are not sent again.
 * A copy is no base of a next backup: its bitmaps are not named.
 * Returns -EEXIST when the other one has another point of this number.
 */
VRMS_MUST_CHECK int vrms_copy_points(const struct vrms_copy *copy, const struct vrms_point *points,
				     size_t count, struct vrms_error *error);

#endif
