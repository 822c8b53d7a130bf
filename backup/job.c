/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/pipeline.h"
#include "common/clock.h"

enum { AUDIT_SHARE = 1000, AUDIT_MIN = 16, AUDIT_MAX = 1024 };

struct run {
	struct vrms_repository *repository;
	const struct vrms_job *job;
	struct vrms_session *session;
	struct vrms_block_reader *reader;
	struct vrms_point point;
	uint32_t block_bytes;
};

static void run_done(struct run *run)
{
	vrms_block_reader_free(run->reader);
	vrms_session_close(run->session);
	vrms_point_done(&run->point);
}

static int take_text(char **ret_text, const char *text)
{
	free(*ret_text);
	*ret_text = strdup(text != NULL ? text : "");
	return *ret_text != NULL ? 0 : -ENOMEM;
}

static uint64_t count_blocks(const struct run *run, uint64_t bytes)
{
	return bytes / run->block_bytes + (bytes % run->block_bytes != 0);
}

/* Blocks of the base whose only copies are damaged are read again: that heals them. */
static int add_damaged(struct run *run, const struct vrms_point_part *base,
		       struct vrms_extents *dirty, struct vrms_error *error)
{
	struct vrms_tree_cursor *cursor VRMS_CLEANUP(vrms_tree_cursor_freep) = NULL;
	struct vrms_extents more VRMS_CLEANUP(vrms_extents_done) = {0};
	size_t damage_count, row = 0;
	const struct vrms_name *names = NULL;
	int rc = 0;

	vrms_repository_damages(run->repository, &damage_count);
	if (damage_count == 0) {
		return 0;
	}
	rc = vrms_tree_cursor_new(run->reader, &base->tree, &cursor, error);
	for (uint64_t block = 0; block < base->tree.block_count && rc == 0; block++) {
		struct vrms_extent extent = {
		    .offset = block * run->block_bytes,
		    .bytes = run->block_bytes,
		    .kind = VRMS_EXTENT_SKIP,
		};

		if (block % VRMS_TREE_FAN == 0) {
			rc = vrms_tree_cursor_leaf(cursor, block / VRMS_TREE_FAN, &names, error);
			if (rc < 0) {
				break;
			}
		}
		while (row + 1 < dirty->count && dirty->rows[row + 1].offset <= extent.offset) {
			row++;
		}
		extent.kind = dirty->rows[row].kind;
		if (extent.offset + extent.bytes > vrms_extents_end(dirty)) {
			extent.bytes = vrms_extents_end(dirty) - extent.offset;
		}
		if (extent.kind == VRMS_EXTENT_SKIP) {
			rc = vrms_session_has(run->session, &names[block % VRMS_TREE_FAN]);
			extent.kind = rc == 0 ? VRMS_EXTENT_DATA : VRMS_EXTENT_SKIP;
		}
		rc = rc < 0 ? rc : vrms_extents_append(&more, &extent);
	}
	if (rc == 0 && vrms_extents_end(&more) < vrms_extents_end(dirty)) {
		struct vrms_extent rest = {
		    .offset = vrms_extents_end(&more),
		    .bytes = vrms_extents_end(dirty) - vrms_extents_end(&more),
		    .kind = VRMS_EXTENT_DATA, /* grown: reading it is right in any case */
		};

		rc = vrms_extents_append(&more, &rest);
	}
	if (rc == 0) {
		struct vrms_extents swap = *dirty;

		*dirty = more;
		more = swap;
	}
	return rc < 0 ? vrms_error_errno(error, rc, "looking for damaged blocks") : 0;
}

static uint64_t audit_count(const struct vrms_extents *aligned, uint32_t block_bytes)
{
	uint64_t blocks = vrms_extents_bytes(aligned, VRMS_EXTENT_SKIP) / block_bytes / AUDIT_SHARE;

	if (blocks < AUDIT_MIN) {
		return AUDIT_MIN;
	}
	return blocks < AUDIT_MAX ? blocks : AUDIT_MAX;
}

