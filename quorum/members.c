/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/members.h"

#include <assert.h>

struct member {
	uint32_t node; /* 0: free */
	enum vrms_member_state state;
	uint64_t boot; /* 0: never said */
	int64_t since_ms;
	int64_t gone_ms; /* when it was last lost; -1: not, or it is settled */
	bool said_bye;
};

struct vrms_members {
	struct member members[VRMS_MEMBERS_MAX];
	struct vrms_ring_id ring;
	bool has_ring;
	bool quorate, quorum_known;
	/* Since the tokens were counted last: */
	bool is_reformed;    /* with the same members */
	bool has_changed;    /* members came or went */
	int64_t tokens_lost; /* at that time; -1: not counted yet */
};

struct vrms_members *vrms_members_new(void)
{
	struct vrms_members *members = calloc(1, sizeof(*members));

	if (members != NULL) {
		members->tokens_lost = -1;
	}
	return members;
}

void vrms_members_free(struct vrms_members *members)
{
	free(members);
}

/* The node's row, made when there is a free one; NULL when 64 other nodes were seen. */
static struct member *row_of(struct vrms_members *members, uint32_t node)
{
	struct member *row = NULL;

	for (unsigned i = 0; i < VRMS_MEMBERS_MAX; i++) {
		if (members->members[i].node == node) {
			return &members->members[i];
		}
		if (members->members[i].node == 0 && row == NULL) {
			row = &members->members[i];
		}
	}
	if (row != NULL) {
		*row = (struct member){.node = node, .gone_ms = -1};
	}
	return row;
}

static void note(struct vrms_members_plan *plan, uint32_t node, enum vrms_reason reason,
		 int64_t away_ms)
{
	assert(plan->count < VRMS_COUNT_OF(plan->notes));
	plan->notes[plan->count++] = (struct vrms_members_note){node, reason, away_ms};
}

static void enter(struct member *row, enum vrms_member_state state, int64_t now_ms)
{
	row->state = state;
	row->since_ms = now_ms;
}

static bool is_in(const struct vrms_members_event *event, uint32_t node)
{
	for (unsigned i = 0; i < event->node_count; i++) {
		if (event->nodes[i] == node) {
			return true;
		}
	}
	return false;
}

static unsigned mark_gone(struct vrms_members *members, const struct vrms_members_event *event,
			  struct vrms_members_plan *plan)
{
	unsigned gone = 0;

	for (unsigned i = 0; i < VRMS_MEMBERS_MAX; i++) {
		struct member *row = &members->members[i];

		if (row->node == 0 || row->state != VRMS_MEMBER_IN || is_in(event, row->node)) {
			continue;
		}
		gone++;
		if (row->said_bye) {
			enter(row, VRMS_MEMBER_LEFT, event->now_ms);
			note(plan, row->node, VRMS_REASON_MEMBER_LEFT, 0);
			continue;
		}
		enter(row, VRMS_MEMBER_LOST, event->now_ms);
		row->gone_ms = event->now_ms;
		note(plan, row->node, VRMS_REASON_MEMBER_LOST, 0);
	}
	return gone;
}

static unsigned mark_come(struct vrms_members *members, const struct vrms_members_event *event,
			  struct vrms_members_plan *plan)
{
	unsigned come = 0;

	for (unsigned i = 0; i < event->node_count; i++) {
		struct member *row = row_of(members, event->nodes[i]);

		if (row == NULL || row->state == VRMS_MEMBER_IN) {
			continue;
		}
		come++;
		row->said_bye = false;
		enter(row, VRMS_MEMBER_IN, event->now_ms);
		note(plan, row->node, VRMS_REASON_MEMBER_JOINED, 0);
	}
	return come;
}

static void take_ring(struct vrms_members *members, const struct vrms_members_event *event,
		      struct vrms_members_plan *plan)
{
	assert(event->node_count <= VRMS_MEMBERS_MAX);
	unsigned gone = mark_gone(members, event, plan);
	unsigned come = mark_come(members, event, plan);
	bool is_new = event->ring.sequence != members->ring.sequence ||
		      event->ring.node != members->ring.node;

	if (gone + come > 0) {
		members->has_changed = true;
	} else if (members->has_ring && is_new) {
		members->is_reformed = true;
		note(plan, 0, VRMS_REASON_RING_REFORMED, 0);
	}
	members->ring = event->ring;
	members->has_ring = true;
}

