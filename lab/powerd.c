/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/powerd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "lab/command.h"
#include "lab/internal.h"
#include "lab/node.h"
#include "lab/power.h"
#include "lab/power_client.h"

enum {
	BACKLOG = 64,
	SERVANTS_MAX = 64,
	REQUEST_SIZE = 128,
	REQUEST_TIMEOUT_MS = 5000,
	START_TIMEOUT_MS = 10000,
	KILL_TIMEOUT_MS = 10000,
	ACCEPT_POLL_MS = 1000,
};

static struct vrms_lab_path record_path(const struct vrms_lab *lab)
{
	return vrms_lab_path(lab, "run/powerd.json");
}

static struct vrms_lab_path socket_path(const struct vrms_lab *lab)
{
	return vrms_lab_path(lab, "san/%s", VRMS_LAB_POWER_SOCKET);
}

/* ---- one request ---- */

struct servant {
	const struct vrms_lab *lab;
	int fd;
	char asker[VRMS_LAB_NODE_NAME_SIZE]; /* a node's name, or "admin" */
};

static void answer_ok(const struct servant *servant, const char *lines)
{
	dprintf(servant->fd, "ok\n%s", lines);
}

static void answer_error(const struct servant *servant, const char *text)
{
	dprintf(servant->fd, "error %s\n", text);
}

static int do_ping(const struct servant *servant, int index, struct vrms_error *error)
{
	(void)index;
	(void)error;
	answer_ok(servant, "");
	return 0;
}

static const char *power_word(enum vrms_lab_node_state state)
{
	return state == VRMS_LAB_NODE_OFF ? "off" : "on";
}

static int do_list(const struct servant *servant, int index, struct vrms_error *error)
{
	char lines[VRMS_LAB_ANSWER_SIZE] = "";

	(void)index;
	for (int i = 0; i < vrms_lab_node_count(servant->lab); i++) {
		enum vrms_lab_node_state state;
		size_t length = strlen(lines);
		int rc = vrms_lab_node_get_state(servant->lab, i, &state, error);

		if (rc < 0) {
			return rc;
		}
		snprintf(lines + length, sizeof(lines) - length, "%s %s\n",
			 vrms_lab_node_name(servant->lab, i), power_word(state));
	}
	answer_ok(servant, lines);
	return 0;
}

static int do_status(const struct servant *servant, int index, struct vrms_error *error)
{
	enum vrms_lab_node_state state;
	int rc = vrms_lab_node_get_state(servant->lab, index, &state, error);

	if (rc == 0) {
		answer_ok(servant, state == VRMS_LAB_NODE_OFF ? "off\n" : "on\n");
	}
	return rc;
}

static int do_off(const struct servant *servant, int index, struct vrms_error *error)
{
	int rc = vrms_lab_power_off(servant->lab, index, NULL, error);

	if (rc == 0) {
		answer_ok(servant, "");
	}
	return rc;
}

static int do_on(const struct servant *servant, int index, struct vrms_error *error)
{
	int rc = vrms_lab_power_on(servant->lab, index, error);

	if (rc == 0) {
		answer_ok(servant, "");
	}
	return rc;
}

/* The answer comes after the first half: a node that is back before its fencing is known
 * everywhere would shut its cluster software down for good. */
static int do_reboot(const struct servant *servant, int index, struct vrms_error *error)
{
	struct timespec moment;
	int rc = vrms_lab_power_off(servant->lab, index, &moment, error);

	if (rc < 0) {
		return rc;
	}
	answer_ok(servant, "");
	shutdown(servant->fd, SHUT_RDWR);
	vrms_lab_power_note(servant->lab, "%s off to reboot, asked by %s: done",
			    vrms_lab_node_name(servant->lab, index), servant->asker);
	rc = vrms_lab_power_on_later(servant->lab, index, &moment, error);
	vrms_lab_power_note(servant->lab, "%s on after reboot: %s",
			    vrms_lab_node_name(servant->lab, index), rc < 0 ? error->text : "done");
	return 0; /* it was answered */
}

