/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/overlay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/restore.h"
#include "common/child.h"

enum { CREATE_MS = 60000, THREADS = 4 };

static int make_image(const struct vrms_overlays *overlays, const struct vrms_point_part *part,
		      struct vrms_error *error)
{
	const char *path = overlays->moves[overlays->count - 1].path;
	char below[VRMS_SERVE_SOCKET_BYTES + 100], bytes[24];
	/* -u: the server is not asked, so that the VM is its first client. */
	const char *const argv[] = {"qemu-img", "create", "-q",  "-u", "-f",  "qcow2", "-F",
				    "raw",      "-b",     below, path, bytes, NULL};
	struct vrms_child_spec spec = {.argv = argv, .timeout_ms = CREATE_MS};

	snprintf(below, sizeof(below), "nbd+unix:///%.60s?socket=%s", part->name,
		 overlays->serve.socket);
	snprintf(bytes, sizeof(bytes), "%" PRIu64, part->bytes);
	return vrms_child_check(&spec, error);
}

static int name_image(struct vrms_overlays *overlays, const struct vrms_point_part *part,
		      const char *folder, const char *name, struct vrms_error *error)
{
	char *path;
	int rc;

	if (overlays->count == VRMS_OVERLAY_MAX) {
		return vrms_error_set(error, -E2BIG, "more than %d disks", VRMS_OVERLAY_MAX);
	}
	if (asprintf(&path, "%s/%s-%s.qcow2", folder, name, part->name) < 0) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	if (access(path, F_OK) == 0) {
		rc = vrms_error_set(error, -EEXIST, "'%s' exists", path);
		free(path);
		return rc;
	}
	overlays->moves[overlays->count++] = (struct vrms_vm_xml_move){part->name, path, "qcow2"};
	return 0;
}

int vrms_overlays_make(const struct vrms_point *point, const struct vrms_serve *serve,
		       const char *folder, const char *name, struct vrms_overlays *ret_overlays,
		       struct vrms_error *error)
{
	int rc = 0;

	memset(ret_overlays, 0, sizeof(*ret_overlays));
	ret_overlays->serve = *serve;
	if (serve->socket == NULL) {
		rc = vrms_serve_socket(point->vm, point->sequence, ret_overlays->socket, error);
		ret_overlays->serve.socket = ret_overlays->socket;
	}
	for (size_t i = 0; i < point->part_count && rc == 0; i++) {
		if (point->parts[i].is_disk) {
			rc = name_image(ret_overlays, &point->parts[i], folder, name, error);
			if (rc == 0) {
				rc = make_image(ret_overlays, &point->parts[i], error);
			}
		}
	}
	return rc == 0 ? vrms_serve_start(&ret_overlays->serve, &ret_overlays->server, error) : rc;
}

static int fill_image(const struct vrms_overlays *overlays, struct vrms_repository *repository,
		      const struct vrms_point_part *part, struct vrms_error *error)
{
	struct vrms_target target VRMS_CLEANUP(vrms_target_close) = {0};
	struct vrms_qcow2 image = {.path = overlays->moves[overlays->count - 1].path,
				   .bytes = part->bytes};
	struct vrms_restore restore = {.repository = repository,
				       .part = part,
				       .target = &target,
				       .thread_count = THREADS};
	int rc = vrms_target_qcow2_open(&image, &target, error);

	return rc < 0 ? rc : vrms_restore_run(&restore, error);
}

int vrms_overlays_restore(const struct vrms_point *point, struct vrms_repository *repository,
			  const char *folder, const char *name, struct vrms_overlays *ret_overlays,
			  struct vrms_error *error)
{
	int rc = 0;

	memset(ret_overlays, 0, sizeof(*ret_overlays));
	for (size_t i = 0; i < point->part_count && rc == 0; i++) {
		if (point->parts[i].is_disk) {
			rc = name_image(ret_overlays, &point->parts[i], folder, name, error);
			if (rc == 0) {
				rc = fill_image(ret_overlays, repository, &point->parts[i], error);
			}
		}
	}
	return rc;
}

void vrms_overlays_keep(struct vrms_overlays *overlays)
{
	overlays->is_kept = true;
}

void vrms_overlays_done(struct vrms_overlays *overlays)
{
	if (!overlays->is_kept && overlays->server > 0) {
		vrms_serve_stop(&overlays->serve, overlays->server);
	}
	for (size_t i = 0; i < overlays->count; i++) {
		if (!overlays->is_kept) {
			unlink(overlays->moves[i].path);
		}
		free((void *)(uintptr_t)overlays->moves[i].path);
	}
	memset(overlays, 0, sizeof(*overlays));
}
