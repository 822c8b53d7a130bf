/* command_policy.h - what schedule and status share: the policies, the VMs here, the cluster.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_COMMAND_POLICY_H
#define VRMS_BACKUP_COMMAND_POLICY_H

#include "backup/cli.h"
#include "backup/cluster.h"
#include "backup/live_list.h"
#include "backup/policy.h"

#define VRMS_POLICY_CONFIG "/etc/vrms/backup.conf"

/* Whose a VM's backup is now. */
enum vrms_place {
	VRMS_PLACE_HERE,
	VRMS_PLACE_ELSEWHERE,  /* runs on another node, or nowhere that is known */
	VRMS_PLACE_OFF,        /* and ours to take */
	VRMS_PLACE_OFF_OTHERS, /* another node takes it */
	VRMS_PLACE_NO_QUORUM,
};

struct vrms_policy_world {
	struct vrms_cli cli; /* completed from the file; borrows from policies */
	struct vrms_policies *policies;
	struct vrms_live_list vms;
	struct vrms_cluster *cluster; /* NULL: a host on its own */
	bool has_libvirt;
};

void vrms_policy_world_done(struct vrms_policy_world *world); /* accepts a zeroed one */

/* Reads the file.  is_optional: the default one may be missing. */
VRMS_MUST_CHECK int vrms_policy_world_read(const struct vrms_cli *cli, bool is_optional,
					   struct vrms_policy_world *ret_world,
					   struct vrms_error *error);
/* Asks libvirt and Pacemaker, anew each time.  Without either the world is empty. */
VRMS_MUST_CHECK int vrms_policy_world_look(struct vrms_policy_world *world,
					   struct vrms_error *error);

/* ret_node: where it runs, "" unknown; borrowed until the next call. */
enum vrms_place vrms_policy_place(const struct vrms_policy_world *world, const char *vm,
				  const char **ret_node);

/* True when this node does what is done once for the whole repository. */
bool vrms_policy_is_keeper(const struct vrms_policy_world *world);

/* Keeps the points that the policies' rules keep, removes the others, frees the space.
 * policies: NULL takes the rules of the command line. */
VRMS_MUST_CHECK int vrms_care_prune(const struct vrms_cli *cli,
				    const struct vrms_policies *policies, struct vrms_error *error);

#endif
