/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/beater.h"
#include "quorum/journal.h"
#include "quorum/message.h"
#include "quorum/san.h"
#include "quorum/seen.h"
#include "quorum/ipc.h"
#include "quorum/ringwatch.h"
#include "quorum/settings.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <qb/qbipcc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "tests/unit/unit.h"

static char path[128];

static const char *new_path(const char *name)
{
	snprintf(path, sizeof(path), "test_quorum_daemon.%d.%s", (int)getpid(), name);
	unlink(path);
	return path;
}

/* The message survives encoding, and what is not one is refused. */
START_TEST(a_message_survives_the_round_trip)
{
	struct vrms_message message = {.kind = VRMS_MESSAGE_REPORT,
				       .reason = VRMS_REASON_TUNER_FLOOR,
				       .values = {200, 3650, -1, INT64_MAX, 5}};
	uint8_t bytes[VRMS_MESSAGE_BYTES];
	struct vrms_message got;

	vrms_message_encode(&message, bytes);
	ck_assert_int_eq(vrms_message_decode(bytes, sizeof(bytes), &got), 0);
	ck_assert_mem_eq(got.values, message.values, sizeof(got.values));
	ck_assert_int_eq(got.kind, message.kind);
	ck_assert_int_eq(got.reason, message.reason);
	ck_assert_int_eq(vrms_message_decode(bytes, sizeof(bytes) - 1, &got), -EBADMSG);
	bytes[4] = 77; /* a kind from the future */
	ck_assert_int_eq(vrms_message_decode(bytes, sizeof(bytes), &got), -EBADMSG);
	bytes[4] = 1;
	bytes[7] = 77; /* a reason from the future */
	ck_assert_int_eq(vrms_message_decode(bytes, sizeof(bytes), &got), 0);
	ck_assert_int_eq(got.reason, VRMS_REASON_NONE);
}
END_TEST

static int load(const char *text, struct vrms_settings *settings, struct vrms_error *error)
{
	ck_assert_int_eq(vrms_file_write(new_path("conf"), text, strlen(text), 0600, NULL), 0);
	int rc = vrms_settings_load(path, settings, error);

	unlink(path);
	return rc;
}

START_TEST(settings_have_defaults_and_take_values)
{
	struct vrms_settings settings;
	struct vrms_error error = {""};

	ck_assert_msg(load("# nothing\n\n tuning = off \nbeat_device=/dev/x\nwarmup = 5min",
			   &settings, &error) == 0,
		      "%s", error.text);
	ck_assert(!settings.tuning);
	ck_assert_str_eq(settings.beat_device, "/dev/x");
	ck_assert_int_eq(settings.warmup_ms, 300000);
	ck_assert_int_eq(settings.token_floor_ms, 200);
	ck_assert_int_eq(settings.false_loss_every_ms, 87660LL * 3600000);
	vrms_settings_done(&settings);
}
END_TEST

START_TEST(what_is_wrong_in_the_settings_is_named_with_its_line)
{
	struct vrms_settings settings;
	struct vrms_error error = {""};

	ck_assert_int_eq(load("tuning = on\ntoken = 300\n", &settings, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.text, "line 2: no such setting: \"token\""));
	ck_assert_int_eq(load("tuning = on\ntuning = off\n", &settings, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.text, "twice"));
	ck_assert_int_eq(load("tuning\n", &settings, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.text, "name = value"));
	ck_assert_int_eq(load("beat_interval = 1ms\n", &settings, &error), -ERANGE);
	ck_assert_ptr_nonnull(strstr(error.text, "beat_interval"));
	ck_assert_int_eq(vrms_settings_load("/nonexistent.conf", &settings, &error), -ENOENT);
}
END_TEST

START_TEST(a_journal_line_is_json_with_its_frame)
{
	struct vrms_journal_config config = {.path = new_path("jsonl"),
					     .node = "n1",
					     .size_max = 1 << 20,
					     .keep = 2};
	struct vrms_journal *journal VRMS_CLEANUP(vrms_journal_freep) = NULL;
	char *text VRMS_CLEANUP(vrms_freep) = NULL;

	ck_assert_int_eq(vrms_journal_open(&config, &journal, NULL), 0);
	ck_assert_int_eq(vrms_journal_write(journal, 42, "token",
					    json_pack("{s:i}", "token_ms", 300)),
			 0);
	ck_assert_int_eq(vrms_journal_write(journal, 43, "stop", NULL), 0);
	vrms_journal_free(VRMS_TAKE(journal)); /* waits for its thread */
	ck_assert_int_eq(vrms_file_read(path, 4096, &text, NULL, NULL), 0);
	*strchr(text, '\n') = '\0';
	json_t *line = json_loads(text, 0, NULL);

	ck_assert_ptr_nonnull(line);
	ck_assert_int_eq(json_integer_value(json_object_get(line, "v")), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(line, "mono_ms")), 42);
	ck_assert_int_eq(json_integer_value(json_object_get(line, "token_ms")), 300);
	ck_assert_str_eq(json_string_value(json_object_get(line, "node")), "n1");
	ck_assert_int_eq(strlen(json_string_value(json_object_get(line, "wall"))), 24);
	json_decref(line);
	unlink(path);
}
END_TEST

