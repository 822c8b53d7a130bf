/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/drbd_told.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"

enum { REPEAT_S = 300 };

static void path_of(const char *instance, char *path, size_t size)
{
	const char *folder = getenv("HA_RSCTMP");

	(void)snprintf(path, size, "%s/Drbd-%s.score",
		       folder != NULL && folder[0] != '\0' ? folder : "/run/resource-agents",
		       instance);
}

bool vrms_drbd_was_told(const char *instance, int score)
{
	char path[PATH_MAX], expected[16];
	struct stat about;
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	time_t now = time(NULL);

	path_of(instance, path, sizeof(path));
	(void)snprintf(expected, sizeof(expected), "%d", score);
	return stat(path, &about) == 0 && about.st_mtime <= now &&
	       now - about.st_mtime <= REPEAT_S &&
	       vrms_file_read(path, 64, &text, NULL, NULL) == 0 && strcmp(text, expected) == 0;
}

int vrms_drbd_remember_told(const char *instance, int score, struct vrms_error *error)
{
	char path[PATH_MAX], text[16];

	path_of(instance, path, sizeof(path));
	if (score < 0) {
		return unlink(path) == 0 || errno == ENOENT ? 0 : -errno;
	}
	(void)snprintf(text, sizeof(text), "%d", score);
	return vrms_file_write(path, text, strlen(text), 0600, error);
}
