/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/cluster.h"

#include <corosync/cmap.h>
#include <corosync/cpg.h>
#include <corosync/quorum.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quorum/totem.h"

enum {
	QUEUE_MAX = 32,
	RETRY_MS = 10,
	NODES_MAX = VRMS_MEMBERS_MAX,
	LINKS_MAX = 8,
	LOSS_FACTOR = 2
};

static const char group_name[] = "vrmsd";

struct vrms_cluster {
	qb_loop_t *loop;
	struct vrms_cluster_events events;
	cpg_handle_t cpg;
	quorum_handle_t quorum;
	cmap_handle_t cmap;
	int cpg_fd, quorum_fd, cmap_fd; /* -1: not open */
	uint32_t self;
	char name[VRMS_CLUSTER_NAME_BYTES];
	uint64_t life;
	uint8_t queue[QUEUE_MAX][VRMS_MESSAGE_BYTES];
	unsigned queue_count;
	/* Read at the start: cmap does not answer while corosync is forming a ring. */
	struct {
		uint32_t node;
		char name[VRMS_CLUSTER_NAME_BYTES];
	} names[NODES_MAX];
	unsigned name_count;
	qb_loop_timer_handle retry;
	bool is_retrying;
};

static int failure(cs_error_t code, const char *what, struct vrms_error *error)
{
	return vrms_error_set(error, vrms_corosync_errno(code), "corosync: %s: %s", what,
			      cs_strerror(code));
}

static struct vrms_cluster *of_cpg(cpg_handle_t handle)
{
	void *context = NULL;

	(void)cpg_context_get(handle, &context);
	return context;
}

static void on_message(cpg_handle_t handle, const struct cpg_name *group, uint32_t node,
		       uint32_t pid, void *bytes, size_t size)
{
	struct vrms_cluster *cluster = of_cpg(handle);
	struct vrms_message message;

	(void)group;
	(void)pid;
	if (vrms_message_decode(bytes, size, &message) == 0) {
		cluster->events.message(cluster->events.context, node, &message);
	}
}

static void on_group(cpg_handle_t handle, const struct cpg_name *group,
		     const struct cpg_address *members, size_t count,
		     const struct cpg_address *left, size_t left_count,
		     const struct cpg_address *joined, size_t joined_count)
{
	struct vrms_cluster *cluster = of_cpg(handle);
	uint32_t nodes[NODES_MAX];
	unsigned node_count = 0;

	(void)group;
	(void)left;
	(void)left_count;
	(void)joined;
	(void)joined_count;
	for (size_t i = 0; i < count && node_count < NODES_MAX; i++) {
		nodes[node_count++] = members[i].nodeid;
	}
	cluster->events.group(cluster->events.context, nodes, node_count);
}

static void on_ring(cpg_handle_t handle, struct cpg_ring_id ring_id, uint32_t count,
		    const uint32_t *members)
{
	struct vrms_cluster *cluster = of_cpg(handle);
	struct vrms_ring_id ring = {.node = ring_id.nodeid, .sequence = ring_id.seq};

	cluster->events.ring(cluster->events.context, &ring, members,
			     count < NODES_MAX ? count : NODES_MAX);
}

static void on_quorum(quorum_handle_t handle, uint32_t quorate, uint64_t ring_sequence,
		      uint32_t count, uint32_t *members)
{
	const void *context = NULL;

	(void)ring_sequence;
	(void)count;
	(void)members;
	if (quorum_context_get(handle, &context) == CS_OK && context != NULL) {
		const struct vrms_cluster *cluster = context;

		cluster->events.quorum(cluster->events.context, quorate != 0);
	}
}

static void on_token(cmap_handle_t handle, cmap_track_handle_t track, int32_t event,
		     const char *key, struct cmap_notify_value value,
		     struct cmap_notify_value old_value, void *context)
{
	struct vrms_cluster *cluster = context;
	uint32_t token_ms;

