/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/twin.h"

#include <errno.h>
#include <stdio.h>

enum { PATH_BYTES = 64 };

static void copy_path(const char *path, char ret_path[PATH_BYTES])
{
	snprintf(ret_path, PATH_BYTES, "%s.copy", path);
}

int vrms_twin_write(const struct vrms_store *store, const char *path, const json_t *value,
		    struct vrms_error *error)
{
	char copy[PATH_BYTES];
	int rc;

	copy_path(path, copy);
	rc = vrms_document_write(store, copy, NULL, value, error);
	return rc < 0 ? rc : vrms_document_write(store, path, NULL, value, error);
}

int vrms_twin_read(const struct vrms_store *store, const char *path, json_t **ret_value,
		   struct vrms_error *error)
{
	char copy[PATH_BYTES];
	int rc = vrms_document_read(store, path, NULL, ret_value, error);

	copy_path(path, copy);
	if (vrms_store_is_damage(rc) &&
	    vrms_document_read(store, copy, NULL, ret_value, NULL) == 0) {
		vrms_error_clear(error);
		rc = 0;
	}
	return rc;
}

/* 0 and the values, or why one of them is no good. */
struct pair {
	json_t *value, *copy;
	int rc, copy_rc;
};

static void pair_done(struct pair *pair)
{
	json_decref(pair->value);
	json_decref(pair->copy);
}

static void read_pair(const struct vrms_store *store, const char *path, struct pair *ret_pair)
{
	char copy[PATH_BYTES];

	copy_path(path, copy);
	ret_pair->rc = vrms_document_read(store, path, NULL, &ret_pair->value, NULL);
	ret_pair->copy_rc = vrms_document_read(store, copy, NULL, &ret_pair->copy, NULL);
}

bool vrms_twin_is_damaged(const struct vrms_store *store, const char *path)
{
	struct pair pair VRMS_CLEANUP(pair_done) = {0};

	read_pair(store, path, &pair);
	return vrms_store_is_damage(pair.rc) || vrms_store_is_damage(pair.copy_rc) ||
	       (pair.rc == 0 && pair.copy_rc == 0 && json_equal(pair.value, pair.copy) == 0);
}

int vrms_twin_mend(const struct vrms_store *store, const char *path, struct vrms_error *error)
{
	struct pair pair VRMS_CLEANUP(pair_done) = {0};
	char copy[PATH_BYTES];

	read_pair(store, path, &pair);
	copy_path(path, copy);
	if (pair.rc == 0 && (pair.copy_rc != 0 || json_equal(pair.value, pair.copy) == 0)) {
		return vrms_document_write(store, copy, NULL, pair.value, error);
	}
	return vrms_store_is_damage(pair.rc) && pair.copy_rc == 0
		   ? vrms_document_write(store, path, NULL, pair.copy, error)
		   : 0;
}
