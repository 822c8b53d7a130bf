/* vm_row.h - one machine as vrmsd sees it: its resource, its process, and what the fault core is
 * told.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_VM_ROW_H
#define VRMS_QUORUM_VM_ROW_H

#include "quorum/daemon.h"
#include "quorum/vm_word.h"

enum { VRMS_VM_ROWS_MAX = 1024 };

struct vrms_vm_row {
	struct vrms_daemon *daemon;
	char domain[VRMS_FAULT_NAME_MAX];
	struct vrms_vm_resource resource; /* id "": none that we know of */
	struct vrms_qemu_process process;
	bool is_migrating;  /* libvirt says so */
	bool has_cache;     /* the agent's file was there when the cluster last meant it to run */
	bool is_agent_busy; /* that file has gone: an operation has begun */
	bool was_busy;      /* as the core was told */
	bool is_listed;
};

struct vrms_vms {
	struct vrms_fault *fault;
	int fd;             /* the line to vm-watch; -1: it does not run */
	pid_t helper;       /* 0: none; it may outlive its line for a while */
	int64_t started_ms; /* its last start */
	bool has_libvirt, has_pacemaker;
	bool was_helper_missed, was_libvirt_missed; /* said once, not at every attempt */
	int64_t load_ms;                            /* last announcement */
	unsigned count;
	struct vrms_vm_row *vms[VRMS_VM_ROWS_MAX];
};

/* The row of a domain, made when there is none.  NULL: there are too many, or no memory; that one
 * is left to its monitor. */
struct vrms_vm_row *vrms_vm_row_need(struct vrms_daemon *daemon, const char *domain);

/* A journal line about it. */
void vrms_vm_row_record(const struct vrms_vm_row *vm, const char *state, enum vrms_reason reason,
			const char *text);

/* Hands an event (time and name are filled in) to the core and carries out what it decides. */
void vrms_vm_row_feed(struct vrms_vm_row *vm, struct vrms_fault_event event);
void vrms_vm_rows_carry_out(struct vrms_daemon *daemon, const struct vrms_fault_plan *plan);

/* What the core knows of it; false: nothing. */
bool vrms_vm_row_status(const struct vrms_vm_row *vm, struct vrms_fault_status *ret_status);

/* Tells the core when an operation on it has begun or ended, as its fields say. */
void vrms_vm_row_tell_busy(struct vrms_vm_row *vm);

/* It does what a failed machine does. */
void vrms_vm_row_take_evidence(struct vrms_vm_row *vm, enum vrms_reason reason);

/* Is the file there that ocf:vrms:VirtualMachine removes before it stops or moves a machine?  That
 * is seen at once, while the CIB's word about the same operation may still be under way. */
bool vrms_vm_row_has_cache(const struct vrms_vm_row *vm);

/* Watches its process from now on; takes over the descriptor. */
void vrms_vm_row_watch_process(struct vrms_vm_row *vm, struct vrms_qemu_process *process);

/* Has its process ended, or is none known? */
bool vrms_vm_row_has_ended(const struct vrms_vm_row *vm);

/* Watches its process no more. */
void vrms_vm_row_let_go(struct vrms_vm_row *vm);

#endif
