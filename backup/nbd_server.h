/* nbd_server.h - a qemu-nbd of our own on a private socket, gone when we are gone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_NBD_SERVER_H
#define VRMS_BACKUP_NBD_SERVER_H

#include "common/error.h"

struct vrms_nbd_server;

/* Starts argv (NULL-terminated) with "--socket=PATH" added at the end and waits until it
 * listens.  The program must stay in the foreground and serve several clients.  It is
 * killed when this process dies.  The caller owns the result.
 *
 * Returns -ENOENT (no such program), -EIO (it ended; its last words are the text), -ETIMEDOUT.
 */
VRMS_MUST_CHECK int vrms_nbd_server_start(const char *const *argv,
					  struct vrms_nbd_server **ret_server,
					  struct vrms_error *error);

/* Ends it, waits for it, removes the socket.  Accepts NULL. */
void vrms_nbd_server_stop(struct vrms_nbd_server *server);
VRMS_DEFINE_CLEANUP(struct vrms_nbd_server *, vrms_nbd_server_stop);

/* Tries a unix socket: 0 when somebody listens there, -ECONNREFUSED, -ENOENT, another -errno. */
VRMS_MUST_CHECK int vrms_nbd_server_knock(const char *path);

/* "nbd+unix:///?socket=..."; borrowed. */
const char *vrms_nbd_server_uri(const struct vrms_nbd_server *server);

#endif
