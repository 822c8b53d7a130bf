/* cib_vms.h - which resources run domains, and what the cluster is doing with them on one node.
 *
 * Reads a CIB (source: Pacemaker Explained; resource agents VirtualMachine and VirtualDomain).
 * No I/O, no Pacemaker: an XML tree in, rows out.
 *
 * A resource is meant to run on the node when, of the operations that the node's history holds,
 * the one with the highest call number left it running, and neither target-role, is-managed,
 * maintenance of the resource or the node, nor maintenance-mode say otherwise.  Of the meta
 * attributes, values under a rule are not looked at.  An operation is under way when the history
 * holds a pending one (Pacemaker writes that down before it begins).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_CIB_VMS_H
#define VRMS_QUORUM_CIB_VMS_H

#include <libxml/tree.h>

#include "quorum/vm_word.h"

enum { VRMS_CIB_CONFIG_MAX = 1024 };

struct vrms_cib_vm {
	struct vrms_vm_resource resource;
	char config[VRMS_CIB_CONFIG_MAX]; /* path of the domain's XML; "" when not set */
	long call;                        /* number of the last finished operation */
};

/* Calls take() for each resource of these agents, in the order of the CIB, rows being borrowed.
 *
 * cib:  the <cib> element, with configuration and status.
 * node: its name.
 */
void vrms_cib_vms_each(const xmlNode *cib, const char *node,
		       void (*take)(void *context, const struct vrms_cib_vm *vm), void *context);

#endif
