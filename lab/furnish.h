/* furnish.h - makes a fresh set of namespaces look like a machine of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_FURNISH_H
#define VRMS_LAB_FURNISH_H

#include "lab/lab.h"

/* Where pid 1 of a node tells how its boot went: a path in the node. */
#define VRMS_LAB_BOOT_STATE "/run/vrms-lab/boot"

/* In pid 1 of the new namespaces: host name, mounts, limits.  Affects this process's
 * namespaces, which must not be the machine's.
 */
VRMS_MUST_CHECK int vrms_lab_furnish(const struct vrms_lab *lab, int index,
				     struct vrms_error *error);

#endif
