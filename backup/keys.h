/* keys.h - the repository's master key, locked by the user's key.
 *
 * Without encryption the master key lies open: it then only seeds the names of
 * the fast hash.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_KEYS_H
#define VRMS_BACKUP_KEYS_H

#include "backup/crypto.h"
#include "backup/repository.h"

/* Replaces keys/master, durably.  secret: NULL stores the key openly. */
VRMS_MUST_CHECK int vrms_keys_write(const struct vrms_store *store, const struct vrms_key *master,
				    const struct vrms_secret *secret, struct vrms_error *error);

/* Returns -EKEYREJECTED when the secret does not open it. */
VRMS_MUST_CHECK int vrms_keys_read(const struct vrms_store *store, const struct vrms_secret *secret,
				   struct vrms_key *ret_master, struct vrms_error *error);

#endif
