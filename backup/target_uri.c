/* target_uri.c - disks on the network that QEMU knows, written through qemu-nbd.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdlib.h>

#include "backup/nbd_server.h"
#include "backup/restore.h"

struct uri_target {
	struct vrms_nbd_server *server;
	struct vrms_target inner;
};

static int target_write(void *context, unsigned int lane, const void *data, size_t size,
			uint64_t offset)
{
	const struct uri_target *target = context;

	return target->inner.write(target->inner.context, lane, data, size, offset);
}

static int target_zero(void *context, unsigned int lane, uint64_t size, uint64_t offset)
{
	const struct uri_target *target = context;

	return target->inner.zero(target->inner.context, lane, size, offset);
}

static int target_flush(void *context, struct vrms_error *error)
{
	const struct uri_target *target = context;

	return target->inner.flush(target->inner.context, error);
}

static void target_close(void *context)
{
	struct uri_target *target = context;

	vrms_target_close(&target->inner);
	vrms_nbd_server_stop(target->server);
	free(target);
}

int vrms_target_uri_open(const char *uri, uint64_t bytes, struct vrms_target *ret_target,
			 struct vrms_error *error)
{
	const char *const argv[] = {
	    "qemu-nbd", "--persistent", "--shared=8", "--format=raw", "--cache=none", uri, NULL};
	struct uri_target *target = calloc(1, sizeof(*target));
	int rc;

	if (target == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = vrms_nbd_server_start(argv, &target->server, error);
	if (rc == 0) {
		rc = vrms_target_nbd_open(vrms_nbd_server_uri(target->server), bytes,
					  &target->inner, error);
	}
	if (rc < 0) {
		target_close(target);
		return vrms_error_wrap(error, rc, "'%s'", uri);
	}
	*ret_target = target->inner;
	ret_target->context = target;
	ret_target->write = target_write;
	ret_target->zero = target_zero;
	ret_target->flush = target_flush;
	ret_target->close = target_close;
	return 0;
}
