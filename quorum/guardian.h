/* guardian.h - a small process that puts the admin's token back when the daemon dies.
 *
 * A daemon that is killed cannot clean up.  Its guardian, forked before anything else, waits for
 * the end of a pipe; when the daemon has not said that all is in order, it
 * climbs back by the ladder (quorum/agree.h), as the other nodes do at the same pace.
 * systemd's ExecStopPost=vrmsd --restore does the same where systemd ends both.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_GUARDIAN_H
#define VRMS_QUORUM_GUARDIAN_H

#include "common/error.h"

/* Forks the guardian.  ret_fd: the daemon's end; keep it open and tell nobody.  Call it while
 * the process has one thread.
 */
VRMS_MUST_CHECK int vrms_guardian_start(int *ret_fd, struct vrms_error *error);

/* Sends the guardian home: the token is as the admin wants it. */
void vrms_guardian_dismiss(int fd);

#endif
