/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/qemu_process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/file.h"
#include "common/parse.h"

/* A command line of a guest with hundreds of disks stays below the kernel's own limit. */
enum { CMDLINE_BYTES_MAX = 4 * 1024 * 1024 };
enum { STAT_BYTES_MAX = 4096 };
enum { PID_FILE_BYTES_MAX = 64 };
enum { PATH_BYTES = 512 };

const struct vrms_qemu_roots *vrms_qemu_roots_system(void)
{
	static const struct vrms_qemu_roots roots = {.proc = "/proc", .run = "/run/libvirt/qemu"};

	return &roots;
}

/* By number: glibc has had wrappers only since 2.36. */
static int open_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int send_signal(int pidfd, int signal)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

/* A process that ends while we look at it is none, not an error. */
static bool has_vanished(int rc)
{
	return rc == -ENOENT || rc == -ESRCH;
}

/* --- Whose process is it? ----------------------------------------------------- */

/* Whom we look for: by UUID, or by name when the UUID is not known. */
struct wanted {
	const char *name;
	const char *uuid; /* NULL: not known */
};

/* "guest=NAME" or "guest=NAME,debug-threads=on"; a comma in a name is doubled.
 * Source: qemuBuildNameCommandLine() of libvirt. */
static bool is_name_argument(const char *word, const char *name)
{
	if (strncmp(word, "guest=", 6) != 0) {
		return false;
	}
	for (word += 6; *name != '\0'; name++, word++) {
		if (*word != *name || (*name == ',' && *++word != ',')) {
			return false;
		}
	}
	return *word == '\0' || (*word == ',' && word[1] != ',');
}

/* True when the NUL-separated arguments hold the option with the value we look for. */
static bool has_wanted_argument(const char *cmdline, size_t bytes, const struct wanted *wanted)
{
	const char *option = wanted->uuid != NULL ? "-uuid" : "-name";
	const char *end = cmdline + bytes;
	bool is_next = false;

	for (const char *word = cmdline; word < end;
	     word += strnlen(word, (size_t)(end - word)) + 1) {
		if (is_next && (wanted->uuid != NULL ? strcasecmp(word, wanted->uuid) == 0
						     : is_name_argument(word, wanted->name))) {
			return true;
		}
		is_next = strcmp(word, option) == 0;
	}
	return false;
}

/* *ret_bytes is 0 for a zombie and for a kernel thread. */
static int read_cmdline(const char *folder, const struct wanted *wanted, bool *ret_is_ours,
			size_t *ret_bytes, struct vrms_error *error)
{
	char path[PATH_BYTES];
	char *text VRMS_CLEANUP(vrms_freep) = NULL;

	if ((size_t)snprintf(path, sizeof(path), "%s/cmdline", folder) >= sizeof(path)) {
		return vrms_error_set(error, -ENAMETOOLONG, "%s: path too long", folder);
	}
	int rc = vrms_file_read(path, CMDLINE_BYTES_MAX, &text, ret_bytes, error);
	if (rc == 0) {
		*ret_is_ours = has_wanted_argument(text, *ret_bytes, wanted);
	}
	return rc;
}

/* The letter after the last ')': a program may have ')' in its name. */
static int read_state_letter(const char *proc, pid_t pid, char *ret_letter,
			     struct vrms_error *error)
{
	char path[PATH_BYTES];
	char *text VRMS_CLEANUP(vrms_freep) = NULL;

	if ((size_t)snprintf(path, sizeof(path), "%s/%d/stat", proc, (int)pid) >= sizeof(path)) {
		return vrms_error_set(error, -ENAMETOOLONG, "%s: path too long", proc);
	}
	int rc = vrms_file_read(path, STAT_BYTES_MAX, &text, NULL, error);
	if (rc < 0) {
		return rc;
	}

	const char *after = strrchr(text, ')');
	if (after == NULL || after[1] != ' ' || after[2] == '\0') {
		return vrms_error_set(error, -EBADMSG, "%s: not a process state", path);
	}
	*ret_letter = after[2];
	return 0;
}

/* Asks the threads of a process whose first thread has ended: they still have the arguments. */
static int threads_are_ours(const char *folder, const struct wanted *wanted, bool *ret_is_ours,
			    struct vrms_error *error)
{
	char path[PATH_BYTES];

	if ((size_t)snprintf(path, sizeof(path), "%s/task", folder) >= sizeof(path)) {
		return vrms_error_set(error, -ENAMETOOLONG, "%s: path too long", folder);
	}
	DIR *tasks = opendir(path);
	if (tasks == NULL) {
		return vrms_error_errno(error, -errno, "%s", path);
	}