/* A count without a new ring says nothing yet: the ring that broke has still to form again. */
static void take_tokens(struct vrms_members *members, const struct vrms_members_event *event,
			struct vrms_members_plan *plan)
{
	bool is_first = members->tokens_lost < 0;

	if (!members->is_reformed && !members->has_changed && !is_first) {
		return;
	}
	bool is_known = event->tokens_lost >= 0 && !is_first;
	bool is_lost = !is_known || event->tokens_lost != members->tokens_lost;

	if (members->is_reformed && !members->has_changed && is_lost) {
		note(plan, 0, VRMS_REASON_RING_BROKE, 0);
	}
	members->tokens_lost = event->tokens_lost;
	members->is_reformed = false;
	members->has_changed = false;
}

static void take_hello(struct vrms_members *members, const struct vrms_members_event *event,
		       struct vrms_members_plan *plan)
{
	struct member *row = row_of(members, event->node);

	if (row == NULL) {
		return;
	}
	row->said_bye = false;
	/* Only a node that was lost owes an answer: has it died, or was it a false alarm? */
	if (row->gone_ms >= 0 && row->boot != 0 && row->state == VRMS_MEMBER_IN) {
		note(plan, row->node,
		     row->boot == event->boot ? VRMS_REASON_MEMBER_BACK_SAME_BOOT
					      : VRMS_REASON_MEMBER_BACK_NEW_BOOT,
		     row->since_ms - row->gone_ms);
		row->gone_ms = -1;
	}
	row->boot = event->boot;
}

static void take_node(struct vrms_members *members, const struct vrms_members_event *event,
		      struct vrms_members_plan *plan)
{
	struct member *row = row_of(members, event->node);

	if (row == NULL) {
		return;
	}
	if (event->kind == VRMS_MEMBERS_BYE) {
		row->said_bye = true;
	} else if (row->state != VRMS_MEMBER_IN) {
		/* A fence of a member is about its past, or about to make it lost. */
		enter(row, VRMS_MEMBER_OFF, event->now_ms);
		note(plan, event->node, VRMS_REASON_MEMBER_FENCED, 0);
	}
}

void vrms_members_step(struct vrms_members *members, const struct vrms_members_event *event,
		       struct vrms_members_plan *plan)
{
	plan->count = 0;
	switch (event->kind) {
	case VRMS_MEMBERS_RING:
		take_ring(members, event, plan);
		break;
	case VRMS_MEMBERS_QUORUM:
		if (!members->quorum_known || members->quorate != event->quorate) {
			note(plan, 0,
			     event->quorate ? VRMS_REASON_QUORUM_GAINED : VRMS_REASON_QUORUM_LOST,
			     0);
		}
		members->quorum_known = true;
		members->quorate = event->quorate;
		break;
	case VRMS_MEMBERS_TOKENS:
		take_tokens(members, event, plan);
		break;
	case VRMS_MEMBERS_HELLO:
		take_hello(members, event, plan);
		break;
	case VRMS_MEMBERS_BYE:
	case VRMS_MEMBERS_FENCED:
		take_node(members, event, plan);
		break;
	}
}

static const struct member *peek(const struct vrms_members *members, uint32_t node)
{
	for (unsigned i = 0; i < VRMS_MEMBERS_MAX; i++) {
		if (members->members[i].node == node) {
			return &members->members[i];
		}
	}
	return NULL;
}

enum vrms_member_state vrms_members_state(const struct vrms_members *members, uint32_t node)
{
	const struct member *row = node == 0 ? NULL : peek(members, node);

	return row == NULL ? VRMS_MEMBER_UNKNOWN : row->state;
}

int64_t vrms_members_since_ms(const struct vrms_members *members, uint32_t node)
{
	const struct member *row = node == 0 ? NULL : peek(members, node);

	return row == NULL ? 0 : row->since_ms;
}

const char *vrms_member_state_name(enum vrms_member_state state)
{
	static const char *const names[] = {
	    [VRMS_MEMBER_UNKNOWN] = "unknown", [VRMS_MEMBER_IN] = "in",
	    [VRMS_MEMBER_LEFT] = "left",       [VRMS_MEMBER_LOST] = "lost",
	    [VRMS_MEMBER_OFF] = "off",
	};

	return (unsigned)state < VRMS_COUNT_OF(names) ? names[state] : "unknown";
}
