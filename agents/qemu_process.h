/* qemu_process.h - find, watch and end the QEMU process of a domain without libvirt.
 *
 * For the time when libvirtd is down or stuck: the process is the truth, libvirtd only its clerk.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_QEMU_PROCESS_H
#define VRMS_AGENTS_QEMU_PROCESS_H

#include <sys/types.h>

#include "common/clock.h"
#include "common/error.h"

/* Where to look; vrms_qemu_roots_system() in production, folders of a test otherwise. */
struct vrms_qemu_roots {
	const char *proc; /* "/proc" */
	const char *run;  /* "/run/libvirt/qemu": NAME.pid, written by libvirt */
};

const struct vrms_qemu_roots *vrms_qemu_roots_system(void);

/* A pidfd pins the process: its number can be reused, the descriptor cannot be misled. */
struct vrms_qemu_process {
	pid_t pid;
	int pidfd;
};

/* A process that is not there. */
#define VRMS_QEMU_PROCESS_NONE ((struct vrms_qemu_process){.pid = 0, .pidfd = -1})

enum vrms_qemu_process_state {
	VRMS_QEMU_RUNNING,
	VRMS_QEMU_STOPPED, /* by SIGSTOP or a debugger: alive, holds its disks, does not serve */
	VRMS_QEMU_DEAD,    /* every thread has ended; an unreaped zombie counts as dead */
};

/* Finds the process that runs a domain: one whose arguments hold "-uuid UUID", or "-name
 * guest=NAME" when the UUID is not known, as libvirt writes them (source: qemuBuildCommandLine;
 * both pairs are on every QEMU that libvirt starts).
 *
 * First the process that NAME.pid names, then every process; a pid file whose
 * process has other arguments is ignored.  A process whose first thread has
 * ended while others still hang in the kernel is found too: it may yet write.
 *
 * name:        the domain's name; NULL or one with a '/': no pid file is tried.
 * uuid:        36 characters with dashes, any case; NULL or "": not known, the name decides.
 * ret_process: call _done() on it; untouched on failure.
 * Returns 0, -ESRCH (there is none: certain), or another -errno: cannot tell.
 */
VRMS_MUST_CHECK int vrms_qemu_process_find(const struct vrms_qemu_roots *roots, const char *name,
					   const char *uuid, struct vrms_qemu_process *ret_process,
					   struct vrms_error *error);

/* Says how the process is now.  Errors: -errno when the kernel does not say. */
VRMS_MUST_CHECK int vrms_qemu_process_state(const struct vrms_qemu_roots *roots,
					    const struct vrms_qemu_process *process,
					    enum vrms_qemu_process_state *ret_state,
					    struct vrms_error *error);

/* Ends the process: TERM, up to grace_ms for a clean end, KILL, then waits for its death.
 *
 * grace_ms:    0 kills at once.  A stopped process is continued so that it can act on TERM.
 * deadline_ms: on `clock`; KILL is sent before it even if the grace is longer.
 * Returns 0 when every thread of it has ended, -ETIMEDOUT when it outlives the
 * deadline (it hangs in the kernel), -EPERM etc. when it may not be signalled.
 * There may be a second process of the same domain: find again after success.
 */
VRMS_MUST_CHECK int vrms_qemu_process_end(const struct vrms_qemu_process *process,
					  const struct vrms_clock *clock, int64_t grace_ms,
					  int64_t deadline_ms, struct vrms_error *error);

/* Closes the pidfd; accepts VRMS_QEMU_PROCESS_NONE.  Shape fits VRMS_CLEANUP. */
void vrms_qemu_process_done(struct vrms_qemu_process *process);

#endif