	int rc = 0;
	bool is_ours = false;
	for (const struct dirent *entry = readdir(tasks); entry != NULL && rc == 0 && !is_ours;
	     entry = readdir(tasks)) {
		char thread[PATH_BYTES];
		size_t bytes;
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    (size_t)snprintf(thread, sizeof(thread), "%s/%s", path, entry->d_name) >=
			sizeof(thread)) {
			continue;
		}
		rc = read_cmdline(thread, wanted, &is_ours, &bytes, error);
		rc = has_vanished(rc) ? 0 : rc;
	}
	(void)closedir(tasks);
	if (rc == 0) {
		*ret_is_ours = is_ours;
	}
	return rc;
}

static int is_ours(const struct vrms_qemu_roots *roots, pid_t pid, const struct wanted *wanted,
		   bool *ret_is_ours, struct vrms_error *error)
{
	char folder[PATH_BYTES];
	size_t bytes;

	if ((size_t)snprintf(folder, sizeof(folder), "%s/%d", roots->proc, (int)pid) >=
	    sizeof(folder)) {
		return vrms_error_set(error, -ENAMETOOLONG, "%s: path too long", roots->proc);
	}
	int rc = read_cmdline(folder, wanted, ret_is_ours, &bytes, error);
	if (rc < 0 || bytes > 0) {
		return rc;
	}

	char letter;
	rc = read_state_letter(roots->proc, pid, &letter, error);
	if (rc < 0 || letter != 'Z') {
		return rc; /* a kernel thread has no arguments either */
	}
	return threads_are_ours(folder, wanted, ret_is_ours, error);
}

static bool is_dead(int pidfd)
{
	struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};

	return poll(&poll_fd, 1, 0) > 0;
}

/* Takes the process when it is ours and alive.  -ESRCH: it is not. */
static int take(const struct vrms_qemu_roots *roots, pid_t pid, const struct wanted *wanted,
		struct vrms_qemu_process *ret_process, struct vrms_error *error)
{
	bool ours = false;

	int rc = is_ours(roots, pid, wanted, &ours, error);
	if (rc < 0) {
		return has_vanished(rc) ? -ESRCH : rc;
	}
	if (!ours) {
		return -ESRCH;
	}

	/* The number may have got another owner since: pin the process, then look again. */
	int pidfd VRMS_CLEANUP(vrms_closep) = open_pidfd(pid);
	if (pidfd < 0) {
		return errno == ESRCH || errno == EINVAL
			   ? -ESRCH
			   : vrms_error_errno(error, -errno, "process %d", (int)pid);
	}
	ours = false;
	rc = is_ours(roots, pid, wanted, &ours, error);
	if (rc < 0 && !has_vanished(rc)) {
		return rc;
	}
	if (!ours || is_dead(pidfd)) {
		return -ESRCH;
	}

	*ret_process = (struct vrms_qemu_process){.pid = pid, .pidfd = pidfd};
	pidfd = -1;
	return 0;
}

/* --- Finding it ---------------------------------------------------------------- */

/* The pid in libvirt's file; 0: there is no usable one, which is no error: the scan decides. */
static pid_t read_pid_file(const char *run, const char *name)
{
	char path[PATH_BYTES];
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int64_t pid;

	if (name == NULL || strchr(name, '/') != NULL ||
	    (size_t)snprintf(path, sizeof(path), "%s/%s.pid", run, name) >= sizeof(path) ||
	    vrms_file_read(path, PID_FILE_BYTES_MAX, &text, NULL, NULL) < 0) {
		return 0;
	}
	text[strcspn(text, "\n")] = '\0';
	return vrms_int_parse(text, 1, INT32_MAX, &pid, NULL) == 0 ? (pid_t)pid : 0;
}

static int scan(const struct vrms_qemu_roots *roots, const struct wanted *wanted,
		struct vrms_qemu_process *ret_process, struct vrms_error *error)
{
	DIR *proc = opendir(roots->proc);
	if (proc == NULL) {
		/* Not -ESRCH or -ENOENT, whatever the reason: this proves nothing. */
		(void)vrms_error_errno(error, -errno, "%s", roots->proc);
		return -EIO;
	}

