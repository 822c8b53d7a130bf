/* cluster.h - what Pacemaker knows of a VM: where it runs, how it is configured; and telling
 * Pacemaker to leave it alone.
 *
 * Through Pacemaker's own programs (cibadmin, crm_mon, crm_resource, crm_node): their output is a
 * promise, its C libraries change.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_CLUSTER_H
#define VRMS_BACKUP_CLUSTER_H

#include <stdbool.h>

#include "common/error.h"

struct vrms_cluster;

/* Asks the live cluster.  The caller owns the result.
 * Returns -ENOTCONN when this host is in no cluster now. */
VRMS_MUST_CHECK int vrms_cluster_open(struct vrms_cluster **ret_cluster, struct vrms_error *error);

/* The same from texts: a CIB, crm_mon's XML, this node's name.
 * Returns -EBADMSG when one of them is not what it should be. */
VRMS_MUST_CHECK int vrms_cluster_parse(const char *cib, const char *state, const char *node,
				       struct vrms_cluster **ret_cluster, struct vrms_error *error);
void vrms_cluster_close(struct vrms_cluster *cluster); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_cluster *, vrms_cluster_close);

const char *vrms_cluster_node(const struct vrms_cluster *cluster); /* this one */
bool vrms_cluster_has_quorum(const struct vrms_cluster *cluster);
/* It has a coordinator, who says that it has none: others may run VMs that are off here. */
bool vrms_cluster_lacks_quorum(const struct vrms_cluster *cluster);
/* True on exactly one node of a partition: where Pacemaker's coordinator is. */
bool vrms_cluster_is_coordinator(const struct vrms_cluster *cluster);

/* The resource of a VM: a VirtualMachine or VirtualDomain whose configuration file names it, or
 * that has its name.  NULL: none.  Borrowed. */
const char *vrms_cluster_resource(const struct vrms_cluster *cluster, const char *vm);

/* The node where a resource is active; NULL: nowhere.  Borrowed. */
const char *vrms_cluster_active_on(const struct vrms_cluster *cluster, const char *resource);

/* The resource's own is-managed, as written in the CIB; NULL: not written.  Borrowed. */
const char *vrms_cluster_managed(const struct vrms_cluster *cluster, const char *resource);

/* The primitive (in the bare group or clone that holds it) and all constraints that name it, as
 * a document <vrms-cluster-config>.  The caller frees *ret_text. */
VRMS_MUST_CHECK int vrms_cluster_config(const struct vrms_cluster *cluster, const char *vm,
					const char *resource, char **ret_text,
					struct vrms_error *error);

/* Tells Pacemaker to neither start nor stop the resource, and waits until it is idle. */
VRMS_MUST_CHECK int vrms_cluster_hold(const char *resource, struct vrms_error *error);
/* Takes that back. managed: what _managed() had said. */
VRMS_MUST_CHECK int vrms_cluster_release(const char *resource, const char *managed,
					 struct vrms_error *error);

/* Writes what _config() gave into the CIB: what it names becomes as it was, what is new since
 * stays.  ret_says_managed: it also says whether the resource is managed. */
VRMS_MUST_CHECK int vrms_cluster_put_config(const char *text, bool *ret_says_managed,
					    struct vrms_error *error);

#endif
