/* keys.h - the reservation keys of a cluster's nodes.
 *
 *   63      40 39   32 31                    0
 *   [  hash   ][ kind ][ corosync node id    ]      kind: 1 a node, 2 its guests' own sessions,
 *                                                         0xcc the cluster (node id 0)
 *
 * hash: the first 24 bits of the SHA-256 of the cluster's name, so that a stranger's key is seen
 * to be one.  Guests that QEMU connects to the LUN itself (iscsi:// disks) have sessions of their
 * own, and so a key of their own: it may be registered only while the node's is (iscsi_guest.c).
 *
 * Beside fence_scsi the nodes have its keys ("%.4s%.4d" of the name's MD5 and the place in the
 * nodelist); fence_mpath's are whatever /etc/multipath.conf says: give them by name.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SAN_KEYS_H
#define VRMS_SAN_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "san/pr.h"

enum { VRMS_SAN_NODES_MAX = 64, VRMS_SAN_NAME_BYTES = 128, VRMS_SAN_KEYS_PER_NODE = 2 };

enum vrms_san_key_format { VRMS_SAN_KEYS_OWN, VRMS_SAN_KEYS_FENCE_SCSI };

struct vrms_san_node {
	char name[VRMS_SAN_NAME_BYTES];
	uint32_t id;    /* corosync's */
	uint32_t place; /* in corosync's nodelist */
	uint64_t key;   /* set by vrms_san_keys_make() */
	uint64_t guests_key;
};

struct vrms_san_cluster {
	char name[VRMS_SAN_NAME_BYTES];
	size_t node_count;
	struct vrms_san_node nodes[VRMS_SAN_NODES_MAX];
	uint64_t key;
	uint64_t known[VRMS_SAN_NODES_MAX * VRMS_SAN_KEYS_PER_NODE]; /* all of the nodes' */
	/* Forms of the derived keys: a node that has left the cluster is known by them. */
	struct vrms_pr_family families[VRMS_PR_FAMILIES_MAX];
};

/* Reads "node1:1 node2:2" (commas or blanks between) into the nodes.  -EINVAL, -E2BIG. */
VRMS_MUST_CHECK int vrms_san_nodes_parse(const char *text, struct vrms_san_cluster *cluster,
					 struct vrms_error *error);

/* Fills in all keys.
 *
 * given: "node1=0xa1 node2=0xb2", keys that come before the derived ones; NULL: none.
 * Errors: -EINVAL (not readable, a node that is not there, key 0: that is none), -EEXIST (two nodes
 * with one key: to fence one would fence both).
 */
VRMS_MUST_CHECK int vrms_san_keys_make(enum vrms_san_key_format format, const char *given,
				       struct vrms_san_cluster *cluster, struct vrms_error *error);

/* NULL when there is none of this name. */
const struct vrms_san_node *vrms_san_node_find(const struct vrms_san_cluster *cluster,
					       const char *name);

#endif