	(void)handle;
	(void)track;
	(void)event;
	(void)key;
	(void)old_value;
	/* Not asked for: cmap may not answer now. */
	if (value.type == CMAP_VALUETYPE_UINT32 && value.len == sizeof(token_ms)) {
		memcpy(&token_ms, value.data, sizeof(token_ms));
		cluster->events.token(cluster->events.context, token_ms);
	}
}

/* Ends with the handle freed: the caller of a dispatch must not touch it any more. */
static int32_t give_up(struct vrms_cluster *cluster)
{
	struct vrms_cluster_events events = cluster->events;

	vrms_cluster_free(cluster);
	events.lost(events.context);
	return -1;
}

static int32_t dispatch(int32_t fd, int32_t revents, void *context)
{
	struct vrms_cluster *cluster = context;
	cs_error_t code = CS_OK;

	if ((revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
		return give_up(cluster);
	}
	if (fd == cluster->cpg_fd) {
		code = cpg_dispatch(cluster->cpg, CS_DISPATCH_ALL);
	} else if (fd == cluster->quorum_fd) {
		code = quorum_dispatch(cluster->quorum, CS_DISPATCH_ALL);
	} else {
		code = cmap_dispatch(cluster->cmap, CS_DISPATCH_ALL);
	}
	if (code != CS_OK && code != CS_ERR_TRY_AGAIN) {
		return give_up(cluster);
	}
	return 0;
}

static int watch(struct vrms_cluster *cluster, int fd, struct vrms_error *error)
{
	int rc = qb_loop_poll_add(cluster->loop, QB_LOOP_HIGH, fd, POLLIN, cluster, dispatch);

	return rc < 0 ? vrms_error_errno(error, rc, "main loop") : 0;
}

static int open_cpg(struct vrms_cluster *cluster, struct vrms_error *error)
{
	cpg_model_v1_data_t model = {
	    .cpg_deliver_fn = on_message,
	    .cpg_confchg_fn = on_group,
	    .cpg_totem_confchg_fn = on_ring,
	    .flags = CPG_MODEL_V1_DELIVER_INITIAL_TOTEM_CONF,
	};
	struct cpg_name group = {.length = sizeof(group_name) - 1};
	int fd;
	cs_error_t code =
	    cpg_model_initialize(&cluster->cpg, CPG_MODEL_V1, (cpg_model_data_t *)&model, cluster);

	if (code != CS_OK) {
		return failure(code, "connect to cpg", error);
	}
	memcpy(group.value, group_name, group.length);
	code = cpg_local_get(cluster->cpg, &cluster->self);
	code = code == CS_OK ? cpg_fd_get(cluster->cpg, &fd) : code;
	code = code == CS_OK ? cpg_join(cluster->cpg, &group) : code;
	if (code != CS_OK) {
		cpg_finalize(cluster->cpg);
		return failure(code, "join the group", error);
	}
	cluster->cpg_fd = fd;
	return watch(cluster, fd, error);
}

static int open_quorum(struct vrms_cluster *cluster, struct vrms_error *error)
{
	quorum_callbacks_t callbacks = {.quorum_notify_fn = on_quorum};
	uint32_t type;
	int fd;
	cs_error_t code = quorum_initialize(&cluster->quorum, &callbacks, &type);

	if (code != CS_OK) {
		return failure(code, "connect to quorum", error);
	}
	code = quorum_context_set(cluster->quorum, cluster);
	code = code == CS_OK ? quorum_fd_get(cluster->quorum, &fd) : code;
	code = code == CS_OK
		   ? quorum_trackstart(cluster->quorum, CS_TRACK_CURRENT | CS_TRACK_CHANGES)
		   : code;
	if (code != CS_OK) {
		quorum_finalize(cluster->quorum);
		return failure(code, "follow quorum", error);
	}
	cluster->quorum_fd = fd;
	return watch(cluster, fd, error);
}

static void read_names(struct vrms_cluster *cluster)
{
	for (unsigned i = 0; i < NODES_MAX; i++) {
		char key[64];
		uint32_t node_id;
		char *text VRMS_CLEANUP(vrms_freep) = NULL;

		snprintf(key, sizeof(key), "nodelist.node.%u.nodeid", i);
		if (cmap_get_uint32(cluster->cmap, key, &node_id) != CS_OK) {
			return;
		}
		snprintf(key, sizeof(key), "nodelist.node.%u.name", i);
		if (cmap_get_string(cluster->cmap, key, &text) == CS_OK) {
			cluster->names[cluster->name_count].node = node_id;
			snprintf(cluster->names[cluster->name_count++].name,
				 VRMS_CLUSTER_NAME_BYTES, "%s", text);
		}
	}
}

static int open_cmap(struct vrms_cluster *cluster, struct vrms_error *error)
{
	char *name VRMS_CLEANUP(vrms_freep) = NULL;
	cmap_track_handle_t track;
	int fd;
	cs_error_t code = cmap_initialize(&cluster->cmap);

	if (code != CS_OK) {
		return failure(code, "connect to cmap", error);
	}
	code = cmap_fd_get(cluster->cmap, &fd);
	code = code == CS_OK
		   ? cmap_track_add(cluster->cmap, "runtime.config.totem.token",
				    CMAP_TRACK_MODIFY | CMAP_TRACK_ADD, on_token, cluster, &track)
		   : code;
	if (code != CS_OK) {
		cmap_finalize(cluster->cmap);
		return failure(code, "follow the token", error);
	}
	if (cmap_get_string(cluster->cmap, "totem.cluster_name", &name) == CS_OK) {
		snprintf(cluster->name, sizeof(cluster->name), "%s", name);
	}
	read_names(cluster);
	cluster->life = vrms_totem_life(cluster->cmap);
	cluster->cmap_fd = fd;
	return watch(cluster, fd, error);
}

int vrms_cluster_open(qb_loop_t *loop, const struct vrms_cluster_events *events,
		      struct vrms_cluster **ret_cluster, struct vrms_error *error)
{
	struct vrms_cluster *cluster VRMS_CLEANUP(vrms_cluster_freep) = calloc(1, sizeof(*cluster));

	if (cluster == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	cluster->loop = loop;
	cluster->events = *events;
	cluster->cpg_fd = cluster->quorum_fd = cluster->cmap_fd = -1;
	int rc = open_cmap(cluster, error);

	rc = rc < 0 ? rc : open_quorum(cluster, error);
	rc = rc < 0 ? rc : open_cpg(cluster, error);
	if (rc < 0) {
		return rc;
	}
	*ret_cluster = VRMS_TAKE(cluster);
	return 0;
}

void vrms_cluster_free(struct vrms_cluster *cluster)
{
	if (cluster == NULL) {
		return;
	}
	if (cluster->is_retrying) {
		qb_loop_timer_del(cluster->loop, cluster->retry);
	}
	if (cluster->cpg_fd >= 0) {
		qb_loop_poll_del(cluster->loop, cluster->cpg_fd);
		cpg_finalize(cluster->cpg);
	}
	if (cluster->quorum_fd >= 0) {
		qb_loop_poll_del(cluster->loop, cluster->quorum_fd);
		quorum_finalize(cluster->quorum);
	}
	if (cluster->cmap_fd >= 0) {
		qb_loop_poll_del(cluster->loop, cluster->cmap_fd);
		cmap_finalize(cluster->cmap);
	}
	free(cluster);
}

uint64_t vrms_cluster_life(const struct vrms_cluster *cluster)
{
	return cluster->life;
}

uint32_t vrms_cluster_self(const struct vrms_cluster *cluster)
{
	return cluster->self;
}

const char *vrms_cluster_name(const struct vrms_cluster *cluster)
{
	return cluster->name;
}

void vrms_cluster_node_name(const struct vrms_cluster *cluster, uint32_t node,
			    char name[VRMS_CLUSTER_NAME_BYTES])
{
	for (unsigned i = 0; i < cluster->name_count; i++) {
		if (cluster->names[i].node == node) {
			memcpy(name, cluster->names[i].name, VRMS_CLUSTER_NAME_BYTES);
			return;
		}
	}
	snprintf(name, VRMS_CLUSTER_NAME_BYTES, "%u", node);
}

static int send_bytes(struct vrms_cluster *cluster, uint8_t *bytes)
{
	struct iovec piece = {.iov_base = bytes, .iov_len = VRMS_MESSAGE_BYTES};

	return vrms_corosync_errno(cpg_mcast_joined(cluster->cpg, CPG_TYPE_AGREED, &piece, 1));
}

static void flush(void *context);

static void retry_later(struct vrms_cluster *cluster)
{
	if (!cluster->is_retrying &&
	    qb_loop_timer_add(cluster->loop, QB_LOOP_HIGH, RETRY_MS * 1000000ULL, cluster, flush,
			      &cluster->retry) == 0) {
		cluster->is_retrying = true;
	}
}

/* In order: a report must not overtake an older one. */
static void flush(void *context)
{
	struct vrms_cluster *cluster = context;

	cluster->is_retrying = false;
	while (cluster->queue_count > 0 && send_bytes(cluster, cluster->queue[0]) == 0) {
		cluster->queue_count--;
		memmove(cluster->queue[0], cluster->queue[1],
			cluster->queue_count * sizeof(cluster->queue[0]));
	}
	if (cluster->queue_count > 0) {
		retry_later(cluster);
	}
}

int vrms_cluster_send(struct vrms_cluster *cluster, const struct vrms_message *message)
{
	if (cluster->queue_count == QUEUE_MAX) {
		return -EAGAIN;
	}
	vrms_message_encode(message, cluster->queue[cluster->queue_count++]);
	if (!cluster->is_retrying) {
		flush(cluster);
	}
	return 0;
}

int vrms_cluster_send_now(struct vrms_cluster *cluster, const struct vrms_message *message)
{
	uint8_t bytes[VRMS_MESSAGE_BYTES];

	vrms_message_encode(message, bytes);
	return send_bytes(cluster, bytes);
}

int vrms_cluster_apply_token(struct vrms_cluster *cluster, int64_t token_ms,
			     struct vrms_error *error)
{
	return vrms_totem_apply(cluster->cmap, token_ms, error);
}

void vrms_cluster_forget_token(struct vrms_cluster *cluster)
{
	vrms_totem_forget(cluster->cmap);
}

int vrms_cluster_tokens(struct vrms_cluster *cluster, int64_t *ret_applied_ms,
			int64_t *ret_configured_ms, struct vrms_error *error)
{
	int rc = vrms_totem_read(cluster->cmap, ret_applied_ms, error);

	return rc < 0 ? rc : vrms_totem_configured(cluster->cmap, ret_configured_ms, error);
}

static uint32_t read_link(const struct vrms_cluster *cluster, unsigned link, const char *what)
{
	char key[CMAP_KEYNAME_MAXLEN + 1];
	uint32_t value = 0;

	snprintf(key, sizeof(key), "runtime.config.totem.interface.%u.%s", link, what);
	return cmap_get_uint32(cluster->cmap, key, &value) == CS_OK ? value : 0;
}

int64_t vrms_cluster_link_floor_ms(const struct vrms_cluster *cluster)
{
	char *mode VRMS_CLEANUP(vrms_freep) = NULL;
	uint32_t slowest_ms = 0;
	unsigned link_count = 0;

	if (cmap_get_string(cluster->cmap, "totem.link_mode", &mode) == CS_OK &&
	    strcmp(mode, "active") == 0) {
		return 0; /* every packet goes over every link */
	}
	for (unsigned link = 0; link < LINKS_MAX; link++) {
		uint32_t timeout_ms = read_link(cluster, link, "knet_ping_timeout");
		uint32_t notice_ms = timeout_ms + read_link(cluster, link, "knet_ping_interval");

		link_count += timeout_ms > 0;
		slowest_ms = notice_ms > slowest_ms ? notice_ms : slowest_ms;
	}
	return link_count > 1 ? (slowest_ms + LOSS_FACTOR - 1) / LOSS_FACTOR : 0;
}
