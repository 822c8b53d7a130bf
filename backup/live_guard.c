/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/live_guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backup/live.h"
#include "backup/live_base.h"
#include "common/clock.h"
#include "common/file.h"

enum { TRIES = 30, TRY_MS = 1000, THAW_TRIES = 60 };

/* What the backup says at its end; without a word it died. */
static const char all_right = 'q', only_thaw = 't';

struct vrms_live_guard {
	pid_t pid;
	int pipe;
};

/* Between fork and exec only calls that are safe there. */
static void become(const char *const *argv, int pipe)
{
	setsid(); /* Ctrl-C is for the backup */
	dup2(pipe, STDIN_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO); /* who reads the backup's output need not wait for us */
	execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
	_exit(127);
}

static const char **list_arguments(const struct vrms_live_guard_job *job)
{
	const char **argv = calloc(job->scratch_count + 9, sizeof(*argv));
	size_t count = 0;

	if (argv == NULL) {
		return NULL;
	}
	argv[count++] = "vrms-backup";
	argv[count++] = "guard";
	argv[count++] = "--";
	argv[count++] = job->uri != NULL ? job->uri : "";
	argv[count++] = job->vm;
	argv[count++] = job->checkpoint;
	argv[count++] = job->folder;
	for (size_t i = 0; i < job->scratch_count; i++) {
		argv[count++] = job->scratches[i];
	}
	return argv;
}

int vrms_live_guard_start(const struct vrms_live_guard_job *job, struct vrms_live_guard **ret_guard,
			  struct vrms_error *error)
{
	struct vrms_live_guard *guard VRMS_CLEANUP(vrms_freep) = calloc(1, sizeof(*guard));
	const char **argv VRMS_CLEANUP(vrms_freep) = list_arguments(job);
	int ends[2];

	if (guard == NULL || argv == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return vrms_error_errno(error, -errno, "pipe");
	}
	guard->pipe = ends[1];
	guard->pid = fork();
	if (guard->pid == 0) {
		become(argv, ends[0]);
	}
	close(ends[0]);
	if (guard->pid < 0) {
		int rc = vrms_error_errno(error, -errno, "fork");

		close(guard->pipe);
		return rc;
	}
	*ret_guard = VRMS_TAKE(guard);
	return 0;
}

void vrms_live_guard_end(struct vrms_live_guard *guard, bool is_right)
{
	if (guard == NULL) {
		return;
	}
	if (is_right) {
		(void)!write(guard->pipe, &all_right, 1);
	}
	close(guard->pipe);
	if (is_right) {
		waitpid(guard->pid, NULL, 0);
	}
	free(guard);
}

void vrms_live_guard_end_thawing(struct vrms_live_guard *guard)
{
	if (guard != NULL) {
		(void)!write(guard->pipe, &only_thaw, 1);
		close(guard->pipe);
		free(guard);
	}
}

void vrms_live_guard_clear(const char *folder, const char *const *scratches, size_t count)
{
	char path[128];

	for (size_t i = 0; i < count; i++) {
		unlink(scratches[i]);
	}
	snprintf(path, sizeof(path), "%s/nbd", folder);
	unlink(path);
	rmdir(folder);
}

/* QEMU locks its files. */
static bool is_held(int folder, const char *name)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd VRMS_CLEANUP(vrms_closep) = openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void vrms_live_guard_clear_old(const char *scratch)
{
	const char *name = strrchr(scratch, '/') + 1;
	const char *tail = strchr(name + 1, '.'); /* behind ".vrms-ID" */
	char *folder VRMS_CLEANUP(vrms_freep) = strndup(scratch, (size_t)(name - scratch));
	DIR *stream = folder != NULL ? opendir(folder) : NULL;

	if (stream == NULL) {
		return;
	}
	for (const struct dirent *row = readdir(stream); row != NULL; row = readdir(stream)) {
		if (strlen(row->d_name) == strlen(name) &&
		    strncmp(row->d_name, ".vrms-", strlen(".vrms-")) == 0 &&
		    strcmp(row->d_name + (tail - name), tail) == 0 &&
		    !is_held(dirfd(stream), row->d_name)) {
			unlinkat(dirfd(stream), row->d_name, 0);
		}
	}
	closedir(stream);
}

/* libvirt may be restarting just now. */
static int put_right(const char *uri, const char *vm, const char *checkpoint,
		     struct vrms_error *error)
{
	struct vrms_live *live VRMS_CLEANUP(vrms_live_closep) = NULL;
	int thawed, rc = vrms_live_open(uri, vm, &live, error);

	if (rc < 0) {
		return rc == -ENOENT ? 0 : rc; /* the VM has moved or ended: so has its job */
	}
	/* A guest that is not frozen, or has no agent, refuses; that is as good. */
	thawed = vrms_live_thaw(live, NULL);
	rc = vrms_live_end(live, error);
	if (rc == 0) {
		rc = vrms_live_remove(live, checkpoint, true, error);
	}
	if (rc == 0) {
		rc = vrms_live_bases_forget(live, error);
	}
	return rc == 0 && thawed == -ETIMEDOUT ? thawed : rc;
}

/* An agent that hangs may obey an old order to freeze as soon as it goes on: asked until it says
 * that nothing is frozen. */
static int thaw(const char *uri, const char *vm, struct vrms_error *error)
{
	struct vrms_live *live VRMS_CLEANUP(vrms_live_closep) = NULL;
	int rc = vrms_live_open(uri, vm, &live, error);

	if (rc == 0) {
		rc = vrms_live_thaw(live, error);
	}
	return rc == -ETIMEDOUT || rc == -ENOTCONN ? rc : 0; /* no VM, no agent: nothing to thaw */
}

int vrms_live_guard_run(char **arguments, int count, struct vrms_error *error)
{
	const char *uri = arguments[0][0] != '\0' ? arguments[0] : NULL;
	ssize_t size;
	char byte;
	int rc = -EIO;

	do {
		size = read(STDIN_FILENO, &byte, 1);
	} while (size < 0 && errno == EINTR);
	if (size == 1) {
		rc = byte == only_thaw ? -EAGAIN : 0;
		for (int i = 0; i < THAW_TRIES && rc < 0; i++) {
			vrms_clock_sleep_ms(vrms_clock_system(), TRY_MS);
			rc = thaw(uri, arguments[1], error);
		}
		return rc;
	}
	for (int i = 0; i < TRIES && rc < 0; i++) {
		if (i > 0) {
			vrms_clock_sleep_ms(vrms_clock_system(), TRY_MS);
		}
		rc = put_right(uri, arguments[1], arguments[2], error);
	}
	vrms_live_guard_clear(arguments[3],
			      (const char *const *)(arguments + VRMS_LIVE_GUARD_ARGUMENTS),
			      (size_t)(count - VRMS_LIVE_GUARD_ARGUMENTS));
	return rc;
}
