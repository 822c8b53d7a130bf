/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/guardian.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/fork.h"
#include "common/log.h"
#include "quorum/totem.h"

enum { STEP_MS = 1000 };

static void guard(int fd)
{
	struct vrms_error error;
	char word;
	ssize_t got;

	/* What ends the daemon must not end its guardian. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	do {
		got = read(fd, &word, 1);
	} while (got < 0 && errno == EINTR);
	if (got == 1) {
		_exit(EXIT_SUCCESS);
	}
	vrms_log(LOG_WARNING, "vrmsd has died: the configured token goes back into force");
	if (vrms_totem_restore(STEP_MS, &error) < 0) {
		vrms_log(LOG_WARNING, "%s", error.text);
		_exit(EXIT_FAILURE);
	}
	_exit(EXIT_SUCCESS);
}

int vrms_guardian_start(int *ret_fd, struct vrms_error *error)
{
	int fd;
	pid_t pid = vrms_fork_with_pipe(VRMS_FORK_PARENT_TO_CHILD, &fd, error);

	if (pid < 0) {
		return (int)pid;
	}
	if (pid == 0) {
		setsid(); /* a terminal's Ctrl-C goes to the whole process group */
		guard(fd);
	}
	*ret_fd = fd;
	return 0;
}

void vrms_guardian_dismiss(int fd)
{
	(void)!write(fd, "x", 1);
	close(fd);
}
