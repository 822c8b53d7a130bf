/* lock.h - one writer, many readers; the locks of dead programs are recognised.
 *
 * A lock is a file in locks/ that says who holds it and a count that its holder
 * raises every few seconds.  On the same host the process is looked up; of
 * another host a lock is stale when the count has stood still for
 * VRMS_LOCK_LEASE_MS on the observer's own clock: no two clocks are compared.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_LOCK_H
#define VRMS_BACKUP_LOCK_H

#include <stdint.h>

#include "common/error.h"

enum { VRMS_LOCK_LEASE_MS = 30000 };

enum vrms_lock_kind {
	VRMS_LOCK_READER,    /* nothing may be removed meanwhile */
	VRMS_LOCK_WRITER,    /* adds; readers go on */
	VRMS_LOCK_EXCLUSIVE, /* removes: no reader, no other writer */
};

struct vrms_lock;

/* Takes a lock of the repository at `root`, waiting up to wait_ms for others.
 *
 * purpose: what the others are told, such as "backup of vm1".
 * Returns 0, -EBUSY (held, the text says by whom), -EROFS for a reader of a
 * read-only repository is success: nobody can remove anything there.
 */
VRMS_MUST_CHECK int vrms_lock_take(const char *root, enum vrms_lock_kind kind, const char *purpose,
				   int64_t wait_ms, struct vrms_lock **ret_lock,
				   struct vrms_error *error);

/* 0 while it is still ours; -ESTALE when another one took it for dead. */
VRMS_MUST_CHECK int vrms_lock_check(const struct vrms_lock *lock, struct vrms_error *error);

void vrms_lock_release(struct vrms_lock *lock); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_lock *, vrms_lock_release);

/* Removes all locks, because the caller knows that their holders are dead (fenced).
 * Returns how many, or -errno. */
VRMS_MUST_CHECK int vrms_lock_break_all(const char *root, struct vrms_error *error);

#endif
