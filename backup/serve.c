/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backup/nbd_server.h"
#include "common/clock.h"
#include "common/file.h"

enum {
	ARGUMENTS_MAX = 20,
	START_MS = 30000,
	STOP_MS = 5000,
	POLL_MS = 5,
	SETTINGS = 8,
	LOG_BYTES_MAX = 1 << 16
};

static const char program[] = "nbdkit";
static const char patience_s[] = "60";
static const char plugin_file[] = "nbdkit-vrms-backup-plugin.so";

struct command {
	const char *argv[ARGUMENTS_MAX];
	size_t count;
	char plugin[PATH_MAX];
	char ready_path[VRMS_SERVE_SOCKET_BYTES + sizeof(".ready")];
	char log_path[VRMS_SERVE_SOCKET_BYTES + sizeof(".log")];
	char *settings[SETTINGS]; /* ours to free */
	size_t setting_count;
};

static void command_done(struct command *command)
{
	for (size_t i = 0; i < command->setting_count; i++) {
		free(command->settings[i]);
	}
}

int vrms_serve_socket(const char *vm, uint64_t sequence, char *ret_socket, struct vrms_error *error)
{
	int length =
	    snprintf(ret_socket, VRMS_SERVE_SOCKET_BYTES, "%s/vrms-backup-%s@%" PRIu64 ".nbd",
		     access("/run", W_OK) == 0 ? "/run" : "/tmp", vm, sequence);

	return length < VRMS_SERVE_SOCKET_BYTES
		   ? 0
		   : vrms_error_set(error, -ENAMETOOLONG,
				    "the name of the socket is too long: give one (--socket)");
}

static void add(struct command *command, const char *argument)
{
	command->argv[command->count++] = argument;
}

/* name=value; nothing without a value. */
static int add_setting(struct command *command, const char *name, const char *value)
{
	char *text;

	if (value == NULL) {
		return 0;
	}
	if (asprintf(&text, "%s=%s", name, value) < 0) {
		return -ENOMEM;
	}
	command->settings[command->setting_count++] = text;
	add(command, text);
	return 0;
}

static int build(const struct vrms_serve *serve, bool ends_with_last, struct command *command,
		 struct vrms_error *error)
{
	const char *folder = getenv("VRMS_LIBEXECDIR"); /* for runs from a build tree */
	char point[300];

	if (folder == NULL || folder[0] == '\0') {
		folder = VRMS_LIBEXECDIR;
	}
	snprintf(command->plugin, sizeof(command->plugin), "%s/%s", folder, plugin_file);
	snprintf(point, sizeof(point), "%s@%" PRIu64, serve->vm, serve->sequence);
	add(command, program);
	add(command, "--foreground");
	add(command, "--unix");
	add(command, serve->socket);
	if (ends_with_last) {
		snprintf(command->ready_path, sizeof(command->ready_path), "%s.ready",
			 serve->socket);
		snprintf(command->log_path, sizeof(command->log_path), "%s.log", serve->socket);
		add(command, "--filter=exitlast");
	}
	add(command, serve->is_writable ? "--filter=cow" : "--readonly");
	add(command, command->plugin);
	if (add_setting(command, "repository", serve->repository) < 0 ||
	    add_setting(command, "point", point) < 0 ||
	    add_setting(command, "key-file", serve->key_file) < 0 ||
	    add_setting(command, "key-command", serve->key_command) < 0 ||
	    add_setting(command, "disk", serve->disk) < 0 ||
	    add_setting(command, "outlives", serve->outlives ? "yes" : NULL) < 0 ||
	    add_setting(command, "patience", ends_with_last ? patience_s : NULL) < 0 ||
	    add_setting(command, "ready", ends_with_last ? command->ready_path : NULL) < 0) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	if (access(command->plugin, R_OK) < 0) {
		return vrms_error_errno(error, -errno, "%s", command->plugin);
	}
	return 0;
}

int vrms_serve_clear(const char *path, struct vrms_error *error)
{
	int rc;

	if (strlen(path) >= VRMS_SERVE_SOCKET_BYTES) {
		return vrms_error_set(error, -ENAMETOOLONG, "socket '%s': the name is too long",
				      path);
	}
	rc = vrms_nbd_server_knock(path);
	if (rc == 0) {
		return vrms_error_set(error, -EADDRINUSE, "socket '%s': somebody listens there",
				      path);
	}
	if (rc == -ECONNREFUSED && unlink(path) < 0) {
		return vrms_error_errno(error, -errno, "socket '%s'", path);
	}
	return 0;
}

