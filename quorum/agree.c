/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/agree.h"

#include <assert.h>
#include <string.h>

enum { LADDER_RATIO = 2 };

struct peer {
	struct vrms_agree_report report;
	bool has_reported;
};

struct vrms_agree {
	struct vrms_agree_config config;
	struct vrms_agree_report own;
	uint32_t members[VRMS_AGREE_NODES_MAX];
	unsigned member_count;
	bool quorate;
	bool leaving;
	struct peer peers[VRMS_AGREE_NODES_MAX]; /* the group, as CPG gives it */
	unsigned peer_count;
	bool is_proposed; /* a step is on its way */
	int64_t proposed_ms;
	int64_t stepped_ms;     /* when the last step was sent, or applied alone */
	int64_t alone_since_ms; /* -1: not alone */
	int64_t gap_since_ms;   /* a member without vrmsd or report since then; -1: none */
};

struct vrms_agree *vrms_agree_new(const struct vrms_agree_config *config)
{
	struct vrms_agree *agree = calloc(1, sizeof(*agree));

	assert(config->step_timeout_ms > 0);
	if (agree != NULL) {
		agree->config = *config;
		agree->own.node = config->self;
		agree->alone_since_ms = -1;
		agree->gap_since_ms = -1;
	}
	return agree;
}

void vrms_agree_free(struct vrms_agree *agree)
{
	free(agree);
}

int64_t vrms_agree_rung_ms(int64_t low_ms, int64_t high_ms, int64_t target_ms)
{
	int64_t least_ms = (high_ms + LADDER_RATIO - 1) / LADDER_RATIO;
	int64_t most_ms = low_ms * LADDER_RATIO;
	int64_t rung_ms = target_ms > least_ms ? target_ms : least_ms;

	return rung_ms < most_ms ? rung_ms : most_ms;
}

static struct vrms_agree_step *add(struct vrms_agree_plan *plan, enum vrms_agree_step_kind kind)
{
	assert(plan->count < VRMS_AGREE_STEPS_MAX);
	struct vrms_agree_step *step = &plan->steps[plan->count++];

	*step = (struct vrms_agree_step){.kind = kind};
	return step;
}

static void send_report(const struct vrms_agree *agree, struct vrms_agree_plan *plan)
{
	if (agree->peer_count > 0) {
		add(plan, VRMS_AGREE_SEND_REPORT)->report = agree->own;
	}
}

static struct peer *find_peer(struct vrms_agree *agree, uint32_t node)
{
	for (unsigned i = 0; i < agree->peer_count; i++) {
		if (agree->peers[i].report.node == node) {
			return &agree->peers[i];
		}
	}
	return NULL;
}

static bool has_peer(const struct vrms_agree *agree, uint32_t node)
{
	for (unsigned i = 0; i < agree->peer_count; i++) {
		if (agree->peers[i].report.node == node) {
			return true;
		}
	}
	return false;
}

static uint32_t leader_of(const struct vrms_agree *agree)
{
	uint32_t leader = UINT32_MAX;

	for (unsigned i = 0; i < agree->peer_count; i++) {
		if (agree->peers[i].report.node < leader) {
			leader = agree->peers[i].report.node;
		}
	}
	return leader;
}

static bool is_alone(const struct vrms_agree *agree, enum vrms_reason *ret_reason)
{
	if (agree->peer_count == 0) {
		*ret_reason = VRMS_REASON_AGREE_DETACHED;
	} else if (!agree->quorate) {
		*ret_reason = VRMS_REASON_AGREE_NO_QUORUM;
	} else {
		return false;
	}
	return true;
}

static int64_t largest_configured_ms(const struct vrms_agree *agree)
{
	int64_t largest_ms = agree->own.configured_ms;

	for (unsigned i = 0; i < agree->peer_count; i++) {
		int64_t value_ms = agree->peers[i].report.configured_ms;

		largest_ms = value_ms > largest_ms ? value_ms : largest_ms;
	}
	return largest_ms;
}

