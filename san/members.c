/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "san/members.h"

#include <corosync/cmap.h>
#include <errno.h>
#include <stdio.h>

/* The name of one place in the nodelist: "name", or the address in old configurations. */
static int read_node(cmap_handle_t handle, uint32_t place, struct vrms_san_node *node)
{
	static const char *const fields[] = {"name", "ring0_addr"};
	char key[CMAP_KEYNAME_MAXLEN + 1];

	*node = (struct vrms_san_node){.place = place};
	snprintf(key, sizeof(key), "nodelist.node.%u.nodeid", place);
	if (cmap_get_uint32(handle, key, &node->id) != CS_OK) {
		return -ENOENT;
	}
	for (size_t i = 0; i < VRMS_COUNT_OF(fields); i++) {
		char *name VRMS_CLEANUP(vrms_freep) = NULL;

		snprintf(key, sizeof(key), "nodelist.node.%u.%s", place, fields[i]);
		if (cmap_get_string(handle, key, &name) == CS_OK) {
			snprintf(node->name, sizeof(node->name), "%s", name);
			return 0;
		}
	}
	return -ENOENT;
}

static int read_all(cmap_handle_t handle, struct vrms_san_cluster *cluster,
		    struct vrms_error *error)
{
	char *name VRMS_CLEANUP(vrms_freep) = NULL;

	if (cmap_get_string(handle, "totem.cluster_name", &name) != CS_OK || name[0] == '\0') {
		return vrms_error_set(error, -ENOENT, "corosync has no totem.cluster_name");
	}
	snprintf(cluster->name, sizeof(cluster->name), "%s", name);
	cluster->node_count = 0;
	for (uint32_t place = 0; place < VRMS_SAN_NODES_MAX; place++) {
		struct vrms_san_node node;

		/* Places may be missing after a node was removed. */
		if (read_node(handle, place, &node) == 0) {
			cluster->nodes[cluster->node_count++] = node;
		}
	}
	if (cluster->node_count == 0) {
		return vrms_error_set(error, -ENOENT, "corosync has no nodelist");
	}
	return 0;
}

int vrms_san_members_read(struct vrms_san_cluster *cluster, struct vrms_error *error)
{
	cmap_handle_t handle;

	if (cmap_initialize(&handle) != CS_OK) {
		return vrms_error_set(error, -ENOTCONN,
				      "corosync does not run here: give cluster and nodes");
	}
	int rc = read_all(handle, cluster, error);
	cmap_finalize(handle);
	return rc;
}
