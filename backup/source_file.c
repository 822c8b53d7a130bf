/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/file_io.h"
#include "backup/source.h"
#include "common/file.h"

enum { IN_FLIGHT = 1 };

struct file_source {
	int fd;
	char *path;
	uint64_t bytes;
	uint64_t cookie;
	bool has_cookie;
};

void vrms_source_close(struct vrms_source *source)
{
	if (source->close != NULL) {
		source->close(source->context);
		source->close = NULL;
	}
}

static int append(struct vrms_extents *extents, uint64_t from, uint64_t to,
		  enum vrms_extent_kind kind)
{
	struct vrms_extent extent = {.offset = from, .bytes = to - from, .kind = kind};

	return vrms_extents_append(extents, &extent);
}

static int file_content(void *context, struct vrms_extents *ret_extents, struct vrms_error *error)
{
	struct file_source *source = context;
	uint64_t at = 0;
	int rc = 0;

	while (at < source->bytes && rc == 0) {
		off_t data = lseek(source->fd, (off_t)at, SEEK_DATA);
		off_t hole;

		if (data < 0 && errno == ENXIO) {
			rc = append(ret_extents, at, source->bytes, VRMS_EXTENT_ZERO);
			break;
		}
		if (data < 0) { /* a device, or a file system without holes */
			rc = append(ret_extents, at, source->bytes, VRMS_EXTENT_DATA);
			break;
		}
		hole = lseek(source->fd, data, SEEK_HOLE);
		if (hole < 0 || (uint64_t)hole > source->bytes) {
			hole = (off_t)source->bytes;
		}
		rc = append(ret_extents, at, (uint64_t)data, VRMS_EXTENT_ZERO);
		if (rc == 0) {
			rc = append(ret_extents, (uint64_t)data, (uint64_t)hole, VRMS_EXTENT_DATA);
		}
		at = (uint64_t)hole;
	}
	return rc < 0 ? vrms_error_errno(error, rc, "%s: extents", source->path) : 0;
}

static int file_submit(void *context, const struct vrms_source_read *read, struct vrms_error *error)
{
	struct file_source *source = context;
	int rc = vrms_io_read(source->fd, read->buffer, read->size, read->offset);

	if (rc == -ENODATA) {
		return vrms_error_set(error, -EIO, "%s: became shorter while it was read",
				      source->path);
	}
	if (rc < 0) {
		return vrms_error_errno(error, rc, "%s", source->path);
	}
	source->cookie = read->cookie;
	source->has_cookie = true;
	return 0;
}

static int file_reap(void *context, uint64_t *ret_cookies, size_t max, struct vrms_error *error)
{
	struct file_source *source = context;

	(void)error;
	if (!source->has_cookie || max == 0) {
		return 0;
	}
	ret_cookies[0] = source->cookie;
	source->has_cookie = false;
	return 1;
}

static void file_close(void *context)
{
	struct file_source *source = context;

	vrms_closep(&source->fd);
	free(source->path);
	free(source);
}

int vrms_source_file_open(const char *path, struct vrms_source *ret_source,
			  struct vrms_error *error)
{
	int fd VRMS_CLEANUP(vrms_closep) = open(path, O_RDONLY | O_CLOEXEC);
	struct file_source *source;
	struct stat status;
	off_t bytes;

	if (fd < 0 || fstat(fd, &status) < 0) {
		return vrms_error_errno(error, -errno, "image '%s'", path);
	}
	bytes = lseek(fd, 0, SEEK_END);
	if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
		return vrms_error_set(error, -EINVAL,
				      "image '%s': neither a file nor a block device", path);
	}
	source = calloc(1, sizeof(*source));
	if (bytes < 0 || source == NULL || (source->path = strdup(path)) == NULL) {
		free(source);
		return vrms_error_set(error, -ENOMEM, "image '%s': out of memory", path);
	}
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	source->fd = fd;
	fd = -1;
	source->bytes = (uint64_t)bytes;
	*ret_source = (struct vrms_source){
	    .context = source,
	    .bytes = source->bytes,
	    .in_flight_max = IN_FLIGHT,
	    .content = file_content,
	    .submit = file_submit,
	    .reap = file_reap,
	    .close = file_close,
	};
	return 0;
}
