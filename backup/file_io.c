/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

int vrms_io_read(int fd, void *buffer, size_t size, uint64_t offset)
{
	uint8_t *at = buffer;

	while (size > 0) {
		ssize_t got = pread(fd, at, size, (off_t)offset);

		if (got < 0 && errno != EINTR) {
			return -errno;
		}
		if (got == 0) {
			return -ENODATA;
		}
		if (got > 0) {
			at += got;
			offset += (uint64_t)got;
			size -= (size_t)got;
		}
	}
	return 0;
}

int vrms_io_write(int fd, const void *buffer, size_t size, uint64_t offset)
{
	const uint8_t *at = buffer;

	while (size > 0) {
		ssize_t done = pwrite(fd, at, size, (off_t)offset);

		if (done < 0 && errno != EINTR) {
			return -errno;
		}
		if (done > 0) {
			at += done;
			offset += (uint64_t)done;
			size -= (size_t)done;
		}
	}
	return 0;
}

int vrms_io_sync_parent(int folder, const char *path)
{
	char *copy VRMS_CLEANUP(vrms_freep) = strdup(path);
	int fd VRMS_CLEANUP(vrms_closep) = -1;

	if (copy == NULL) {
		return -ENOMEM;
	}
	fd = openat(folder, dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}
