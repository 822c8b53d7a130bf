/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/pack_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void vrms_pack_list_done(struct vrms_pack_list *known)
{
	free(known->rows);
}

static int add_known(struct vrms_pack_list *known, const struct vrms_store_list *list)
{
	struct vrms_pack_list_row *rows =
	    realloc(known->rows, (known->count + list->count + 1) * sizeof(*rows));

	if (rows == NULL) {
		return -ENOMEM;
	}
	known->rows = rows;
	for (size_t i = 0; i < list->count; i++) {
		struct vrms_pack_list_row row = {.bytes = list->rows[i].bytes};

		if (vrms_hex_parse(list->rows[i].name, row.id.bytes, sizeof(row.id.bytes)) == 0) {
			known->rows[known->count++] = row;
		}
	}
	return 0;
}

int vrms_pack_list_read(const struct vrms_store *store, struct vrms_pack_list *known,
			struct vrms_error *error)
{
	struct vrms_store_list folders VRMS_CLEANUP(vrms_store_list_done) = {0};
	int rc = store->list(store->context, "packs", &folders, error);

	for (size_t i = 0; i < folders.count && rc == 0; i++) {
		struct vrms_store_list list VRMS_CLEANUP(vrms_store_list_done) = {0};
		char path[64];

		snprintf(path, sizeof(path), "packs/%.32s", folders.rows[i].name);
		rc = store->list(store->context, path, &list, error);
		if (rc == 0) {
			rc = add_known(known, &list);
		}
	}
	return rc;
}

static int compare_known(const void *key, const void *row)
{
	return memcmp(key, &((const struct vrms_pack_list_row *)row)->id, sizeof(struct vrms_id));
}

struct vrms_pack_list_row *vrms_pack_list_find(const struct vrms_pack_list *list,
					       const struct vrms_id *pack)
{
	return list->count == 0
		   ? NULL
		   : bsearch(pack, list->rows, list->count, sizeof(*list->rows), compare_known);
}
