/* vm_word.h - what vm-watch, which listens to libvirt and Pacemaker, and vrmsd tell each other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_VM_WORD_H
#define VRMS_QUORUM_VM_WORD_H

#include <stdbool.h>

#include "agents/qemu_process.h"
#include "quorum/fault.h"

enum vrms_vm_word_kind {
	/* from libvirt, about `domain` */
	VRMS_VM_WORD_NOTE,     /* text: for the journal only */
	VRMS_VM_WORD_RUNNING,  /* it runs */
	VRMS_VM_WORD_EVIDENCE, /* reason: it has failed */
	VRMS_VM_WORD_MOVING,   /* somebody migrates it away */
	VRMS_VM_WORD_MOVED,    /* it runs on another host now */
	VRMS_VM_WORD_PROCESS,  /* process: its QEMU, which the receiver closes */
	VRMS_VM_WORD_LISTED,   /* as RUNNING and PROCESS, from a list of all active domains */
	/* from libvirt, about all domains */
	VRMS_VM_WORD_LIST_BEGIN, /* LISTED (and MOVING) or EVIDENCE of every active domain follow */
	VRMS_VM_WORD_LIST_END,
	VRMS_VM_WORD_LIBVIRT, /* yes: connected; no: connection lost or not made, text */
	/* from Pacemaker */
	VRMS_VM_WORD_RESOURCE, /* resource: its state has changed */
	VRMS_VM_WORD_REPORTED, /* yes: the controller has the report about `domain`; no: text */
	VRMS_VM_WORD_CLUSTER,  /* yes: connected; no: text */
	VRMS_VM_WORD_FENCED,   /* node `domain` was fenced; yes: with success; text */
	/* to Pacemaker */
	VRMS_VM_WORD_FAIL, /* the resource that runs `domain` has failed */
};

enum vrms_vm_io_policy {
	VRMS_VM_IO_FAIL,  /* an I/O error is a failure */
	VRMS_VM_IO_AGENT, /* the agent resumes or ignores it: on_io_error=resume, ignore */
};

enum { VRMS_VM_RESOURCE_MAX = 128, VRMS_VM_AGENT_MAX = 32, VRMS_VM_TEXT_MAX = 160 };

/* A resource that runs a domain, as the CIB has it for this node. */
struct vrms_vm_resource {
	char id[VRMS_VM_RESOURCE_MAX];
	char provider[VRMS_VM_AGENT_MAX]; /* "vrms", "heartbeat" */
	char type[VRMS_VM_AGENT_MAX];     /* "VirtualMachine", "VirtualDomain" */
	bool is_meant;                    /* to run here: active here, managed, not to be stopped */
	bool is_busy;                     /* an operation is under way here */
	bool is_moving;                   /* and it is a live migration */
	enum vrms_vm_io_policy io_policy;
};

struct vrms_vm_word {
	enum vrms_vm_word_kind kind;
	char domain[VRMS_FAULT_NAME_MAX];
	bool yes;
	enum vrms_reason reason;
	struct vrms_qemu_process process; /* pid 0: none */
	struct vrms_vm_resource resource;
	unsigned incident; /* of FAIL: its number, the same when it is said again */
	char text[VRMS_VM_TEXT_MAX];
};

#endif
