/* daemon.h - vrmsd: the cores, the adapters, and the main loop between them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_DAEMON_H
#define VRMS_QUORUM_DAEMON_H

#include <jansson.h>
#include <qb/qbloop.h>

#include "quorum/agree.h"
#include "quorum/beater.h"
#include "quorum/cluster.h"
#include "quorum/ipc.h"
#include "quorum/journal.h"
#include "quorum/members.h"
#include "quorum/ringwatch.h"
#include "quorum/settings.h"
#include "quorum/stall.h"
#include "quorum/tuner.h"

/* Samples of the ring wait for two and a half tokens: corosync's default is 43.3 s at 64 nodes. */
enum { VRMS_DAEMON_PENDING_MAX = 256 };
struct vrms_vms;        /* quorum/vms.h */
struct vrms_plan_child; /* quorum/plan_child.h */

struct vrms_daemon {
	const struct vrms_settings *settings;
	qb_loop_t *loop;
	struct vrms_journal *journal;
	struct vrms_ipc_server *server;
	char node_name[VRMS_CLUSTER_NAME_BYTES];
	uint64_t boot; /* digest of this host's boot id */

	struct vrms_cluster *cluster; /* NULL: not connected */
	struct vrms_agree *agree;     /* made at the first connection */
	struct vrms_tuner *tuner;
	struct vrms_members *members;
	struct vrms_stall *stall;
	bool stall_is_realtime;
	struct vrms_ringwatch *ringwatch;
	int64_t holds_until_ms; /* the token may be held as before its last change */
	struct vrms_ringwatch_sample pending[VRMS_DAEMON_PENDING_MAX]; /* not yet believed */
	unsigned pending_count;
	struct vrms_beater *beater; /* NULL: no beat area */
	struct vrms_beater_state beats;
	bool beats_are_late;

	struct vrms_ring_id ring;
	uint32_t ring_nodes[VRMS_MEMBERS_MAX];
	unsigned ring_count;
	uint32_t group_nodes[VRMS_MEMBERS_MAX];
	unsigned group_count;
	bool quorate;
	int64_t ring_ms;       /* when it was formed */
	int64_t ring_token_ms; /* the token in force then */

	int64_t applied_ms, configured_ms;
	int64_t expected_ms; /* what this daemon has set last; 0: nothing */
	int64_t reported_ms; /* by corosync, last; 0: nothing yet */
	int64_t reported_at_ms;
	enum vrms_reason token_reason;
	struct vrms_tuner_need need;
	struct vrms_agree_report reports[VRMS_AGREE_NODES_MAX]; /* for people */
	unsigned report_count;
	bool is_tuning;
	bool is_guarded;              /* by the second opinion */
	struct vrms_vms *vms;         /* NULL: not watching machines */
	struct vrms_plan_child *plan; /* NULL: not looking at plans */
	int verdict_fd;               /* fence_vrms_verdict tells what it sees; -1: it cannot */
	bool is_leaving;
	int64_t leave_by_ms;
	int64_t connect_after_ms;
};

int64_t vrms_daemon_now_ms(void);

/* One journal line about `event`, with the fields of json_pack()'s format; logs nothing. */
void vrms_daemon_record(struct vrms_daemon *daemon, const char *event, json_t *fields);

/* Hands an event to a core and carries out what it decides. */
void vrms_daemon_feed_tuner(struct vrms_daemon *daemon, struct vrms_tuner_event event);
void vrms_daemon_feed_agree(struct vrms_daemon *daemon, struct vrms_agree_event event);
void vrms_daemon_feed_members(struct vrms_daemon *daemon, struct vrms_members_event event);

/* Connects to corosync when it is not connected and the time has come. */
void vrms_daemon_connect(struct vrms_daemon *daemon);

/* Has somebody else set corosync's token? */
void vrms_daemon_check_token(struct vrms_daemon *daemon);

/* Takes in what the thread has seen of the ring; believes what is old enough. */
void vrms_daemon_take_ring(struct vrms_daemon *daemon);

/* Called when the token in force changes: what is measured next belongs to neither value. */
void vrms_daemon_token_changes(struct vrms_daemon *daemon, int64_t from_ms);

/* The ring has changed: what was seen on the way belongs to the change. */
void vrms_daemon_forget_ring(struct vrms_daemon *daemon);

/* Does the second opinion stand between a false loss of this node and its reboot? */
void vrms_daemon_check_guard(struct vrms_daemon *daemon);

/* A round trip over the ring. */
void vrms_daemon_probe(struct vrms_daemon *daemon);

/* How long to wait for the next one. */
int64_t vrms_daemon_probe_wait_ms(const struct vrms_daemon *daemon);

/* Answers a question (quorum/ipc.h); context: the daemon. */
json_t *vrms_daemon_answer(void *context, const json_t *request);

/* Begins and ends to take what this node's fence agents tell, for the journal. */
void vrms_daemon_hear_verdicts(struct vrms_daemon *daemon, const char *path);
void vrms_daemon_hear_no_verdicts(struct vrms_daemon *daemon);

/* Looks at the beats' thread. */
void vrms_daemon_check_beats(struct vrms_daemon *daemon);

#endif
