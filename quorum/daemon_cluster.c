/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "quorum/daemon.h"

enum {
	CONNECT_EVERY_MS = 1000,
	STEP_TIMEOUT_MS = 1000,
	FOREIGN_AFTER_MS = 500,
	SETTLE_MS = 15000, /* a host that boots */
	KNOCK_MS = 15000,  /* for a node that boots to get into the ring */
	STALE_MS = 60000,  /* a node lost and back silences what is measured of the ring for 20 s */
};

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static json_t *list_of(const uint32_t *nodes, unsigned count)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < count; i++) {
		json_array_append_new(list, json_integer(nodes[i]));
	}
	return list;
}

/* A lost node that came back with the same kernel was a false alarm, unless even the
 * configured token would have lost it. */
static bool was_false_alarm(const struct vrms_daemon *daemon, const struct vrms_members_note *note)
{
	return note->reason == VRMS_REASON_MEMBER_BACK_SAME_BOOT &&
	       daemon->applied_ms < daemon->configured_ms &&
	       note->away_ms < 2 * daemon->configured_ms;
}

static void take_note(struct vrms_daemon *daemon, const struct vrms_members_note *note)
{
	char name[VRMS_CLUSTER_NAME_BYTES] = "";

	if (note->node != 0 && daemon->cluster != NULL) {
		vrms_cluster_node_name(daemon->cluster, note->node, name);
	}
	vrms_log(LOG_NOTICE, "%s%s%s", name, name[0] == '\0' ? "" : ": ",
		 vrms_reason_text(note->reason));
	vrms_daemon_record(daemon, "member",
			   json_pack("{s:I, s:s, s:s, s:s, s:I}", "id", (json_int_t)note->node,
				     "name", name, "reason", vrms_reason_name(note->reason), "text",
				     vrms_reason_text(note->reason), "away_ms",
				     (json_int_t)note->away_ms));
	/* What breaks under the configured token is not the tuner's to mend. */
	bool is_shortened = daemon->ring_token_ms < daemon->configured_ms;

	if (note->reason == VRMS_REASON_RING_REFORMED && is_shortened) {
		vrms_daemon_feed_tuner(daemon, (struct vrms_tuner_event){.kind = VRMS_TUNER_KNOCK,
									 .value_ms = KNOCK_MS});
	} else if (note->reason == VRMS_REASON_RING_BROKE && is_shortened) {
		vrms_daemon_feed_tuner(daemon,
				       (struct vrms_tuner_event){.kind = VRMS_TUNER_DISTURBED,
								 .value_ms =
								     daemon->ring_token_ms});
	} else if (was_false_alarm(daemon, note)) {
		vrms_daemon_feed_tuner(daemon,
				       (struct vrms_tuner_event){.kind = VRMS_TUNER_FALSE_LOSS});
	}
}

void vrms_daemon_feed_members(struct vrms_daemon *daemon, struct vrms_members_event event)
{
	struct vrms_members_plan plan;

	event.now_ms = vrms_daemon_now_ms();
	vrms_members_step(daemon->members, &event, &plan);
	for (unsigned i = 0; i < plan.count; i++) {
		take_note(daemon, &plan.notes[i]);
	}
}

static void tell_members(struct vrms_daemon *daemon)
{
	vrms_daemon_feed_agree(daemon, (struct vrms_agree_event){.kind = VRMS_AGREE_MEMBERS,
								 .nodes = daemon->ring_nodes,
								 .node_count = daemon->ring_count,
								 .quorate = daemon->quorate});
}

