/* pack_window.h - records of packs, read ahead while they are read one behind the other.
 *
 * A disk's blocks lie in a pack in the order of the disk, so a restore wants each record where the
 * last one ended: then one large read serves many of them.  A record that is asked for alone is
 * read alone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_PACK_WINDOW_H
#define VRMS_BACKUP_PACK_WINDOW_H

#include "backup/pack.h"

struct vrms_pack_window; /* of one thread */

/* The caller owns the result; NULL: out of memory. */
struct vrms_pack_window *vrms_pack_window_new(void);
void vrms_pack_window_free(struct vrms_pack_window *window); /* accepts NULL */

/* Reads one record and opens its seal; what it returns is still encoded.
 *
 * ret_block->data: borrowed until the next call.
 * Returns -EBADMSG when the record is damaged, or -errno of the read.
 */
VRMS_MUST_CHECK int vrms_pack_window_get(struct vrms_pack_window *window,
					 const struct vrms_pack_reader *pack,
					 const struct vrms_pack_entry *entry,
					 struct vrms_block *ret_block, struct vrms_error *error);

#endif
