/* pack_table.h - the packs that an index names, each with a row; found by id and size.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_PACK_TABLE_H
#define VRMS_BACKUP_PACK_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "backup/format.h"
#include "common/error.h"

struct vrms_pack_table {
	struct vrms_index_pack *packs;
	bool *is_missing; /* per pack */
	uint32_t count;
	uint32_t capacity;
	uint32_t *slots; /* open addressing: 1 + row; 0 is free; twice the capacity */
};

void vrms_pack_table_done(struct vrms_pack_table *table); /* accepts a zeroed one */

/* A pack's row, a new one when it has none; a pack of another size is another row.
 * Rows stay, pointers do not.  Returns 0 or -ENOMEM. */
VRMS_MUST_CHECK int vrms_pack_table_intern(struct vrms_pack_table *table,
					   const struct vrms_index_pack *pack, uint32_t *ret_row);

#endif