int64_t vrms_agree_target_ms(const struct vrms_agree *agree, enum vrms_reason *ret_reason)
{
	int64_t target_ms = 0;

	if (is_alone(agree, ret_reason)) {
		return agree->own.configured_ms;
	}
	for (unsigned i = 0; i < agree->member_count; i++) {
		if (!has_peer(agree, agree->members[i])) {
			*ret_reason = VRMS_REASON_AGREE_UNCOVERED;
			return largest_configured_ms(agree);
		}
	}
	for (unsigned i = 0; i < agree->peer_count; i++) {
		const struct peer *peer = &agree->peers[i];

		if (!peer->has_reported) {
			*ret_reason = VRMS_REASON_AGREE_UNREPORTED;
			return largest_configured_ms(agree);
		}
		if (peer->report.need_ms > target_ms) {
			target_ms = peer->report.need_ms;
			*ret_reason = peer->report.reason;
		}
	}
	return target_ms;
}

/* The group as CPG gives it; what stays keeps its report. */
static void absorb_group(struct vrms_agree *agree, const struct vrms_agree_event *event)
{
	struct peer peers[VRMS_AGREE_NODES_MAX];

	assert(event->node_count <= VRMS_AGREE_NODES_MAX);
	for (unsigned i = 0; i < event->node_count; i++) {
		const struct peer *known = find_peer(agree, event->nodes[i]);

		peers[i] = known != NULL ? *known : (struct peer){.report.node = event->nodes[i]};
	}
	memcpy(agree->peers, peers, event->node_count * sizeof(peers[0]));
	agree->peer_count = event->node_count;
	agree->is_proposed = false;
}

static void absorb_proposal(struct vrms_agree *agree, const struct vrms_agree_event *event,
			    struct vrms_agree_plan *plan)
{
	/* A leader that lost the lead before its words arrived; or this node has gone its own way
	 * without quorum, and must not be pulled back. */
	enum vrms_reason reason;

	if (event->report.node != leader_of(agree) || is_alone(agree, &reason)) {
		return;
	}
	if (agree->own.applied_ms != event->token_ms) {
		struct vrms_agree_step *step = add(plan, VRMS_AGREE_APPLY);

		step->token_ms = event->token_ms;
		step->reason = event->reason;
	}
}

static void absorb_own(struct vrms_agree *agree, const struct vrms_agree_event *event,
		       struct vrms_agree_plan *plan)
{
	int64_t applied_ms = agree->own.applied_ms;

	agree->own = event->report;
	agree->own.node = agree->config.self;
	agree->own.applied_ms = applied_ms;
	if (agree->leaving) {
		agree->own.need_ms = agree->own.configured_ms;
		agree->own.reason = VRMS_REASON_AGREE_LEAVING;
	}
	send_report(agree, plan);
}

static void absorb(struct vrms_agree *agree, const struct vrms_agree_event *event,
		   struct vrms_agree_plan *plan)
{
	struct peer *peer;

	switch (event->kind) {
	case VRMS_AGREE_MEMBERS:
		assert(event->node_count <= VRMS_AGREE_NODES_MAX);
		memcpy(agree->members, event->nodes, event->node_count * sizeof(event->nodes[0]));
		agree->member_count = event->node_count;
		agree->quorate = event->quorate;
		break;
	case VRMS_AGREE_GROUP:
		absorb_group(agree, event);
		send_report(agree, plan);
		break;
	case VRMS_AGREE_REPORT:
		peer = find_peer(agree, event->report.node);
		if (peer != NULL) {
			*peer = (struct peer){.report = event->report, .has_reported = true};
		}
		break;
	case VRMS_AGREE_PROPOSAL:
		absorb_proposal(agree, event, plan);
		break;
	case VRMS_AGREE_OWN:
		absorb_own(agree, event, plan);
		break;
	case VRMS_AGREE_APPLIED:
		if (agree->own.applied_ms != event->token_ms) {
			agree->own.applied_ms = event->token_ms;
			send_report(agree, plan);
		}
		break;
	case VRMS_AGREE_DETACHED:
		agree->peer_count = 0;
		agree->member_count = 0;
		agree->quorate = false;
		break;
	case VRMS_AGREE_LEAVING:
		agree->leaving = true;
		agree->own.need_ms = agree->own.configured_ms;
		agree->own.reason = VRMS_REASON_AGREE_LEAVING;
		send_report(agree, plan);
		break;
	case VRMS_AGREE_TICK:
		break;
	}
}

