/* fork.h - a child of this very program that is connected by a pipe.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_COMMON_FORK_H
#define VRMS_COMMON_FORK_H

#include <sys/types.h>

#include "common/error.h"

enum vrms_fork_pipe {
	VRMS_FORK_PARENT_TO_CHILD,
	VRMS_FORK_CHILD_TO_PARENT,
};

/* Forks with a pipe in that direction.
 *
 * ret_fd: this process's end of it, close-on-exec, in both processes; the other end is closed.
 * Returns the child's pid in the parent, 0 in the child, or a negative errno.
 */
VRMS_MUST_CHECK pid_t vrms_fork_with_pipe(enum vrms_fork_pipe direction, int *ret_fd,
					  struct vrms_error *error);

#endif
