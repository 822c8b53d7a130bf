/* session.h - storing blocks: what one writer adds to a repository.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_SESSION_H
#define VRMS_BACKUP_SESSION_H

#include "backup/repository.h"

struct vrms_session;

struct vrms_session_stats {
	uint64_t new_blocks;
	uint64_t new_raw_bytes;
	uint64_t new_stored_bytes; /* with record headers, without tables */
	uint64_t node_stored_bytes;
	uint64_t known_blocks; /* were there already */
};

/* Removes the unfinished files of writers that died.  Needs the write lock. */
VRMS_MUST_CHECK int vrms_session_clear_leftovers(const struct vrms_store *store,
						 struct vrms_error *error);

/* Starts to store.  The caller holds the repository's write lock, and owns the result.
 *
 * generation: blocks count as known only when this generation has a good copy.
 * Leftovers of killed writers are cleared first.
 */
VRMS_MUST_CHECK int vrms_session_open(struct vrms_repository *repository, uint32_t generation,
				      struct vrms_session **ret_session, struct vrms_error *error);
/* Drops what was not flushed.  Accepts NULL. */
void vrms_session_close(struct vrms_session *session);
VRMS_DEFINE_CLEANUP(struct vrms_session *, vrms_session_close);

/* Is a good copy stored already?  Thread-safe.  Returns 1, 0 or -errno. */
VRMS_MUST_CHECK int vrms_session_has(struct vrms_session *session, const struct vrms_name *name);

/* Stores a block unless it is known.  By one thread only. */
VRMS_MUST_CHECK int vrms_session_put(struct vrms_session *session, enum vrms_pack_kind kind,
				     const struct vrms_block *block, struct vrms_error *error);

/* Names, compresses and stores raw bytes: for small things. */
VRMS_MUST_CHECK int vrms_session_put_raw(struct vrms_session *session, enum vrms_pack_kind kind,
					 const void *data, uint32_t size,
					 struct vrms_name *ret_name, struct vrms_error *error);

/* Stores raw bytes though other packs may have them: to bring them elsewhere. */
VRMS_MUST_CHECK int vrms_session_put_again(struct vrms_session *session, enum vrms_pack_kind kind,
					   const void *data, uint32_t size,
					   struct vrms_error *error);

/* Makes all of it durable and findable. */
VRMS_MUST_CHECK int vrms_session_flush(struct vrms_session *session, struct vrms_error *error);

uint32_t vrms_session_generation(const struct vrms_session *session);
struct vrms_repository *vrms_session_repository(struct vrms_session *session);
struct vrms_session_stats vrms_session_stats(const struct vrms_session *session);

#endif