struct verb {
	const char *name;
	bool needs_node;
	bool is_noted; /* by itself, at the right moments */
	int (*run)(const struct servant *servant, int index, struct vrms_error *error);
};

static const struct verb verbs[] = {
    {"ping", false, true, do_ping},    {"list", false, true, do_list},
    {"status", true, true, do_status}, {"off", true, false, do_off},
    {"on", true, false, do_on},        {"reboot", true, true, do_reboot},
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(verbs); i++) {
		if (strcmp(verbs[i].name, name) == 0) {
			return &verbs[i];
		}
	}
	return NULL;
}

static struct vrms_lab_path dead_path(const struct vrms_lab *lab, int index)
{
	return vrms_lab_path(lab, "run/bmc-%s.dead", vrms_lab_node_name(lab, index));
}

/* A controller without power says nothing, until the asker gives up. */
static int stay_silent(const struct servant *servant, struct vrms_error *error)
{
	struct pollfd asker = {.fd = servant->fd, .events = POLLRDHUP};

	while (poll(&asker, 1, -1) < 0 && errno == EINTR) {
	}
	return vrms_error_set(error, -EHOSTDOWN, "its power controller is dead");
}

static int obey(const struct servant *servant, char *request, struct vrms_error *error)
{
	char *rest = NULL;
	const char *name = strtok_r(request, " \n", &rest);
	const char *node = strtok_r(NULL, " \n", &rest);
	const struct verb *verb = name != NULL ? find_verb(name) : NULL;
	int index = 0;

	if (verb == NULL) {
		return vrms_error_set(error, -EINVAL, "unknown request \"%.32s\"",
				      name != NULL ? name : "");
	}
	if (verb->needs_node && node == NULL) {
		return vrms_error_set(error, -EINVAL, "%s: which node?", name);
	}
	int rc = verb->needs_node ? vrms_lab_node_index(servant->lab, node, &index, error) : 0;
	int64_t start_ms = vrms_clock_now_ms(vrms_clock_system());
	if (rc == 0 && verb->needs_node && access(dead_path(servant->lab, index).text, F_OK) == 0) {
		rc = stay_silent(servant, error);
	}
	rc = rc < 0 ? rc : verb->run(servant, index, error);
	if (rc < 0 || !verb->is_noted) {
		vrms_lab_power_note(servant->lab, "%s %s, asked by %s: %s (%lld ms)",
				    node != NULL ? node : "-", name, servant->asker,
				    rc < 0 ? error->text : "done",
				    (long long)(vrms_clock_now_ms(vrms_clock_system()) - start_ms));
	}
	return rc;
}

/* Who is at the other end?  A node of this lab, or somebody on the machine itself. */
static int identify(struct servant *servant, struct vrms_error *error)
{
	struct ucred peer = {.pid = 0};
	socklen_t size = sizeof(peer);

	if (getsockopt(servant->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
		return vrms_error_errno(error, -errno, "who asks");
	}
	uint64_t pid_ns = peer.pid > 0 ? vrms_lab_process_pid_ns(peer.pid) : 0;
	if (pid_ns != 0 && pid_ns == vrms_lab_process_pid_ns(getpid())) {
		snprintf(servant->asker, sizeof(servant->asker), "admin");
		return 0;
	}
	for (int i = 0; pid_ns != 0 && i < vrms_lab_node_count(servant->lab); i++) {
		struct vrms_lab_process init;
		if (vrms_lab_node_find(servant->lab, i, &init, NULL) == 0 &&
		    init.pid_ns == pid_ns) {
			snprintf(servant->asker, sizeof(servant->asker), "%s",
				 vrms_lab_node_name(servant->lab, i));
			return 0;
		}
	}
	return vrms_error_set(error, -EPERM, "process %d is in no node of this lab", (int)peer.pid);
}

static int read_request(int fd, char request[REQUEST_SIZE], struct vrms_error *error)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int rc = poll(&poll_fd, 1, REQUEST_TIMEOUT_MS);

	if (rc <= 0) {
		return vrms_error_set(error, -ETIMEDOUT, "nothing was asked");
	}
	ssize_t got = read(fd, request, REQUEST_SIZE - 1);
	if (got <= 0 || request[got - 1] != '\n') {
		return vrms_error_set(error, -EPROTO, "half a request");
	}
	request[got] = '\0';
	return 0;
}

