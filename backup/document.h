/* document.h - small JSON files of a repository, checked and, when it is encrypted, sealed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_DOCUMENT_H
#define VRMS_BACKUP_DOCUMENT_H

#include <jansson.h>

#include "backup/crypto.h"
#include "backup/store.h"

enum { VRMS_DOCUMENT_BYTES_MAX = 16 << 20 };

/* Replaces a document, durably.  master: NULL for one that stays readable. */
VRMS_MUST_CHECK int vrms_document_write(const struct vrms_store *store, const char *path,
					const struct vrms_key *master, const json_t *value,
					struct vrms_error *error);

/* Reads one; the caller owns *ret_value.
 *
 * Returns 0, -ENOENT, -EBADMSG (damaged, wrong key), -ENOKEY (sealed and no
 * master) or -EPROTONOSUPPORT (another version).
 */
VRMS_MUST_CHECK int vrms_document_read(const struct vrms_store *store, const char *path,
				       const struct vrms_key *master, json_t **ret_value,
				       struct vrms_error *error);

#endif