START_TEST(a_full_journal_is_rotated)
{
	struct vrms_journal_config config = {.path = new_path("rotated"),
					     .node = "n1",
					     .size_max = 500,
					     .keep = 2};
	struct vrms_journal *journal VRMS_CLEANUP(vrms_journal_freep) = NULL;
	char old[160];

	ck_assert_int_eq(vrms_journal_open(&config, &journal, NULL), 0);
	for (int i = 0; i < 40; i++) {
		ck_assert_int_eq(vrms_journal_write(journal, i, "tick", NULL), 0);
	}
	vrms_journal_free(VRMS_TAKE(journal));
	for (int i = 1; i <= 3; i++) {
		snprintf(old, sizeof(old), "%s.%d", path, i);
		ck_assert_int_eq(access(old, F_OK), i <= 2 ? 0 : -1);
		unlink(old);
	}
	unlink(path);
}
END_TEST

START_TEST(only_root_and_the_group_may_ask)
{
	const struct group *group = getgrnam(VRMS_IPC_GROUP);
	const struct passwd *member = getpwnam("hacluster");

	ck_assert(vrms_ipc_is_allowed(0, 12345));
	ck_assert(!vrms_ipc_is_allowed(65534, 65534));
	if (group == NULL || member == NULL) {
		printf("not tested: no user hacluster or group " VRMS_IPC_GROUP " here\n");
		return;
	}
	ck_assert(vrms_ipc_is_allowed(65534, group->gr_gid));
	ck_assert(vrms_ipc_is_allowed(member->pw_uid, 65534)); /* by the group data base */
}
END_TEST

START_TEST(the_token_is_overdue_beyond_the_time_it_may_be_held)
{
	const struct vrms_ringwatch_sample held = {.age_us = 40000, .hold_us = 48000};
	const struct vrms_ringwatch_sample late = {.age_us = 90000, .hold_us = 48000};

	ck_assert_uint_eq(vrms_ringwatch_overdue_us(&held), 0);
	ck_assert_uint_eq(vrms_ringwatch_overdue_us(&late), 42000);
}
END_TEST

static void pause_ms(int64_t ms)
{
	vrms_clock_sleep_ms(vrms_clock_system(), ms);
}

START_TEST(two_beaters_see_each_other_beat_and_stop)
{
	char seen[160];
	struct vrms_beater_config config = {.device = new_path("area"),
					    .cluster = "lab",
					    .seen_path = seen,
					    .node_name = "node1",
					    .node_id = 1,
					    .interval_ms = 50,
					    .silent_count = 4};
	struct vrms_beater *one = NULL, *two = NULL;
	struct vrms_beater_state state;

	snprintf(seen, sizeof(seen), "%s.seen", path);
	ck_assert_int_eq(vrms_san_init(path, "lab", false, NULL), 0);
	ck_assert_int_eq(vrms_beater_start(&config, &one, NULL), 0);
	pause_ms(200);
	config.node_name = "node2";
	config.node_id = 2;
	ck_assert_int_eq(vrms_beater_start(&config, &two, NULL), 0);
	/* A busy machine may run the other one's thread late. */
	do {
		pause_ms(100);
		vrms_beater_state(one, &state);
	} while (state.rows[1].sequence <= 2); /* or Check's time is over */
	ck_assert(state.is_open && state.has_slot && !state.is_contested);
	ck_assert_uint_eq(state.rows[state.slot].node_id, 1);
	ck_assert_str_eq(state.rows[1].name, "node2");
	ck_assert_uint_gt(state.rows[1].sequence, 2);
	vrms_beater_stop(two, 2000);
	do {
		pause_ms(100);
		vrms_beater_state(one, &state);
	} while (!state.rows[1].is_stopped);
	vrms_beater_stop(one, 2000);
	unlink(path);
	unlink(seen);
}
END_TEST

