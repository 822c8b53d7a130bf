/* cluster.h - corosync as the daemon sees it: ring, group, messages, quorum, token.
 *
 * One connection each to CPG, quorum and cmap on the daemon's main loop.  When any of
 * them breaks, all are closed and `lost` is called; vrms_cluster_open() again connects anew.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_CLUSTER_H
#define VRMS_QUORUM_CLUSTER_H

#include <qb/qbloop.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "quorum/members.h"
#include "quorum/message.h"

enum { VRMS_CLUSTER_NAME_BYTES = 128 };

/* All are called on the main loop; nodes are borrowed. */
struct vrms_cluster_events {
	void *context;
	void (*ring)(void *context, const struct vrms_ring_id *ring, const uint32_t *nodes,
		     unsigned count);
	void (*quorum)(void *context, bool quorate);
	void (*group)(void *context, const uint32_t *nodes, unsigned count);
	void (*message)(void *context, uint32_t sender, const struct vrms_message *message);
	void (*token)(void *context, int64_t token_ms); /* in force, when it changes */
	void (*lost)(void *context);                    /* the handle is free after this */
};

struct vrms_cluster; /* opaque */

/* Connects and joins the group of daemons.  -ENOTCONN: corosync does not run. */
VRMS_MUST_CHECK int vrms_cluster_open(qb_loop_t *loop, const struct vrms_cluster_events *events,
				      struct vrms_cluster **ret_cluster, struct vrms_error *error);
void vrms_cluster_free(struct vrms_cluster *cluster); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_cluster *, vrms_cluster_free);

uint32_t vrms_cluster_self(const struct vrms_cluster *cluster);

/* See vrms_totem_life(). */
uint64_t vrms_cluster_life(const struct vrms_cluster *cluster);

/* totem.cluster_name; "" when it has none. */
const char *vrms_cluster_name(const struct vrms_cluster *cluster);

/* The node's name in the node list, or its number as text. */
void vrms_cluster_node_name(const struct vrms_cluster *cluster, uint32_t node,
			    char name[VRMS_CLUSTER_NAME_BYTES]);

/* Sends now, or as soon as corosync takes it; -EAGAIN: 32 messages are waiting already. */
int vrms_cluster_send(struct vrms_cluster *cluster, const struct vrms_message *message);

/* Sends now or not at all: for what is worth nothing later. */
int vrms_cluster_send_now(struct vrms_cluster *cluster, const struct vrms_message *message);

VRMS_MUST_CHECK int vrms_cluster_apply_token(struct vrms_cluster *cluster, int64_t token_ms,
					     struct vrms_error *error);
VRMS_MUST_CHECK int vrms_cluster_tokens(struct vrms_cluster *cluster, int64_t *ret_applied_ms,
					int64_t *ret_configured_ms, struct vrms_error *error);

/* The admin has changed the token: take what is in force as configured. */
void vrms_cluster_forget_token(struct vrms_cluster *cluster);

/* The shortest token with which a dead knet link, one of several, costs no node; 0: any.
 *
 * Unless totem.link_mode is active, packets go into a dead link until its ping time-out; a member
 * is dropped after 2 x token (quorum/tuner.h).
 */
int64_t vrms_cluster_link_floor_ms(const struct vrms_cluster *cluster);

#endif
