/* live_guard.h - a process that puts a VM right when the backup of it dies.
 *
 * Even after kill -9: it reads a pipe that only the backup holds open; when that ends without a
 * good-bye, it thaws the guest, ends the job, and removes the new checkpoint and the files.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_LIVE_GUARD_H
#define VRMS_BACKUP_LIVE_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

struct vrms_live_guard;

struct vrms_live_guard_job {
	const char *uri; /* NULL: libvirt's default */
	const char *vm;
	const char *checkpoint;
	const char *folder; /* holds the socket */
	const char *const *scratches;
	size_t scratch_count;
};

/* Starts it, as a run of our own program. */
VRMS_MUST_CHECK int vrms_live_guard_start(const struct vrms_live_guard_job *job,
					  struct vrms_live_guard **ret_guard,
					  struct vrms_error *error);
/* The backup has ended.  is_right: the guard need do nothing; otherwise it tries for half a
 * minute, while we go on.  Accepts NULL. */
void vrms_live_guard_end(struct vrms_live_guard *guard, bool is_right);
/* All is right but that the guest may be frozen, or may freeze late: the agent did not answer.
 * The guard goes on asking it to thaw, while we go on.  Accepts NULL. */
void vrms_live_guard_end_thawing(struct vrms_live_guard *guard);

/* What the guard's process runs; standard input is the pipe.
 * arguments: as start gave them, at least VRMS_LIVE_GUARD_ARGUMENTS. */
VRMS_MUST_CHECK int vrms_live_guard_run(char **arguments, int count, struct vrms_error *error);
enum { VRMS_LIVE_GUARD_ARGUMENTS = 4 };

/* Removes a job's files: the socket's folder and the scratch files. */
void vrms_live_guard_clear(const char *folder, const char *const *scratches, size_t count);
/* Removes older scratch files of the same VM and disk in the same folder.  A host that lost its
 * power leaves them on storage that it shares.  Those that a QEMU holds belong to a backup that
 * runs, into another repository. */
void vrms_live_guard_clear_old(const char *scratch);

#endif
