/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/command_policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"

enum { CONFIG_BYTES_MAX = 1 << 20 };

void vrms_policy_world_done(struct vrms_policy_world *world)
{
	vrms_policies_free(world->policies);
	vrms_live_list_done(&world->vms);
	vrms_cluster_close(world->cluster);
	memset(world, 0, sizeof(*world));
}

static const char *or_own(const char *wanted, const char *own)
{
	return wanted != NULL || own[0] == '\0' ? wanted : own;
}

/* The command line and the environment win over the file. */
static void complete(struct vrms_cli *cli, const struct vrms_policies *policies)
{
	bool has_key = cli->key_file != NULL || cli->key_command != NULL;

	cli->repository = or_own(cli->repository, policies->repository);
	cli->key_file = has_key ? cli->key_file : or_own(cli->key_file, policies->key_file);
	cli->key_command =
	    has_key ? cli->key_command : or_own(cli->key_command, policies->key_command);
	cli->connect = or_own(cli->connect, policies->connect);
	cli->scratch = or_own(cli->scratch, policies->scratch);
}

int vrms_policy_world_read(const struct vrms_cli *cli, bool is_optional,
			   struct vrms_policy_world *ret_world, struct vrms_error *error)
{
	const char *path = cli->config != NULL ? cli->config : VRMS_POLICY_CONFIG;
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_file_read(path, CONFIG_BYTES_MAX, &text, NULL, error);

	memset(ret_world, 0, sizeof(*ret_world));
	if (rc == -ENOENT && is_optional && cli->config == NULL) {
		vrms_error_clear(error);
		rc = 0;
	}
	if (rc == 0) {
		rc = vrms_policies_parse(text != NULL ? text : "", path, &ret_world->policies,
					 error);
	}
	if (rc < 0) {
		return rc;
	}
	ret_world->cli = *cli;
	complete(&ret_world->cli, ret_world->policies);
	return 0;
}

int vrms_policy_world_look(struct vrms_policy_world *world, struct vrms_error *error)
{
	int rc;

	vrms_live_list_done(&world->vms);
	vrms_cluster_close(world->cluster);
	world->cluster = NULL;
	rc = vrms_live_list_read(world->cli.connect, &world->vms, error);
	world->has_libvirt = rc == 0;
	if (rc == 0 || rc == -ENOTCONN) {
		rc = vrms_cluster_open(&world->cluster, error);
	}
	if (rc == -ENOTCONN) {
		vrms_error_clear(error);
		rc = 0;
	}
	return rc;
}

enum vrms_place vrms_policy_place(const struct vrms_policy_world *world, const char *vm,
				  const char **ret_node)
{
	const struct vrms_live_vm *own = vrms_live_list_find(&world->vms, vm);
	const struct vrms_cluster *cluster = world->cluster;
	const char *resource = cluster != NULL ? vrms_cluster_resource(cluster, vm) : NULL;
	const char *node = resource != NULL ? vrms_cluster_active_on(cluster, resource) : NULL;

	*ret_node = node != NULL ? node : "";
	/* Without quorum this node may be fenced at any moment, and another one go on. */
	if (cluster != NULL && !vrms_cluster_has_quorum(cluster)) {
		return VRMS_PLACE_NO_QUORUM;
	}
	if (own == NULL || own->is_arriving) {
		return VRMS_PLACE_ELSEWHERE;
	}
	if (own->is_active) {
		return VRMS_PLACE_HERE;
	}
	if (node != NULL) {
		return VRMS_PLACE_ELSEWHERE;
	}
	return cluster == NULL || vrms_cluster_is_coordinator(cluster) ? VRMS_PLACE_OFF
								       : VRMS_PLACE_OFF_OTHERS;
}

bool vrms_policy_is_keeper(const struct vrms_policy_world *world)
{
	return world->cluster == NULL || (vrms_cluster_has_quorum(world->cluster) &&
					  vrms_cluster_is_coordinator(world->cluster));
}
