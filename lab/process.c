/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/file.h"

enum { STAT_BYTES_MAX = 4096, STATUS_BYTES_MAX = 65536, RECORD_BYTES_MAX = 4096 };

static void closedirp(DIR **dir)
{
	if (*dir != NULL) {
		closedir(*dir);
	}
}

/* State letter and start time.  The name before them may hold blanks and brackets, so
 * fields are counted from the last bracket. */
static int read_stat(pid_t pid, char *ret_state, uint64_t *ret_start_ticks)
{
	char path[64];
	char *text VRMS_CLEANUP(vrms_freep) = NULL;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (vrms_file_read(path, STAT_BYTES_MAX, &text, NULL, NULL) < 0) {
		return -ESRCH;
	}
	char *after_name = strrchr(text, ')');
	if (after_name == NULL ||
	    sscanf(after_name,
		   ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		   "%" SCNu64,
		   ret_state, ret_start_ticks) != 2) {
		return -ESRCH;
	}
	return 0;
}

char vrms_lab_process_state(pid_t pid)
{
	uint64_t start_ticks;
	char state = 0;

	return read_stat(pid, &state, &start_ticks) < 0 ? 0 : state;
}

static bool is_dead_state(char state)
{
	return state == 0 || state == 'Z' || state == 'X';
}

bool vrms_lab_process_is_stopped(pid_t pid)
{
	return vrms_lab_process_state(pid) == 'T';
}

uint64_t vrms_lab_process_pid_ns(pid_t pid)
{
	char path[64];
	struct stat status;

	if (is_dead_state(vrms_lab_process_state(pid))) {
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	return stat(path, &status) < 0 ? 0 : status.st_ino;
}

bool vrms_lab_process_is_ns_init(pid_t pid)
{
	char path[64];
	char *text VRMS_CLEANUP(vrms_freep) = NULL;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (vrms_file_read(path, STATUS_BYTES_MAX, &text, NULL, NULL) < 0) {
		return false;
	}
	/* "NSpid:\t4711\t1": its number in our namespace, then in each one below. */
	const char *line = strstr(text, "\nNSpid:\t");
	int outer = 0;
	int inner = 0;

	return line != NULL && sscanf(line, "\nNSpid: %d %d", &outer, &inner) == 2 && inner == 1;
}

static int read_boot_id(char boot_id[40])
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_file_read("/proc/sys/kernel/random/boot_id", 256, &text, NULL, NULL);

	if (rc < 0) {
		return rc;
	}
	text[strcspn(text, "\n")] = '\0';
	snprintf(boot_id, 40, "%s", text);
	return 0;
}

int vrms_lab_process_read(pid_t pid, struct vrms_lab_process *ret_process)
{
	struct vrms_lab_process process = {.pid = pid};
	char state = 0;
	int rc = read_stat(pid, &state, &process.start_ticks);

	if (rc < 0 || is_dead_state(state)) {
		return -ESRCH;
	}
	process.pid_ns = vrms_lab_process_pid_ns(pid);
	rc = read_boot_id(process.boot_id);
	if (rc == 0) {
		*ret_process = process;
	}
	return rc;
}

int vrms_lab_process_open(const struct vrms_lab_process *process)
{
	struct vrms_lab_process now;
	int fd = pidfd_open(process->pid, 0);

	if (fd < 0) {
		return errno == EINVAL ? -ESRCH : -errno;
	}
	/* Compared after the open: from here on the number cannot change hands unseen. */
	if (vrms_lab_process_read(process->pid, &now) < 0 ||
	    now.start_ticks != process->start_ticks || strcmp(now.boot_id, process->boot_id) != 0) {
		vrms_closep(&fd);
		return -ESRCH;
	}
	return fd;
}

