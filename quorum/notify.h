/* notify.h - tells systemd that the daemon is ready, alive, or stopping.
 *
 * The protocol of sd_notify(3): lines of text in a datagram to the socket that
 * NOTIFY_SOCKET names.  Without that variable nothing happens.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_NOTIFY_H
#define VRMS_QUORUM_NOTIFY_H

#include <stdint.h>

/* state: "READY=1", "WATCHDOG=1", "STOPPING=1", "STATUS=..." */
void vrms_notify(const char *state);

/* How often systemd wants to hear WATCHDOG=1, in ms: half of WATCHDOG_USEC; 0: not at all. */
int64_t vrms_notify_watchdog_ms(void);

#endif
