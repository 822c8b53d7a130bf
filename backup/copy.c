/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/copy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
	const struct vrms_copy *copy;
	uint32_t block_bytes;
	bool is_naming_alike; /* a block has one name in both */
	struct vrms_block_reader *from;
	struct vrms_block_reader *to;
	uint8_t *block;
	struct vrms_session *session; /* of one point */
	/* The point before: here and there. */
	const struct vrms_point *last;
	struct vrms_point last_there;
};

/* One disk or file on its way. */
struct part {
	struct run *run;
	const struct vrms_point_part *from;
	struct vrms_tree_builder *builder;
	struct vrms_error *error;
};

static void run_done(struct run *run)
{
	vrms_session_close(run->session);
	vrms_block_reader_free(run->from);
	vrms_block_reader_free(run->to);
	vrms_point_done(&run->last_there);
	free(run->block);
}

int vrms_copy_check(const struct vrms_copy *copy, struct vrms_error *error)
{
	const struct vrms_repository_config *from = vrms_repository_config(copy->from);
	const struct vrms_repository_config *to = vrms_repository_config(copy->to);

	if (vrms_id_is_equal(&from->id, &to->id)) {
		return vrms_error_set(error, -EINVAL, "both are the same repository");
	}
	if (from->block_bytes != to->block_bytes) {
		return vrms_error_set(error, -EINVAL,
				      "the other repository has blocks of %u bytes, this one of %u",
				      to->block_bytes, from->block_bytes);
	}
	return 0;
}