static void on_ring(void *context, const struct vrms_ring_id *ring, const uint32_t *nodes,
		    unsigned count)
{
	struct vrms_daemon *daemon = context;

	memcpy(daemon->ring_nodes, nodes, count * sizeof(nodes[0]));
	daemon->ring_count = count;
	daemon->ring = *ring;
	daemon->ring_ms = vrms_daemon_now_ms();
	daemon->ring_token_ms = daemon->applied_ms;
	vrms_daemon_forget_ring(daemon);
	if (daemon->ringwatch != NULL) {
		vrms_ringwatch_set_nodes(daemon->ringwatch, nodes, count);
	}
	vrms_daemon_record(daemon, "ring",
			   json_pack("{s:I, s:I, s:o}", "representative", (json_int_t)ring->node,
				     "ring", (json_int_t)ring->sequence, "members",
				     list_of(nodes, count)));
	vrms_daemon_feed_members(daemon, (struct vrms_members_event){.kind = VRMS_MEMBERS_RING,
								     .nodes = nodes,
								     .node_count = count,
								     .ring = *ring});
	tell_members(daemon);
}

static void on_quorum(void *context, bool quorate)
{
	struct vrms_daemon *daemon = context;

	daemon->quorate = quorate;
	vrms_daemon_feed_members(daemon, (struct vrms_members_event){.kind = VRMS_MEMBERS_QUORUM,
								     .quorate = quorate});
	tell_members(daemon);
}

static void on_group(void *context, const uint32_t *nodes, unsigned count)
{
	struct vrms_daemon *daemon = context;

	memcpy(daemon->group_nodes, nodes, count * sizeof(nodes[0]));
	daemon->group_count = count;
	daemon->report_count = 0; /* all report anew now */
	vrms_daemon_record(daemon, "group", json_pack("{s:o}", "nodes", list_of(nodes, count)));
	vrms_daemon_feed_agree(daemon, (struct vrms_agree_event){.kind = VRMS_AGREE_GROUP,
								 .nodes = nodes,
								 .node_count = count});
}

static void remember_report(struct vrms_daemon *daemon, const struct vrms_agree_report *report)
{
	unsigned at = 0;

	while (at < daemon->report_count && daemon->reports[at].node != report->node) {
		at++;
	}
	if (at < VRMS_AGREE_NODES_MAX) {
		daemon->reports[at] = *report;
		daemon->report_count += at == daemon->report_count;
	}
}

static void on_report(struct vrms_daemon *daemon, uint32_t sender,
		      const struct vrms_message *message)
{
	struct vrms_agree_report report = {
	    .node = sender,
	    .need_ms = message->values[0],
	    .configured_ms = message->values[1],
	    .applied_ms = message->values[2],
	    .reason = message->reason,
	};

	remember_report(daemon, &report);
	vrms_daemon_feed_members(daemon,
				 (struct vrms_members_event){.kind = VRMS_MEMBERS_HELLO,
							     .node = sender,
							     .boot = (uint64_t)message->values[3]});
	vrms_daemon_feed_agree(daemon, (struct vrms_agree_event){.kind = VRMS_AGREE_REPORT,
								 .report = report});
}

/* The ring number goes with the probe: one that waited for a new ring measured the change. */
static void on_probe(struct vrms_daemon *daemon, const struct vrms_message *message)
{
	int64_t took_us = now_us() - message->values[0];

	if (message->values[1] == (int64_t)daemon->ring.sequence && took_us >= 0 &&
	    took_us < UINT32_MAX) {
		vrms_daemon_feed_tuner(daemon,
				       (struct vrms_tuner_event){.kind = VRMS_TUNER_SAMPLE,
								 .source = VRMS_TUNER_ANSWER,
								 .value_us = (uint32_t)took_us});
	}
}

static void on_message(void *context, uint32_t sender, const struct vrms_message *message)
{
	struct vrms_daemon *daemon = context;

	switch (message->kind) {
	case VRMS_MESSAGE_REPORT:
		on_report(daemon, sender, message);
		break;
	case VRMS_MESSAGE_PROPOSAL:
		vrms_daemon_feed_agree(daemon,
				       (struct vrms_agree_event){.kind = VRMS_AGREE_PROPOSAL,
								 .report.node = sender,
								 .token_ms = message->values[0],
								 .reason = message->reason});
		break;
	case VRMS_MESSAGE_PROBE:
		if (sender == vrms_cluster_self(daemon->cluster)) {
			on_probe(daemon, message);
		}
		break;
	case VRMS_MESSAGE_BYE:
		vrms_daemon_feed_members(daemon,
					 (struct vrms_members_event){.kind = VRMS_MEMBERS_BYE,
								     .node = sender});
		break;
	}
}

