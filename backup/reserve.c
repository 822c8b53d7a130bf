/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/reserve.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "backup/file_io.h"
#include "common/file.h"
#include "common/random.h"

/* Enough for locks, marks, and the index of a small repository; where less than so many of these are
 * free it would itself fill the disk. */
enum { RESERVE_BYTES = 1 << 20, FREE_SHARE = 4 };

static char *reserve_path(const char *root)
{
	char *path;

	return asprintf(&path, "%s/reserve", root) < 0 ? NULL : path;
}

/* Random, for a file system that compresses. */
static int fill(int fd)
{
	uint64_t words[512];
	struct vrms_random random;
	int rc = 0;

	vrms_random_init(&random, (uint64_t)time(NULL));
	for (uint64_t at = 0; at < RESERVE_BYTES && rc == 0; at += sizeof(words)) {
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			words[i] = vrms_random_next(&random);
		}
		rc = vrms_io_write(fd, words, sizeof(words), at);
	}
	return rc;
}

void vrms_reserve_make(const char *root)
{
	char *path VRMS_CLEANUP(vrms_freep) = reserve_path(root);
	int fd VRMS_CLEANUP(vrms_closep) = -1;
	struct statvfs space;

	if (path == NULL || access(path, F_OK) == 0 || statvfs(root, &space) < 0 ||
	    (uint64_t)space.f_bavail * space.f_frsize < (uint64_t)FREE_SHARE * RESERVE_BYTES) {
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0 && fill(fd) < 0) {
		unlink(path);
	}
}

bool vrms_reserve_give(const char *root)
{
	char *path VRMS_CLEANUP(vrms_freep) = reserve_path(root);

	return path != NULL && unlink(path) == 0;
}
