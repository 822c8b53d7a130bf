/* job.h - takes one point: every disk and file of a VM into the repository, then the commit.
 *
 * Where the bytes come from and how far a bitmap is trusted was decided before
 * (backup/plan.h); what is done here cannot leave half a point.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_JOB_H
#define VRMS_BACKUP_JOB_H

#include <stdatomic.h>

#include "backup/point.h"
#include "backup/source.h"

struct vrms_job_disk {
	const char *name;
	const char *format;  /* "" unknown */
	const char *path;    /* "" unknown */
	const char *bitmap;  /* that begins at this point; "" none */
	const char *reason;  /* why in this mode; "" as asked */
	enum vrms_mode mode; /* FULL, or a mode whose base and bitmap are trusted */
	/* What to change.  With FULL: what the content is compared with to count
	 * changes and to heal; may be NULL. */
	const struct vrms_point_part *base;
	const struct vrms_source *source; /* its bitmap began at the base, unless FULL */
};

struct vrms_job_file {
	const char *name;
	const void *data;
	size_t size;
};

struct vrms_job {
	const char *vm, *uuid, *host, *consistency, *checkpoint;
	enum vrms_mode mode; /* asked for */
	int64_t time_s;
	uint32_t generation;
	bool is_self_contained;
	uint64_t base_sequence,
	    full_sequence; /* 0: none; a full_sequence of 0 becomes this point's */
	const struct vrms_job_disk *disks;
	size_t disk_count;
	const struct vrms_job_file *files;
	size_t file_count;
	unsigned int thread_count;
	uint64_t rate_bytes;     /* per second, over all disks; 0: no limit */
	uint64_t seed;           /* of the audit's sample */
	const atomic_bool *stop; /* may be NULL */
};

/* Runs the job.  The caller holds the write lock.
 *
 * ret_point: the committed point; the caller calls vrms_point_done().
 * On failure nothing is visible; blocks already stored help the next run.
 */
VRMS_MUST_CHECK int vrms_job_run(struct vrms_repository *repository, const struct vrms_job *job,
				 struct vrms_point *ret_point, struct vrms_error *error);

#endif
