/* node.h - one node as a machine: its power, its processes, its boot.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_NODE_H
#define VRMS_LAB_NODE_H

#include <sched.h>

#include "lab/lab.h"
#include "lab/process.h"

/* Finds pid 1 of a node: by its record, and where that is missing, by looking at every process.
 *
 * Returns 0, -ESRCH when the node is off, or another negative errno.
 */
VRMS_MUST_CHECK int vrms_lab_node_find(const struct vrms_lab *lab, int index,
				       struct vrms_lab_process *ret_init, struct vrms_error *error);

VRMS_MUST_CHECK int vrms_lab_node_get_state(const struct vrms_lab *lab, int index,
					    enum vrms_lab_node_state *ret_state,
					    struct vrms_error *error);
const char *vrms_lab_node_state_name(enum vrms_lab_node_state state);

/* A pidfd of the node's pid 1; -EHOSTDOWN when it is off. */
VRMS_MUST_CHECK int vrms_lab_node_open(const struct vrms_lab *lab, int index,
				       struct vrms_error *error);

/* The namespaces of a node, for vrms_lab_enter(). */
enum {
	VRMS_LAB_NODE_NAMESPACES =
	    CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
};

enum vrms_lab_boot {
	VRMS_LAB_BOOT_GOING_ON,
	VRMS_LAB_BOOT_DONE,
	VRMS_LAB_BOOT_FAILED,
};

/* How far the boot of a running node is; a failed one leaves its reason in error. */
VRMS_MUST_CHECK int vrms_lab_node_boot_state(const struct vrms_lab *lab, int index,
					     enum vrms_lab_boot *ret_boot,
					     struct vrms_error *error);

/* Takes the lock of a node, without which nobody changes its power. */
VRMS_MUST_CHECK int vrms_lab_node_lock(const struct vrms_lab *lab, int index, int *ret_fd,
				       struct vrms_error *error);

/* With the lock held: makes the namespaces and starts pid 1.  A running node is success. */
VRMS_MUST_CHECK int vrms_lab_node_start(const struct vrms_lab *lab, int index,
					struct vrms_error *error);

/* With the lock held: cuts the cables, kills, proves that nothing lives.  An off node is success.
 */
VRMS_MUST_CHECK int vrms_lab_node_kill(const struct vrms_lab *lab, int index,
				       struct vrms_error *error);

#endif
