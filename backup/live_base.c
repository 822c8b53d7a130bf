/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/live_base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/take.h"

struct search {
	struct vrms_live *live;
	const struct vrms_vm_xml *vm;
	const struct vrms_point_list *points;
	struct vrms_live_bases *bases;
	struct vrms_vm_xml_disk *rows; /* one per disk: who takes part in the call being made */
};

static void search_done(struct search *search)
{
	free(search->rows);
}

static int search_init(struct search *search)
{
	search->rows = calloc(search->vm->disk_count + 1, sizeof(*search->rows));
	for (size_t i = 0; search->rows != NULL && i < search->vm->disk_count; i++) {
		search->rows[i].target = search->vm->disks[i].target;
	}
	return search->rows != NULL ? 0 : -ENOMEM;
}

static const char *last_bitmap(const struct search *search, const char *disk)
{
	const struct vrms_point_list *points = search->points;
	const struct vrms_point_part *part =
	    points->count > 0 ? vrms_point_find(&points->points[points->count - 1], disk) : NULL;

	return part != NULL ? part->bitmap : "";
}

/* Runs one call for a checkpoint with the bitmaps of the marked disks. */
static int call(const struct search *search, const char *name,
		int (*function)(struct vrms_live *, const char *, struct vrms_error *),
		struct vrms_error *error)
{
	/* libvirt wants to know when it was made; nothing depends on it. */
	char *xml VRMS_CLEANUP(vrms_freep) =
	    vrms_vm_xml_checkpoint(name, 1, search->rows, search->vm->disk_count);

	return xml != NULL ? function(search->live, xml, error)
			   : vrms_error_set(error, -ENOMEM, "out of memory");
}

static int remove_marked(const struct search *search, const char *name, struct vrms_error *error)
{
	int rc = call(search, name, vrms_live_claim, error);

	return rc < 0 ? rc : vrms_live_remove(search->live, name, true, error);
}

static void mark_only(const struct search *search, size_t disk)
{
	for (size_t i = 0; i < search->vm->disk_count; i++) {
		search->rows[i].has_bitmap = i == disk;
	}
}

static void note_good(const struct search *search, const char *name)
{
	for (size_t i = 0; i < search->vm->disk_count; i++) {
		const char **names = search->bases[i].names;

		if (search->rows[i].has_bitmap) {
			names[names[0] != NULL ? 1 : 0] = name;
		}
	}
}

/* Some disk's bitmap is bad: each on its own, the bad ones removed, the good ones together. */
static int sort_out(const struct search *search, const char *name, const bool *wanted, bool *good,
		    struct vrms_error *error)
{
	size_t good_count = 0;

	for (size_t i = 0; i < search->vm->disk_count; i++) {
		int rc;

		good[i] = false;
		if (!wanted[i]) {
			continue;
		}
		mark_only(search, i);
		rc = call(search, name, vrms_live_announce, error);
		good[i] = rc == 0;
		good_count += rc == 0;
		if (rc == 0) {
			rc = vrms_live_remove(search->live, name, false, error);
		} else if (rc == -ESTALE) {
			rc = remove_marked(search, name, error);
		}
		if (rc < 0) {
			return rc;
		}
	}
	for (size_t i = 0; i < search->vm->disk_count; i++) {
		search->rows[i].has_bitmap = good[i];
	}
	return good_count > 0 ? call(search, name, vrms_live_announce, error) : 0;
}

static int find_name(const struct search *search, const char *name, struct vrms_error *error)
{
	size_t count = search->vm->disk_count;
	bool *wanted VRMS_CLEANUP(vrms_freep) = calloc(count + 1, sizeof(*wanted));
	bool *good VRMS_CLEANUP(vrms_freep) = calloc(count + 1, sizeof(*good));
	int rc;

	if (wanted == NULL || good == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < count; i++) {
		const char *disk = search->vm->disks[i].target;

		wanted[i] = strcmp(last_bitmap(search, disk), name) == 0 ||
			    strcmp(vrms_take_full_bitmap(search->points, disk), name) == 0;
		search->rows[i].has_bitmap = wanted[i];
	}
	rc = call(search, name, vrms_live_announce, error);
	if (rc == -ESTALE) {
		rc = sort_out(search, name, wanted, good, error);
	}
	if (rc == 0) {
		note_good(search, name);
	}
	return rc;
}

