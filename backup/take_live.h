/* take_live.h - a backup of a running VM: libvirt's pull mode, read over NBD.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_TAKE_LIVE_H
#define VRMS_BACKUP_TAKE_LIVE_H

#include "backup/live.h"
#include "backup/take.h"
#include "backup/vm_xml.h"

struct vrms_take_live {
	const struct vrms_take *take; /* without files: they are read here, and those given added */
	const char *uri;              /* NULL: libvirt's default */
	struct vrms_live *live;
	const struct vrms_vm_xml *vm; /* as it runs; disks that are not wanted taken out */
	const char *scratch_folder;   /* NULL: beside each disk's image */
	bool no_freeze;
	/* Told what is not as it should be: why the point is only crash-consistent, or what was
	 * left behind.  May be NULL. */
	void (*note)(const char *text);
};

/* Takes one point.  The caller holds the write lock, and calls vrms_point_done(). */
VRMS_MUST_CHECK int vrms_take_live(struct vrms_repository *repository,
				   const struct vrms_take_live *request,
				   struct vrms_point *ret_point, struct vrms_error *error);

#endif
