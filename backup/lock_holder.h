/* lock_holder.h - who holds a lock, as its file says it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_LOCK_HOLDER_H
#define VRMS_BACKUP_LOCK_HOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "backup/format.h"
#include "backup/lock.h"

struct vrms_lock_holder {
	enum vrms_lock_kind kind;
	char id[VRMS_ID_TEXT_BYTES]; /* random */
	char purpose[80];
	char host[80];
	char machine[160]; /* machine, boot and process namespace: where the process number means
			      something */
	int64_t pid;
	uint64_t start; /* of the process, in ticks since boot */
	uint64_t beat;
};

/* Fills in this process; kind and purpose stay. */
VRMS_MUST_CHECK int vrms_lock_holder_fill(struct vrms_lock_holder *holder,
					  struct vrms_error *error);

/* The caller frees the text; NULL when out of memory. */
char *vrms_lock_holder_print(const struct vrms_lock_holder *holder);

/* Returns -ENOENT or -EBADMSG; ret_holder is then all zero. */
VRMS_MUST_CHECK int vrms_lock_holder_read(const char *path, struct vrms_lock_holder *ret_holder);

/* True when it ran on this host and is certainly gone. */
bool vrms_lock_holder_is_dead(const struct vrms_lock_holder *holder);

#endif