static void serve(struct servant *servant)
{
	char request[REQUEST_SIZE];
	struct vrms_error error = {.text = ""};
	/* Read before anything is answered: a request left unread would reset the connection
	 * and take the answer with it. */
	int rc = read_request(servant->fd, request, &error);

	rc = rc < 0 ? rc : identify(servant, &error);
	rc = rc < 0 ? rc : obey(servant, request, &error);
	if (rc < 0) {
		answer_error(servant, error.text);
	}
}

/* ---- the daemon ---- */

/* The folder is entered first: a path of any length becomes a short one. */
static int listen_at(const struct vrms_lab *lab, struct vrms_error *error)
{
	const struct sockaddr_un address = {
	    .sun_family = AF_UNIX,
	    .sun_path = VRMS_LAB_POWER_SOCKET,
	};
	int fd VRMS_CLEANUP(vrms_closep) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || chdir(vrms_lab_san_path(lab)) < 0) {
		return vrms_error_errno(error, -errno, "%s", vrms_lab_san_path(lab));
	}
	if ((unlink(VRMS_LAB_POWER_SOCKET) < 0 && errno != ENOENT) ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(VRMS_LAB_POWER_SOCKET, 0600) < 0 || listen(fd, BACKLOG) < 0 || chdir("/") < 0) {
		return vrms_error_errno(error, -errno, "%s", socket_path(lab).text);
	}
	int taken = fd;
	fd = -1; /* ownership leaves this function */
	return taken;
}

/* A process for each request, so that a slow boot does not hold up a fence. */
static void accept_one(const struct vrms_lab *lab, int listen_fd, int *servant_count)
{
	int fd VRMS_CLEANUP(vrms_closep) = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0) {
		return;
	}
	pid_t pid = fork();
	if (pid == 0) {
		struct servant servant = {.lab = lab, .fd = fd};

		/* It ends with the daemon: "down" need look for one process only. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(listen_fd);
		serve(&servant);
		_exit(EXIT_SUCCESS);
	}
	if (pid > 0) {
		(*servant_count)++;
	} else {
		vrms_lab_power_note(lab, "fork: %s", strerror(errno));
	}
}

static void reap_servants(int *servant_count)
{
	while (waitpid(-1, NULL, WNOHANG) > 0) {
		(*servant_count)--;
	}
}

static void serve_all(const struct vrms_lab *lab, int listen_fd,
		      const volatile sig_atomic_t *interrupted)
{
	struct pollfd poll_fd = {.fd = listen_fd, .events = POLLIN};
	int servant_count = 0;

	while (*interrupted == 0) {
		/* With too many at work the next ones wait in the socket's queue. */
		poll_fd.fd = servant_count < SERVANTS_MAX ? listen_fd : -1;
		if (poll(&poll_fd, 1, ACCEPT_POLL_MS) > 0) {
			accept_one(lab, listen_fd, &servant_count);
		}
		reap_servants(&servant_count);
	}
}

static int record_myself(const struct vrms_lab *lab, struct vrms_error *error)
{
	struct vrms_lab_process self;
	int rc = vrms_lab_process_read(getpid(), &self);

	if (rc < 0) {
		return vrms_error_errno(error, rc, "/proc/self/stat");
	}
	return vrms_lab_process_save(record_path(lab).text, &self, error);
}

