/* command_copy.c - copy.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backup/cli.h"
#include "backup/copy.h"

static void print_copied(const struct vrms_point *point, int64_t stored_bytes)
{
	char size[16];

	if (stored_bytes < 0) {
		printf("%s@%" PRIu64 ": is there already\n", point->vm, point->sequence);
	} else {
		printf("%s@%" PRIu64 ": copied, stored %s\n", point->vm, point->sequence,
		       vrms_size_print((uint64_t)stored_bytes, size));
	}
	fflush(stdout);
}

/* Each VM's points on their own; damaged ones are left out and told. */
static int copy_list(const struct vrms_copy *copy, const struct vrms_point_list *list,
		     struct vrms_error *error)
{
	int rc = 0;

	for (size_t i = 0, count; i < list->count && rc == 0; i += count) {
		count = 1;
		while (i + count < list->count &&
		       strcmp(list->points[i + count].vm, list->points[i].vm) == 0) {
			count++;
		}
		rc = vrms_copy_points(copy, &list->points[i], count, error);
	}
	for (size_t i = 0; i < list->damaged_count; i++) {
		fprintf(stderr, "vrms-backup: damaged point: %s\n", list->damaged[i]);
	}
	return rc == 0 && list->damaged_count > 0 ? 1 : rc;
}

/* "VM" or "VM@NUMBER"; NULL: all. */
static int copy_named(const struct vrms_copy *copy, const char *name, struct vrms_error *error)
{
	struct vrms_point_list list VRMS_CLEANUP(vrms_point_list_done) = {0};
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {0};
	int rc;

	if (name != NULL && strchr(name, '@') != NULL) {
		rc = vrms_point_read(copy->from, name, &point, error);
		return rc < 0 ? rc : vrms_copy_points(copy, &point, 1, error);
	}
	rc = vrms_points_read(copy->from, name, &list, error);
	if (rc == 0 && name != NULL && list.count + list.damaged_count == 0) {
		rc = vrms_error_set(error, -ENOENT, "no backup of VM '%s'", name);
	}
	return rc < 0 ? rc : copy_list(copy, &list, error);
}

int vrms_command_copy(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_open from VRMS_CLEANUP(vrms_open_done) = {0};
	struct vrms_open to VRMS_CLEANUP(vrms_open_done) = {0};
	struct vrms_copy copy = {.stop = cli->stop, .copied = print_copied};
	int rc = vrms_open_repository(cli, VRMS_LOCK_READER, "a copy", &from, error);
	int damaged = 0;

	if (rc == 0) {
		rc = vrms_open_second(cli, VRMS_LOCK_WRITER, "a copy", &to, error);
	}
	if (rc < 0) {
		return rc;
	}
	copy.from = from.repository;
	copy.to = to.repository;
	rc = vrms_copy_check(&copy, error);
	if (rc == 0 && cli->argument_count == 0) {
		return copy_named(&copy, NULL, error);
	}
	for (int i = 0; i < cli->argument_count && rc >= 0; i++) {
		rc = copy_named(&copy, cli->arguments[i], error);
		damaged = rc > 0 ? rc : damaged;
	}
	return rc < 0 ? rc : damaged;
}