	int rc = -ESRCH;
	const struct dirent *entry;
	errno = 0;
	while (rc == -ESRCH && (entry = readdir(proc)) != NULL) {
		int64_t pid;
		if (vrms_int_parse(entry->d_name, 1, INT32_MAX, &pid, NULL) == 0) {
			rc = take(roots, (pid_t)pid, wanted, ret_process, error);
		}
		errno = 0;
	}
	if (rc == -ESRCH && errno != 0) {
		rc = vrms_error_errno(error, -EIO, "%s", roots->proc);
	}
	(void)closedir(proc);
	return rc;
}

int vrms_qemu_process_find(const struct vrms_qemu_roots *roots, const char *name, const char *uuid,
			   struct vrms_qemu_process *ret_process, struct vrms_error *error)
{
	const struct wanted wanted = {
	    .name = name,
	    .uuid = uuid == NULL || uuid[0] == '\0' ? NULL : uuid,
	};
	pid_t pid = read_pid_file(roots->run, name);

	if (wanted.uuid == NULL && (name == NULL || name[0] == '\0')) {
		return vrms_error_set(error, -EINVAL, "a domain without name and UUID");
	}
	if (pid > 0 && take(roots, pid, &wanted, ret_process, NULL) == 0) {
		return 0;
	}
	return scan(roots, &wanted, ret_process, error);
}

/* --- Watching and ending it ------------------------------------------------------ */

int vrms_qemu_process_state(const struct vrms_qemu_roots *roots,
			    const struct vrms_qemu_process *process,
			    enum vrms_qemu_process_state *ret_state, struct vrms_error *error)
{
	char letter = '\0';

	int rc = read_state_letter(roots->proc, process->pid, &letter, error);
	if (is_dead(process->pidfd)) {
		*ret_state = VRMS_QEMU_DEAD; /* and what /proc says may be about a successor */
		return 0;
	}
	if (rc < 0) {
		return has_vanished(rc) ? -EIO : rc;
	}
	/* Source: proc(5).  A zombie that is not dead has threads that still run. */
	*ret_state = letter == 'T' || letter == 't' ? VRMS_QEMU_STOPPED : VRMS_QEMU_RUNNING;
	return 0;
}

/* True when it died before `until_ms`. */
static bool wait_for_death(int pidfd, const struct vrms_clock *clock, int64_t until_ms)
{
	for (;;) {
		int64_t left_ms = until_ms - vrms_clock_now_ms(clock);
		if (left_ms <= 0) {
			return is_dead(pidfd);
		}
		struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
		if (poll(&poll_fd, 1, left_ms < 1000 ? (int)left_ms : 1000) > 0) {
			return true;
		}
	}
}

/* Time that a KILL needs to take down a guest with much memory, kept back from the grace. */
enum { KILL_RESERVE_MS = 2000 };

static int64_t grace_end_ms(int64_t now_ms, int64_t grace_ms, int64_t deadline_ms)
{
	int64_t left_ms = deadline_ms - now_ms;
	int64_t reserve_ms = left_ms / 2 < KILL_RESERVE_MS ? left_ms / 2 : KILL_RESERVE_MS;

	return grace_ms < left_ms - reserve_ms ? now_ms + grace_ms : deadline_ms - reserve_ms;
}

int vrms_qemu_process_end(const struct vrms_qemu_process *process, const struct vrms_clock *clock,
			  int64_t grace_ms, int64_t deadline_ms, struct vrms_error *error)
{
	int64_t now_ms = vrms_clock_now_ms(clock);

	if (grace_ms > 0 && send_signal(process->pidfd, SIGTERM) == 0) {
		/* A stopped process acts on TERM only when it is let go on. */
		(void)send_signal(process->pidfd, SIGCONT);
		if (wait_for_death(process->pidfd, clock,
				   grace_end_ms(now_ms, grace_ms, deadline_ms))) {
			return 0;
		}
	}

	int rc = send_signal(process->pidfd, SIGKILL);
	if (rc == -ESRCH) {
		return 0;
	}
	if (rc < 0) {
		return vrms_error_errno(error, rc, "killing QEMU, process %d", (int)process->pid);
	}
	if (!wait_for_death(process->pidfd, clock, deadline_ms)) {
		return vrms_error_set(
		    error, -ETIMEDOUT,
		    "QEMU, process %d, was killed and does not die: it hangs in the kernel",
		    (int)process->pid);
	}
	return 0;
}

void vrms_qemu_process_done(struct vrms_qemu_process *process)
{
	vrms_closep(&process->pidfd);
	*process = VRMS_QEMU_PROCESS_NONE;
}
