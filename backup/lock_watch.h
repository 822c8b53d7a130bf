/* lock_watch.h - what a waiting program has seen of other programs' locks.
 *
 * Pure: the caller says what time it is, on its own clock; clocks of two hosts
 * are never compared.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_LOCK_WATCH_H
#define VRMS_BACKUP_LOCK_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VRMS_LOCK_WATCHED_MAX = 64 };

struct vrms_lock_watched {
	char name[64];
	uint64_t beat;
	int64_t since_ms; /* this beat was first seen */
};

struct vrms_lock_watch {
	struct vrms_lock_watched rows[VRMS_LOCK_WATCHED_MAX];
	size_t count;
};

/* Notes a lock's beat.  True when it has been the same for lease_ms.  A lock that finds no
 * room is taken for alive. */
bool vrms_lock_watch_stood_still(struct vrms_lock_watch *watch, const char *name, uint64_t beat,
				 int64_t now_ms, int64_t lease_ms);

#endif
