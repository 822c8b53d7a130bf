/* serve.h - nbdkit with our plugin: a point's disks as NBD exports on a unix socket.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_SERVE_H
#define VRMS_BACKUP_SERVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"

enum { VRMS_SERVE_SOCKET_BYTES = 108 }; /* as in sockaddr_un */

struct vrms_serve {
	const char *repository;
	const char *key_file, *key_command; /* NULL: none */
	const char *vm;
	uint64_t sequence;
	const char *disk;   /* NULL: all, each under its name */
	const char *socket; /* at most VRMS_SERVE_SOCKET_BYTES - 1 long */
	bool is_writable;   /* what is written is gone at the end; one disk only */
	bool outlives;      /* this process; else a server that was started ends with it */
};

/* Where the socket is unless one is wanted elsewhere. ret_socket: VRMS_SERVE_SOCKET_BYTES. */
VRMS_MUST_CHECK int vrms_serve_socket(const char *vm, uint64_t sequence, char *ret_socket,
				      struct vrms_error *error);

/* Removes the socket of a server that was killed.
 * Returns -ENAMETOOLONG, or -EADDRINUSE: somebody listens there. */
VRMS_MUST_CHECK int vrms_serve_clear(const char *path, struct vrms_error *error);

/* Becomes the server; returns only when that fails.  -EADDRINUSE: somebody listens there. */
int vrms_serve_exec(const struct vrms_serve *serve, struct vrms_error *error);

/* Starts a server that ends when its last client has gone, or none comes within a minute.
 * Returns when it serves.  What goes wrong later is in SOCKET.log, which stays. */
VRMS_MUST_CHECK int vrms_serve_start(const struct vrms_serve *serve, pid_t *ret_pid,
				     struct vrms_error *error);

/* Ends a server of this process and removes its socket. */
void vrms_serve_stop(const struct vrms_serve *serve, pid_t pid);

#endif
