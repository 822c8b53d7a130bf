/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/plan.h"

#include <stdio.h>
#include <string.h>

/* The newest point that has the disk; only_full: taken in full. */
static const struct vrms_point *find_base(const struct vrms_point *points, size_t count,
					  const char *disk, bool only_full)
{
	while (count-- > 0) {
		const struct vrms_point_part *part = vrms_point_find(&points[count], disk);

		if (part != NULL && part->is_disk && (!only_full || part->mode == VRMS_MODE_FULL)) {
			return &points[count];
		}
		if (part == NULL && !only_full) {
			return NULL; /* the disk was away: its old bitmap missed nothing only by
					luck */
		}
	}
	return NULL;
}

static bool has_bitmap(const struct vrms_plan_disk *disk, const char *name)
{
	for (size_t i = 0; disk->bitmaps != NULL && disk->bitmaps[i] != NULL; i++) {
		if (strcmp(disk->bitmaps[i], name) == 0) {
			return true;
		}
	}
	return false;
}

/* Else "full" would be taken for one that stores all. */
#define READ_IN_FULL ": read in full, only changes are stored"

static void explain(const struct vrms_plan_disk *disk, const struct vrms_point *point,
		    struct vrms_plan_choice *choice)
{
	const struct vrms_point_part *part =
	    point != NULL ? vrms_point_find(point, disk->name) : NULL;
	size_t size = sizeof(choice->reason);
	char *to = choice->reason;

	if (point == NULL) {
		snprintf(to, size, "no earlier backup of this disk");
	} else if (disk->no_bitmap != NULL) {
		snprintf(to, size, "%s" READ_IN_FULL, disk->no_bitmap);
	} else if (part->bitmap[0] == '\0') {
		snprintf(to, size, "point %llu began no bitmap" READ_IN_FULL,
			 (unsigned long long)point->sequence);
	} else if (disk->bytes < part->bytes) {
		snprintf(to, size, "the disk became smaller" READ_IN_FULL);
	} else if (!has_bitmap(disk, part->bitmap)) {
		snprintf(to, size,
			 "the disk has no good bitmap '%s' of point %llu any more" READ_IN_FULL,
			 part->bitmap, (unsigned long long)point->sequence);
	}
}

void vrms_plan_disk(const struct vrms_point *points, size_t count, enum vrms_mode wanted,
		    const struct vrms_plan_disk *disk, struct vrms_plan_choice *ret_choice)
{
	const struct vrms_point *point;

	memset(ret_choice, 0, sizeof(*ret_choice));
	ret_choice->mode = VRMS_MODE_FULL;
	if (wanted == VRMS_MODE_FULL) {
		return;
	}
	point = find_base(points, count, disk->name, wanted == VRMS_MODE_DIFFERENTIAL);
	explain(disk, point, ret_choice);
	if (ret_choice->reason[0] == '\0') {
		ret_choice->mode = wanted == VRMS_MODE_AUTO ? VRMS_MODE_INCREMENTAL : wanted;
		ret_choice->base_point = point;
		ret_choice->base = vrms_point_find(point, disk->name);
	}
}
