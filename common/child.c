/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"

enum {
	CAPTURE_BYTES_MAX = 4 * 1024 * 1024,
	TERM_GRACE_MS = 1000, /* between TERM and KILL */
	KILL_GRACE_MS = 2000, /* a process in an uninterruptible sleep outlives even KILL */
};

/* One captured stream.  fd: our end of its pipe, -1 after its end. */
struct stream {
	int fd;
	char *text;
	size_t size;
};

struct child {
	pid_t pid;
	int pidfd;                /* readable once the program has ended */
	struct stream streams[2]; /* stdout, stderr */
	size_t output_max;
};

void vrms_child_result_done(struct vrms_child_result *result)
{
	free(result->output);
	free(result->errors);
	memset(result, 0, sizeof(*result));
}

/* Standard input of the program.  A file in memory rather than a pipe: a program that
 * does not read cannot block us, and one that ends early cannot raise SIGPIPE here.
 */
static int open_input(const char *input)
{
	if (input == NULL) {
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	int fd VRMS_CLEANUP(vrms_closep) = memfd_create("child-input", MFD_CLOEXEC);
	for (size_t left = strlen(input); fd >= 0 && left > 0;) {
		ssize_t put = write(fd, input, left);

		if (put < 0) {
			return -1;
		}
		input += put;
		left -= (size_t)put;
	}
	if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		return -1;
	}
	int taken = fd;
	fd = -1;
	return taken;
}

/* Own process group (to end grandchildren too) and none of our signal settings. */
static int set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none;
	sigset_t all;

	sigemptyset(&none);
	sigfillset(&all);
	int rc =
	    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
						     POSIX_SPAWN_SETSIGDEF);
	rc = rc != 0 ? rc : posix_spawnattr_setpgroup(attributes, 0);
	rc = rc != 0 ? rc : posix_spawnattr_setsigmask(attributes, &none);
	return rc != 0 ? rc : posix_spawnattr_setsigdefault(attributes, &all);
}

/* fds: for the program's standard input, output and error; -1 leaves ours.
 * Returns 0 or a negative errno.
 */
static int spawn(const struct vrms_child_spec *spec, const int fds[3], pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char *const *envp = spec->envp != NULL ? (char *const *)spec->envp : environ;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0) {
		return -rc;
	}
	rc = posix_spawnattr_init(&attributes);
	if (rc != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return -rc;
	}
	for (int i = 0; rc == 0 && i < 3; i++) {
		if (fds[i] >= 0) {
			rc = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
		}
	}
	rc = rc != 0 ? rc : set_attributes(&attributes);
	rc = rc != 0 ? rc
		     : posix_spawnp(ret_pid, spec->argv[0], &actions, &attributes,
				    (char *const *)spec->argv, envp);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -rc;
}

/* Starts the program with its pipes; the far ends are closed here. */
static int start(struct child *child, const struct vrms_child_spec *spec)
{
	int input VRMS_CLEANUP(vrms_closep) = open_input(spec->input);
	int far_output VRMS_CLEANUP(vrms_closep) = -1;
	int far_errors VRMS_CLEANUP(vrms_closep) = -1;

	if (input < 0) {
		return -errno;
	}
	if (!spec->passthrough) {
		int pair[2];

		if (pipe2(pair, O_CLOEXEC) < 0) {
			return -errno;
		}
		child->streams[0].fd = pair[0];
		far_output = pair[1];
		if (pipe2(pair, O_CLOEXEC) < 0) {
			return -errno;
		}
		child->streams[1].fd = pair[0];
		far_errors = pair[1];
	}
	int rc = spawn(spec, (const int[]){input, far_output, far_errors}, &child->pid);
	if (rc < 0) {
		return rc;
	}
	child->pidfd = pidfd_open(child->pid, 0);
	if (child->pidfd < 0) {
		rc = -errno;
		kill(-child->pid, SIGKILL);
		waitpid(child->pid, NULL, 0);
	}
	return rc;
}

/* Takes what one read(2) gives; what is beyond the limit is read and dropped. */
static int take_output(struct stream *stream, size_t bytes_max)
{
	char block[16384];
	ssize_t got = read(stream->fd, block, sizeof(block));

	if (got < 0) {
		return errno == EINTR ? 0 : -errno;
	}
	if (got == 0) {
		vrms_closep(&stream->fd);
		return 0;
	}
	size_t room = bytes_max - stream->size;
	size_t keep = (size_t)got < room ? (size_t)got : room;
	char *larger = realloc(stream->text, stream->size + keep + 1);
	if (larger == NULL) {
		return -ENOMEM;
	}
	memcpy(larger + stream->size, block, keep);
	stream->text = larger;
	stream->size += keep;
	stream->text[stream->size] = '\0';
	return 0;
}

/* Waits at most until `until_ms` for output or the end of the program.
 *
 * Returns 1 when the program has ended and its pipes are empty (a daemon that
 * it left behind may hold them open for ever), 0 to go on, or a negative errno.
 */
