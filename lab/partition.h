/* partition.h - who hears whom: the groups of a partition and the packet filter that makes them.
 *
 * Pure but for the caller's memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_PARTITION_H
#define VRMS_LAB_PARTITION_H

#include <stdint.h>

#include "lab/lab.h"

struct vrms_lab_partition {
	int network;                             /* 0 or 1; -1: both */
	int group_count;                         /* >= 2; 0: not split */
	uint32_t groups[VRMS_LAB_NODES_MAX + 1]; /* bits of node indexes; they do not overlap */
};

/* Reads "node1,node2 / node3".
 *
 * Nodes that are not named form one more group.  Blanks may stand anywhere but in a name.
 * Errors: -EINVAL (no such node, a node in two groups, an empty group, one group only).
 */
VRMS_MUST_CHECK int vrms_lab_partition_parse(const char *spec, int node_count, int network,
					     struct vrms_lab_partition *ret_partition,
					     struct vrms_error *error);

/* "node1,node2 / node3"; NULL only when out of memory.  The caller frees it. */
char *vrms_lab_partition_print(const struct vrms_lab_partition *partition);

/* Input of nft -f that replaces the lab's bridge filter; with no groups it lets all through.
 *
 * Ports are named by vrms_lab_port_print().  NULL only when out of memory.
 */
char *vrms_lab_partition_rules(const struct vrms_lab_partition *partition);

enum { VRMS_LAB_PORT_SIZE = 16 };

/* Name of a node's port on the switch: "n1-0" for node1 on network 0. */
void vrms_lab_port_print(int index, int network, char port[VRMS_LAB_PORT_SIZE]);

#endif
