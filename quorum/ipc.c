/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/ipc.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <qb/qbipcs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

enum { MESSAGE_ID = QB_IPC_MSG_USER_START + 1, GROUPS_MAX = 256, NAMES_BYTES = 16384 };

struct vrms_ipc_server {
	qb_ipcs_service_t *service;
	vrms_ipc_answer_fn answer;
	void *context;
};

static bool find_group(gid_t *ret_gid)
{
	char names[NAMES_BYTES];
	struct group group, *found = NULL;

	if (getgrnam_r(VRMS_IPC_GROUP, &group, names, sizeof(names), &found) != 0 ||
	    found == NULL) {
		return false;
	}
	*ret_gid = group.gr_gid;
	return true;
}

bool vrms_ipc_is_allowed(uid_t uid, gid_t gid)
{
	char names[NAMES_BYTES];
	struct passwd user, *found = NULL;
	gid_t wanted, groups[GROUPS_MAX];
	int count = GROUPS_MAX;

	if (uid == 0) {
		return true;
	}
	if (!find_group(&wanted)) {
		return false;
	}
	if (gid == wanted) {
		return true;
	}
	if (getpwuid_r(uid, &user, names, sizeof(names), &found) != 0 || found == NULL ||
	    getgrouplist(user.pw_name, user.pw_gid, groups, &count) < 0) {
		return false;
	}
	for (int i = 0; i < count; i++) {
		if (groups[i] == wanted) {
			return true;
		}
	}
	return false;
}

/* A client that does not go away (a hung script, a thousand of them) must not use up the memory of
 * a daemon that is locked into it. */
static bool is_full(qb_ipcs_connection_t *connection)
{
	const struct vrms_ipc_server *server = qb_ipcs_connection_service_context_get(connection);
	struct qb_ipcs_stats stats;

	qb_ipcs_stats_get(server->service, &stats, false);
	return stats.active_connections >= VRMS_IPC_CLIENTS_MAX;
}

static int32_t on_accept(qb_ipcs_connection_t *connection, uid_t uid, gid_t gid)
{
	gid_t group;

	if (!vrms_ipc_is_allowed(uid, gid)) {
		return -EACCES;
	}
	if (is_full(connection)) {
		return -EBUSY;
	}
	if (find_group(&group)) {
		qb_ipcs_connection_auth_set(connection, 0, group, 0660);
	}
	return 0;
}

static void send_text(qb_ipcs_connection_t *connection, const char *text)
{
	struct qb_ipc_response_header header = {
	    .id = MESSAGE_ID,
	    .size = (int32_t)(sizeof(header) + strlen(text) + 1),
	};
	struct iovec pieces[] = {
	    {.iov_base = &header, .iov_len = sizeof(header)},
	    {.iov_base = (char *)text, .iov_len = strlen(text) + 1},
	};

	/* Who does not take his answer goes without it. */
	(void)!qb_ipcs_response_sendv(connection, pieces, VRMS_COUNT_OF(pieces));
}

static int32_t on_message(qb_ipcs_connection_t *connection, void *data, size_t size)
{
	struct vrms_ipc_server *server = qb_ipcs_connection_service_context_get(connection);
	const struct qb_ipc_request_header *header = data;

	if (size <= sizeof(*header) || header->id != MESSAGE_ID) {
		return -EBADMSG;
	}
	json_t *request =
	    json_loadb((const char *)(header + 1), size - sizeof(*header) - 1, 0, NULL);
	json_t *reply = request == NULL ? json_pack("{s:b, s:s}", "ok", 0, "error",
						    "the request is no JSON object")
					: server->answer(server->context, request);
	char *text VRMS_CLEANUP(vrms_freep) =
	    reply == NULL ? NULL : json_dumps(reply, JSON_COMPACT);

	json_decref(request);
	json_decref(reply);
	if (text == NULL || strlen(text) >= VRMS_IPC_BYTES_MAX) {
		send_text(connection, "{\"ok\":false,\"error\":\"out of memory\"}");
	} else {
		send_text(connection, text);
	}
	return 0;
}

static int32_t add_fd(enum qb_loop_priority priority, int32_t fd, int32_t events, void *data,
		      qb_ipcs_dispatch_fn_t function)
{
	return qb_loop_poll_add(NULL, priority, fd, events, data, function);
}

static int32_t change_fd(enum qb_loop_priority priority, int32_t fd, int32_t events, void *data,
			 qb_ipcs_dispatch_fn_t function)
{
	return qb_loop_poll_mod(NULL, priority, fd, events, data, function);
}

static int32_t remove_fd(int32_t fd)
{
	return qb_loop_poll_del(NULL, fd);
}

static int32_t add_job(enum qb_loop_priority priority, void *data, qb_loop_job_dispatch_fn function)
{
	return qb_loop_job_add(NULL, priority, data, function);
}

int vrms_ipc_serve(const char *name, vrms_ipc_answer_fn answer, void *context,
		   struct vrms_ipc_server **ret_server, struct vrms_error *error)
{
	struct qb_ipcs_service_handlers handlers = {.connection_accept = on_accept,
						    .msg_process = on_message};
	struct qb_ipcs_poll_handlers poll_handlers = {
	    .job_add = add_job,
	    .dispatch_add = add_fd,
	    .dispatch_mod = change_fd,
	    .dispatch_del = remove_fd,
	};
	struct vrms_ipc_server *server = calloc(1, sizeof(*server));

	if (server == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	server->answer = answer;
	server->context = context;
	server->service = qb_ipcs_create(name, 0, QB_IPC_SHM, &handlers);
	if (server->service == NULL) {
		free(server);
		return vrms_error_set(error, -ENOMEM, "ipc: out of memory");
	}
	qb_ipcs_service_context_set(server->service, server);
	qb_ipcs_poll_handlers_set(server->service, &poll_handlers);
	qb_ipcs_enforce_buffer_size(server->service, VRMS_IPC_BYTES_MAX + 64);
	int rc = qb_ipcs_run(server->service);

	if (rc < 0) {
		free(server); /* libqb has freed its part */
		return vrms_error_errno(error, rc, "ipc \"%s\"", name);
	}
	*ret_server = server;
	return 0;
}

void vrms_ipc_server_free(struct vrms_ipc_server *server)
{
	if (server != NULL) {
		qb_ipcs_destroy(server->service);
		free(server);
	}
}
