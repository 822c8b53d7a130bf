/* members.h - the cluster's name and nodes, as corosync has them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SAN_MEMBERS_H
#define VRMS_SAN_MEMBERS_H

#include "san/keys.h"

/* Fills name and nodes of *cluster from corosync's cmap: totem.cluster_name, nodelist.node.N.
 * -ENOTCONN: corosync does not run; -ENOENT: it has no cluster name, or no nodelist. */
VRMS_MUST_CHECK int vrms_san_members_read(struct vrms_san_cluster *cluster,
					  struct vrms_error *error);

#endif
