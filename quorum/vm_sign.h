/* vm_sign.h - what libvirt's events mean for a cluster: tables, nothing else.
 *
 * Pure.  Numbers are libvirt's (source: libvirt-domain.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_VM_SIGN_H
#define VRMS_QUORUM_VM_SIGN_H

#include "quorum/vm_word.h"

/* What one event says: kind is NOTE, RUNNING, EVIDENCE (with reason), MOVING or MOVED. */
struct vrms_vm_sign {
	enum vrms_vm_word_kind kind;
	enum vrms_reason reason;
	const char *text; /* for the journal */
};

/* virDomainEventType with its detail.  Unknown pairs are notes. */
struct vrms_vm_sign vrms_vm_sign_lifecycle(int event, int detail);

/* action: virDomainEventIOErrorAction; why: libvirt's word, "enospc" or "". */
struct vrms_vm_sign vrms_vm_sign_io_error(int action, const char *why);

/* action: virDomainEventWatchdogAction.  Only a pause is left to the cluster. */
struct vrms_vm_sign vrms_vm_sign_watchdog(int action);

/* action: virDomainMemoryFailureActionType.  FATAL: the guest cannot go on. */
struct vrms_vm_sign vrms_vm_sign_memory_failure(int action);

/* virDomainState and its reason, of an active domain: LISTED or EVIDENCE. */
struct vrms_vm_sign vrms_vm_sign_state(int state, int reason);

/* Is it paused for its own migration?  Such a one is healthy, too. */
bool vrms_vm_sign_is_moving(int state, int reason);

#endif
