/* process.h - processes told apart for certain: a number alone may belong to another by now.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_PROCESS_H
#define VRMS_LAB_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"

struct vrms_lab_process {
	pid_t pid;
	uint64_t start_ticks; /* field 22 of /proc/PID/stat (source: proc(5)) */
	uint64_t pid_ns;      /* inode of its pid namespace */
	char boot_id[40]; /* /proc/sys/kernel/random/boot_id: a number of an earlier boot is void */
};

/* Takes the identity of a live process.  -ESRCH when there is none (a zombie is none). */
VRMS_MUST_CHECK int vrms_lab_process_read(pid_t pid, struct vrms_lab_process *ret_process);

/* A pidfd of exactly that process; -ESRCH when it is gone. */
VRMS_MUST_CHECK int vrms_lab_process_open(const struct vrms_lab_process *process);

/* Identity in a file (JSON).  Load: -ENOENT no file, -EINVAL not such a file. */
VRMS_MUST_CHECK int vrms_lab_process_save(const char *path, const struct vrms_lab_process *process,
					  struct vrms_error *error);
VRMS_MUST_CHECK int vrms_lab_process_load(const char *path, struct vrms_lab_process *ret_process,
					  struct vrms_error *error);

/* Kills it and waits until it is dead; its absence is success.
 *
 * For pid 1 of a namespace, death comes after that of everything in it.
 * -ETIMEDOUT when it still lives after timeout_ms.
 */
VRMS_MUST_CHECK int vrms_lab_process_kill(const struct vrms_lab_process *process,
					  int64_t timeout_ms, struct vrms_error *error);

/* Called for each live process of the machine; a non-zero return ends the walk. */
typedef int vrms_lab_process_visit(void *context, pid_t pid);

/* Walks /proc.  Returns what visit returned, 0 at the end, or a negative errno. */
int vrms_lab_process_walk(vrms_lab_process_visit *visit, void *context);

/* Inode of a process's pid namespace; 0 when it is gone or a zombie. */
uint64_t vrms_lab_process_pid_ns(pid_t pid);

/* Is it pid 1 of a pid namespace below ours? */
bool vrms_lab_process_is_ns_init(pid_t pid);

/* Is it stopped (state T)? */
bool vrms_lab_process_is_stopped(pid_t pid);

/* The process's state letter as in /proc/PID/stat; 0 when it is gone. */
char vrms_lab_process_state(pid_t pid);

#endif
