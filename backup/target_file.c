/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/falloc.h>

#include "backup/file_io.h"
#include "backup/restore.h"
#include "backup/target_path.h"
#include "common/file.h"

enum { LANES = 8, ALIGN = 4096 };

struct file_target {
	int direct; /* -1 when the file system cannot */
	int buffered;
	struct vrms_target_path path;
};

static int file_write(void *context, unsigned int lane, const void *data, size_t size,
		      uint64_t offset)
{
	const struct file_target *target = context;
	size_t aligned = target->direct >= 0 && offset % ALIGN == 0 ? size - size % ALIGN : 0;
	int rc = aligned > 0 ? vrms_io_write(target->direct, data, aligned, offset) : 0;

	(void)lane;
	if (rc == -EINVAL) { /* found out only now */
		aligned = 0;
		rc = 0;
	}
	return rc < 0 ? rc
		      : vrms_io_write(target->buffered, (const uint8_t *)data + aligned,
				      size - aligned, offset + aligned);
}

static int file_zero(void *context, unsigned int lane, uint64_t size, uint64_t offset)
{
	static const uint8_t zeros[1 << 16];
	const struct file_target *target = context;
	int rc = 0;

	(void)lane;
	if (fallocate(target->buffered, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		      (off_t)size) == 0 ||
	    fallocate(target->buffered, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		      (off_t)size) == 0) {
		return 0;
	}
	while (size > 0 && rc == 0) {
		size_t part = size < sizeof(zeros) ? size : sizeof(zeros);

		rc = vrms_io_write(target->buffered, zeros, part, offset);
		offset += part;
		size -= part;
	}
	return rc;
}

static int file_flush(void *context, struct vrms_error *error)
{
	struct file_target *target = context;

	if (fsync(target->buffered) < 0) {
		return vrms_error_errno(error, -errno, "'%s'", target->path.final);
	}
	return vrms_target_path_publish(&target->path, error);
}

static void file_close(void *context)
{
	struct file_target *target = context;

	vrms_closep(&target->direct);
	vrms_closep(&target->buffered);
	vrms_target_path_done(&target->path);
	free(target);
}

static int open_device(struct file_target *target, uint64_t *ret_bytes, struct vrms_error *error)
{
	const char *path = target->path.final;
	off_t bytes;

	target->buffered = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
	if (target->buffered < 0) {
		return vrms_error_errno(error, -errno, "'%s'", path);
	}
	bytes = lseek(target->buffered, 0, SEEK_END);
	if (bytes < 0) {
		return vrms_error_errno(error, -errno, "'%s'", path);
	}
	*ret_bytes = (uint64_t)bytes;
	target->direct = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	return 0;
}

static int open_file(struct file_target *target, uint64_t bytes, struct vrms_error *error)
{
	const char *path = target->path.partial;

	target->buffered = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (target->buffered < 0) {
		return vrms_error_errno(error, -errno, "'%s'", path);
	}
	if (ftruncate(target->buffered, (off_t)bytes) < 0) {
		return vrms_error_errno(error, -errno, "'%s'", path);
	}
	target->direct = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	return 0;
}

int vrms_target_file_open(const char *path, uint64_t bytes, bool is_overwriting,
			  struct vrms_target *ret_target, struct vrms_error *error)
{
	struct file_target *target = calloc(1, sizeof(*target));
	int rc;

	if (target == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	target->direct = -1;
	target->buffered = -1;
	rc = vrms_target_path_init(&target->path, path, is_overwriting, error);
	if (rc == 0) {
		rc = target->path.is_device ? open_device(target, &bytes, error)
					    : open_file(target, bytes, error);
	}
	if (rc < 0) {
		file_close(target);
		return rc;
	}
	*ret_target = (struct vrms_target){
	    .context = target,
	    .bytes = bytes,
	    .is_zeroed = !target->path.is_device,
	    .lane_max = LANES,
	    .write = file_write,
	    .zero = file_zero,
	    .flush = file_flush,
	    .close = file_close,
	};
	return 0;
}
