/* twin.h - documents without which nothing of a repository can be read, kept twice.
 *
 * PATH and PATH.copy hold the same; the second stands in when the first is damaged.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_TWIN_H
#define VRMS_BACKUP_TWIN_H

#include "backup/document.h"

#define VRMS_REPOSITORY_PATH "repository"
#define VRMS_KEYS_PATH       "keys/master"

/* Replaces both, durably; PATH last.  They are not encrypted. */
VRMS_MUST_CHECK int vrms_twin_write(const struct vrms_store *store, const char *path,
				    const json_t *value, struct vrms_error *error);

/* Reads one of them, as vrms_document_read() does.  Without PATH there is none: -ENOENT. */
VRMS_MUST_CHECK int vrms_twin_read(const struct vrms_store *store, const char *path,
				   json_t **ret_value, struct vrms_error *error);

/* Whether one of them is damaged, or differs; a copy that was never made is not. */
bool vrms_twin_is_damaged(const struct vrms_store *store, const char *path);

/* Makes them alike again: after PATH when it is good, else after the copy. */
VRMS_MUST_CHECK int vrms_twin_mend(const struct vrms_store *store, const char *path,
				   struct vrms_error *error);

#endif
