/* part_reader.h - a disk or file of a point read at any place, for a server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_PART_READER_H
#define VRMS_BACKUP_PART_READER_H

#include "backup/point.h"

struct vrms_part_reader; /* for one thread at a time */

/* part must live as long as the reader, which the caller owns. */
VRMS_MUST_CHECK int vrms_part_reader_new(struct vrms_repository *repository,
					 const struct vrms_point_part *part,
					 struct vrms_part_reader **ret_reader,
					 struct vrms_error *error);
void vrms_part_reader_free(struct vrms_part_reader *reader); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_part_reader *, vrms_part_reader_free);

/* Reads inside the part.  Every block's hash is checked; the last few blocks are kept. */
VRMS_MUST_CHECK int vrms_part_reader_read(struct vrms_part_reader *reader, void *ret_data,
					  size_t size, uint64_t offset, struct vrms_error *error);

/* How far from offset, at most max bytes, all is zero or nothing is known to be. */
VRMS_MUST_CHECK int vrms_part_reader_extent(struct vrms_part_reader *reader, uint64_t offset,
					    uint64_t max, bool *ret_is_zero, uint64_t *ret_bytes,
					    struct vrms_error *error);

#endif
