/* vm.h - the virtual machines of a lab: what one is, and its two XML forms.
 *
 * Pure but for the caller's memory; lab/vm_files.c and lab/vm.c do what touches the lab.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_VM_H
#define VRMS_LAB_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "lab/guest.h"

/* Where libvirt's lock manager keeps one file for each VM; the folder is every node's. */
#define VRMS_LAB_LEASES_BELOW_SAN "/lease"
#define VRMS_LAB_LEASES           "/srv" VRMS_LAB_LEASES_BELOW_SAN
#define VRMS_LAB_LOCKSPACE        "lockd"

enum {
	VRMS_LAB_VM_NAME_MAX = 32, /* bytes, without the NUL */
	VRMS_LAB_VM_UUID_SIZE = 37,
	VRMS_LAB_VM_PARAMS_MAX = 24,
	VRMS_LAB_VM_MEMORY_MIB_MAX = 4096,
};

enum vrms_lab_agent {
	VRMS_LAB_AGENT_VRMS,      /* ocf:vrms:VirtualMachine */
	VRMS_LAB_AGENT_HEARTBEAT, /* ocf:heartbeat:VirtualDomain */
	VRMS_LAB_AGENT_COUNT
};

struct vrms_lab_vm {
	char name[VRMS_LAB_VM_NAME_MAX + 1];
	char uuid[VRMS_LAB_VM_UUID_SIZE];
	int memory_mib;
	enum vrms_guest_kind guest;
	enum vrms_lab_agent agent;
	const char *disk;   /* borrowed; path in the nodes; NULL: /srv/disk/<name>.raw */
	const char *target; /* borrowed; the disk is LUN `lun` of this iSCSI target; NULL: a file */
	int lun;
	bool has_lease;       /* under libvirt's lock manager */
	const char *monitor;  /* borrowed; interval; NULL: 10s */
	const char *deadline; /* borrowed; timeout of start and stop; NULL: 90s */
	/* "name=value" for the agent, borrowed; they win over the lab's own. */
	const char *params[VRMS_LAB_VM_PARAMS_MAX];
	size_t param_count;
};

/* A letter or digit, then letters, digits, '-', '_' and '.'. */
VRMS_MUST_CHECK int vrms_lab_vm_name_check(const char *name, struct vrms_error *error);

VRMS_MUST_CHECK int vrms_lab_agent_parse(const char *text, enum vrms_lab_agent *ret_agent,
					 struct vrms_error *error);
const char *vrms_lab_agent_text(enum vrms_lab_agent agent);
/* "ocf:vrms:VirtualMachine" ... */
const char *vrms_lab_agent_resource(enum vrms_lab_agent agent);

/* libvirt's domain XML: TCG, one disk that stops the guest when it fails, a console in a file, the
 * panic device and a watchdog.  NULL only when out of memory; the caller frees it.
 * Source: libvirt's formatdomain.
 */
char *vrms_lab_vm_domain_xml(const struct vrms_lab_vm *vm);

/* The <primitive> of a VM for the CIB: agent, parameters, operations, migration allowed, memory as
 * utilization.  NULL only when out of memory; the caller frees it.
 */
char *vrms_lab_vm_primitive_xml(const struct vrms_lab_vm *vm);

#endif
