/* exit.h - the exit codes of OCF actions and of fence agents, and how an errno becomes one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_OCF_EXIT_H
#define VRMS_OCF_EXIT_H

/* Source: OCF Resource Agent API 1.1, "Exit status codes"; 8, 9, 190 and 191 are Pacemaker's. */
enum vrms_ocf_exit {
	VRMS_OCF_SUCCESS = 0,
	VRMS_OCF_ERR_GENERIC = 1,
	VRMS_OCF_ERR_ARGS = 2,
	VRMS_OCF_ERR_UNIMPLEMENTED = 3,
	VRMS_OCF_ERR_PERM = 4,
	VRMS_OCF_ERR_INSTALLED = 5,
	VRMS_OCF_ERR_CONFIGURED = 6,
	VRMS_OCF_NOT_RUNNING = 7,
	VRMS_OCF_RUNNING_PROMOTED = 8,
	VRMS_OCF_FAILED_PROMOTED = 9,
	VRMS_OCF_DEGRADED = 190,
	VRMS_OCF_DEGRADED_PROMOTED = 191,
};

/* Source: fence-agents' lib/fencing.py.py and FenceAgentAPI.md: 0 done, 1 failed, 2 is off
 * (status). */
enum vrms_fence_exit {
	VRMS_FENCE_OK = 0,
	VRMS_FENCE_FAILED = 1,
	VRMS_FENCE_IS_OFF = 2,
};

/* The one table from errno to OCF: -EINVAL, -ERANGE -> CONFIGURED; -EACCES, -EPERM -> PERM;
 * -ENOENT, -ENOSYS -> INSTALLED (what the action needs is not on this node); -EOPNOTSUPP ->
 * UNIMPLEMENTED; 0 -> SUCCESS; everything else -> GENERIC.
 */
enum vrms_ocf_exit vrms_ocf_exit_from_errno(int rc);

/* "OCF_ERR_GENERIC" ...; "unknown" for a number that is none. */
const char *vrms_ocf_exit_name(int code);

#endif
