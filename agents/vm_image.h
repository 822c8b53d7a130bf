/* vm_image.h - the copy-on-write disk of backingfile, stateless and copyindirs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_VM_IMAGE_H
#define VRMS_AGENTS_VM_IMAGE_H

#include <stddef.h>

#include "agents/vm.h"

/* The disk's path: config with ".qcow2" in place of everything from the first dot of its file
 * name on.  Returns 0 or -ENAMETOOLONG.
 */
VRMS_MUST_CHECK int vrms_vm_image_path(const char *config, char *buffer, size_t buffer_bytes);

/* Makes the disk when backingfile is set and it is not there, or at each start when stateless.
 *
 * A new disk gets copyindirs before it takes its final name, so that a start
 * that is interrupted leaves no half-filled disk behind.
 * Errors: those of qemu-img and virt-copy-in, -ENOENT when one is not installed.
 */
VRMS_MUST_CHECK int vrms_vm_make_image(struct vrms_vm *vm, struct vrms_error *error);

#endif