/* Somebody else has set the token: an admin, or a reload of corosync.conf. */
static void take_foreign_token(struct vrms_daemon *daemon, int64_t token_ms)
{
	vrms_cluster_forget_token(daemon->cluster);
	daemon->configured_ms = token_ms;
	daemon->expected_ms = token_ms;
	vrms_log(LOG_NOTICE, "corosync's token is %" PRId64 " ms now, set by somebody else",
		 token_ms);
	vrms_daemon_record(daemon, "configured",
			   json_pack("{s:I}", "token_ms", (json_int_t)token_ms));
	vrms_daemon_feed_tuner(daemon, (struct vrms_tuner_event){.kind = VRMS_TUNER_CONFIGURED,
								 .value_ms = token_ms});
}

/* Setting two keys makes corosync report a value in between, so a value that nobody here
 * wanted must last before it is believed. */
static void on_token(void *context, int64_t token_ms)
{
	struct vrms_daemon *daemon = context;

	daemon->reported_ms = token_ms;
	daemon->reported_at_ms = vrms_daemon_now_ms();
}

void vrms_daemon_check_token(struct vrms_daemon *daemon)
{
	int64_t token_ms = daemon->reported_ms;
	int64_t age_ms = vrms_daemon_now_ms() - daemon->reported_at_ms;

	if (daemon->cluster == NULL || token_ms == 0 || token_ms == daemon->applied_ms ||
	    age_ms < FOREIGN_AFTER_MS) {
		return;
	}
	/* A corosync that forms a ring tells of changes late: what is in force counts, and while it
	 * does not answer, nothing does. */
	int64_t configured_ms;

	if (vrms_cluster_tokens(daemon->cluster, &token_ms, &configured_ms, NULL) < 0) {
		return;
	}
	daemon->reported_ms = 0;
	if (token_ms == daemon->applied_ms) {
		return;
	}
	vrms_daemon_token_changes(daemon, daemon->applied_ms);
	daemon->applied_ms = token_ms;
	if (token_ms != daemon->expected_ms) {
		take_foreign_token(daemon, token_ms);
	}
	vrms_daemon_feed_agree(daemon, (struct vrms_agree_event){.kind = VRMS_AGREE_APPLIED,
								 .token_ms = token_ms});
}

static void on_lost(void *context)
{
	struct vrms_daemon *daemon = context;

	daemon->cluster = NULL;
	daemon->ring_count = 0;
	daemon->group_count = 0;
	daemon->report_count = 0;
	daemon->connect_after_ms = vrms_daemon_now_ms() + CONNECT_EVERY_MS;
	vrms_log(LOG_WARNING, "the connection to corosync is lost");
	vrms_daemon_record(daemon, "detached", NULL);
	vrms_daemon_feed_agree(daemon, (struct vrms_agree_event){.kind = VRMS_AGREE_DETACHED});
}

static int make_cores(struct vrms_daemon *daemon)
{
	const struct vrms_settings *settings = daemon->settings;
	const double year_ms = 365.25 * 86400e3;
	struct vrms_agree_config agree = {.self = vrms_cluster_self(daemon->cluster),
					  .step_timeout_ms = STEP_TIMEOUT_MS};
	struct vrms_tuner_config tuner = {
	    .configured_ms = daemon->configured_ms,
	    .floor_ms = settings->token_floor_ms,
	    .load_floor_ms = settings->token_load_floor_ms,
	    .settle_ms = SETTLE_MS,
	    .warmup_ms = settings->warmup_ms,
	    .stale_ms = STALE_MS,
	    .shorten_after_ms = settings->shorten_after_ms,
	    .hysteresis_pct = settings->hysteresis_pct,
	    .penalty_ms = 600000,
	    .loss_per_year = year_ms / (double)settings->false_loss_every_ms,
	    .loss_start_per_year = year_ms / (double)settings->false_loss_start_ms,
	    .loss_guarded_per_year = year_ms / (double)settings->false_loss_every_guarded_ms,
	    .disturbances_per_year = year_ms / (double)settings->disturbance_every_ms,
	    .sampling_us = VRMS_STALL_PERIOD_US,
	    .source_bits = 1 << VRMS_TUNER_SCHEDULING | 1 << VRMS_TUNER_RING,
	};

	vrms_agree_free(daemon->agree);
	daemon->agree = vrms_agree_new(&agree);
	if (daemon->tuner == NULL) {
		daemon->tuner = vrms_tuner_new(&tuner);
	}
	return daemon->agree == NULL || daemon->tuner == NULL ? -ENOMEM : 0;
}

