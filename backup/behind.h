/* behind.h - one call at a time in a thread of its own, while the caller goes on.
 *
 * For the disk to write while the next bytes are made.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_BEHIND_H
#define VRMS_BACKUP_BEHIND_H

#include "common/error.h"

struct vrms_behind; /* of one caller */

typedef int (*vrms_behind_call)(void *context, struct vrms_error *error);

/* The caller owns the result; NULL: out of memory.  No thread before the first call. */
struct vrms_behind *vrms_behind_new(void);
/* Waits for the call that runs.  Accepts NULL. */
void vrms_behind_free(struct vrms_behind *behind);

/* Begins a call, once the last one has ended.  Without a thread it is made here and now.
 * Returns 0 (begun), or the first failure of a call before: then and from then on none is made. */
VRMS_MUST_CHECK int vrms_behind_start(struct vrms_behind *behind, vrms_behind_call call,
				      void *context, struct vrms_error *error);

/* Waits for the last call's end.  Returns the first failure of any call. */
VRMS_MUST_CHECK int vrms_behind_wait(struct vrms_behind *behind, struct vrms_error *error);

/* Forgets a failure, for something new; nothing may be running. */
void vrms_behind_reset(struct vrms_behind *behind);

#endif
