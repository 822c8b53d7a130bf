/* scratch_watch.h - gives a running backup up before its scratch files fill their file system:
 * QEMU pauses the guest when one cannot grow.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_SCRATCH_WATCH_H
#define VRMS_BACKUP_SCRATCH_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "backup/live.h"

struct vrms_scratch_watch;

/* Looks every half second at the space around the paths; ends the job of `live` when less is left
 * than 256 MiB, or a twentieth of a smaller file system.  paths: must outlive the watch. */
VRMS_MUST_CHECK int vrms_scratch_watch_start(struct vrms_live *live, const char *const *paths,
					     size_t count, struct vrms_scratch_watch **ret_watch,
					     struct vrms_error *error);

/* True when it had to end the job.  Accepts NULL. */
bool vrms_scratch_watch_stop(struct vrms_scratch_watch *watch);

#endif
