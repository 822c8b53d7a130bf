/* plan.h - full, incremental or differential: what each disk of a job gets, and why.
 *
 * Pure.  A bitmap is trusted when the last committed point (or the last full
 * one) names it and the disk still has it, good.  Bitmap names are never used
 * twice, so nothing else can be meant.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_PLAN_H
#define VRMS_BACKUP_PLAN_H

#include "backup/point.h"

struct vrms_plan_disk {
	const char *name;
	uint64_t bytes;
	const char *const *bitmaps; /* good ones, NULL-terminated; NULL: none */
	const char *no_bitmap;      /* why it can have none; NULL when it can */
};

struct vrms_plan_choice {
	enum vrms_mode mode;                 /* never AUTO */
	const struct vrms_point *base_point; /* NULL in a full */
	const struct vrms_point_part *base;
	char reason[160]; /* why another mode than asked for; "" */
};

/* points: of this VM, rising; borrowed by ret_choice.
 * wanted: AUTO takes an incremental when that can be trusted.
 */
void vrms_plan_disk(const struct vrms_point *points, size_t count, enum vrms_mode wanted,
		    const struct vrms_plan_disk *disk, struct vrms_plan_choice *ret_choice);

#endif
