/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/pack_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"

enum { CAPACITY_MIN = 64 };

void vrms_pack_table_done(struct vrms_pack_table *table)
{
	free(table->packs);
	free(table->is_missing);
	free(table->slots);
	memset(table, 0, sizeof(*table));
}

/* The slot of the pack, or the free one where it belongs.  Ids are random: any part is a hash. */
static uint32_t *find_slot(const struct vrms_pack_table *table, const struct vrms_index_pack *pack)
{
	uint32_t slot_count = table->capacity * 2;
	uint32_t slot = vrms_le32_get(pack->pack.bytes) % slot_count;

	while (table->slots[slot] != 0) {
		const struct vrms_index_pack *found = &table->packs[table->slots[slot] - 1];

		if (vrms_id_is_equal(&found->pack, &pack->pack) &&
		    found->pack_bytes == pack->pack_bytes) {
			break;
		}
		slot = (slot + 1) % slot_count;
	}
	return &table->slots[slot];
}

static int grow(struct vrms_pack_table *table)
{
	uint32_t capacity = table->capacity == 0 ? CAPACITY_MIN : table->capacity * 2;
	struct vrms_index_pack *packs = realloc(table->packs, capacity * sizeof(*packs));
	bool *is_missing;
	uint32_t *slots;

	if (packs == NULL) {
		return -ENOMEM;
	}
	table->packs = packs;
	is_missing = realloc(table->is_missing, capacity * sizeof(*is_missing));
	if (is_missing == NULL) {
		return -ENOMEM;
	}
	table->is_missing = is_missing;
	slots = calloc((size_t)capacity * 2, sizeof(*slots));
	if (slots == NULL) {
		return -ENOMEM;
	}
	free(table->slots);
	table->slots = slots;
	table->capacity = capacity;
	for (uint32_t row = 0; row < table->count; row++) {
		*find_slot(table, &packs[row]) = row + 1;
	}
	return 0;
}

int vrms_pack_table_intern(struct vrms_pack_table *table, const struct vrms_index_pack *pack,
			   uint32_t *ret_row)
{
	uint32_t *slot;

	if (table->count == table->capacity && grow(table) < 0) {
		return -ENOMEM;
	}
	slot = find_slot(table, pack);
	if (*slot == 0) {
		table->packs[table->count] = *pack;
		table->is_missing[table->count] = false;
		*slot = ++table->count;
	}
	*ret_row = *slot - 1;
	return 0;
}
