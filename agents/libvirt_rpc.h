/* libvirt_rpc.h - ask a local libvirtd for one domain's state, in four messages and without
 * libvirt.so.
 *
 * Loading libvirt's client library costs more than everything else a monitor
 * does.  libvirtd must understand old clients for ever, so the handful of
 * read-only calls below is safe to speak directly.  This client never writes
 * to libvirt's state, and gives up at the first thing it does not expect: the
 * caller then asks through the library.
 *
 * Source: libvirt's src/rpc/virnetprotocol.x and src/remote/remote_protocol.x; XDR is RFC 4506.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_LIBVIRT_RPC_H
#define VRMS_AGENTS_LIBVIRT_RPC_H

#include <stdint.h>

#include "common/clock.h"
#include "common/error.h"

struct vrms_libvirt_question {
	const char *uri;    /* "qemu:///system" */
	const char *domain; /* name; for libvirtd's messages only, the UUID decides */
	const char *uuid;   /* 36 characters with dashes */
};

struct vrms_libvirt_answer {
	int state;  /* virDomainState */
	int reason; /* the state's reason */
};

/* The read-only sockets of a local QEMU driver, in libvirt's own order; NULL-terminated. */
const char *const *vrms_libvirt_sockets(void);

/* Connects to the first socket that exists.
 *
 * Returns a descriptor (non-blocking, close-on-exec) or -errno of connect(2); -ENOENT: no socket.
 */
VRMS_MUST_CHECK int vrms_libvirt_connect(const char *const *sockets, struct vrms_error *error);

/* Asks over a connected stream socket.
 *
 * fd:          non-blocking; the caller closes it.
 * deadline_ms: on `clock`; every wait ends there.
 * ret_answer:  untouched on failure.
 * Returns 0, -ENOMEDIUM (libvirtd says: no such domain), -EACCES (it wants a
 * log-in), -EREMOTEIO (another error of libvirtd's; its text is in `error`),
 * -EBADMSG (not what the protocol says), -ETIMEDOUT, -ECONNRESET (closed).
 */
VRMS_MUST_CHECK int vrms_libvirt_ask(int fd, const struct vrms_libvirt_question *question,
				     const struct vrms_clock *clock, int64_t deadline_ms,
				     struct vrms_libvirt_answer *ret_answer,
				     struct vrms_error *error);

#endif
