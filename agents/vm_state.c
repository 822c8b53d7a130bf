/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/vm_state.h"

#include <assert.h>
#include <libvirt/libvirt.h> /* its numbers only: nothing of it is linked */
#include <stddef.h>

#include "common/cleanup.h"

/* Any reason of the state. */
enum { ANY = -1 };

/* Looked up from above: a state's special reasons stand before its ANY. */
static const struct {
	int state, reason;
	enum vrms_vm_health health;
} meanings[] = {
    /* It runs, but hangs at the first touch of a page that stayed on the other host. */
    {VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_POSTCOPY_FAILED, VRMS_VM_POSTCOPY_FAILED},
    {VIR_DOMAIN_RUNNING, ANY, VRMS_VM_HEALTHY},
    {VIR_DOMAIN_BLOCKED, ANY, VRMS_VM_HEALTHY}, /* waits for a resource: Xen's word for idle */
    {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR, VRMS_VM_IO_ERROR},
    {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG, VRMS_VM_WATCHDOG},
    {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED, VRMS_VM_PANICKED},
    {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY_FAILED, VRMS_VM_POSTCOPY_FAILED},
    {VIR_DOMAIN_PAUSED, ANY, VRMS_VM_HEALTHY},
    {VIR_DOMAIN_SHUTDOWN, ANY, VRMS_VM_HEALTHY}, /* on its way; the process still holds disks */
    {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED, VRMS_VM_CRASHED},
    {VIR_DOMAIN_SHUTOFF, ANY, VRMS_VM_OFF},
    {VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED, VRMS_VM_PANICKED},
    {VIR_DOMAIN_CRASHED, ANY, VRMS_VM_CRASHED},
    {VIR_DOMAIN_PMSUSPENDED, ANY, VRMS_VM_HEALTHY},
    {VIR_DOMAIN_NOSTATE, ANY, VRMS_VM_HEALTHY}, /* Xen, LXC: runs, no more is known */
};

static const struct {
	bool is_failure;
	const char *text;
} healths[VRMS_VM_HEALTH_COUNT] = {
    [VRMS_VM_OFF] = {false, "not running"},
    [VRMS_VM_HEALTHY] = {false, "running"},
    [VRMS_VM_IO_ERROR] = {true, "paused by an I/O error of a disk"},
    [VRMS_VM_PANICKED] = {true, "stopped by a panic of the guest's kernel"},
    [VRMS_VM_WATCHDOG] = {true, "paused by its watchdog"},
    [VRMS_VM_CRASHED] = {true, "crashed"},
    [VRMS_VM_POSTCOPY_FAILED] = {true, "in the middle of a failed post-copy migration"},
};

enum vrms_vm_health vrms_vm_health_from(int state, int reason)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(meanings); i++) {
		if (meanings[i].state == state &&
		    (meanings[i].reason == reason || meanings[i].reason == ANY)) {
			return meanings[i].health;
		}
	}
	/* A state of a newer libvirt is one of an active domain: the only inactive one is SHUTOFF.
	 */
	return VRMS_VM_HEALTHY;
}

bool vrms_vm_health_is_failure(enum vrms_vm_health health)
{
	assert(health < VRMS_VM_HEALTH_COUNT);
	return healths[health].is_failure;
}

const char *vrms_vm_health_text(enum vrms_vm_health health)
{
	assert(health < VRMS_VM_HEALTH_COUNT);
	return healths[health].text;
}
