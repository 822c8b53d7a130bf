/* enter.h - work done inside other namespaces.
 *
 * It is done by a thread of its own, so that the caller never leaves home.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_ENTER_H
#define VRMS_LAB_ENTER_H

#include "common/child.h"

/* Runs in the namespaces; returns 0 or a negative errno. */
typedef int vrms_lab_enter_work(void *context, struct vrms_error *error);

/* Enters the namespaces that `fd` stands for and does the work there.
 *
 * fd:    a pidfd, or a file of /proc/PID/ns; -1 enters nothing.
 * flags: CLONE_NEW... of the namespaces; with CLONE_NEWPID children are in the new one.
 * Returns what work returned, or a negative errno of setns(2) or pthread_create(3).
 */
VRMS_MUST_CHECK int vrms_lab_enter(int fd, int flags, vrms_lab_enter_work *work, void *context,
				   struct vrms_error *error);

/* vrms_child_run() and vrms_child_check() in there. */
VRMS_MUST_CHECK int vrms_lab_enter_run(int fd, int flags, const struct vrms_child_spec *spec,
				       struct vrms_child_result *result, struct vrms_error *error);
VRMS_MUST_CHECK int vrms_lab_enter_check(int fd, int flags, const struct vrms_child_spec *spec,
					 struct vrms_error *error);

#endif
