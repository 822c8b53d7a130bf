/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/take_images.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backup/image.h"
#include "backup/plan.h"

static const char bitmap_prefix[] = "vrms-";

struct disk {
	struct vrms_image image;
	struct vrms_plan_choice choice;
	struct vrms_source source;
	struct vrms_nbd_server *server;
	bool has_new_bitmap;
};

struct run {
	const struct vrms_take *take;
	struct vrms_repository *repository;
	struct vrms_point_list points;
	struct disk *disks;
	struct vrms_job_disk *job_disks;
	char bitmap[sizeof(bitmap_prefix) + VRMS_ID_TEXT_BYTES]; /* that begins now */
};

static void run_done(struct run *run)
{
	for (size_t i = 0; run->disks != NULL && i < run->take->image_count; i++) {
		vrms_source_close(&run->disks[i].source);
		vrms_nbd_server_stop(run->disks[i].server);
		vrms_image_done(&run->disks[i].image);
	}
	free(run->disks);
	free(run->job_disks);
	vrms_point_list_done(&run->points);
}

static int plan_disk(struct run *run, size_t i, struct vrms_error *error)
{
	const struct vrms_take_image *wanted = &run->take->images[i];
	struct disk *disk = &run->disks[i];
	struct vrms_plan_disk plan = {.name = wanted->disk};
	enum vrms_mode mode = run->take->is_self_contained ? VRMS_MODE_FULL : run->take->mode;
	int rc = vrms_image_inspect(wanted->path, wanted->format, &disk->image, error);

	if (rc < 0) {
		return rc;
	}
	plan.bytes = disk->image.bytes;
	plan.bitmaps = (const char *const *)disk->image.bitmaps;
	plan.no_bitmap = disk->image.can_bitmap ? NULL : "the image's format keeps no bitmap";
	vrms_plan_disk(run->points.points, run->points.count, mode, &plan, &disk->choice);
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
	job->name = run->take->images[i].disk;
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

/* Of our bitmaps only those stay that a committed point can be a base with: the
 * new one, and that of the last full. */
static int remove_old_bitmaps(struct run *run, const struct vrms_point *point, size_t i,
			      struct vrms_error *error)
{
	const struct vrms_image *image = &run->disks[i].image;
	const struct vrms_point_part *part = vrms_point_find(point, run->take->images[i].disk);
	const char *full = "";
	int rc = 0;

	for (size_t k = run->points.count;
	     part->mode != VRMS_MODE_FULL && k-- > 0 && full[0] == '\0';) {
		const struct vrms_point_part *old =
		    vrms_point_find(&run->points.points[k], part->name);

		full = old != NULL && old->mode == VRMS_MODE_FULL ? old->bitmap : "";
	}
	for (size_t k = 0; image->bitmaps[k] != NULL && rc == 0; k++) {
		const char *name = image->bitmaps[k];

		if (strncmp(name, bitmap_prefix, strlen(bitmap_prefix)) == 0 &&
		    strcmp(name, full) != 0 && strcmp(name, part->bitmap) != 0) {
			rc = vrms_image_bitmap_remove(image, name, error);
		}
	}
	return rc;
}

/* After a failure the bitmap that began now belongs to no point. */
static void withdraw_bitmaps(struct run *run)
{
	for (size_t i = 0; i < run->take->image_count; i++) {
		struct disk *disk = &run->disks[i];

		close_disk(disk);
		if (disk->has_new_bitmap &&
		    vrms_image_bitmap_remove(&disk->image, run->bitmap, NULL) < 0) {
			continue; /* a left bitmap costs a little and is removed next time */
		}
	}
}

/* The generation: that of the last point, or a new one that shares nothing. */
static int pick_generation(struct run *run, uint32_t *ret_generation, struct vrms_error *error)
{
	struct vrms_point_list all VRMS_CLEANUP(vrms_point_list_done) = {0};
	uint32_t newest;
	int rc = vrms_points_read(run->repository, NULL, &all, error);

	if (rc < 0) {
		return rc;
	}
	newest = vrms_points_generation_max(&all);
	if (run->take->is_self_contained) {
		*ret_generation = newest + 1;
	} else if (run->points.count > 0) {
		*ret_generation = run->points.points[run->points.count - 1].generation;
	} else {
		*ret_generation = newest > 0 ? newest : 1;
	}
	return 0;
}

static int run_job(struct run *run, struct vrms_point *ret_point, struct vrms_error *error)
{
	const struct vrms_take *take = run->take;
	char host[80] = "";
	struct vrms_job job = {
	    .vm = take->vm,
	    .uuid = take->uuid,
	    .host = host,
	    .consistency = "offline",
	    .mode = take->mode,
	    .time_s = time(NULL),
	    .is_self_contained = take->is_self_contained,
	    .disks = run->job_disks,
	    .disk_count = take->image_count,
	    .files = take->files,
	    .file_count = take->file_count,
	    .thread_count = take->thread_count,
	    .rate_bytes = take->rate_bytes,
	    .stop = take->stop,
	};
	bool is_all_full = true;
	int rc = pick_generation(run, &job.generation, error);

	if (rc < 0) {
		return rc;
	}
	gethostname(host, sizeof(host) - 1);
	rc = vrms_random_fill(&job.seed, sizeof(job.seed), error);
	for (size_t i = 0; i < take->image_count; i++) {
		const struct vrms_plan_choice *choice = &run->disks[i].choice;

		if (choice->base_point != NULL) {
			is_all_full = false;
			job.base_sequence = choice->base_point->sequence;
			job.full_sequence = choice->base_point->full_sequence;
		}
	}
	if (is_all_full) {
		job.full_sequence = 0;
	}
	return rc < 0 ? rc : vrms_job_run(run->repository, &job, ret_point, error);
}

int vrms_take_images(struct vrms_repository *repository, const struct vrms_take *take,
		     struct vrms_point *ret_point, struct vrms_error *error)
{
	struct run run VRMS_CLEANUP(run_done) = {.take = take, .repository = repository};
	struct vrms_id id;
	int rc = vrms_points_read(repository, take->vm, &run.points, error);

	if (rc == 0) {
		rc = vrms_random_fill(&id, sizeof(id), error);
	}
	run.disks = calloc(take->image_count + 1, sizeof(*run.disks));
	run.job_disks = calloc(take->image_count + 1, sizeof(*run.job_disks));
	if (rc == 0 && (run.disks == NULL || run.job_disks == NULL)) {
		rc = vrms_error_set(error, -ENOMEM, "out of memory");
	}
	if (rc < 0) {
		return rc;
	}
	strcpy(run.bitmap, bitmap_prefix);
	vrms_id_print(&id, run.bitmap + strlen(bitmap_prefix));
	for (size_t i = 0; i < take->image_count && rc == 0; i++) {
		rc = plan_disk(&run, i, error);
	}
	for (size_t i = 0; i < take->image_count && rc == 0; i++) {
		rc = open_disk(&run, i, error);
	}
	if (rc == 0) {
		rc = run_job(&run, ret_point, error);
	}
	if (rc < 0) {
		withdraw_bitmaps(&run);
		return rc;
	}
	for (size_t i = 0; i < take->image_count; i++) {
		close_disk(&run.disks[i]);
		/* The point is there; an old bitmap too many is no failure of it. */
		if (remove_old_bitmaps(&run, ret_point, i, NULL) < 0) {
			continue;
		}
	}
	return 0;
}