/* What to read of a disk whose bitmap is trusted. */
static int changed_extents(struct run *run, const struct vrms_job_disk *disk,
			   const struct vrms_extents *content, struct vrms_extents *ret_extents,
			   struct vrms_error *error)
{
	const struct vrms_source *source = disk->source;
	struct vrms_extents dirty VRMS_CLEANUP(vrms_extents_done) = {0};
	struct vrms_extents combined VRMS_CLEANUP(vrms_extents_done) = {0};
	struct vrms_extents aligned VRMS_CLEANUP(vrms_extents_done) = {0};
	struct vrms_random random;
	int rc = source->dirty(source->context, &dirty, error);

	if (rc < 0) {
		return rc;
	}
	rc = vrms_extents_combine(&dirty, content, &combined);
	if (rc == 0) {
		rc = vrms_extents_align(&combined, run->block_bytes, source->bytes, &aligned);
	}
	if (rc < 0) {
		return vrms_error_errno(error, rc, "extents");
	}
	rc = add_damaged(run, disk->base, &aligned, error);
	if (rc == 0) {
		vrms_random_init(&random, run->job->seed);
		rc = vrms_extents_sample(&aligned, run->block_bytes,
					 audit_count(&aligned, run->block_bytes), &random,
					 ret_extents);
	}
	return rc < 0 ? vrms_error_errno(error, rc, "extents") : 0;
}

/* One pass over a disk: with its bitmap, or over all of its content. */
static int pass(struct run *run, const struct vrms_job_disk *disk, struct vrms_point_part *part,
		struct vrms_pipeline_result *ret_result, struct vrms_error *error)
{
	struct vrms_tree_builder *builder VRMS_CLEANUP(vrms_tree_builder_freep) = NULL;
	struct vrms_extents content VRMS_CLEANUP(vrms_extents_done) = {0};
	struct vrms_extents extents VRMS_CLEANUP(vrms_extents_done) = {0};
	bool is_full = part->mode == VRMS_MODE_FULL;
	struct vrms_pipeline pipeline = {
	    .session = run->session,
	    .source = disk->source,
	    .extents = &extents,
	    .has_base = !is_full,
	    .thread_count = run->job->thread_count > 0 ? run->job->thread_count : 1,
	    .rate_bytes = run->job->rate_bytes,
	    .stop = run->job->stop,
	};
	int rc = disk->source->content(disk->source->context, &content, error);

	if (rc == 0 && !is_full) {
		rc = changed_extents(run, disk, &content, &extents, error);
	} else if (rc == 0) {
		rc = vrms_extents_align(&content, run->block_bytes, disk->source->bytes, &extents);
	}
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "disk '%s'", disk->name);
	}
	rc = vrms_tree_builder_new(run->session, run->reader, is_full ? NULL : &disk->base->tree,
				   count_blocks(run, disk->source->bytes), &builder);
	if (rc < 0) {
		return vrms_error_errno(error, rc, "disk '%s'", disk->name);
	}
	pipeline.builder = builder;
	rc = vrms_pipeline_run(&pipeline, ret_result, error);
	if (rc == 0) {
		rc = vrms_tree_builder_finish(builder, &part->tree, error);
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "disk '%s'", disk->name) : 0;
}

static int take_disk(struct run *run, const struct vrms_job_disk *disk, struct vrms_error *error)
{
	struct vrms_point_part *part = vrms_point_add(&run->point, disk->name, true);
	struct vrms_pipeline_result result;
	int rc;

	if (part == NULL || take_text(&part->format, disk->format) < 0 ||
	    take_text(&part->source, disk->path) < 0 ||
	    take_text(&part->bitmap, disk->bitmap) < 0 ||
	    take_text(&part->reason, disk->reason) < 0) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	part->mode = disk->mode;
	part->bytes = disk->source->bytes;
	rc = pass(run, disk, part, &result, error);
	if (rc == 0 && result.audit_failures > 0) {
		/* The export still shows the same moment, so all of it can be read now. */
		char reason[160];

		snprintf(reason, sizeof(reason),
			 "%llu of %llu sampled blocks had changed though the bitmap calls them "
			 "clean: read in full",
			 (unsigned long long)result.audit_failures,
			 (unsigned long long)result.audited_blocks);
		if (take_text(&part->reason, reason) < 0) {
			return vrms_error_set(error, -ENOMEM, "out of memory");
		}
		part->mode = VRMS_MODE_FULL;
		rc = pass(run, disk, part, &result, error);
	}
	if (rc == 0) {
		part->read_bytes = result.read_bytes;
		part->changed_bytes = result.changed_bytes;
	}
	return rc;
}

