/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/take_images.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/image.h"

struct disk {
	struct vrms_image image;
	struct vrms_plan_choice choice;
	struct vrms_source source;
	struct vrms_nbd_server *server;
	bool has_new_bitmap;
};

struct run {
	const struct vrms_take *take;
	const struct vrms_take_image *images;
	size_t image_count;
	struct vrms_repository *repository;
	struct vrms_point_list points;
	struct disk *disks;
	struct vrms_job_disk *job_disks;
	const struct vrms_plan_choice **choices;
	char bitmap[VRMS_TAKE_BITMAP_BYTES]; /* that begins now */
};

static void run_done(struct run *run)
{
	for (size_t i = 0; run->disks != NULL && i < run->image_count; i++) {
		vrms_source_close(&run->disks[i].source);
		vrms_nbd_server_stop(run->disks[i].server);
		vrms_image_done(&run->disks[i].image);
	}
	free(run->disks);
	free(run->job_disks);
	free(run->choices);
	vrms_point_list_done(&run->points);
}

static int plan_disk(struct run *run, size_t i, struct vrms_error *error)
{
	const struct vrms_take_image *wanted = &run->images[i];
	struct disk *disk = &run->disks[i];
	struct vrms_plan_disk plan = {.name = wanted->disk};
	int rc = vrms_image_inspect(wanted->path, wanted->format, &disk->image, error);

	if (rc < 0) {
		return rc;
	}
	plan.bytes = disk->image.bytes;
	plan.bitmaps = (const char *const *)disk->image.bitmaps;
	plan.no_bitmap = disk->image.can_bitmap ? NULL : "the image's format keeps no bitmap";
	vrms_plan_disk(run->points.points, run->points.count, vrms_take_mode(run->take), &plan,
		       &disk->choice);
	run->choices[i] = &disk->choice;
	return 0;
}

static int open_disk(struct run *run, size_t i, struct vrms_error *error)
{
	struct disk *disk = &run->disks[i];
	struct vrms_job_disk *job = &run->job_disks[i];
	int rc = 0;

	/* First the new bitmap: a VM that starts in between only makes it larger. */
	if (disk->image.can_bitmap) {
		rc = vrms_image_bitmap_add(&disk->image, run->bitmap, error);
		disk->has_new_bitmap = rc == 0;
	}
	if (rc == 0) {
		rc = vrms_image_open(&disk->image,
				     disk->choice.base != NULL ? disk->choice.base->bitmap : NULL,
				     &disk->source, &disk->server, error);
	}
	job->name = run->images[i].disk;
	job->format = disk->image.format;
	job->path = disk->image.path;
	job->bitmap = disk->has_new_bitmap ? run->bitmap : "";
	job->reason = disk->choice.reason;
	job->mode = disk->choice.mode;
	job->base = disk->choice.base;
	job->source = &disk->source;
	return rc;
}

static void close_disk(struct disk *disk)
{
	vrms_source_close(&disk->source);
	vrms_nbd_server_stop(disk->server);
	disk->server = NULL;
}

static bool is_ours(const char *bitmap)
{
	return strncmp(bitmap, VRMS_TAKE_BITMAP_PREFIX, strlen(VRMS_TAKE_BITMAP_PREFIX)) == 0;
}

/* Of our bitmaps only those stay that a committed point can be a base with: the
 * new one, and that of the last full. */
static int remove_old_bitmaps(struct run *run, const struct vrms_point *point, size_t i,
			      struct vrms_error *error)
{
	const struct vrms_image *image = &run->disks[i].image;
	const struct vrms_point_part *part = vrms_point_find(point, run->images[i].disk);
	const char *full =
	    part->mode == VRMS_MODE_FULL ? "" : vrms_take_full_bitmap(&run->points, part->name);
	int rc = 0;

	for (size_t k = 0; image->bitmaps[k] != NULL && rc == 0; k++) {
		const char *name = image->bitmaps[k];

		if (is_ours(name) && strcmp(name, full) != 0 && strcmp(name, part->bitmap) != 0) {
			rc = vrms_image_bitmap_remove(image, name, error);
		}
	}
	for (size_t k = 0; image->broken[k] != NULL && rc == 0; k++) {
		if (is_ours(image->broken[k])) {
			rc = vrms_image_bitmap_remove(image, image->broken[k], error);
		}
	}
	return rc;
}

/* After a failure the bitmap that began now belongs to no point. */
static void withdraw_bitmaps(struct run *run)
{
	for (size_t i = 0; i < run->image_count; i++) {
		struct disk *disk = &run->disks[i];

		close_disk(disk);
		if (disk->has_new_bitmap &&
		    vrms_image_bitmap_remove(&disk->image, run->bitmap, NULL) < 0) {
			continue; /* a left bitmap costs a little and is removed next time */
		}
	}
}

static int prepare(struct run *run, struct vrms_error *error)
{
	int rc = vrms_points_read(run->repository, run->take->vm, &run->points, error);

	if (rc == 0) {
		rc = vrms_take_name_bitmap(run->bitmap, error);
	}
	run->disks = calloc(run->image_count + 1, sizeof(*run->disks));
	run->job_disks = calloc(run->image_count + 1, sizeof(*run->job_disks));
	run->choices = calloc(run->image_count + 1, sizeof(*run->choices));
	if (rc == 0 && (run->disks == NULL || run->job_disks == NULL || run->choices == NULL)) {
		rc = vrms_error_set(error, -ENOMEM, "out of memory");
	}
	return rc;
}

int vrms_take_images(struct vrms_repository *repository, const struct vrms_take *take,
		     const struct vrms_take_image *images, size_t image_count,
		     struct vrms_point *ret_point, struct vrms_error *error)
{
	struct run run VRMS_CLEANUP(run_done) = {
	    .take = take,
	    .images = images,
	    .image_count = image_count,
	    .repository = repository,
	};
	struct vrms_take_plan plan = {
	    .take = take,
	    .points = &run.points,
	    .disk_count = image_count,
	    .consistency = "offline",
	    .checkpoint = "",
	};
	int rc = prepare(&run, error);

	for (size_t i = 0; i < image_count && rc == 0; i++) {
		rc = plan_disk(&run, i, error);
	}
	for (size_t i = 0; i < image_count && rc == 0; i++) {
		rc = open_disk(&run, i, error);
	}
	if (rc == 0) {
		plan.choices = run.choices;
		plan.disks = run.job_disks;
		rc = vrms_take_run(repository, &plan, ret_point, error);
	}
	if (rc < 0) {
		if (run.disks != NULL) {
			withdraw_bitmaps(&run);
		}
		return rc;
	}
	for (size_t i = 0; i < image_count; i++) {
		close_disk(&run.disks[i]);
		/* The point is there; an old bitmap too many is no failure of it. */
		if (remove_old_bitmaps(&run, ret_point, i, NULL) < 0) {
			continue;
		}
	}
	return 0;
}
