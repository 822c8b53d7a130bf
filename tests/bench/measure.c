/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"

static double now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double ms_of(const struct timeval *time)
{
	return (double)time->tv_sec * 1e3 + (double)time->tv_usec / 1e3;
}

/* In the child. */
static void become(const char *const *argv, char *const *environment)
{
	int null = open("/dev/null", O_RDWR);

	(void)dup2(null, 0);
	(void)dup2(null, 1);
	(void)dup2(null, 2);
	/* execve() takes no const for historical reasons; it does not write. */
	(void)execve(argv[0], (char *const *)(uintptr_t)argv, environment);
	_exit(127);
}

int bench_run(const char *const *argv, char *const *environment, struct bench_cost *ret_cost,
	      struct vrms_error *error)
{
	struct rusage usage;
	int status;
	double start_ms = now_ms();

	pid_t pid = fork();
	if (pid < 0) {
		return vrms_error_errno(error, -errno, "fork");
	}
	if (pid == 0) {
		become(argv, environment);
	}
	while (wait4(pid, &status, 0, &usage) < 0) {
		if (errno != EINTR) {
			return vrms_error_errno(error, -errno, "wait4");
		}
	}
	*ret_cost = (struct bench_cost){
	    .wall_ms = now_ms() - start_ms,
	    .cpu_ms = ms_of(&usage.ru_utime) + ms_of(&usage.ru_stime),
	    .rss_mib = (double)usage.ru_maxrss / 1024.0,
	    .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
	};
	return 0;
}

/* --- Counting ------------------------------------------------------------------------- */

static bool is_thread(pid_t id)
{
	char path[64];
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int group = id;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)id);
	if (vrms_file_read(path, 65536, &text, NULL, NULL) == 0) {
		const char *line = strstr(text, "\nTgid:");
		if (line == NULL || sscanf(line, "\nTgid: %d", &group) != 1) {
			group = id;
		}
	}
	return group != id;
}

/* Takes one stop of a traced process in; returns the signal that it must still get. */
static int count_stop(pid_t pid, int status, struct bench_count *count)
{
	unsigned long child = 0;

	switch (status >> 16) {
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		(void)ptrace(PTRACE_GETEVENTMSG, pid, NULL, &child);
		if (is_thread((pid_t)child)) {
			count->threads++;
		} else {
			count->processes++;
		}
		return 0;
	case PTRACE_EVENT_EXEC:
		count->execs++;
		return 0;
	case PTRACE_EVENT_STOP:
		return 0;
	default:
		return WSTOPSIG(status);
	}
}

static int trace(pid_t first, struct bench_count *count, struct vrms_error *error)
{
	int exit_code = -1;

	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);
		if (pid < 0 && errno == EINTR) {
			continue;
		}
		if (pid < 0) {
			break; /* the last one has ended */
		}
		if (pid == first && (WIFEXITED(status) || WIFSIGNALED(status))) {
			exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
		}
		if (WIFSTOPPED(status)) {
			(void)ptrace(PTRACE_CONT, pid, NULL, count_stop(pid, status, count));
		}
	}
	return exit_code == 0 ? 0
			      : vrms_error_set(error, -EIO, "ended with %d when traced", exit_code);
}

int bench_count(const char *const *argv, char *const *environment, struct bench_count *ret_count,
		struct vrms_error *error)
{
	struct bench_count count = {0};
	int go[2];
	char byte = 0;

	if (pipe2(go, O_CLOEXEC) < 0) {
		return vrms_error_errno(error, -errno, "pipe");
	}
	pid_t pid = fork();
	if (pid < 0) {
		return vrms_error_errno(error, -errno, "fork");
	}
	if (pid == 0) {
		(void)!read(go[0], &byte, 1); /* until it is traced */
		become(argv, environment);
	}
	long rc = ptrace(PTRACE_SEIZE, pid, NULL,
			 PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			     PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
	int saved = errno;
	(void)!write(go[1], &byte, 1);
	close(go[0]);
	close(go[1]);
	if (rc < 0) {
		(void)waitpid(pid, NULL, 0);
		return vrms_error_errno(error, -saved, "ptrace");
	}
	int traced = trace(pid, &count, error);
	if (traced == 0) {
		*ret_count = count;
	}
	return traced;
}

/* --- A daemon beside ------------------------------------------------------------------- */

double bench_cpu_ms_of(pid_t pid)
{
	clockid_t clock;
	struct timespec used;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) < 0) {
		return 0;
	}
	return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

pid_t bench_listener(const char *socket_path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	int fd VRMS_CLEANUP(vrms_closep) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
		return 0;
	}
	return peer.pid;
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left;
	double b = *(const double *)right;

	return (a > b) - (a < b);
}

double bench_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}
