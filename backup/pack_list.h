/* pack_list.h - which pack files a repository's folder has.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_PACK_LIST_H
#define VRMS_BACKUP_PACK_LIST_H

#include <stdbool.h>

#include "backup/format.h"
#include "backup/store.h"

struct vrms_pack_list_row {
	struct vrms_id id;
	uint64_t bytes;
	bool is_named; /* the caller's mark: by an index file */
};

struct vrms_pack_list {
	struct vrms_pack_list_row *rows; /* sorted by id, because folders come sorted */
	size_t count;
};

void vrms_pack_list_done(struct vrms_pack_list *list); /* for VRMS_CLEANUP; accepts a zeroed one */

/* list: zeroed by the caller. */
VRMS_MUST_CHECK int vrms_pack_list_read(const struct vrms_store *store, struct vrms_pack_list *list,
					struct vrms_error *error);

/* NULL when there is no such pack. */
struct vrms_pack_list_row *vrms_pack_list_find(const struct vrms_pack_list *list,
					       const struct vrms_id *pack);

#endif