/* One rung at a time towards the own configured value, without asking anybody. */
static void climb_alone(struct vrms_agree *agree, int64_t now_ms, struct vrms_agree_plan *plan)
{
	enum vrms_reason reason = VRMS_REASON_NONE;
	int64_t target_ms = vrms_agree_target_ms(agree, &reason);
	int64_t from_ms = agree->own.applied_ms;

	if (from_ms <= 0 || target_ms <= 0 || from_ms == target_ms) {
		return;
	}
	/* The cluster may be back in a moment; who is leaving does not wait for it. */
	bool is_young = now_ms - agree->alone_since_ms < agree->config.step_timeout_ms;

	if (is_young && !agree->leaving) {
		return;
	}
	if (agree->stepped_ms != 0 && now_ms - agree->stepped_ms < agree->config.step_timeout_ms) {
		return;
	}
	struct vrms_agree_step *step = add(plan, VRMS_AGREE_APPLY);

	step->token_ms = vrms_agree_rung_ms(from_ms, from_ms, target_ms);
	step->reason = reason;
	agree->stepped_ms = now_ms;
}

/* The span of the values in force, as reported; false when somebody has not reported one. */
static bool find_span(const struct vrms_agree *agree, int64_t *low_ms, int64_t *high_ms)
{
	*low_ms = INT64_MAX;
	*high_ms = 0;
	for (unsigned i = 0; i < agree->peer_count; i++) {
		const struct peer *peer = &agree->peers[i];
		int64_t value_ms = peer->report.applied_ms;

		if (!peer->has_reported || value_ms <= 0) {
			continue; /* it can neither hold the others up nor pull them along */
		}
		*low_ms = value_ms < *low_ms ? value_ms : *low_ms;
		*high_ms = value_ms > *high_ms ? value_ms : *high_ms;
	}
	return *high_ms > 0;
}

static void lead(struct vrms_agree *agree, int64_t now_ms, struct vrms_agree_plan *plan)
{
	enum vrms_reason reason = VRMS_REASON_NONE;
	int64_t target_ms = vrms_agree_target_ms(agree, &reason);
	int64_t low_ms, high_ms;

	if (leader_of(agree) != agree->config.self || !find_span(agree, &low_ms, &high_ms)) {
		return;
	}
	/* The ring and the group change one after the other, and a new member needs a moment to
	 * report: neither is worth a step. */
	if (agree->gap_since_ms >= 0 &&
	    now_ms - agree->gap_since_ms < agree->config.step_timeout_ms) {
		return;
	}
	bool is_settled =
	    low_ms == high_ms && (!agree->is_proposed || low_ms == agree->proposed_ms);
	bool is_late = now_ms - agree->stepped_ms >= agree->config.step_timeout_ms;

	if (is_settled && low_ms == target_ms) {
		agree->is_proposed = false;
		return;
	}
	if (agree->is_proposed && !is_settled && !is_late) {
		return;
	}
	/* A member without vrmsd climbs blindly, one rung a time-out: keep its pace. */
	if (reason == VRMS_REASON_AGREE_UNCOVERED && agree->is_proposed && !is_late) {
		return;
	}
	struct vrms_agree_step *step = add(plan, VRMS_AGREE_SEND_PROPOSAL);

	step->token_ms = vrms_agree_rung_ms(low_ms, high_ms, target_ms);
	step->reason = reason;
	agree->is_proposed = true;
	agree->proposed_ms = step->token_ms;
	agree->stepped_ms = now_ms;
}

static void watch_gap(struct vrms_agree *agree, int64_t now_ms)
{
	enum vrms_reason reason = VRMS_REASON_NONE;

	(void)vrms_agree_target_ms(agree, &reason);
	if (reason != VRMS_REASON_AGREE_UNCOVERED && reason != VRMS_REASON_AGREE_UNREPORTED) {
		agree->gap_since_ms = -1;
	} else if (agree->gap_since_ms < 0) {
		agree->gap_since_ms = now_ms;
	}
}

void vrms_agree_step(struct vrms_agree *agree, const struct vrms_agree_event *event,
		     struct vrms_agree_plan *plan)
{
	enum vrms_reason reason;

	plan->count = 0;
	absorb(agree, event, plan);
	watch_gap(agree, event->now_ms);
	if (is_alone(agree, &reason)) {
		if (agree->alone_since_ms < 0) {
			agree->alone_since_ms = event->now_ms;
		}
		agree->is_proposed = false;
		climb_alone(agree, event->now_ms, plan);
	} else {
		agree->alone_since_ms = -1;
		lead(agree, event->now_ms, plan);
	}
}
