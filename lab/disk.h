/* disk.h - a node's disk: the folders of its own that survive a power cut.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_DISK_H
#define VRMS_LAB_DISK_H

#include "lab/lab.h"

/* Lays down what is not there yet, and the configuration files anew.
 *
 * The CIB, the logs and all else that the node wrote are left as they are.
 */
VRMS_MUST_CHECK int vrms_lab_disk_lay(const struct vrms_lab *lab, int index,
				      struct vrms_error *error);

/* The folder that plays the SAN. */
VRMS_MUST_CHECK int vrms_lab_san_lay(const struct vrms_lab *lab, struct vrms_error *error);

/* What of a node's disk appears where in the node.
 *
 * A row's target is "/" and its path on the disk; optional: skipped where the
 * machine has no such file to mount over.
 */
struct vrms_lab_disk_mount {
	const char *path;
	bool is_optional;
};

const struct vrms_lab_disk_mount *vrms_lab_disk_mounts(size_t *ret_count);

#endif
