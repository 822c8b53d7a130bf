/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/fork.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

pid_t vrms_fork_with_pipe(enum vrms_fork_pipe direction, int *ret_fd, struct vrms_error *error)
{
	enum { READ_END, WRITE_END };
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0) {
		return vrms_error_errno(error, -errno, "pipe");
	}
	pid_t pid = fork();

	if (pid < 0) {
		int rc = vrms_error_errno(error, -errno, "fork");

		close(fds[READ_END]);
		close(fds[WRITE_END]);
		return rc;
	}
	int own = (pid == 0) == (direction == VRMS_FORK_PARENT_TO_CHILD) ? READ_END : WRITE_END;

	close(fds[own == READ_END ? WRITE_END : READ_END]);
	*ret_fd = fds[own];
	return pid;
}
