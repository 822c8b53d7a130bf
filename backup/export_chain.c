/* export_chain.c - a point and those before it, back to its full, as qcow2 images one on another.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/cli.h"
#include "backup/restore.h"
#include "common/file.h"

enum { THREADS = 4 };

struct chain {
	const struct vrms_cli *cli;
	struct vrms_repository *repository;
	struct vrms_point_list list;
	const struct vrms_point *points; /* of the list: those wanted */
	size_t count;
};

static void chain_done(struct chain *chain)
{
	vrms_point_list_done(&chain->list);
}

static bool is_wanted(const struct vrms_cli *cli, const char *disk)
{
	for (size_t i = 0; i < cli->disks.count; i++) {
		if (strcmp(cli->disks.rows[i], disk) == 0) {
			return true;
		}
	}
	return cli->disks.count == 0;
}

/* "VM-DISK-7.qcow2"; a '/' would leave the folder. */
static int image_name(const struct vrms_point *point, const char *part, char **ret_name,
		      struct vrms_error *error)
{
	if (asprintf(ret_name, "%s-%s-%" PRIu64 ".qcow2", point->vm, part, point->sequence) < 0) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	for (char *at = *ret_name; *at != '\0'; at++) {
		*at = *at == '/' ? '_' : *at;
	}
	return 0;
}

/* base: the same disk one point before, in the image `below`; NULL: none. */
static int export_disk(const struct chain *chain, const struct vrms_point_part *part,
		       const struct vrms_point_part *base, const struct vrms_qcow2 *image,
		       struct vrms_error *error)
{
	struct vrms_target target VRMS_CLEANUP(vrms_target_close) = {0};
	struct vrms_restore restore = {
	    .repository = chain->repository,
	    .part = part,
	    .target = &target,
	    .thread_count = THREADS,
	    .stop = chain->cli->stop,
	};
	int rc = vrms_target_qcow2_open(image, &target, error);

	if (rc == 0) {
		rc = base != NULL ? vrms_restore_changes(&restore, base, error)
				  : vrms_restore_run(&restore, error);
	}
	if (rc == 0) {
		printf("%s: %s%s%s\n", part->name, image->path, base != NULL ? " on " : "",
		       base != NULL ? image->below : "");
	}
	return rc;
}

static int export_part(const struct chain *chain, size_t i, const struct vrms_point_part *part,
		       struct vrms_error *error)
{
	const struct vrms_point_part *base =
	    i > 0 ? vrms_point_find(&chain->points[i - 1], part->name) : NULL;
	char *name VRMS_CLEANUP(vrms_freep) = NULL;
	char *below VRMS_CLEANUP(vrms_freep) = NULL;
	char *path VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_qcow2 image = {.bytes = part->bytes, .is_overwriting = chain->cli->overwrite};
	int rc = image_name(&chain->points[i], part->name, &name, error);

	base = base != NULL && base->is_disk ? base : NULL;
	if (rc == 0 && base != NULL) {
		rc = image_name(&chain->points[i - 1], part->name, &below, error);
	}
	if (rc < 0) {
		return rc;
	}
	if (asprintf(&path, "%s/%s", chain->cli->output, name) < 0) {
		path = NULL;
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	image.path = path;
	image.below = below;
	return export_disk(chain, part, base, &image, error);
}

/* What belongs to the VM beside its disks, as it was last. */
static int export_file(const struct chain *chain, const struct vrms_point_part *part,
		       struct vrms_error *error)
{
	uint8_t *data VRMS_CLEANUP(vrms_freep) = NULL;
	char *path VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_restore_read(chain->repository, part, &data, error);

	if (rc == 0 &&
	    asprintf(&path, "%s/%s-%s", chain->cli->output, chain->points[0].vm, part->name) < 0) {
		path = NULL;
		rc = vrms_error_set(error, -ENOMEM, "out of memory");
	}
	return rc < 0 ? rc : vrms_file_write(path, data, part->bytes, 0600, error);
}

static int export_all(const struct chain *chain, struct vrms_error *error)
{
	int rc = vrms_file_mkdir_all(chain->cli->output, 0700, error);

	for (size_t i = 0; i < chain->count; i++) {
		const struct vrms_point *point = &chain->points[i];

		for (size_t k = 0; k < point->part_count && rc == 0; k++) {
			const struct vrms_point_part *part = &point->parts[k];

			if (part->is_disk && is_wanted(chain->cli, part->name)) {
				rc = export_part(chain, i, part, error);
			} else if (!part->is_disk && i + 1 == chain->count) {
				rc = export_file(chain, part, error);
			}
		}
	}
	return rc;
}

/* From the last full, or what is left since then, up to the point. */
static int find_points(struct chain *chain, struct vrms_error *error)
{
	struct vrms_point last VRMS_CLEANUP(vrms_point_done) = {0};
	int rc = vrms_point_read(chain->repository, chain->cli->arguments[0], &last, error);

	if (rc == 0) {
		rc = vrms_points_read(chain->repository, last.vm, &chain->list, error);
	}
	for (size_t i = 0; i < chain->list.count && rc == 0; i++) {
		const struct vrms_point *point = &chain->list.points[i];

		if (point->sequence < last.full_sequence || point->sequence > last.sequence) {
			continue;
		}
		chain->points = chain->count == 0 ? point : chain->points;
		chain->count++;
	}
	return rc;
}

int vrms_export_chain(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct chain chain VRMS_CLEANUP(chain_done) = {.cli = cli};
	int rc = vrms_open_repository(cli, VRMS_LOCK_READER, "an export", &open, error);

	if (rc == 0) {
		chain.repository = open.repository;
		rc = find_points(&chain, error);
	}
	if (rc == 0) {
		rc = export_all(&chain, error);
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "'%s'", cli->arguments[0]) : 0;
}
