/* ear.h - a thread that runs GLib's default main context, in which libvirt's and Pacemaker's client
 * libraries deliver their events.
 *
 * Both libraries know only that one context, so both are heard by one thread; nothing that
 * may wait for a server is done on it after a connection has been made.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_EAR_H
#define VRMS_QUORUM_EAR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

struct vrms_ear; /* opaque */

VRMS_MUST_CHECK int vrms_ear_start(struct vrms_ear **ret_ear, struct vrms_error *error);

/* Ends the thread.  False: it hangs in a library; it stays, and what its callbacks use must, too.
 * Accepts NULL. */
bool vrms_ear_stop(struct vrms_ear *ear, int64_t timeout_ms);

#endif