/* Both start at once on an empty area and want its first slot; in the end each has one. */
START_TEST(two_nodes_that_want_one_slot_part)
{
	char seen[160];
	struct vrms_beater_config config = {.device = new_path("race"),
					    .cluster = "lab",
					    .seen_path = seen,
					    .node_name = "node1",
					    .node_id = 1,
					    .interval_ms = 50,
					    .silent_count = 4};
	struct vrms_beater *one = NULL, *two = NULL;
	struct vrms_beater_state first = {0}, second = {0};

	snprintf(seen, sizeof(seen), "%s.seen", path);
	ck_assert_int_eq(vrms_san_init(path, "lab", false, NULL), 0);
	ck_assert_int_eq(vrms_beater_start(&config, &one, NULL), 0);
	config.node_name = "node2";
	config.node_id = 2;
	ck_assert_int_eq(vrms_beater_start(&config, &two, NULL), 0);
	for (int i = 0; i < 300 && !(first.rows[0].node_id != 0 && first.rows[1].node_id != 0);
	     i++) {
		pause_ms(100);
		vrms_beater_state(one, &first);
	}
	pause_ms(500);
	vrms_beater_state(one, &first);
	vrms_beater_state(two, &second);
	ck_assert(first.has_slot && second.has_slot);
	ck_assert_uint_ne(first.slot, second.slot);
	ck_assert(!first.is_contested && !second.is_contested);
	ck_assert_uint_eq(first.rows[first.slot].node_id, 1);
	ck_assert_uint_eq(first.rows[second.slot].node_id, 2);
	vrms_beater_stop(two, 2000);
	vrms_beater_stop(one, 2000);
	unlink(path);
	unlink(seen);
}
END_TEST

START_TEST(two_daemons_under_one_node_id_are_noticed)
{
	char seen[160];
	struct vrms_beater_config config = {.device = new_path("contested"),
					    .cluster = "lab",
					    .seen_path = seen,
					    .node_name = "node1",
					    .node_id = 1,
					    .interval_ms = 50,
					    .silent_count = 4};
	struct vrms_beater *one = NULL, *two = NULL;
	struct vrms_beater_state state = {0};

	snprintf(seen, sizeof(seen), "%s.seen", path);
	ck_assert_int_eq(vrms_san_init(path, "lab", false, NULL), 0);
	ck_assert_int_eq(vrms_beater_start(&config, &one, NULL), 0);
	pause_ms(500);
	vrms_beater_state(one, &state);
	ck_assert(state.is_open && !state.is_contested);
	ck_assert_int_eq(vrms_beater_start(&config, &two, NULL), 0);
	for (int i = 0; i < 300 && !state.is_contested; i++) {
		pause_ms(20);
		vrms_beater_state(one, &state);
	}
	ck_assert(state.is_contested);
	ck_assert_uint_eq(state.rows[1].node_id, 0); /* nobody else's slot is taken */
	vrms_beater_stop(two, 2000);
	vrms_beater_stop(one, 2000);
	unlink(path);
	unlink(seen);
}
END_TEST

START_TEST(a_beater_without_its_area_says_why)
{
	struct vrms_beater_config config = {.device = "/nonexistent/area",
					    .cluster = "lab",
					    .seen_path = "/nonexistent/seen",
					    .node_name = "node1",
					    .node_id = 1,
					    .interval_ms = 50,
					    .silent_count = 4};
	struct vrms_beater *beater = NULL;
	struct vrms_beater_state state;

	ck_assert_int_eq(vrms_beater_start(&config, &beater, NULL), 0);
	pause_ms(300);
	vrms_beater_state(beater, &state);
	ck_assert(!state.is_open);
	ck_assert_ptr_nonnull(strstr(state.error.text, "/nonexistent/area"));
	vrms_beater_stop(beater, 1000);
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
		return; /* nobody but root and the group may ask */
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

UNIT_MAIN("quorum_daemon", a_message_survives_the_round_trip,
	  settings_have_defaults_and_take_values,
	  what_is_wrong_in_the_settings_is_named_with_its_line,
	  a_journal_line_is_json_with_its_frame, a_full_journal_is_rotated,
	  only_root_and_the_group_may_ask, one_client_too_many_is_refused_until_another_leaves,
	  the_token_is_overdue_beyond_the_time_it_may_be_held,
	  two_beaters_see_each_other_beat_and_stop, two_nodes_that_want_one_slot_part,
	  two_daemons_under_one_node_id_are_noticed, a_beater_without_its_area_says_why)
