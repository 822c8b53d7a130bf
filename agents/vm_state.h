/* vm_state.h - what a libvirt domain state means for a cluster: healthy, off, or failed and why.
 *
 * Pure.  The one table that monitor, start, the daemon and the simulator's checks share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_VM_STATE_H
#define VRMS_AGENTS_VM_STATE_H

#include <stdbool.h>

enum vrms_vm_health {
	VRMS_VM_OFF,      /* shut off, or not defined at all: "not running" */
	VRMS_VM_HEALTHY,  /* runs, or is on its way between two states by somebody's will: booting,
			     paused by an admin, for a migration, a save, a snapshot or a dump,
			     pmsuspended, shutting down */
	VRMS_VM_IO_ERROR, /* paused because a disk failed */
	VRMS_VM_PANICKED, /* the guest kernel panicked (crashed, or paused by it) */
	VRMS_VM_WATCHDOG, /* paused by its watchdog */
	VRMS_VM_CRASHED,  /* QEMU says crashed, or the domain was shut off by a crash */
	VRMS_VM_POSTCOPY_FAILED, /* paused in the middle of a failed post-copy migration */
	VRMS_VM_HEALTH_COUNT
};

/* state, reason: as virDomainGetState() gives them (libvirt's virDomainState and its reasons).
 * Unknown pairs: a running-like state is HEALTHY, a shutoff-like one OFF.
 */
enum vrms_vm_health vrms_vm_health_from(int state, int reason);

/* True for the values that a monitor reports as a failure. */
bool vrms_vm_health_is_failure(enum vrms_vm_health health);

/* "paused by an I/O error" ...: completes "the domain is ...". */
const char *vrms_vm_health_text(enum vrms_vm_health health);

#endif
