/* drbd_told.h - which promotion score Pacemaker was told last, so that it is not told the same at
 * every monitor.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_DRBD_TOLD_H
#define VRMS_AGENTS_DRBD_TOLD_H

#include <stdbool.h>

#include "common/error.h"

/* True when it was told this score within the last five minutes: it may forget, too. */
bool vrms_drbd_was_told(const char *instance, int score);

/* Remembers it; a negative score forgets.  The file is in HA_RSCTMP.  -errno of writing. */
int vrms_drbd_remember_told(const char *instance, int score, struct vrms_error *error);

#endif
