/* take.h - what every way of taking a backup shares: the request, the plan, the job.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_TAKE_H
#define VRMS_BACKUP_TAKE_H

#include <stdatomic.h>

#include "backup/job.h"
#include "backup/plan.h"

#define VRMS_TAKE_BITMAP_PREFIX "vrms-"
enum { VRMS_TAKE_BITMAP_BYTES = sizeof(VRMS_TAKE_BITMAP_PREFIX) + VRMS_ID_TEXT_BYTES };

struct vrms_take {
	const char *vm;
	const char *uuid; /* NULL unknown */
	enum vrms_mode mode;
	bool is_self_contained;
	const struct vrms_job_file *files;
	size_t file_count;
	/* Called once, before the job: for files that are gathered while the backup begins.
	 * NULL: files are complete. */
	int (*gather)(void *context, const struct vrms_job_file **ret_files, size_t *ret_count,
		      struct vrms_error *error);
	void *gather_context;
	unsigned int thread_count;
	uint64_t rate_bytes;
	const atomic_bool *stop;
};

/* A new name of a bitmap, never used before.  ret_name: VRMS_TAKE_BITMAP_BYTES. */
VRMS_MUST_CHECK int vrms_take_name_bitmap(char *ret_name, struct vrms_error *error);

/* Asks for a full when the point is to be self-contained. */
enum vrms_mode vrms_take_mode(const struct vrms_take *take);

/* The bitmap of the last full of a disk, which differentials need; "" none.
 * points: of this VM, rising. */
const char *vrms_take_full_bitmap(const struct vrms_point_list *points, const char *disk);

struct vrms_take_plan {
	const struct vrms_take *take;
	const struct vrms_point_list *points;          /* of this VM */
	const struct vrms_plan_choice *const *choices; /* one per disk */
	const struct vrms_job_disk *disks;
	size_t disk_count;
	const char *consistency;
	const char *checkpoint; /* "" none */
};

/* Runs the job: the generation is that of the last point, or a new one that shares nothing. */
VRMS_MUST_CHECK int vrms_take_run(struct vrms_repository *repository,
				  const struct vrms_take_plan *plan, struct vrms_point *ret_point,
				  struct vrms_error *error);

#endif
