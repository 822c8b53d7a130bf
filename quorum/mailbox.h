/* mailbox.h - from other threads to the main loop: items of one size, in order, bounded.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_MAILBOX_H
#define VRMS_QUORUM_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"
#include "common/error.h"

struct vrms_mailbox; /* opaque */

/* Room for count_max items, taken from the system as it is used. */
VRMS_MUST_CHECK int vrms_mailbox_new(size_t item_bytes, unsigned count_max,
				     struct vrms_mailbox **ret_mailbox, struct vrms_error *error);
void vrms_mailbox_free(struct vrms_mailbox *mailbox); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_mailbox *, vrms_mailbox_free);

/* Readable while there is something to take. */
int vrms_mailbox_fd(const struct vrms_mailbox *mailbox);

/* Puts a copy of an item, from any thread; a full box loses it and remembers that. */
void vrms_mailbox_put(struct vrms_mailbox *mailbox, const void *item);

/* Takes the oldest item; false: there is none. */
bool vrms_mailbox_take(struct vrms_mailbox *mailbox, void *ret_item);

/* Has an item been lost since the last call? */
bool vrms_mailbox_has_lost(struct vrms_mailbox *mailbox);

#endif
