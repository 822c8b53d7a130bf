/* verify_state.h - the documents "verified" (packs that were read and good) and "damaged".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_VERIFY_STATE_H
#define VRMS_BACKUP_VERIFY_STATE_H

#include "backup/repository.h"

struct vrms_verified_packs {
	struct vrms_id *rows; /* sorted */
	size_t count;
};

void vrms_verified_packs_done(struct vrms_verified_packs *packs);
bool vrms_verified_packs_have(const struct vrms_verified_packs *packs, const struct vrms_id *pack);

/* A repository that was never verified has none. */
VRMS_MUST_CHECK int vrms_verified_packs_read(struct vrms_repository *repository,
					     struct vrms_verified_packs *ret_packs,
					     struct vrms_error *error);

#endif
