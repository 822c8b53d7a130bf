/* overlay.h - a point's disks, ready for a VM at once: empty images over a served point.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_OVERLAY_H
#define VRMS_BACKUP_OVERLAY_H

#include "backup/point.h"
#include "backup/serve.h"
#include "backup/vm_xml.h"

enum { VRMS_OVERLAY_MAX = 32 };

struct vrms_overlays {
	struct vrms_serve serve;
	char socket[VRMS_SERVE_SOCKET_BYTES];
	pid_t server;
	struct vrms_vm_xml_move moves[VRMS_OVERLAY_MAX]; /* paths are ours */
	size_t count;
	bool is_kept;
};

/* Serves the point and makes FOLDER/NAME-DISK.qcow2 for each of its disks.
 *
 * serve:  whose socket may be NULL: made from the point's name.
 * folder: absolute; must exist.
 * Returns -EEXIST when one of the images is there.
 */
VRMS_MUST_CHECK int vrms_overlays_make(const struct vrms_point *point,
				       const struct vrms_serve *serve, const char *folder,
				       const char *name, struct vrms_overlays *ret_overlays,
				       struct vrms_error *error);

/* The same images with all of their content, and no server. */
VRMS_MUST_CHECK int vrms_overlays_restore(const struct vrms_point *point,
					  struct vrms_repository *repository, const char *folder,
					  const char *name, struct vrms_overlays *ret_overlays,
					  struct vrms_error *error);

/* From now on the images belong to a VM: they stay, and so does the server until QEMU lets go. */
void vrms_overlays_keep(struct vrms_overlays *overlays);

/* Without _keep ends the server and removes the images.  For VRMS_CLEANUP; accepts a zeroed one. */
void vrms_overlays_done(struct vrms_overlays *overlays);

#endif
