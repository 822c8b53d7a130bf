/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/take.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

int vrms_take_name_bitmap(char *ret_name, struct vrms_error *error)
{
	struct vrms_id id;
	int rc = vrms_random_fill(&id, sizeof(id), error);

	if (rc == 0) {
		strcpy(ret_name, VRMS_TAKE_BITMAP_PREFIX);
		vrms_id_print(&id, ret_name + strlen(VRMS_TAKE_BITMAP_PREFIX));
	}
	return rc;
}

enum vrms_mode vrms_take_mode(const struct vrms_take *take)
{
	return take->is_self_contained ? VRMS_MODE_FULL : take->mode;
}

const char *vrms_take_full_bitmap(const struct vrms_point_list *points, const char *disk)
{
	for (size_t i = points->count; i-- > 0;) {
		const struct vrms_point_part *part = vrms_point_find(&points->points[i], disk);

		if (part != NULL && part->mode == VRMS_MODE_FULL) {
			return part->bitmap;
		}
	}
	return "";
}

static int pick_generation(struct vrms_repository *repository, const struct vrms_take_plan *plan,
			   uint32_t *ret_generation, struct vrms_error *error)
{
	const struct vrms_point_list *points = plan->points;
	struct vrms_point_list all VRMS_CLEANUP(vrms_point_list_done) = {0};
	uint32_t newest;
	int rc = vrms_points_read(repository, NULL, &all, error);

	if (rc < 0) {
		return rc;
	}
	newest = vrms_points_generation_max(&all);
	if (plan->take->is_self_contained) {
		*ret_generation = newest + 1;
	} else if (points->count > 0) {
		*ret_generation = points->points[points->count - 1].generation;
	} else {
		*ret_generation = newest > 0 ? newest : 1;
	}
	return 0;
}

static void name_bases(const struct vrms_take_plan *plan, struct vrms_job *job)
{
	for (size_t i = 0; i < plan->disk_count; i++) {
		const struct vrms_point *base = plan->choices[i]->base_point;

		if (base != NULL) {
			job->base_sequence = base->sequence;
			job->full_sequence = base->full_sequence;
		}
	}
}

int vrms_take_run(struct vrms_repository *repository, const struct vrms_take_plan *plan,
		  struct vrms_point *ret_point, struct vrms_error *error)
{
	const struct vrms_take *take = plan->take;
	char host[80] = "";
	struct vrms_job job = {
	    .vm = take->vm,
	    .uuid = take->uuid,
	    .host = host,
	    .consistency = plan->consistency,
	    .checkpoint = plan->checkpoint,
	    .mode = take->mode,
	    .time_s = time(NULL),
	    .is_self_contained = take->is_self_contained,
	    .disks = plan->disks,
	    .disk_count = plan->disk_count,
	    .files = take->files,
	    .file_count = take->file_count,
	    .thread_count = take->thread_count,
	    .rate_bytes = take->rate_bytes,
	    .stop = take->stop,
	};
	int rc = pick_generation(repository, plan, &job.generation, error);

	if (rc == 0) {
		rc = vrms_random_fill(&job.seed, sizeof(job.seed), error);
	}
	if (rc == 0 && take->gather != NULL) {
		rc = take->gather(take->gather_context, &job.files, &job.file_count, error);
	}
	if (rc < 0) {
		return rc;
	}
	gethostname(host, sizeof(host) - 1);
	name_bases(plan, &job);
	return vrms_job_run(repository, &job, ret_point, error);
}
