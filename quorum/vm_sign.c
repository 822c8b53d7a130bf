/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/vm_sign.h"

#include <libvirt/libvirt.h> /* its numbers only: nothing of it is linked */
#include <string.h>

#include "agents/vm_state.h"
#include "common/cleanup.h"

/* Any detail of the event. */
enum { ANY = -1 };

#define NOTE(words)                                        \
	{                                                  \
		VRMS_VM_WORD_NOTE, VRMS_REASON_NONE, words \
	}
#define IS(kind, words)                                      \
	{                                                    \
		VRMS_VM_WORD_##kind, VRMS_REASON_NONE, words \
	}
#define FAILED(why, words)                                         \
	{                                                          \
		VRMS_VM_WORD_EVIDENCE, VRMS_REASON_VM_##why, words \
	}

/* Looked up from above: an event's special details stand before its ANY. */
static const struct {
	int event, detail;
	struct vrms_vm_sign sign;
} lifecycle[] = {
    {VIR_DOMAIN_EVENT_STARTED, ANY, IS(RUNNING, "started")},
    {VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED,
     IS(MOVING, "paused for a migration")},
    {VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY,
     IS(MOVING, "paused for a post-copy migration")},
    {VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_IOERROR,
     FAILED(IO_ERROR, "paused by an I/O error")},
    {VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG,
     FAILED(WATCHDOG, "paused by its watchdog")},
    {VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY_FAILED,
     FAILED(POSTCOPY_FAILED, "paused by a failed post-copy migration")},
    {VIR_DOMAIN_EVENT_SUSPENDED, ANY, NOTE("paused by somebody")},
    {VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_POSTCOPY_FAILED,
     FAILED(POSTCOPY_FAILED, "runs in the middle of a failed post-copy migration")},
    {VIR_DOMAIN_EVENT_RESUMED, ANY, IS(RUNNING, "resumed")},
    {VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN,
     FAILED(STOPPED_SHUTDOWN, "stopped: shut down")},
    {VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_CRASHED,
     FAILED(STOPPED_CRASHED, "stopped: crashed")},
    {VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FAILED,
     FAILED(STOPPED_FAILED, "stopped: failed")},
    {VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_MIGRATED,
     IS(MOVED, "stopped: migrated away")},
    {VIR_DOMAIN_EVENT_STOPPED, ANY, FAILED(STOPPED_DESTROYED, "stopped: by somebody's will")},
    {VIR_DOMAIN_EVENT_CRASHED, ANY, FAILED(PANICKED, "its kernel panicked")},
    {VIR_DOMAIN_EVENT_SHUTDOWN, ANY, NOTE("shutting down")},
    {VIR_DOMAIN_EVENT_PMSUSPENDED, ANY, NOTE("asleep")},
};

static const struct vrms_vm_sign healths[VRMS_VM_HEALTH_COUNT] = {
    [VRMS_VM_OFF] = NOTE("off"),
    [VRMS_VM_HEALTHY] = IS(LISTED, "active"),
    [VRMS_VM_IO_ERROR] = FAILED(IO_ERROR, "found paused by an I/O error"),
    [VRMS_VM_PANICKED] = FAILED(PANICKED, "found panicked"),
    [VRMS_VM_WATCHDOG] = FAILED(WATCHDOG, "found paused by its watchdog"),
    [VRMS_VM_CRASHED] = FAILED(STOPPED_CRASHED, "found crashed"),
    [VRMS_VM_POSTCOPY_FAILED] = FAILED(POSTCOPY_FAILED, "found in a failed migration"),
};

struct vrms_vm_sign vrms_vm_sign_lifecycle(int event, int detail)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(lifecycle); i++) {
		if (lifecycle[i].event == event &&
		    (lifecycle[i].detail == detail || lifecycle[i].detail == ANY)) {
			return lifecycle[i].sign;
		}
	}
	return (struct vrms_vm_sign)NOTE("defined or undefined");
}

struct vrms_vm_sign vrms_vm_sign_io_error(int action, const char *why)
{
	if (action != VIR_DOMAIN_EVENT_IO_ERROR_PAUSE) {
		return (struct vrms_vm_sign)NOTE("a disk reports an I/O error to the guest");
	}
	if (why != NULL && strcmp(why, "enospc") == 0) {
		return (struct vrms_vm_sign)FAILED(IO_NO_SPACE, "paused: no space");
	}
	return (struct vrms_vm_sign)FAILED(IO_ERROR, "paused by an I/O error");
}

struct vrms_vm_sign vrms_vm_sign_watchdog(int action)
{
	if (action == VIR_DOMAIN_EVENT_WATCHDOG_PAUSE) {
		return (struct vrms_vm_sign)FAILED(WATCHDOG, "paused by its watchdog");
	}
	/* A reset goes on by itself, a power-off is a lifecycle event. */
	return (struct vrms_vm_sign)NOTE("its watchdog fired");
}

struct vrms_vm_sign vrms_vm_sign_memory_failure(int action)
{
	if (action == VIR_DOMAIN_EVENT_MEMORY_FAILURE_ACTION_FATAL) {
		return (struct vrms_vm_sign)FAILED(MEMORY_FAILURE, "fatal memory failure");
	}
	return (struct vrms_vm_sign)NOTE("memory failure, handled");
}

struct vrms_vm_sign vrms_vm_sign_state(int state, int reason)
{
	return healths[vrms_vm_health_from(state, reason)];
}

bool vrms_vm_sign_is_moving(int state, int reason)
{
	return state == VIR_DOMAIN_PAUSED &&
	       (reason == VIR_DOMAIN_PAUSED_MIGRATION || reason == VIR_DOMAIN_PAUSED_POSTCOPY);
}
