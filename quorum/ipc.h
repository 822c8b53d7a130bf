/* ipc.h - questions to vrmsd: one JSON object there, one back, over libqb.
 *
 * Who may ask: root and members of the group haclient.  A request has "command" and
 * the command's own members; a reply has "ok", and "error" when that is false.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_IPC_H
#define VRMS_QUORUM_IPC_H

#include <jansson.h>
#include <qb/qbloop.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/cleanup.h"
#include "common/error.h"

#define VRMS_IPC_NAME  "vrmsd"
#define VRMS_IPC_GROUP "haclient"

/* Room for the states of 1024 machines. */
enum { VRMS_IPC_BYTES_MAX = 512 * 1024 };

/* So many ask at once, each with 0.9 MiB of shared memory; one more is refused. */
enum { VRMS_IPC_CLIENTS_MAX = 64 };

/* Answers a request (borrowed) with a new reference; NULL: out of memory. */
typedef json_t *(*vrms_ipc_answer_fn)(void *context, const json_t *request);

struct vrms_ipc_server; /* opaque */

/* Serves as `name` on the process's first libqb loop.  -EADDRINUSE: another daemon does. */
VRMS_MUST_CHECK int vrms_ipc_serve(const char *name, vrms_ipc_answer_fn answer, void *context,
				   struct vrms_ipc_server **ret_server, struct vrms_error *error);
void vrms_ipc_server_free(struct vrms_ipc_server *server); /* accepts NULL */

/* May this user ask?  Reads the user and group data base. */
bool vrms_ipc_is_allowed(uid_t uid, gid_t gid);

/* Asks and waits for at most five seconds.  Takes over `request`.
 *
 * Errors: -ECONNREFUSED: vrmsd does not run, or this user may not ask; -EBUSY: too many ask;
 * -ETIMEDOUT; -EPROTO: what it answered; -EREMOTEIO: the reply's own error, with its text.
 */
VRMS_MUST_CHECK int vrms_ipc_ask(json_t *request, json_t **ret_reply, struct vrms_error *error);

#endif
