/* announce.h - tells vrmsd that load is coming, so that it lengthens the token first.
 *
 * Through the program vrms; a host without vrmsd is left alone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_ANNOUNCE_H
#define VRMS_BACKUP_ANNOUNCE_H

#include "common/cleanup.h"

struct vrms_announce;

/* Announces, waits until the token can be longer, and announces again and again until _end.
 * NULL when nobody listens here. */
struct vrms_announce *vrms_announce_begin(const char *what);
/* The last announcement runs out by itself: others may have made their own.  Accepts NULL. */
void vrms_announce_end(struct vrms_announce *announce);
VRMS_DEFINE_CLEANUP(struct vrms_announce *, vrms_announce_end);

#endif