static int pump_once(struct child *child, int64_t until_ms)
{
	struct pollfd polls[3] = {
	    {.fd = child->streams[0].fd, .events = POLLIN},
	    {.fd = child->streams[1].fd, .events = POLLIN},
	    {.fd = child->pidfd, .events = POLLIN},
	};
	int64_t left_ms = until_ms - vrms_clock_now_ms(vrms_clock_system());
	int wait_ms = left_ms < 0 ? 0 : left_ms > 60000 ? 60000 : (int)left_ms;
	bool read_something = false;

	if (poll(polls, 3, wait_ms) < 0) {
		return errno == EINTR ? 0 : -errno;
	}
	for (int i = 0; i < 2; i++) {
		if (polls[i].revents != 0) {
			int rc = take_output(&child->streams[i], child->output_max);
			if (rc < 0) {
				return rc;
			}
			read_something = true;
		}
	}
	return polls[2].revents != 0 && !read_something;
}

static int pump_until(struct child *child, int64_t until_ms)
{
	int rc;

	do {
		rc = pump_once(child, until_ms);
		if (rc == 0 && vrms_clock_now_ms(vrms_clock_system()) >= until_ms) {
			return -ETIMEDOUT;
		}
	} while (rc == 0);
	return rc < 0 ? rc : 0;
}

/* Asks, then forces, the whole group to end.  The leader is not reaped yet, so
 * its id cannot belong to anybody else.
 */
static void end_group(struct child *child)
{
	const struct vrms_clock *clock = vrms_clock_system();

	kill(-child->pid, SIGTERM);
	(void)!pump_until(child, vrms_clock_now_ms(clock) + TERM_GRACE_MS);
	kill(-child->pid, SIGKILL);
	(void)!pump_until(child, vrms_clock_now_ms(clock) + KILL_GRACE_MS);
}

static int reap(pid_t pid)
{
	int status = 0;

	/* Not waiting for ever: after KILL_GRACE_MS an unkillable process is left to init. */
	if (waitpid(pid, &status, WNOHANG) != pid) {
		return 128 + SIGKILL;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Lets the started program run and takes its output. */
static int follow(struct child *child, const struct vrms_child_spec *spec)
{
	int64_t until_ms = vrms_clock_now_ms(vrms_clock_system()) + spec->timeout_ms;
	int rc = pump_until(child, until_ms);

	if (rc < 0) {
		end_group(child);
	}
	return rc;
}

/* A captured stream is a text even when the program said nothing. */
static char *take_text(struct stream *stream)
{
	return stream->text != NULL ? VRMS_TAKE(stream->text) : strdup("");
}

int vrms_child_run(const struct vrms_child_spec *spec, struct vrms_child_result *result,
		   struct vrms_error *error)
{
	struct child child = {.pidfd = -1, .streams = {{.fd = -1}, {.fd = -1}}};
	const char *name = spec->argv[0];

	child.output_max = spec->output_max > 0 ? spec->output_max : CAPTURE_BYTES_MAX;
	memset(result, 0, sizeof(*result));
	int rc = start(&child, spec);
	if (rc == 0) {
		rc = follow(&child, spec);
		result->timed_out = rc == -ETIMEDOUT;
		result->exit_code = reap(child.pid);
	}
	if (!spec->passthrough) {
		result->output = take_text(&child.streams[0]);
		result->errors = take_text(&child.streams[1]);
		if (rc == 0 && (result->output == NULL || result->errors == NULL)) {
			rc = -ENOMEM;
		}
	}
	vrms_closep(&child.streams[0].fd);
	vrms_closep(&child.streams[1].fd);
	vrms_closep(&child.pidfd);
	if (rc == -ETIMEDOUT) {
		return vrms_error_set(error, rc, "%s: not finished after %lld ms", name,
				      (long long)spec->timeout_ms);
	}
	return rc < 0 ? vrms_error_errno(error, rc, "%s", name) : 0;
}

/* Cuts trailing newlines and returns the last line. */
static const char *last_line(char *text)
{
	size_t length = strlen(text);

	while (length > 0 && text[length - 1] == '\n') {
		text[--length] = '\0';
	}
	char *newline = strrchr(text, '\n');
	return newline != NULL ? newline + 1 : text;
}

int vrms_child_check(const struct vrms_child_spec *spec, struct vrms_error *error)
{
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done);
	int rc = vrms_child_run(spec, &result, error);

	if (rc < 0 || result.exit_code == 0) {
		return rc;
	}
	const char *line = result.errors != NULL ? last_line(result.errors) : "";
	if (*line == '\0') {
		return vrms_error_set(error, -EIO, "%s: exit code %d", spec->argv[0],
				      result.exit_code);
	}
	return vrms_error_set(error, -EIO, "%s: %s", spec->argv[0], line);
}
