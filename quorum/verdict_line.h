/* verdict_line.h - from fence_vrms_verdict to this node's vrmsd: what it sees and decides, for the
 * flight recorder.
 *
 * A socket of datagrams, one JSON object each.  Who sends never waits: a daemon that is not there,
 * or does not listen, goes without.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_VERDICT_LINE_H
#define VRMS_QUORUM_VERDICT_LINE_H

#include <jansson.h>

#include "common/cleanup.h"
#include "common/error.h"

/* In a folder of root's. */
#define VRMS_VERDICT_LINE_PATH "/run/vrms/verdict"

enum { VRMS_VERDICT_LINE_BYTES_MAX = 2048 };

/* The agent's end.  -ENOENT, -ECONNREFUSED: nobody listens; -errno. */
VRMS_MUST_CHECK int vrms_verdict_line_open(const char *path, int *ret_fd);

/* Sends at once or not at all; takes over `object`.  -EAGAIN: nobody takes them; -EMSGSIZE;
 * -ENOMEM; -errno. */
int vrms_verdict_line_send(int fd, json_t *object);

/* The daemon's end: a new socket for root only, in place of what a dead daemon left there. */
VRMS_MUST_CHECK int vrms_verdict_line_listen(const char *path, int *ret_fd,
					     struct vrms_error *error);

/* Takes one object.  -EAGAIN: none waits; -EBADMSG: that was none; -errno. */
VRMS_MUST_CHECK int vrms_verdict_line_receive(int fd, json_t **ret_object);

#endif
