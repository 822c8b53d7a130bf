/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/space.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "backup/image.h"
#include "backup/tree.h"

/* A qcow2 image's own tables are about a 4000th of its data. */
enum { OVERHEAD_SHARE = 4096, MIB = 1 << 20 };

/* Where a disk goes. */
struct place {
	char *folder; /* NULL: to no file */
	dev_t device;
	uint64_t free_bytes;
};

static void find_place(const char *path, struct place *ret_place)
{
	char *copy VRMS_CLEANUP(vrms_freep) = strdup(path);
	const char *folder = copy != NULL ? dirname(copy) : NULL;
	struct stat status;
	struct statvfs space;

	memset(ret_place, 0, sizeof(*ret_place));
	if (folder == NULL || vrms_image_is_uri(path) ||
	    (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) || stat(folder, &status) < 0 ||
	    statvfs(folder, &space) < 0) {
		return;
	}
	ret_place->device = status.st_dev;
	ret_place->free_bytes =
	    (geteuid() == 0 ? space.f_bfree : space.f_bavail) * (uint64_t)space.f_frsize;
	ret_place->folder = strdup(folder);
}

static int count_data(struct vrms_repository *repository, const struct vrms_point_part *part,
		      uint64_t *ret_bytes, struct vrms_error *error)
{
	struct vrms_block_reader *reader VRMS_CLEANUP(vrms_block_reader_freep) = NULL;
	struct vrms_tree_cursor *cursor VRMS_CLEANUP(vrms_tree_cursor_freep) = NULL;
	uint64_t count = part->tree.block_count, blocks = 0;
	int rc = vrms_block_reader_new(repository, &reader, error);

	if (rc == 0) {
		rc = vrms_tree_cursor_new(reader, &part->tree, &cursor, error);
	}
	for (uint64_t first = 0; first < count && rc == 0; first += VRMS_TREE_FAN) {
		const struct vrms_name *names;

		rc = vrms_tree_cursor_leaf(cursor, first / VRMS_TREE_FAN, &names, error);
		for (size_t i = 0; i < VRMS_TREE_FAN && rc == 0; i++) {
			blocks += !vrms_name_is_zero(&names[i]);
		}
	}
	*ret_bytes = blocks * vrms_repository_config(repository)->block_bytes;
	return rc < 0 ? vrms_error_wrap(error, rc, "disk '%s'", part->name) : 0;
}

struct survey {
	struct vrms_repository *repository;
	const struct vrms_space_want *wants;
	size_t count;
	struct place places[VRMS_SPACE_WANTS_MAX];
};

static void survey_done(struct survey *survey)
{
	for (size_t i = 0; i < survey->count; i++) {
		free(survey->places[i].folder);
	}
}

static bool goes_along(const struct survey *survey, size_t first, size_t i)
{
	return survey->places[i].folder != NULL &&
	       survey->places[i].device == survey->places[first].device;
}

/* What goes to the file system of one of the disks.  is_exact: only what is not zero of it, for
 * which the disks' maps are read; else the disks' sizes. */
static int sum_up(const struct survey *survey, size_t first, bool is_exact, uint64_t *ret_bytes,
		  struct vrms_error *error)
{
	int rc = 0;

	*ret_bytes = 0;
	for (size_t i = first; i < survey->count && rc == 0; i++) {
		uint64_t bytes = survey->wants[i].part->bytes;

		if (!goes_along(survey, first, i)) {
			continue;
		}
		if (is_exact) {
			rc = count_data(survey->repository, survey->wants[i].part, &bytes, error);
		}
		*ret_bytes += bytes + bytes / OVERHEAD_SHARE;
	}
	return rc;
}

static bool is_first(const struct survey *survey, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (goes_along(survey, i, k)) {
			return false;
		}
	}
	return survey->places[i].folder != NULL;
}

static int check_place(const struct survey *survey, size_t first, struct vrms_error *error)
{
	const struct place *place = &survey->places[first];
	uint64_t bytes;
	int rc = sum_up(survey, first, false, &bytes, error);

	if (rc == 0 && bytes > place->free_bytes) {
		rc = sum_up(survey, first, true, &bytes, error);
	}
	return rc == 0 && bytes > place->free_bytes
		   ? vrms_error_set(error, -ENOSPC,
				    "'%s': %llu MiB are needed, %llu MiB are free (--force: where "
				    "less is stored than is written)",
				    place->folder, (unsigned long long)((bytes + MIB - 1) / MIB),
				    (unsigned long long)(place->free_bytes / MIB))
		   : rc;
}

int vrms_space_check(struct vrms_repository *repository, const struct vrms_space_want *wants,
		     size_t count, struct vrms_error *error)
{
	struct survey survey VRMS_CLEANUP(survey_done) = {repository, wants, count, {{0}}};
	int rc = 0;

	for (size_t i = 0; i < count; i++) {
		find_place(wants[i].path, &survey.places[i]);
	}
	for (size_t i = 0; i < count && rc == 0; i++) {
		rc = is_first(&survey, i) ? check_place(&survey, i, error) : 0;
	}
	return rc;
}

int vrms_space_check_folder(struct vrms_repository *repository, const struct vrms_point *point,
			    const char *folder, struct vrms_error *error)
{
	struct vrms_space_want wants[VRMS_SPACE_WANTS_MAX];
	char *path VRMS_CLEANUP(vrms_freep) = NULL;
	size_t count = 0;

	if (asprintf(&path, "%s/new", folder) < 0) {
		path = NULL;
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < point->part_count && count < VRMS_SPACE_WANTS_MAX; i++) {
		if (point->parts[i].is_disk) {
			wants[count++] = (struct vrms_space_want){path, &point->parts[i]};
		}
	}
	return vrms_space_check(repository, wants, count, error);
}