int vrms_lab_process_save(const char *path, const struct vrms_lab_process *process,
			  struct vrms_error *error)
{
	json_t *json VRMS_CLEANUP(json_decrefp) =
	    json_pack("{s:i, s:I, s:I, s:s}", "pid", (int)process->pid, "start_ticks",
		      (json_int_t)process->start_ticks, "pid_ns", (json_int_t)process->pid_ns,
		      "boot_id", process->boot_id);
	char *text VRMS_CLEANUP(vrms_freep) = json != NULL ? json_dumps(json, 0) : NULL;

	if (text == NULL) {
		return vrms_error_errno(error, -ENOMEM, "%s", path);
	}
	return vrms_file_write(path, text, strlen(text), 0600, error);
}

int vrms_lab_process_load(const char *path, struct vrms_lab_process *ret_process,
			  struct vrms_error *error)
{
	struct vrms_lab_process process = {.pid = 0};
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	const char *boot_id = NULL;
	json_int_t start_ticks = 0;
	json_int_t pid_ns = 0;
	int pid = 0;
	int rc = vrms_file_read(path, RECORD_BYTES_MAX, &text, NULL, error);

	if (rc < 0) {
		return rc;
	}
	json_t *json VRMS_CLEANUP(json_decrefp) = json_loads(text, 0, NULL);
	if (json == NULL ||
	    json_unpack(json, "{s:i, s:I, s:I, s:s}", "pid", &pid, "start_ticks", &start_ticks,
			"pid_ns", &pid_ns, "boot_id", &boot_id) < 0 ||
	    pid <= 0) {
		return vrms_error_set(error, -EINVAL, "%s: not the record of a process", path);
	}
	process.pid = pid;
	process.start_ticks = (uint64_t)start_ticks;
	process.pid_ns = (uint64_t)pid_ns;
	snprintf(process.boot_id, sizeof(process.boot_id), "%s", boot_id);
	*ret_process = process;
	return 0;
}

/* Returns 0 when the process has ended, -ETIMEDOUT otherwise. */
static int wait_for_end(int pidfd, int64_t timeout_ms)
{
	const struct vrms_clock *clock = vrms_clock_system();
	int64_t until_ms = vrms_clock_now_ms(clock) + timeout_ms;
	struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};

	for (;;) {
		int64_t left_ms = until_ms - vrms_clock_now_ms(clock);
		int rc = poll(&poll_fd, 1, left_ms > 0 ? (int)left_ms : 0);

		if (rc > 0) {
			return 0;
		}
		if (rc == 0) {
			return -ETIMEDOUT;
		}
		if (errno != EINTR) {
			return -errno;
		}
	}
}

int vrms_lab_process_kill(const struct vrms_lab_process *process, int64_t timeout_ms,
			  struct vrms_error *error)
{
	int fd VRMS_CLEANUP(vrms_closep) = vrms_lab_process_open(process);

	if (fd == -ESRCH) {
		return 0;
	}
	if (fd < 0) {
		return vrms_error_errno(error, fd, "process %d", (int)process->pid);
	}
	if (pidfd_send_signal(fd, SIGKILL, NULL, 0) < 0 && errno != ESRCH) {
		return vrms_error_errno(error, -errno, "process %d", (int)process->pid);
	}
	int rc = wait_for_end(fd, timeout_ms);
	if (rc == -ETIMEDOUT) {
		return vrms_error_set(error, rc, "process %d still lives %lld ms after SIGKILL",
				      (int)process->pid, (long long)timeout_ms);
	}
	return rc < 0 ? vrms_error_errno(error, rc, "process %d", (int)process->pid) : 0;
}

int vrms_lab_process_walk(vrms_lab_process_visit *visit, void *context)
{
	DIR *proc VRMS_CLEANUP(closedirp) = opendir("/proc");

	if (proc == NULL) {
		return -errno;
	}
	for (const struct dirent *entry = readdir(proc); entry != NULL; entry = readdir(proc)) {
		if (!isdigit((unsigned char)entry->d_name[0])) {
			continue;
		}
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (is_dead_state(vrms_lab_process_state(pid))) {
			continue;
		}
		int rc = visit(context, pid);
		if (rc != 0) {
			return rc;
		}
	}
	return 0;
}