static int take_file(struct run *run, const struct vrms_job_file *file, struct vrms_error *error)
{
	struct vrms_tree_builder *builder VRMS_CLEANUP(vrms_tree_builder_freep) = NULL;
	struct vrms_point_part *part = vrms_point_add(&run->point, file->name, false);
	uint8_t *block VRMS_CLEANUP(vrms_freep) = malloc(run->block_bytes);
	uint64_t count = count_blocks(run, file->size);
	int rc = 0;

	if (part == NULL || block == NULL ||
	    vrms_tree_builder_new(run->session, run->reader, NULL, count, &builder) < 0) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	part->mode = VRMS_MODE_FULL;
	part->bytes = file->size;
	for (uint64_t i = 0; i < count && rc == 0; i++) {
		size_t at = i * run->block_bytes;
		size_t left = file->size - at;
		size_t size = left < run->block_bytes ? left : run->block_bytes;
		struct vrms_name name;

		memcpy(block, (const uint8_t *)file->data + at, size);
		memset(block + size, 0, run->block_bytes - size);
		rc = vrms_session_put_raw(run->session, VRMS_PACK_DATA, block, run->block_bytes,
					  &name, error);
		if (rc == 0) {
			rc = vrms_tree_builder_set(builder, i, &name, NULL, error);
		}
	}
	if (rc == 0) {
		rc = vrms_tree_builder_finish(builder, &part->tree, error);
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "file '%s'", file->name) : 0;
}

static int describe(struct run *run)
{
	const struct vrms_job *job = run->job;
	struct vrms_point *point = &run->point;

	point->time_s = job->time_s;
	point->generation = job->generation;
	point->is_self_contained = job->is_self_contained;
	point->mode = job->mode;
	point->base_sequence = job->base_sequence;
	point->full_sequence = job->full_sequence;
	return take_text(&point->vm, job->vm) < 0 || take_text(&point->uuid, job->uuid) < 0 ||
		       take_text(&point->host, job->host) < 0 ||
		       take_text(&point->consistency, job->consistency) < 0 ||
		       take_text(&point->checkpoint, job->checkpoint) < 0
		   ? -ENOMEM
		   : 0;
}

static int take_all(struct run *run, struct vrms_error *error)
{
	const struct vrms_job *job = run->job;
	int rc = describe(run) < 0 ? vrms_error_set(error, -ENOMEM, "out of memory") : 0;

	for (size_t i = 0; i < job->disk_count && rc == 0; i++) {
		rc = take_disk(run, &job->disks[i], error);
	}
	for (size_t i = 0; i < job->file_count && rc == 0; i++) {
		rc = take_file(run, &job->files[i], error);
	}
	return rc == 0 ? vrms_session_flush(run->session, error) : rc;
}

int vrms_job_run(struct vrms_repository *repository, const struct vrms_job *job,
		 struct vrms_point *ret_point, struct vrms_error *error)
{
	struct run run VRMS_CLEANUP(run_done) = {
	    .repository = repository,
	    .job = job,
	    .block_bytes = vrms_repository_config(repository)->block_bytes,
	};
	int64_t start_ms = vrms_clock_now_ms(vrms_clock_system());
	struct vrms_session_stats stats;
	int rc = vrms_session_open(repository, job->generation, &run.session, error);

	if (rc == 0) {
		rc = vrms_block_reader_new(repository, &run.reader, error);
	}
	if (rc == 0) {
		rc = take_all(&run, error);
	}
	if (rc < 0) {
		return rc;
	}
	stats = vrms_session_stats(run.session);
	run.point.stored_bytes = stats.new_stored_bytes + stats.node_stored_bytes;
	run.point.duration_ms = vrms_clock_now_ms(vrms_clock_system()) - start_ms;
	rc = vrms_point_commit(repository, &run.point, error);
	if (rc == 0) {
		*ret_point = run.point;
		vrms_point_init(&run.point);
	}
	return rc;
}
