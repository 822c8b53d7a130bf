/* fault.h - has a virtual machine failed? Hypervisor and process events in, reports out.
 *
 * Pure.  One incident, one report: whatever else arrives about the same failure
 * (the process died, libvirt says "crashed") confirms it and is not told again.
 *
 * - Reported only while the cluster means the machine to run here and is not
 *   starting, stopping or moving it: a machine that ends in its own stop
 *   operation has not failed.  What fails during an operation is that
 *   operation's to report; if it is still wrong afterwards, the monitor finds it.
 * - The process's death and libvirt's event arrive in any order, up to a second
 *   apart; either opens the incident.
 * - An incident ends when the machine is seen running again, or the cluster
 *   begins an operation on it.
 * - More than flap_count reports within flap_window_ms: the machine is left to
 *   its monitor until the window has passed, said once.
 * - A report that could not be delivered is repeated every retry_ms while the incident lasts; that
 *   it could not, and that it then was, is said once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_FAULT_H
#define VRMS_QUORUM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "quorum/reason.h"

enum { VRMS_FAULT_NAME_MAX = 128, VRMS_FAULT_FLAPS_MAX = 16 };

struct vrms_fault_config {
	unsigned vm_count_max; /* > 0 */
	unsigned flap_count;   /* 1..VRMS_FAULT_FLAPS_MAX */
	int64_t flap_window_ms;
	int64_t retry_ms;
};

enum vrms_fault_event_kind {
	VRMS_FAULT_MANAGED,   /* yes: the cluster means vm to run here; no: it does not */
	VRMS_FAULT_OPERATION, /* yes: an operation on vm has begun; no: it has ended */
	VRMS_FAULT_RUNNING,   /* vm was seen running (started, resumed, found healthy) */
	VRMS_FAULT_EVIDENCE,  /* reason: something that a failed machine does */
	VRMS_FAULT_DELIVERED, /* yes: the report for vm has reached Pacemaker; no: it has not */
	VRMS_FAULT_TICK,
};

struct vrms_fault_event {
	int64_t now_ms;
	enum vrms_fault_event_kind kind;
	const char *vm; /* domain name; NULL for TICK */
	bool yes;
	enum vrms_reason reason;
};

enum vrms_fault_step_kind {
	VRMS_FAULT_REPORT, /* tell Pacemaker that vm has failed, because of reason */
	VRMS_FAULT_NOTE,   /* for the journal only */
};

struct vrms_fault_step {
	enum vrms_fault_step_kind kind;
	const char *vm; /* lives as long as the core */
	enum vrms_reason reason;
	enum vrms_reason evidence; /* what was seen; of a NOTE that explains why nothing is done */
	unsigned incident;         /* of a REPORT: no other has this number; from 1 */
	bool is_repeated;          /* and the same once more */
};

enum { VRMS_FAULT_STEPS_MAX = 8 };

struct vrms_fault_plan {
	unsigned count;
	struct vrms_fault_step steps[VRMS_FAULT_STEPS_MAX];
};

struct vrms_fault; /* opaque */

/* NULL only when out of memory (about 300 bytes a machine). */
struct vrms_fault *vrms_fault_new(const struct vrms_fault_config *config);
void vrms_fault_free(struct vrms_fault *fault); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_fault *, vrms_fault_free);

/* Events about an unknown machine make it known; when vm_count_max are known, the
 * event is dropped and false is returned (nothing else fails).
 */
bool vrms_fault_step(struct vrms_fault *fault, const struct vrms_fault_event *event,
		     struct vrms_fault_plan *plan);

struct vrms_fault_status {
	bool is_managed, is_busy, is_running, is_failed, is_flapping;
	int64_t since_ms;         /* of the present incident, or of the last change */
	int64_t limited_until_ms; /* until then a failure is left to the monitor; INT64_MIN: not */
	unsigned report_count;    /* incidents reported; the last one's number */
	enum vrms_reason reason;
};

/* What is known of a machine; false: nothing. */
bool vrms_fault_status(const struct vrms_fault *fault, const char *name,
		       struct vrms_fault_status *ret_status);

#endif
