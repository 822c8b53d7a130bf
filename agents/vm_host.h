/* vm_host.h - what the agent needs from the node beside the hypervisor, as a port.
 *
 * Implementations: vrms_vm_host_system(), tests/fakes/vm_world.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_VM_HOST_H
#define VRMS_AGENTS_VM_HOST_H

#include <stdint.h>
#include <sys/types.h>

#include "agents/hypervisor.h"
#include "agents/qemu_process.h"
#include "common/child.h"

struct vrms_vm_host {
	void *context;
	/* The QEMU process of a domain, found without libvirt.
	 * Returns 0, -ESRCH (certainly none) or another -errno (cannot tell). */
	int (*find_process)(void *context, const struct vrms_domain_id *id, pid_t *ret_pid,
			    enum vrms_qemu_process_state *ret_state, struct vrms_error *error);
	/* Ends every QEMU process of a domain: TERM, after grace_ms KILL; returns 0 once none is
	 * left, -ETIMEDOUT when one is at deadline_ms. */
	int (*end_process)(void *context, const struct vrms_domain_id *id, int64_t grace_ms,
			   int64_t deadline_ms, struct vrms_error *error);
	/* As vrms_child_run(). */
	int (*run_program)(void *context, const struct vrms_child_spec *spec,
			   struct vrms_child_result *result, struct vrms_error *error);
};

/* The node that this program runs on. */
const struct vrms_vm_host *vrms_vm_host_system(void);

#endif
