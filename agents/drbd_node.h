/* drbd_node.h - DRBD on this node: its tools, its module, its files.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_DRBD_NODE_H
#define VRMS_AGENTS_DRBD_NODE_H

#include "agents/drbd_judge.h"
#include "agents/drbd_state.h"
#include "common/child.h"
#include "ocf/agent.h"

struct vrms_drbd_node {
	const struct vrms_ocf_call *call;
	const char *resource;  /* its name in drbd.conf */
	const char *drbdconf;  /* NULL: drbdadm's own */
	const char *proc_path; /* "/proc/drbd" */
	const char *log_path;  /* "/dev/kmsg" */
	bool is_orphan;        /* not in the configuration any more: drbdsetup instead of drbdadm */
};

/* Reads the resource's state.
 *
 * Without a module, or without such a resource, state->exists is false and that is no error.
 * Errors: -ENOSYS: a module of an unknown version; -ENOENT: drbdsetup is not installed; -EPROTO:
 * nothing that can be read; -ETIMEDOUT.
 */
VRMS_MUST_CHECK int vrms_drbd_look(const struct vrms_drbd_node *node,
				   struct vrms_drbd_resource *state, struct vrms_error *error);

/* vrms_drbd_judge() with the kernel's log, where that matters. */
void vrms_drbd_judge_here(const struct vrms_drbd_node *node, const struct vrms_drbd_resource *state,
			  struct vrms_drbd_judgement *ret_judgement);

/* Runs "drbdadm VERB RESOURCE"; "drbdsetup VERB RESOURCE" for an orphan.
 *
 * Returns 0 with the exit code in *ret_code and, when that is not 0, what drbdadm said last in
 * `error`; or -ENOENT, -ETIMEDOUT.
 */
VRMS_MUST_CHECK int vrms_drbd_adm(const struct vrms_drbd_node *node, const char *verb,
				  int *ret_code, struct vrms_error *error);

/* Whether tools, module and configuration are there and fit.
 *
 * Errors: -ENOENT: no drbd-utils, or the resource is not in this node's configuration (other
 * nodes may have it: INSTALLED, not CONFIGURED); -ENOSYS: versions that do not fit.
 * A module that is not loaded is no error.
 */
VRMS_MUST_CHECK int vrms_drbd_check_installed(const struct vrms_drbd_node *node,
					      struct vrms_error *error);

/* modprobe drbd, unless it is there; -ENOENT when it cannot be had. */
VRMS_MUST_CHECK int vrms_drbd_load_module(const struct vrms_drbd_node *node,
					  struct vrms_error *error);

/* Tells Pacemaker the promotion score; 0 removes it.
 *
 * always: false: only when it differs from what was told within the last minutes.
 * Failures are logged: a monitor that sees the data well must not fail for them.
 */
void vrms_drbd_publish_score(const struct vrms_drbd_node *node, int score, bool always);

#endif
