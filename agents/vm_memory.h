/* vm_memory.h - which domain a resource is on this node, and what became of it last.
 *
 * Config may vanish, break or change while the machine runs; a stop must still
 * find it.  Lives in HA_RSCTMP, which is gone after a reboot, as the machine is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_VM_MEMORY_H
#define VRMS_AGENTS_VM_MEMORY_H

#include "agents/hypervisor.h"

struct vrms_vm_memory {
	struct vrms_domain_id id;
	bool is_running;  /* false: config said so, but it was last seen off */
	bool is_starting; /* libvirt was told to start it, and has not said what came of it */
};

/* Writes only when it differs from what is there.  A missing folder is made. */
VRMS_MUST_CHECK int vrms_vm_memory_write(const char *instance, const struct vrms_vm_memory *memory,
					 struct vrms_error *error);

/* Returns 0, -ENOENT (nothing remembered), -EBADMSG (not such a file) or -errno of reading. */
VRMS_MUST_CHECK int vrms_vm_memory_read(const char *instance, struct vrms_vm_memory *ret_memory,
					struct vrms_error *error);

#endif
