/* live_base.h - which bitmaps of earlier points a running VM still has, good.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_LIVE_BASE_H
#define VRMS_BACKUP_LIVE_BASE_H

#include "backup/live.h"
#include "backup/point.h"
#include "backup/vm_xml.h"

enum { VRMS_LIVE_BASES_MAX = 2 }; /* of one disk: the last point's, the last full's */

struct vrms_live_bases {
	const char *names[VRMS_LIVE_BASES_MAX + 1]; /* good ones, NULL-terminated; of the points */
};

/* Makes libvirt know the checkpoints that the points name, and says which disk has which.
 * Broken ones are removed from the images: nothing can be done with them but harm.
 *
 * points: of this VM.  ret_bases: one per disk of vm. */
VRMS_MUST_CHECK int vrms_live_bases_find(struct vrms_live *live, const struct vrms_vm_xml *vm,
					 const struct vrms_point_list *points,
					 struct vrms_live_bases *ret_bases,
					 struct vrms_error *error);

/* After a new point: removes the bitmaps that no further backup can start from, and
 * makes libvirt forget the rest.  points: without the new one. */
VRMS_MUST_CHECK int vrms_live_bases_retire(struct vrms_live *live, const struct vrms_vm_xml *vm,
					   const struct vrms_point_list *points,
					   const struct vrms_live_bases *bases,
					   const struct vrms_point *point,
					   struct vrms_error *error);

/* Makes libvirt forget all of our checkpoints; their bitmaps stay. */
VRMS_MUST_CHECK int vrms_live_bases_forget(struct vrms_live *live, struct vrms_error *error);

#endif
