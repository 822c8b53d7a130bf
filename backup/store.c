/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "backup/crypto.h"
#include "backup/format.h"

void vrms_store_list_done(struct vrms_store_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->rows[i].name);
	}
	free(list->rows);
	memset(list, 0, sizeof(*list));
}

int vrms_store_list_add(struct vrms_store_list *list, const char *name, uint64_t bytes)
{
	bool is_full = (list->count & (list->count - 1)) == 0; /* grows at powers of two */
	char *copy VRMS_CLEANUP(vrms_freep) = strdup(name);

	if (copy == NULL) {
		return -ENOMEM;
	}
	if (is_full) {
		size_t capacity = list->count == 0 ? 1 : list->count * 2;
		struct vrms_store_row *rows = realloc(list->rows, capacity * sizeof(*rows));

		if (rows == NULL) {
			return -ENOMEM;
		}
		list->rows = rows;
	}
	list->rows[list->count].name = VRMS_TAKE(copy);
	list->rows[list->count++].bytes = bytes;
	return 0;
}

static int compare_rows(const void *a, const void *b)
{
	return strcmp(((const struct vrms_store_row *)a)->name,
		      ((const struct vrms_store_row *)b)->name);
}

void vrms_store_list_sort(struct vrms_store_list *list)
{
	if (list->count > 0) {
		qsort(list->rows, list->count, sizeof(*list->rows), compare_rows);
	}
}

static int write_and_sync(const struct vrms_store *store, const char *path, const void *data,
			  size_t size, struct vrms_error *error)
{
	void *file;
	int rc = store->create(store->context, path, &file, error);

	if (rc < 0) {
		return rc;
	}
	rc = store->write(file, data, size, 0);
	if (rc == 0) {
		rc = store->sync(file, size);
	}
	store->close(file);
	return rc < 0 ? vrms_error_errno(error, rc, "%s", path) : 0;
}

int vrms_store_put(const struct vrms_store *store, const char *path, const void *data, size_t size,
		   struct vrms_error *error)
{
	char temporary[sizeof("tmp/") + VRMS_ID_TEXT_BYTES];
	char text[VRMS_ID_TEXT_BYTES];
	struct vrms_id id;
	int rc = vrms_random_fill(&id, sizeof(id), error);

	if (rc < 0) {
		return rc;
	}
	vrms_id_print(&id, text);
	snprintf(temporary, sizeof(temporary), "tmp/%s", text);
	rc = write_and_sync(store, temporary, data, size, error);
	if (rc == 0) {
		rc = store->publish(store->context, temporary, path, error);
	}
	if (rc < 0) {
		/* The first failure is the one to tell; a leftover in tmp/ harms nobody. */
		if (store->remove(store->context, temporary, NULL) < 0) {
			return rc;
		}
	}
	return rc;
}

int vrms_store_get(const struct vrms_store *store, const char *path, size_t size_max,
		   uint8_t **ret_data, size_t *ret_size)
{
	uint8_t *data VRMS_CLEANUP(vrms_freep) = NULL;
	uint64_t bytes;
	void *file;
	int rc = store->open(store->context, path, &file, &bytes, NULL);

	if (rc < 0) {
		return rc;
	}
	if (bytes > size_max) {
		rc = -EFBIG;
	} else {
		data = malloc(bytes + 1);
		rc = data == NULL ? -ENOMEM : store->read(file, data, bytes, 0);
	}
	store->close(file);
	if (rc == 0) {
		*ret_size = bytes;
		*ret_data = VRMS_TAKE(data);
	}
	return rc;
}