/* What corosync says and what the tuner wants, for a new agreement. */
static void introduce(struct vrms_daemon *daemon)
{
	vrms_daemon_feed_agree(daemon, (struct vrms_agree_event){.kind = VRMS_AGREE_APPLIED,
								 .token_ms = daemon->applied_ms});
	vrms_daemon_feed_tuner(daemon,
			       (struct vrms_tuner_event){.kind = VRMS_TUNER_CONFIGURED,
							 .value_ms = daemon->configured_ms});
	vrms_daemon_feed_tuner(daemon,
			       (struct vrms_tuner_event){.kind = VRMS_TUNER_LINKS,
							 .value_ms = vrms_cluster_link_floor_ms(
							     daemon->cluster)});
	vrms_daemon_feed_tuner(daemon, (struct vrms_tuner_event){.kind = VRMS_TUNER_GUARD,
								 .value_ms = daemon->is_guarded});
	vrms_daemon_feed_tuner(daemon, (struct vrms_tuner_event){.kind = VRMS_TUNER_ENABLE,
								 .value_ms = daemon->is_tuning});
	vrms_daemon_feed_agree(
	    daemon, (struct vrms_agree_event){.kind = VRMS_AGREE_OWN,
					      .report = {.need_ms = daemon->need.token_ms,
							 .configured_ms = daemon->configured_ms,
							 .reason = daemon->need.reason}});
}

void vrms_daemon_connect(struct vrms_daemon *daemon)
{
	const struct vrms_cluster_events events = {
	    .context = daemon,
	    .ring = on_ring,
	    .quorum = on_quorum,
	    .group = on_group,
	    .message = on_message,
	    .token = on_token,
	    .lost = on_lost,
	};
	struct vrms_error error;

	if (daemon->cluster != NULL || vrms_daemon_now_ms() < daemon->connect_after_ms) {
		return;
	}
	int rc = vrms_cluster_open(daemon->loop, &events, &daemon->cluster, &error);

	rc = rc < 0 ? rc
		    : vrms_cluster_tokens(daemon->cluster, &daemon->applied_ms,
					  &daemon->configured_ms, &error);
	rc = rc < 0 ? rc : make_cores(daemon);
	if (rc < 0) {
		if (daemon->connect_after_ms == 0) {
			vrms_log(LOG_WARNING, "waiting for corosync: %s", error.text);
		}
		vrms_cluster_free(daemon->cluster);
		daemon->cluster = NULL;
		daemon->connect_after_ms = vrms_daemon_now_ms() + CONNECT_EVERY_MS;
		return;
	}
	daemon->expected_ms = daemon->applied_ms;
	daemon->reported_ms = 0;
	vrms_cluster_node_name(daemon->cluster, vrms_cluster_self(daemon->cluster),
			       daemon->node_name);
	vrms_log(LOG_NOTICE,
		 "node %" PRIu32 " \"%s\": token %" PRId64 " ms, configured %" PRId64 " ms",
		 vrms_cluster_self(daemon->cluster), daemon->node_name, daemon->applied_ms,
		 daemon->configured_ms);
	vrms_daemon_record(daemon, "attached",
			   json_pack("{s:I, s:s, s:I, s:I}", "id",
				     (json_int_t)vrms_cluster_self(daemon->cluster), "name",
				     daemon->node_name, "token_ms", (json_int_t)daemon->applied_ms,
				     "configured_ms", (json_int_t)daemon->configured_ms));
	introduce(daemon);
}
