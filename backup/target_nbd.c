/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libnbd.h>

#include "backup/nbd_server.h"
#include "backup/restore.h"
#include "backup/target_path.h"
#include "common/child.h"
#include "common/file.h"

enum { LANES = 4, ZERO_BYTES_MAX = 1 << 30, CREATE_MS = 60000 };

struct nbd_target {
	struct nbd_handle *handles[LANES];
	unsigned int lane_count;
	uint64_t bytes;
	struct vrms_nbd_server *server; /* NULL: somebody else's */
	struct vrms_target_path path;   /* of the image behind our server */
};

static int fail(struct vrms_error *error, const char *what)
{
	int number = nbd_get_errno();

	return vrms_error_set(error, number > 0 ? -number : -EIO, "%s: %s", what, nbd_get_error());
}

static int last_errno(void)
{
	int number = nbd_get_errno();

	return number > 0 ? -number : -EIO;
}

static int target_write(void *context, unsigned int lane, const void *data, size_t size,
			uint64_t offset)
{
	struct nbd_target *target = context;

	return nbd_pwrite(target->handles[lane], data, size, offset, 0) < 0 ? last_errno() : 0;
}

static int target_zero(void *context, unsigned int lane, uint64_t size, uint64_t offset)
{
	static const uint8_t zeros[1 << 16];
	struct nbd_target *target = context;
	struct nbd_handle *handle = target->handles[lane];
	bool can_zero = nbd_can_zero(handle) == 1;

	while (size > 0) {
		uint64_t max = can_zero ? ZERO_BYTES_MAX : sizeof(zeros);
		uint64_t part = size < max ? size : max;
		int rc = can_zero ? nbd_zero(handle, part, offset, 0)
				  : nbd_pwrite(handle, zeros, part, offset, 0);

		if (rc < 0) {
			return last_errno();
		}
		offset += part;
		size -= part;
	}
	return 0;
}

static int sync_image(const char *path)
{
	int fd VRMS_CLEANUP(vrms_closep) = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int target_flush(void *context, struct vrms_error *error)
{
	struct nbd_target *target = context;
	int rc;

	for (unsigned int i = 0; i < target->lane_count; i++) {
		if (nbd_can_flush(target->handles[i]) == 1 &&
		    nbd_flush(target->handles[i], 0) < 0) {
			return fail(error, "flush");
		}
		if (nbd_shutdown(target->handles[i], 0) < 0) {
			return fail(error, "closing the NBD connection");
		}
	}
	if (target->server == NULL) {
		return 0;
	}
	/* Only an ended server has written all of its metadata. */
	vrms_nbd_server_stop(target->server);
	target->server = NULL;
	rc = sync_image(target->path.partial);
	return rc < 0 ? vrms_error_errno(error, rc, "'%s'", target->path.final)
		      : vrms_target_path_publish(&target->path, error);
}

static void target_close(void *context)
{
	struct nbd_target *target = context;

	for (unsigned int i = 0; i < LANES; i++) {
		nbd_close(target->handles[i]);
	}
	vrms_nbd_server_stop(target->server);
	vrms_target_path_done(&target->path);
	free(target);
}

static int connect_lane(struct nbd_target *target, unsigned int lane, const char *uri,
			struct vrms_error *error)
{
	target->handles[lane] = nbd_create();
	if (target->handles[lane] == NULL || nbd_connect_uri(target->handles[lane], uri) < 0) {
		return fail(error, uri);
	}
	return 0;
}

static int connect_lanes(struct nbd_target *target, const char *uri, uint64_t bytes,
			 struct vrms_error *error)
{
	int rc = connect_lane(target, 0, uri, error);
	int64_t size;

	if (rc < 0) {
		return rc;
	}
	target->lane_count = 1;
	size = nbd_get_size(target->handles[0]);
	if (size < 0) {
		return fail(error, uri);
	}
	if (nbd_is_read_only(target->handles[0]) != 0) {
		return vrms_error_set(error, -EROFS, "%s: the export is read-only", uri);
	}
	if ((uint64_t)size < bytes) {
		return vrms_error_set(error, -ENOSPC,
				      "%s: has %" PRId64 " bytes, %" PRIu64 " are needed", uri,
				      size, bytes);
	}
	target->bytes = (uint64_t)size;
	/* Lanes write apart from each other, and all are flushed: our own server needs no
	 * promise about several connections. */
	while (rc == 0 && target->lane_count < LANES &&
	       (target->server != NULL || nbd_can_multi_conn(target->handles[0]) == 1)) {
		rc = connect_lane(target, target->lane_count, uri, error);
		target->lane_count += rc == 0;
	}
	return rc;
}

static void fill_port(struct nbd_target *target, bool is_zeroed, struct vrms_target *ret_target)
{
	*ret_target = (struct vrms_target){
	    .context = target,
	    .bytes = target->bytes,
	    .is_zeroed = is_zeroed,
	    .lane_max = target->lane_count,
	    .write = target_write,
	    .zero = target_zero,
	    .flush = target_flush,
	    .close = target_close,
	};
}

int vrms_target_nbd_open(const char *uri, uint64_t bytes, struct vrms_target *ret_target,
			 struct vrms_error *error)
{
	struct nbd_target *target = calloc(1, sizeof(*target));
	int rc;

	if (target == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = connect_lanes(target, uri, bytes, error);
	if (rc < 0) {
		target_close(target);
		return rc;
	}
	fill_port(target, false, ret_target);
	return 0;
}

static int create_image(const struct vrms_qcow2 *image, const char *path, struct vrms_error *error)
{
	char size[24];
	const char *const plain[] = {"qemu-img", "create", "-q", "-f", "qcow2", path, size, NULL};
	const char *const above[] = {"qemu-img", "create", "-q",         "-f", "qcow2", "-F",
				     "qcow2",    "-b",     image->below, path, size,    NULL};
	struct vrms_child_spec spec = {.argv = image->below != NULL ? above : plain,
				       .timeout_ms = CREATE_MS};

	snprintf(size, sizeof(size), "%" PRIu64, image->bytes);
	return vrms_child_check(&spec, error);
}

static int start_server(struct nbd_target *target, const char *cache, struct vrms_error *error)
{
	const char *const argv[] = {"qemu-nbd",           "--persistent",
				    "--shared=8",         "--format=qcow2",
				    "--discard=unmap",    cache,
				    target->path.partial, NULL};

	return vrms_nbd_server_start(argv, &target->server, error);
}

int vrms_target_qcow2_open(const struct vrms_qcow2 *image, struct vrms_target *ret_target,
			   struct vrms_error *error)
{
	struct nbd_target *target = calloc(1, sizeof(*target));
	int rc;

	if (target == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = vrms_target_path_init(&target->path, image->path, image->is_overwriting, error);
	if (rc == 0 && target->path.is_device) {
		rc = vrms_error_set(error, -EINVAL, "'%s' is a device: restore it as raw",
				    image->path);
	}
	if (rc == 0) {
		rc = create_image(image, target->path.partial, error);
	}
	if (rc == 0) {
		rc = start_server(target, "--cache=none", error);
		if (rc == -EIO) { /* a file system that cannot write around the page cache */
			rc = start_server(target, "--cache=writeback", error);
		}
	}
	if (rc == 0) {
		rc =
		    connect_lanes(target, vrms_nbd_server_uri(target->server), image->bytes, error);
	}
	if (rc < 0) {
		target_close(target);
		return rc;
	}
	fill_port(target, image->below == NULL, ret_target);
	return 0;
}
