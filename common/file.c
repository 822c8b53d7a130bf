/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void vrms_closep(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
		*fd = -1;
	}
}

/* Makes *buffer hold at least `needed` bytes, by doubling. */
static int grow(char **buffer, size_t *capacity, size_t needed)
{
	size_t larger = *capacity;

	while (larger < needed) {
		larger = larger == 0 ? 4096 : larger * 2;
	}
	if (larger > *capacity) {
		char *moved = realloc(*buffer, larger);
		if (moved == NULL) {
			return -ENOMEM;
		}
		*buffer = moved;
		*capacity = larger;
	}
	return 0;
}

/* Reads to the end; the size that fstat() reports is not asked, /proc says 0. */
static int read_all(int fd, size_t size_max, char **ret_text, size_t *ret_size)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	size_t capacity = 0;
	size_t size = 0;

	for (;;) {
		/* Always room for one more byte and the NUL. */
		int rc = grow(&text, &capacity, size + 2);
		if (rc < 0) {
			return rc;
		}
		ssize_t got = read(fd, text + size, capacity - size - 1);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return -errno;
		}
		if (got == 0) {
			break;
		}
		size += (size_t)got;
		if (size > size_max) {
			return -EFBIG;
		}
	}
	text[size] = '\0';
	*ret_text = VRMS_TAKE(text);
	*ret_size = size;
	return 0;
}

int vrms_file_read(const char *path, size_t size_max, char **ret_text, size_t *ret_size,
		   struct vrms_error *error)
{
	size_t size = 0;
	int fd VRMS_CLEANUP(vrms_closep) = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	int rc = read_all(fd, size_max, ret_text, &size);
	if (rc == -EFBIG) {
		return vrms_error_set(error, rc, "%s: larger than %zu bytes", path, size_max);
	}
	if (rc < 0) {
		return vrms_error_errno(error, rc, "%s", path);
	}
	if (ret_size != NULL) {
		*ret_size = size;
	}
	return 0;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t put = write(fd, data, size);

		if (put < 0 && errno == EINTR) {
			continue;
		}
		if (put < 0) {
			return -errno;
		}
		data += put;
		size -= (size_t)put;
	}
	return 0;
}

/* Fills the temporary file and makes sure that it is on the disk. */
static int fill(int fd, const void *data, size_t size, mode_t mode)
{
	int rc = write_all(fd, data, size);

	if (rc < 0) {
		return rc;
	}
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0) {
		return -errno;
	}
	return 0;
}

/* fsync of the folder that holds `path`: only then the rename survives a power cut. */
static int sync_folder_of(const char *path)
{
	char *folder VRMS_CLEANUP(vrms_freep) = strdup(path);

	if (folder == NULL) {
		return -ENOMEM;
	}
	int fd VRMS_CLEANUP(vrms_closep) =
	    open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0) {
		return -errno;
	}
	return 0;
}

/* A device or pipe is written to, never replaced: as root, "--json /dev/null" would else leave a
 * regular file there. */
static bool is_special(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

static int write_special(const char *path, const void *data, size_t size, struct vrms_error *error)
{
	int fd VRMS_CLEANUP(vrms_closep) = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	int rc = fd < 0 ? -errno : write_all(fd, data, size);

	return rc < 0 ? vrms_error_errno(error, rc, "%s", path) : 0;
}

int vrms_file_write(const char *path, const void *data, size_t size, mode_t mode,
		    struct vrms_error *error)
{
	if (is_special(path)) {
		return write_special(path, data, size, error);
	}
	char *temporary VRMS_CLEANUP(vrms_freep) = NULL;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
		temporary = NULL; /* asprintf() leaves it undefined */
		return vrms_error_errno(error, -ENOMEM, "%s", path);
	}
	int fd VRMS_CLEANUP(vrms_closep) = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	int rc = fill(fd, data, size, mode);
	if (rc == 0 && rename(temporary, path) < 0) {
		rc = -errno;
	}
	if (rc < 0) {
		unlink(temporary);
		return vrms_error_errno(error, rc, "%s", path);
	}
	rc = sync_folder_of(path);
	if (rc < 0) {
		return vrms_error_errno(error, rc, "folder of %s", path);
	}
	return 0;
}

int vrms_file_rename(const char *from, const char *to, struct vrms_error *error)
{
	if (rename(from, to) < 0) {
		return vrms_error_errno(error, -errno, "%s", to);
	}
	int rc = sync_folder_of(to);

	return rc < 0 ? vrms_error_errno(error, rc, "folder of %s", to) : 0;
}

static int make_folder(const char *path, mode_t mode)
{
	struct stat status;

	if (mkdir(path, mode) == 0) {
		return 0;
	}
	if (errno != EEXIST) {
		return -errno;
	}
	if (stat(path, &status) < 0) {
		return -errno;
	}
	return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
}

int vrms_file_mkdir_all(const char *path, mode_t mode, struct vrms_error *error)
{
	char *copy VRMS_CLEANUP(vrms_freep) = strdup(path);
	int rc;

	if (copy == NULL) {
		return vrms_error_errno(error, -ENOMEM, "%s", path);
	}
	for (char *at = copy + strspn(copy, "/"); (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		rc = make_folder(copy, mode);
		if (rc < 0) {
			return vrms_error_errno(error, rc, "%s", copy);
		}
		*at = '/';
	}
	rc = make_folder(path, mode);
	if (rc < 0) {
		return vrms_error_errno(error, rc, "%s", path);
	}
	return 0;
}
