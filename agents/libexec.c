/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/libexec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ocf/exit.h"

void vrms_libexec_path(const char *program, char ret_path[PATH_MAX])
{
	const char *folder = getenv("VRMS_LIBEXECDIR");

	if (folder == NULL || folder[0] == '\0') {
		folder = VRMS_LIBEXECDIR;
	}
	(void)snprintf(ret_path, PATH_MAX, "%s/%s", folder, program);
}

int vrms_libexec_become(const char *program, char **argv)
{
	char path[PATH_MAX];

	vrms_libexec_path(program, path);
	execv(path, argv);
	fprintf(stderr, "ocf-exit-reason:%s: %s; the installation is incomplete\n", path,
		strerror(errno));
	return VRMS_OCF_ERR_INSTALLED;
}
