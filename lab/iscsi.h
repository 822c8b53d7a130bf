/* iscsi.h - the lab's iSCSI target: tgtd beside the switch, a pool of LUNs for the VMs' disks.
 *
 * It runs in the switch's network namespace and answers on the SAN's network (net2, 10.77.2.0/24)
 * only.  A LUN is a file under san/lun; a VM's disk path is a link to one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_ISCSI_H
#define VRMS_LAB_ISCSI_H

#include "lab/lab.h"

enum { VRMS_LAB_LUNS = 8, VRMS_LAB_LUNS_TEXT_SIZE = 1024 };

#define VRMS_LAB_ISCSI_PORTAL "10.77.2.254"

/* Makes the LUNs that are not there yet, starts tgtd and returns when it serves them. */
VRMS_MUST_CHECK int vrms_lab_iscsi_start(const struct vrms_lab *lab, struct vrms_error *error);

/* Ends it; its absence is success. */
VRMS_MUST_CHECK int vrms_lab_iscsi_stop(const struct vrms_lab *lab, struct vrms_error *error);

/* The name of the lab's target. */
void vrms_lab_iscsi_target_print(const struct vrms_lab *lab, char *text, size_t size);

/* All LUNs as fence_vrms_scsi wants them. */
void vrms_lab_iscsi_luns_print(const struct vrms_lab *lab, char text[VRMS_LAB_LUNS_TEXT_SIZE]);

/* Gives a LUN to the disk at this host path (a link): the one that it has, or one that is free.
 *
 * ret_lun: 1..VRMS_LAB_LUNS.  -ENOSPC: none is free.
 */
VRMS_MUST_CHECK int vrms_lab_iscsi_take(const struct vrms_lab *lab, const char *disk_path,
					int *ret_lun, struct vrms_error *error);

#endif
