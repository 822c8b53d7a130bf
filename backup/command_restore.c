/* command_restore.c - restore, export.
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

struct request {
	const struct vrms_cli *cli;
	struct vrms_repository *repository;
	const struct vrms_point *point;
};

/* "--disk vda=/path": the target of a disk; NULL when it names none; -ENOENT when others are
 * named and this one is not. */
static int wanted_target(const struct vrms_cli *cli, const char *disk, const char **ret_target)
{
	size_t length = strlen(disk);

	*ret_target = NULL;
	for (size_t i = 0; i < cli->disks.count; i++) {
		const char *row = cli->disks.rows[i];

		if (strncmp(row, disk, length) == 0 &&
		    (row[length] == '\0' || row[length] == '=')) {
			*ret_target = row[length] == '=' ? row + length + 1 : NULL;
			return 0;
		}
	}
	return cli->disks.count == 0 ? 0 : -ENOENT;
}

static int check_disks(const struct request *request, struct vrms_error *error)
{
	for (size_t i = 0; i < request->cli->disks.count; i++) {
		const char *row = request->cli->disks.rows[i];
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(row, "="), row);
		if (vrms_point_find(request->point, name) == NULL) {
			return vrms_error_set(error, -ENOENT, "%s@%" PRIu64 " has no disk '%s'",
					      request->point->vm, request->point->sequence, name);
		}
	}
	return 0;
}

static int open_target(const struct request *request, const struct vrms_point_part *part,
		       const char *path, struct vrms_target *ret_target, struct vrms_error *error)
{
	const char *format = request->cli->format != NULL ? request->cli->format : part->format;
	bool is_overwriting = request->cli->overwrite;

	if (strncmp(path, "nbd", 3) == 0 && strstr(path, "://") != NULL) {
		return vrms_target_nbd_open(path, part->bytes, ret_target, error);
	}
	if (strcmp(format, "qcow2") == 0) {
		return vrms_target_qcow2_open(path, part->bytes, is_overwriting, ret_target, error);
	}
	if (strcmp(format, "raw") == 0 || format[0] == '\0') {
		return vrms_target_file_open(path, part->bytes, is_overwriting, ret_target, error);
	}
	return vrms_error_set(error, -EINVAL, "cannot write format '%s' (qcow2, raw)", format);
}

static int restore_disk(const struct request *request, const struct vrms_point_part *part,
			const char *path, struct vrms_error *error)
{
	struct vrms_target target VRMS_CLEANUP(vrms_target_close) = {0};
	struct vrms_restore restore = {
	    .repository = request->repository,
	    .part = part,
	    .target = &target,
	    .thread_count =
		request->cli->threads > 0 ? (unsigned int)request->cli->threads : THREADS,
	    .stop = request->cli->stop,
	};
	char size[16];
	int rc = open_target(request, part, path, &target, error);

	if (rc == 0) {
		rc = vrms_restore_run(&restore, error);
	}
	if (rc == 0) {
		printf("%s: %s to %s\n", part->name, vrms_size_print(part->bytes, size), path);
	}
	return rc;
}

static int restore_file(const struct request *request, const struct vrms_point_part *part,
			const char *path, struct vrms_error *error)
{
	uint8_t *data VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_restore_read(request->repository, part, &data, error);

	return rc < 0 ? rc : vrms_file_write(path, data, part->bytes, 0600, error);
}

/* DIR/VM-DISK.FORMAT, DIR/VM-NAME of a file. */
static int default_path(const struct request *request, const struct vrms_point_part *part,
			char **ret_path)
{
	const char *format = request->cli->format != NULL ? request->cli->format : part->format;
	char *name VRMS_CLEANUP(vrms_freep) = NULL;
	int length =
	    asprintf(&name, "%s-%s%s%s", request->point->vm, part->name, part->is_disk ? "." : "",
		     !part->is_disk      ? ""
		     : format[0] != '\0' ? format
					 : "raw");

	if (length < 0) {
		name = NULL;
		return -ENOMEM;
	}
	for (char *at = name; *at != '\0'; at++) {
		*at = *at == '/' ? '_' : *at;
	}
	return asprintf(ret_path, "%s/%s", request->cli->output, name) < 0 ? -ENOMEM : 0;
}

static int restore_part(const struct request *request, const struct vrms_point_part *part,
			struct vrms_error *error)
{
	char *made VRMS_CLEANUP(vrms_freep) = NULL;
	const char *path;

	if (wanted_target(request->cli, part->name, &path) < 0) {
		return 0;
	}
	if (path == NULL && request->cli->output != NULL) {
		if (default_path(request, part, &made) < 0) {
			return vrms_error_set(error, -ENOMEM, "out of memory");
		}
		path = made;
	}
	if (path == NULL) {
		return part->is_disk ? vrms_error_set(error, -EINVAL,
						      "disk '%s': where to? (--disk %s=PATH or "
						      "--output DIR)",
						      part->name, part->name)
				     : 0;
	}
	return part->is_disk ? restore_disk(request, part, path, error)
			     : restore_file(request, part, path, error);
}

static int run(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {0};
	struct request request = {.cli = cli, .point = &point};
	char purpose[80];
	int rc;

	snprintf(purpose, sizeof(purpose), "a restore of %.50s", cli->arguments[0]);
	rc = vrms_open_repository(cli, VRMS_LOCK_READER, purpose, &open, error);
	if (rc == 0) {
		request.repository = open.repository;
		rc = vrms_point_read(open.repository, cli->arguments[0], &point, error);
	}
	if (rc == 0) {
		rc = check_disks(&request, error);
	}
	if (rc == 0 && cli->output != NULL) {
		rc = vrms_file_mkdir_all(cli->output, 0700, error);
	}
	for (size_t i = 0; i < point.part_count && rc == 0; i++) {
		rc = restore_part(&request, &point.parts[i], error);
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "'%s'", cli->arguments[0]) : 0;
}

int vrms_command_restore(const struct vrms_cli *cli, struct vrms_error *error)
{
	return run(cli, error);
}

int vrms_command_export(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_cli plain = *cli;

	if (cli->output == NULL) {
		return vrms_error_set(error, -EINVAL, "where to? (--output DIR)");
	}
	plain.format = "qcow2";
	return run(&plain, error);
}