/* Each name once, though several disks have it. */
static bool is_first(const struct search *search, const char *name, size_t disk, bool is_full)
{
	for (size_t i = 0; i <= disk; i++) {
		const char *target = search->vm->disks[i].target;
		bool is_end = i == disk;

		if (strcmp(vrms_take_full_bitmap(search->points, target), name) == 0) {
			return is_end && is_full;
		}
		if (strcmp(last_bitmap(search, target), name) == 0) {
			return is_end && !is_full;
		}
	}
	return false;
}

/* One that libvirt still knows is left of a run that died: a point's is looked at
 * anew, the others began nothing. */
struct leftover {
	struct vrms_live *live;
	const struct vrms_point_list *points;
};

static int clear_leftover(void *context, const char *name, struct vrms_error *error)
{
	const struct leftover *leftover = context;
	bool is_named = false;

	for (size_t i = 0; i < leftover->points->count; i++) {
		const struct vrms_point *point = &leftover->points->points[i];

		for (size_t k = 0; k < point->part_count; k++) {
			is_named = is_named || strcmp(point->parts[k].bitmap, name) == 0;
		}
	}
	return vrms_live_remove(leftover->live, name, !is_named, error);
}

int vrms_live_bases_find(struct vrms_live *live, const struct vrms_vm_xml *vm,
			 const struct vrms_point_list *points, struct vrms_live_bases *ret_bases,
			 struct vrms_error *error)
{
	struct search search VRMS_CLEANUP(search_done) = {live, vm, points, ret_bases, NULL};
	struct leftover leftover = {live, points};
	int rc = vrms_live_each(live, VRMS_TAKE_BITMAP_PREFIX, clear_leftover, &leftover, error);

	memset(ret_bases, 0, vm->disk_count * sizeof(*ret_bases));
	if (rc == 0 && search_init(&search) < 0) {
		rc = vrms_error_set(error, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < vm->disk_count && rc == 0; i++) {
		const char *last = last_bitmap(&search, vm->disks[i].target);
		const char *full = vrms_take_full_bitmap(points, vm->disks[i].target);

		if (full[0] != '\0' && is_first(&search, full, i, true)) {
			rc = find_name(&search, full, error);
		}
		if (rc == 0 && last[0] != '\0' && is_first(&search, last, i, false)) {
			rc = find_name(&search, last, error);
		}
	}
	return rc;
}

/* The full that differentials of this disk start from now. */
static const char *kept_full(const struct search *search, const struct vrms_point *point,
			     const char *disk)
{
	const struct vrms_point_part *part = vrms_point_find(point, disk);

	return part != NULL && part->mode == VRMS_MODE_FULL
		   ? part->bitmap
		   : vrms_take_full_bitmap(search->points, disk);
}

int vrms_live_bases_retire(struct vrms_live *live, const struct vrms_vm_xml *vm,
			   const struct vrms_point_list *points,
			   const struct vrms_live_bases *bases, const struct vrms_point *point,
			   struct vrms_error *error)
{
	struct search search VRMS_CLEANUP(search_done) = {live, vm, points, NULL, NULL};
	int rc = vrms_live_bases_forget(live, error);

	if (rc == 0 && search_init(&search) < 0) {
		rc = vrms_error_set(error, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < vm->disk_count; i++) {
		const char *full = kept_full(&search, point, vm->disks[i].target);

		for (size_t k = 0; rc == 0 && bases[i].names[k] != NULL; k++) {
			if (strcmp(bases[i].names[k], full) != 0) {
				mark_only(&search, i);
				rc = remove_marked(&search, bases[i].names[k], error);
			}
		}
	}
	return rc;
}

static int forget(void *context, const char *name, struct vrms_error *error)
{
	return vrms_live_remove(context, name, false, error);
}

int vrms_live_bases_forget(struct vrms_live *live, struct vrms_error *error)
{
	return vrms_live_each(live, VRMS_TAKE_BITMAP_PREFIX, forget, live, error);
}