static int run_powerd(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		      struct vrms_error *error)
{
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;

	(void)settings;
	(void)argc;
	(void)argv;
	int rc = vrms_lab_open(&context->place, &lab, error);
	if (rc == 0 && vrms_lab_powerd_is_running(lab)) {
		rc = vrms_error_set(error, -EEXIST, "lab \"%s\" has its power switch already",
				    vrms_lab_name(lab));
	}
	rc = rc < 0 ? rc : record_myself(lab, error);
	/* Recorded first: whoever takes the lab down finds this process or is found by it. */
	rc = rc < 0 ? rc : vrms_lab_check_open(lab, error);
	int fd VRMS_CLEANUP(vrms_closep) = rc < 0 ? -1 : listen_at(lab, error);
	if (fd < 0) {
		return VRMS_LAB_EXIT_FAILED;
	}
	vrms_lab_power_note(lab, "power switch of lab %s begins", vrms_lab_name(lab));
	serve_all(lab, fd, context->interrupted);
	vrms_lab_power_note(lab, "power switch of lab %s ends", vrms_lab_name(lab));
	return VRMS_LAB_EXIT_OK;
}

const struct vrms_lab_command *vrms_lab_powerd_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "powerd",
	    .arguments = "",
	    .summary = "Is the power switch of a lab; started by up",
	    .run = run_powerd,
	    .internal = true,
	};

	return &command;
}

/* ---- starting and stopping it ---- */

int vrms_lab_powerd_set_dead(const struct vrms_lab *lab, int index, bool is_dead,
			     struct vrms_error *error)
{
	struct vrms_lab_path path = dead_path(lab, index);

	if (is_dead) {
		return vrms_file_write(path.text, "", 0, 0600, error);
	}
	return unlink(path.text) < 0 && errno != ENOENT
		   ? vrms_error_errno(error, -errno, "%s", path.text)
		   : 0;
}

bool vrms_lab_powerd_is_running(const struct vrms_lab *lab)
{
	struct vrms_lab_process record;

	if (vrms_lab_process_load(record_path(lab).text, &record, NULL) < 0) {
		return false;
	}
	int fd VRMS_CLEANUP(vrms_closep) = vrms_lab_process_open(&record);
	return fd >= 0;
}

int vrms_lab_powerd_stop(const struct vrms_lab *lab, struct vrms_error *error)
{
	struct vrms_lab_process record;
	int rc = vrms_lab_process_load(record_path(lab).text, &record, NULL);

	if (rc < 0) {
		return 0;
	}
	rc = vrms_lab_process_kill(&record, KILL_TIMEOUT_MS, error);
	return rc < 0 ? vrms_error_wrap(error, rc, "power switch") : 0;
}

/* In the daemon to be: away from the terminal and from the one who started it. */
static void become_daemon(const struct vrms_lab *lab)
{
	const char *const argv[] = {"vrms-lab", "--lab",           vrms_lab_name(lab),
				    "--dir",    vrms_lab_dir(lab), "powerd",
				    NULL};
	struct vrms_lab_path log = vrms_lab_path(lab, "log/powerd.log");
	int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int output = open(log.text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fork() != 0) {
		_exit(EXIT_SUCCESS);
	}
	setsid();
	if (input >= 0 && output >= 0 && dup2(input, STDIN_FILENO) >= 0 &&
	    dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0 &&
	    chdir("/") == 0) {
		execv("/proc/self/exe", (char *const *)argv);
	}
	_exit(EXIT_FAILURE);
}

static int wait_until_it_answers(const struct vrms_lab *lab, struct vrms_error *error)
{
	const struct vrms_clock *clock = vrms_clock_system();
	int64_t until_ms = vrms_clock_now_ms(clock) + START_TIMEOUT_MS;
	char answer[VRMS_LAB_ANSWER_SIZE];

	while (vrms_lab_power_ask(socket_path(lab).text, "ping", NULL, START_TIMEOUT_MS, answer,
				  NULL) < 0) {
		if (vrms_clock_now_ms(clock) >= until_ms) {
			return vrms_error_set(error, -ETIMEDOUT,
					      "the power switch does not start; see %s",
					      vrms_lab_path(lab, "log/powerd.log").text);
		}
		vrms_clock_sleep_ms(clock, 10);
	}
	return 0;
}

int vrms_lab_powerd_start(const struct vrms_lab *lab, struct vrms_error *error)
{
	pid_t pid = fork();

	if (pid == 0) {
		become_daemon(lab);
	}
	if (pid < 0) {
		return vrms_error_errno(error, -errno, "fork");
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
	}
	return wait_until_it_answers(lab, error);
}
