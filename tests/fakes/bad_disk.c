/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A preloaded library: one place of a file is on a bad sector, and the page cache still has it.
 *
 * BAD_FILE names the file, BAD_OFFSET a byte of it.  Who reads it around the page cache gets EIO;
 * so does who reads it after the cache was dropped (POSIX_FADV_DONTNEED) in the same process.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_dropped;

static bool is_bad_file(int fd)
{
	const char *path = getenv("BAD_FILE");
	struct stat bad, status;

	return path != NULL && stat(path, &bad) == 0 && fstat(fd, &status) == 0 &&
	       bad.st_dev == status.st_dev && bad.st_ino == status.st_ino;
}

ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
	const char *text = getenv("BAD_OFFSET");
	off_t bad = text != NULL ? strtoll(text, NULL, 10) : 0;

	if (offset <= bad && bad < offset + (off_t)size && is_bad_file(fd) &&
	    (is_dropped || (fcntl(fd, F_GETFL) & O_DIRECT) != 0)) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pread64, fd, buffer, size, offset);
}

ssize_t pread64(int fd, void *buffer, size_t size, off_t offset)
{
	return pread(fd, buffer, size, offset);
}

int posix_fadvise(int fd, off_t offset, off_t size, int advice)
{
	is_dropped = is_dropped || (advice == POSIX_FADV_DONTNEED && is_bad_file(fd));
	return (int)-syscall(SYS_fadvise64, fd, offset, size, advice);
}

int posix_fadvise64(int fd, off_t offset, off_t size, int advice)
{
	return posix_fadvise(fd, offset, size, advice);
}
