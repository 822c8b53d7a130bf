/* vm_state.h - what a VM has beside its disks: firmware variables, the TPM's state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_VM_STATE_H
#define VRMS_BACKUP_VM_STATE_H

#include "backup/point.h"
#include "backup/vm_xml.h"

enum { VRMS_VM_STATE_PATH_BYTES = 160 };

/* Where libvirt keeps the state of a TPM 2.0. */
void vrms_vm_state_tpm_path(const struct vrms_vm_xml *vm, char *ret_path);

enum vrms_vm_state_old { VRMS_VM_STATE_KEEP, VRMS_VM_STATE_REFUSE, VRMS_VM_STATE_REPLACE };

/* Puts the point's state where the domain in `xml` expects it: a new VM, which has no UUID yet,
 * starts with a fresh one.
 *
 * old: what to do about one that is there. -EEXIST.
 */
VRMS_MUST_CHECK int vrms_vm_state_put(struct vrms_repository *repository,
				      const struct vrms_point *point, const char *xml,
				      enum vrms_vm_state_old old, struct vrms_error *error);

#endif
