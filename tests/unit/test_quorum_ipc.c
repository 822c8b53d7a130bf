/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/ipc.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <qb/qbipcc.h>
#include <qb/qbloop.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quorum/daemon.h"
#include "tests/unit/unit.h"

START_TEST(only_root_and_the_group_may_ask)
{
	const struct group *group = getgrnam(VRMS_IPC_GROUP);
	const struct passwd *member = getpwnam("hacluster");

	ck_assert(vrms_ipc_is_allowed(0, 12345));
	ck_assert(!vrms_ipc_is_allowed(65534, 65534));
	if (group == NULL || member == NULL) {
		unit_skip("no user hacluster or group " VRMS_IPC_GROUP " here");
		return;
	}
	ck_assert(vrms_ipc_is_allowed(65534, group->gr_gid));
	ck_assert(vrms_ipc_is_allowed(member->pw_uid, 65534)); /* by the group data base */
}
END_TEST

static json_t *answer_nothing(void *context, const json_t *request)
{
	(void)context;
	(void)request;
	return json_pack("{s:b}", "ok", 1);
}

static int32_t end_loop(int32_t number, void *loop)
{
	(void)number;
	qb_loop_stop(loop);
	return 0;
}

static pid_t serve_as(const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct vrms_ipc_server *server = NULL;
		qb_loop_t *loop = qb_loop_create();

		qb_loop_signal_handle handle;

		alarm(60);
		if (qb_loop_signal_add(loop, QB_LOOP_HIGH, SIGUSR1, loop, end_loop, &handle) == 0 &&
		    vrms_ipc_serve(name, answer_nothing, NULL, &server, NULL) == 0) {
			qb_loop_run(loop);
			vrms_ipc_server_free(server);
			_exit(0);
		}
		_exit(1);
	}
	return pid;
}

/* For up to five seconds: the server starts, or takes leave of a client. */
static qb_ipcc_connection_t *connect_soon(const char *name)
{
	qb_ipcc_connection_t *connection = NULL;

	for (int i = 0; i < 100 && connection == NULL; i++) {
		connection = qb_ipcc_connect(name, VRMS_IPC_BYTES_MAX);
		if (connection == NULL) {
			usleep(50000);
		}
	}
	return connection;
}

START_TEST(one_client_too_many_is_refused_until_another_leaves)
{
	qb_ipcc_connection_t *connections[VRMS_IPC_CLIENTS_MAX];
	char name[64];

	if (getuid() != 0) {
		unit_skip("needs root: nobody but root and the group may ask");
		return;
	}
	snprintf(name, sizeof(name), "vrms-test-%d", (int)getpid());
	pid_t server = serve_as(name);

	for (int i = 0; i < VRMS_IPC_CLIENTS_MAX; i++) {
		connections[i] = connect_soon(name);
		ck_assert_msg(connections[i] != NULL, "client %d", i);
	}
	ck_assert(qb_ipcc_connect(name, VRMS_IPC_BYTES_MAX) == NULL);
	ck_assert_int_eq(errno, EBUSY);
	qb_ipcc_disconnect(connections[7]);
	connections[7] = connect_soon(name);
	ck_assert(connections[7] != NULL);
	for (int i = 0; i < VRMS_IPC_CLIENTS_MAX; i++) {
		qb_ipcc_disconnect(connections[i]);
	}
	int status = 1;

	kill(server, SIGUSR1);
	ck_assert_int_eq(waitpid(server, &status, 0), server);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* json_pack()'s arguments follow. */
#define ASK(daemon, ...) ask(daemon, json_pack(__VA_ARGS__))

static json_t *ask(struct vrms_daemon *daemon, json_t *request)
{
	ck_assert_ptr_nonnull(request);
	json_t *reply = vrms_daemon_answer(daemon, request);

	ck_assert_ptr_nonnull(reply);
	json_decref(request);
	return reply;
}

static bool is_ok(json_t *reply)
{
	bool ok = json_is_true(json_object_get(reply, "ok"));

	ck_assert(ok || json_string_length(json_object_get(reply, "error")) > 0);
	json_decref(reply);
	return ok;
}

START_TEST(a_request_that_is_not_whole_changes_nothing)
{
	struct vrms_daemon vrmsd = {.is_tuning = true};

	ck_assert(!is_ok(ASK(&vrmsd, "[]")));
	ck_assert(!is_ok(ASK(&vrmsd, "{s:s}", "command", "stop")));
	ck_assert(!is_ok(ASK(&vrmsd, "{s:s, s:s}", "command", "tune", "on", "no")));
	ck_assert(vrmsd.is_tuning);
	/* A time of 0 would end the load that others have announced. */
	ck_assert(!is_ok(ASK(&vrmsd, "{s:s, s:s}", "command", "announce", "what", "backup")));
	ck_assert(!is_ok(ASK(&vrmsd, "{s:s, s:s, s:s}", "command", "announce", "what", "backup",
			     "for_ms", "10s")));
	ck_assert(!is_ok(ASK(&vrmsd, "{s:s, s:i}", "command", "announce", "for_ms", 1000)));
	ck_assert(is_ok(
	    ASK(&vrmsd, "{s:s, s:s, s:i}", "command", "announce", "what", "backup", "for_ms", 0)));
}
END_TEST

/* Corosync's node ids have 32 bits, and those made of an address use them all. */
START_TEST(a_large_node_id_is_told_as_it_is)
{
	struct vrms_daemon vrmsd = {.beater = (struct vrms_beater *)&vrmsd};

	vrmsd.beats.rows[0].node_id = 3232235777U;
	json_t *status = ASK(&vrmsd, "{s:s}", "command", "status");
	const json_t *slots = json_object_get(json_object_get(status, "beats"), "slots");

	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(slots, 0), "id")),
			 3232235777);
	json_decref(status);
}
END_TEST

UNIT_MAIN("quorum_ipc", only_root_and_the_group_may_ask,
	  one_client_too_many_is_refused_until_another_leaves,
	  a_request_that_is_not_whole_changes_nothing, a_large_node_id_is_told_as_it_is)