static int run_init(struct run *run, struct vrms_error *error)
{
	const struct vrms_repository_config *from = vrms_repository_config(run->copy->from);
	const struct vrms_repository_config *to = vrms_repository_config(run->copy->to);
	int rc;

	run->block_bytes = from->block_bytes;
	/* The other hashes have a key, and each repository its own. */
	run->is_naming_alike = from->hash == VRMS_HASH_SHA256 && to->hash == VRMS_HASH_SHA256;
	run->block = malloc(run->block_bytes);
	if (run->block == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = vrms_block_reader_new(run->copy->from, &run->from, error);
	return rc < 0 ? rc : vrms_block_reader_new(run->copy->to, &run->to, error);
}

static int copy_block(const struct part *part, uint64_t number, const struct vrms_name *name)
{
	struct run *run = part->run;
	struct vrms_want want = {
	    .name = *name,
	    .generation = part->from->tree.generation,
	    .raw_bytes = run->block_bytes,
	};
	struct vrms_name there = *name;
	int rc = 0;

	if (run->copy->stop != NULL && atomic_load(run->copy->stop)) {
		return vrms_error_set(part->error, -ECANCELED, "stopped");
	}
	if (!vrms_name_is_zero(name)) {
		rc = run->is_naming_alike ? vrms_session_has(run->session, name) : 0;
		if (rc == 0) {
			rc = vrms_block_reader_get(run->from, &want, run->block, part->error);
			if (rc == 0) {
				rc = vrms_session_put_raw(run->session, VRMS_PACK_DATA, run->block,
							  run->block_bytes, &there, part->error);
			}
		} else if (rc < 0) {
			rc = vrms_error_errno(part->error, rc, "index");
		}
	}
	return rc < 0 ? rc
		      : vrms_tree_builder_set(part->builder, number, &there, NULL, part->error);
}

static int copy_change(void *context, const struct vrms_tree_change *change)
{
	return copy_block(context, change->block, &change->to);
}

static int copy_all(const struct part *part, struct vrms_tree_cursor *cursor)
{
	const struct vrms_name *names = NULL;
	int rc = 0;

	for (uint64_t i = 0; i < part->from->tree.block_count && rc == 0; i++) {
		if (i % VRMS_TREE_FAN == 0) {
			rc = vrms_tree_cursor_leaf(cursor, i / VRMS_TREE_FAN, &names, part->error);
		}
		if (rc == 0 && !vrms_name_is_zero(&names[i % VRMS_TREE_FAN])) {
			rc = copy_block(part, i, &names[i % VRMS_TREE_FAN]);
		}
	}
	return rc;
}

/* The same disk in the point before, here and there, when it can be the base: not across
 * generations, which share nothing. */
static bool find_base(const struct run *run, const struct vrms_point_part *part,
		      const struct vrms_tree **ret_here, const struct vrms_tree **ret_there)
{
	const struct vrms_point_part *here, *there;

	if (run->last == NULL) {
		return false;
	}
	here = vrms_point_find(run->last, part->name);
	there = vrms_point_find(&run->last_there, part->name);
	if (here == NULL || there == NULL || here->tree.generation != part->tree.generation ||
	    there->tree.generation != part->tree.generation ||
	    here->tree.block_count > part->tree.block_count ||
	    here->tree.block_count != there->tree.block_count || here->tree.block_count == 0) {
		return false;
	}
	*ret_here = &here->tree;
	*ret_there = &there->tree;
	return true;
}

static int copy_part(struct run *run, const struct vrms_point_part *from,
		     struct vrms_point_part *to, struct vrms_error *error)
{
	struct vrms_tree_builder *builder VRMS_CLEANUP(vrms_tree_builder_freep) = NULL;
	struct vrms_tree_cursor *cursor VRMS_CLEANUP(vrms_tree_cursor_freep) = NULL;
	struct vrms_tree_cursor *before VRMS_CLEANUP(vrms_tree_cursor_freep) = NULL;
	struct part part = {.run = run, .from = from, .error = error};
	const struct vrms_tree *here = NULL, *there = NULL;
	bool has_base = find_base(run, from, &here, &there);
	int rc = vrms_tree_builder_new(run->session, run->to, has_base ? there : NULL,
				       from->tree.block_count, &builder);

	if (rc < 0) {
		return vrms_error_errno(error, rc, "'%s'", from->name);
	}
	part.builder = builder;
	rc = vrms_tree_cursor_new(run->from, &from->tree, &cursor, error);
	if (rc == 0 && has_base) {
		rc = vrms_tree_cursor_new(run->from, here, &before, error);
	}
	if (rc == 0) {
		rc = has_base ? vrms_tree_diff(before, cursor, copy_change, &part, error)
			      : copy_all(&part, cursor);
	}
	if (rc == 0) {
		rc = vrms_tree_builder_finish(builder, &to->tree, error);
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "'%s'", from->name) : 0;
}

/* As the other repository will have it: its trees are filled in later. */
static int twin(const struct vrms_point *point, struct vrms_point *ret_twin,
		struct vrms_error *error)
{
	json_t *value VRMS_CLEANUP(json_decrefp) = vrms_point_encode(point);
	int rc = value == NULL ? vrms_error_set(error, -ENOMEM, "out of memory")
			       : vrms_point_decode(value, ret_twin, error);

	for (size_t i = 0; rc == 0 && i < ret_twin->part_count; i++) {
		ret_twin->parts[i].bitmap[0] = '\0';
	}
	if (rc == 0) {
		ret_twin->checkpoint[0] = '\0';
	}
	return rc;
}

static bool is_same(const struct vrms_point *a, const struct vrms_point *b)
{
	bool is_same = a->time_s == b->time_s && strcmp(a->uuid, b->uuid) == 0 &&
		       a->generation == b->generation && a->part_count == b->part_count;

	for (size_t i = 0; i < a->part_count && is_same; i++) {
		is_same = strcmp(a->parts[i].name, b->parts[i].name) == 0 &&
			  a->parts[i].bytes == b->parts[i].bytes;
	}
	return is_same;
}

/* 1: it is there already; 0: it is not. */
static int look_there(struct run *run, const struct vrms_point *point, struct vrms_point *ret_there,
		      struct vrms_error *error)
{
	char name[300];
	int rc;

	snprintf(name, sizeof(name), "%s@%" PRIu64, point->vm, point->sequence);
	rc = vrms_point_read(run->copy->to, name, ret_there, error);
	if (rc == -ENOENT) {
		return 0;
	}
	if (rc == 0 && !is_same(point, ret_there)) {
		vrms_point_done(ret_there);
		return vrms_error_set(error, -EEXIST, "the other repository has another '%s'",
				      name);
	}
	return rc < 0 ? rc : 1;
}

static int copy_point(struct run *run, const struct vrms_point *point, struct vrms_point *ret_there,
		      struct vrms_error *error)
{
	struct vrms_point there VRMS_CLEANUP(vrms_point_done) = {0};
	struct vrms_session_stats stats;
	int rc = twin(point, &there, error);

	if (rc == 0) {
		rc = vrms_session_open(run->copy->to, point->generation, &run->session, error);
	}
	for (size_t i = 0; i < point->part_count && rc == 0; i++) {
		rc = copy_part(run, &point->parts[i], &there.parts[i], error);
	}
	if (rc == 0) {
		rc = vrms_session_flush(run->session, error);
	}
	if (rc == 0) {
		stats = vrms_session_stats(run->session);
		there.stored_bytes = stats.new_stored_bytes + stats.node_stored_bytes;
		rc = vrms_point_commit(run->copy->to, &there, error);
	}
	vrms_session_close(run->session);
	run->session = NULL;
	if (rc == 0) {
		*ret_there = there;
		vrms_point_init(&there);
	}
	return rc;
}

int vrms_copy_points(const struct vrms_copy *copy, const struct vrms_point *points, size_t count,
		     struct vrms_error *error)
{
	struct run run VRMS_CLEANUP(run_done) = {.copy = copy};
	int rc = run_init(&run, error);

	for (size_t i = 0; i < count && rc >= 0; i++) {
		struct vrms_point there = {0};
		bool was_there;

		rc = look_there(&run, &points[i], &there, error);
		was_there = rc == 1;
		if (rc == 0) {
			rc = copy_point(&run, &points[i], &there, error);
		}
		if (rc < 0) {
			return vrms_error_wrap(error, rc, "%s@%" PRIu64, points[i].vm,
					       points[i].sequence);
		}
		copy->copied(&points[i], was_there ? -1 : (int64_t)there.stored_bytes);
		vrms_point_done(&run.last_there);
		run.last_there = there;
		run.last = &points[i];
	}
	return rc < 0 ? rc : 0;
}
