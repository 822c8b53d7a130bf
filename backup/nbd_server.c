/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/nbd_server.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"

enum { START_MS = 20000, STOP_MS = 20000, POLL_MS = 5, ARGUMENTS_MAX = 32, LEFT_S = 60 };

struct vrms_nbd_server {
	pid_t pid;
	int words; /* its standard error */
	char folder[64];
	char socket[80];
	char uri[120];
};

int vrms_nbd_server_knock(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd VRMS_CLEANUP(vrms_closep) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0
											 : -errno;
}

static bool is_listening(const struct vrms_nbd_server *server)
{
	return vrms_nbd_server_knock(server->socket) == 0;
}

/* Who is killed with -9 leaves its folder.  One that has rested for a while, and whose socket
 * refuses or never was made, has no server any more. */
static void clear_leftover(const char *folder)
{
	char path[120];
	struct stat status;
	int rc;

	if (stat(folder, &status) < 0 || time(NULL) - status.st_mtime < LEFT_S) {
		return;
	}
	snprintf(path, sizeof(path), "%s/nbd", folder);
	rc = vrms_nbd_server_knock(path);
	if (rc == -ENOENT || (rc == -ECONNREFUSED && unlink(path) == 0)) {
		rmdir(folder);
	}
}

static void clear_leftovers(const char *root)
{
	char pattern[80];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/vrms-backup.*", root);
	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			clear_leftover(found.gl_pathv[i]);
		}
		globfree(&found);
	}
}

static int last_words(struct vrms_nbd_server *server, const char *program, struct vrms_error *error)
{
	char text[400];
	ssize_t size = read(server->words, text, sizeof(text) - 1);

	text[size > 0 ? size : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return vrms_error_set(error, -EIO, "%s", text[0] != '\0' ? text : program);
}

static int wait_listening(struct vrms_nbd_server *server, const char *program,
			  struct vrms_error *error)
{
	const struct vrms_clock *clock = vrms_clock_system();
	int64_t end_ms = vrms_clock_now_ms(clock) + START_MS;

	while (!is_listening(server)) {
		int status;

		if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
			server->pid = 0;
			return WIFEXITED(status) && WEXITSTATUS(status) == 127
				   ? vrms_error_set(error, -ENOENT, "no program '%s'", program)
				   : last_words(server, program, error);
		}
		if (vrms_clock_now_ms(clock) > end_ms) {
			return vrms_error_set(error, -ETIMEDOUT, "%s did not listen for %d s",
					      program, START_MS / 1000);
		}
		vrms_clock_sleep_ms(clock, POLL_MS);
	}
	return 0;
}

/* Between fork and exec only calls that are safe there. */
static void become(const char *const *argv, int words, pid_t parent)
{
	int null = open("/dev/null", O_RDWR);

	/* KILL, not TERM: who comes after us waits for the image, and an orderly end can take
	 * long on a busy host.  Nothing is lost: what it wrote is half an image anyway. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent) {
		_exit(126);
	}
	/* Ctrl-C is for us: we end it when the work is undone. */
	setpgid(0, 0);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(words, STDERR_FILENO);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static int spawn(struct vrms_nbd_server *server, const char *const *argv, struct vrms_error *error)
{
	const char *arguments[ARGUMENTS_MAX];
	char option[100];
	size_t count = 0;
	int words[2];
	pid_t parent = getpid();

	while (argv[count] != NULL && count < ARGUMENTS_MAX - 2) {
		arguments[count] = argv[count];
		count++;
	}
	snprintf(option, sizeof(option), "--socket=%s", server->socket);
	arguments[count++] = option;
	arguments[count] = NULL;
	if (pipe2(words, O_CLOEXEC | O_NONBLOCK) < 0) {
		return vrms_error_errno(error, -errno, "pipe");
	}
	server->pid = fork();
	if (server->pid == 0) {
		become(arguments, words[1], parent);
	}
	close(words[1]);
	server->words = words[0];
	if (server->pid < 0) {
		server->pid = 0;
		return vrms_error_errno(error, -errno, "fork");
	}
	return 0;
}

int vrms_nbd_server_start(const char *const *argv, struct vrms_nbd_server **ret_server,
			  struct vrms_error *error)
{
	struct vrms_nbd_server *server VRMS_CLEANUP(vrms_nbd_server_stopp) =
	    calloc(1, sizeof(*server));
	const char *root = access("/run", W_OK) == 0 ? "/run" : "/tmp";
	int rc;

	if (server == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	server->words = -1;
	clear_leftovers(root);
	snprintf(server->folder, sizeof(server->folder), "%s/vrms-backup.XXXXXX", root);
	if (mkdtemp(server->folder) == NULL) {
		server->folder[0] = '\0';
		return vrms_error_errno(error, -errno, "%s", root);
	}
	snprintf(server->socket, sizeof(server->socket), "%s/nbd", server->folder);
	snprintf(server->uri, sizeof(server->uri), "nbd+unix:///?socket=%s", server->socket);
	rc = spawn(server, argv, error);
	if (rc == 0) {
		rc = wait_listening(server, argv[0], error);
	}
	if (rc == 0) {
		*ret_server = VRMS_TAKE(server);
	}
	return rc;
}

/* Ends when the process has ended: only then is its image file closed. */
static void end_process(pid_t pid)
{
	const struct vrms_clock *clock = vrms_clock_system();
	int64_t end_ms = vrms_clock_now_ms(clock) + STOP_MS;

	kill(pid, SIGTERM);
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (vrms_clock_now_ms(clock) > end_ms) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			return;
		}
		vrms_clock_sleep_ms(clock, POLL_MS);
	}
}

void vrms_nbd_server_stop(struct vrms_nbd_server *server)
{
	if (server == NULL) {
		return;
	}
	if (server->pid > 0) {
		end_process(server->pid);
	}
	vrms_closep(&server->words);
	if (server->folder[0] != '\0') {
		unlink(server->socket);
		rmdir(server->folder);
	}
	free(server);
}

const char *vrms_nbd_server_uri(const struct vrms_nbd_server *server)
{
	return server->uri;
}