int vrms_serve_exec(const struct vrms_serve *serve, struct vrms_error *error)
{
	struct command command VRMS_CLEANUP(command_done) = {.count = 0};
	int rc = vrms_serve_clear(serve->socket, error);

	if (rc == 0) {
		rc = build(serve, false, &command, error);
	}
	if (rc < 0) {
		return rc;
	}
	/* execv() takes no const for historical reasons; it does not write. */
	execvp(program, (char *const *)(uintptr_t)command.argv);
	return vrms_error_errno(error, -errno, "%s (Debian package: nbdkit)", program);
}

/* Between fork and exec only calls that are safe there.  words: a file, for who started the server
 * may end long before it; a guest's I/O error is explained nowhere else. */
static void become(const struct command *command, int words)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(words, STDERR_FILENO);
	execvp(program, (char *const *)(uintptr_t)command->argv);
	_exit(127);
}

static int why_ended(int status, const char *log_path, struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	size_t size;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		return vrms_error_set(error, -ENOENT, "no program '%s' (Debian package: nbdkit)",
				      program);
	}
	if (vrms_file_read(log_path, LOG_BYTES_MAX, &text, &size, NULL) < 0 || size == 0) {
		return vrms_error_set(error, -EIO, "%s ended with status %d", program, status);
	}
	text[strcspn(text, "\n")] = '\0';
	return vrms_error_set(error, -EIO, "%s", text);
}

/* The plugin says when it serves.  A knock at the socket would be a client that came and went, and
 * end the server. */
static int wait_ready(const struct command *command, pid_t pid, struct vrms_error *error)
{
	const struct vrms_clock *clock = vrms_clock_system();
	int64_t end_ms = vrms_clock_now_ms(clock) + START_MS;

	while (unlink(command->ready_path) < 0) {
		int status;

		if (waitpid(pid, &status, WNOHANG) == pid) {
			return why_ended(status, command->log_path, error);
		}
		if (vrms_clock_now_ms(clock) > end_ms) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			return vrms_error_set(error, -ETIMEDOUT, "%s did not serve for %d s",
					      program, START_MS / 1000);
		}
		vrms_clock_sleep_ms(clock, POLL_MS);
	}
	return 0;
}

int vrms_serve_start(const struct vrms_serve *serve, pid_t *ret_pid, struct vrms_error *error)
{
	struct command command VRMS_CLEANUP(command_done) = {.count = 0};
	int words VRMS_CLEANUP(vrms_closep) = -1;
	pid_t pid;
	int rc = vrms_serve_clear(serve->socket, error);

	if (rc == 0) {
		rc = build(serve, true, &command, error);
	}
	if (rc < 0) {
		return rc;
	}
	unlink(command.ready_path); /* of one that was killed at its start */
	words = open(command.log_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (words < 0) {
		return vrms_error_errno(error, -errno, "%s", command.log_path);
	}
	pid = fork();
	if (pid == 0) {
		become(&command, words);
	}
	if (pid < 0) {
		return vrms_error_errno(error, -errno, "fork");
	}
	rc = wait_ready(&command, pid, error);
	if (rc < 0) {
		unlink(command.log_path);
	}
	*ret_pid = rc == 0 ? pid : 0;
	return rc;
}

void vrms_serve_stop(const struct vrms_serve *serve, pid_t pid)
{
	char log_path[VRMS_SERVE_SOCKET_BYTES + sizeof(".log")];
	const struct vrms_clock *clock = vrms_clock_system();
	int64_t end_ms = vrms_clock_now_ms(clock) + STOP_MS;

	kill(pid, SIGTERM);
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (vrms_clock_now_ms(clock) > end_ms) {
			kill(pid, SIGKILL);
		}
		vrms_clock_sleep_ms(clock, POLL_MS);
	}
	unlink(serve->socket);
	snprintf(log_path, sizeof(log_path), "%s.log", serve->socket);
	unlink(log_path);
}
