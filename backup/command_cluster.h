/* command_cluster.h - restore and the cluster: no fight with Pacemaker, its configuration back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_COMMAND_CLUSTER_H
#define VRMS_BACKUP_COMMAND_CLUSTER_H

#include <stdbool.h>

#include "backup/cluster.h"

#define VRMS_CLUSTER_FILE "cluster.xml" /* of a point */

/* A VM that Pacemaker is told to leave alone. */
struct vrms_cluster_pause {
	struct vrms_cluster *cluster; /* NULL: no cluster here */
	char *resource;               /* NULL: none of this VM */
	char *managed;                /* what it said; NULL nothing */
	bool is_held;
};

/* The VM's configuration, to be saved.  *ret_text is NULL without a cluster, or when the VM is
 * not in it; the caller frees it. */
VRMS_MUST_CHECK int vrms_cluster_save(const char *vm, char **ret_text, struct vrms_error *error);

/* Returns -EREMOTE when the VM is active on any node, as Pacemaker says, or may be: it is a
 * resource, and Pacemaker has no quorum or does not answer on this host.  Whoever finds it off here
 * must not touch its disks. */
VRMS_MUST_CHECK int vrms_cluster_refuse_active(const char *vm, struct vrms_error *error);

/* Has Pacemaker leave the VM's resource alone, when there is one.
 * Returns -EREMOTE when it is, or may be, active somewhere. */
VRMS_MUST_CHECK int vrms_cluster_pause_begin(const char *vm, struct vrms_cluster_pause *ret_pause,
					     struct vrms_error *error);

/* After a success.  config: to be written into the CIB first; may be NULL. */
VRMS_MUST_CHECK int vrms_cluster_pause_end(struct vrms_cluster_pause *pause, const char *config,
					   struct vrms_error *error);

/* After a failure: is_untouched says that nothing of the VM was changed, and Pacemaker gets it
 * back; otherwise it must not start what is half restored.  For both: frees. */
void vrms_cluster_pause_fail(struct vrms_cluster_pause *pause, bool is_untouched);
void vrms_cluster_pause_done(struct vrms_cluster_pause *pause); /* accepts a zeroed one */

#endif
