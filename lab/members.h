/* members.h - what Pacemaker says about the nodes: the <nodes> of crm_mon's XML.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_MEMBERS_H
#define VRMS_LAB_MEMBERS_H

#include "lab/lab.h"

struct vrms_lab_member {
	bool is_known; /* Pacemaker has heard of it */
	bool is_online;
	bool is_pending; /* online, but still joining */
	bool is_standby;
	bool is_unclean;
	bool is_dc;
};

/* Reads crm_mon --output-as=xml.  Nodes of other names are left out.
 *
 * members: one per node of the lab.  -EINVAL: no such XML.
 */
VRMS_MUST_CHECK int vrms_lab_members_parse(const char *xml, int node_count,
					   struct vrms_lab_member members[VRMS_LAB_NODES_MAX],
					   struct vrms_error *error);

/* Asks Pacemaker on a node.  -ENOTCONN: it does not answer there (yet). */
VRMS_MUST_CHECK int vrms_lab_members_read(const struct vrms_lab *lab, int index,
					  struct vrms_lab_member members[VRMS_LAB_NODES_MAX],
					  struct vrms_error *error);

/* "online", "pending", "unclean", ... for people. */
const char *vrms_lab_member_name(const struct vrms_lab_member *member);

#endif
