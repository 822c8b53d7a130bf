/* members.h - who is in the ring, who left it and how: membership changes in, notes out.
 *
 * Pure.  It decides nothing about fencing (Pacemaker does); it names what happened,
 * so that the journal, `vrms status` and the tuner can tell a death from a false alarm.
 *
 * A ring of the same members is told of as RING_REFORMED.  Two things lead to one: a token that was
 * lost (a stall near the token, RING_BROKE: a false alarm that cost nobody), and a node that
 * knocks: the ring is given up to let it in, which may take two attempts, the first without it.
 * Corosync counts the tokens that were lost while the ring was in operation; that count tells them
 * apart, on whichever node's time ran out.  What is lost while members come or go belongs to their
 * change.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_MEMBERS_H
#define VRMS_QUORUM_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "quorum/reason.h"

enum { VRMS_MEMBERS_MAX = 64 };

struct vrms_ring_id {
	uint32_t node; /* representative */
	uint64_t sequence;
};

enum vrms_members_event_kind {
	VRMS_MEMBERS_RING,   /* ring, nodes, node_count: totem has formed a ring */
	VRMS_MEMBERS_QUORUM, /* quorate */
	VRMS_MEMBERS_HELLO,  /* node, boot: its vrmsd has said which life this is */
	VRMS_MEMBERS_BYE,    /* node: its vrmsd has said that it stops */
	VRMS_MEMBERS_FENCED, /* node: a fence device has confirmed it */
	VRMS_MEMBERS_TOKENS, /* tokens_lost, as asked for after the last ring was told of */
};

struct vrms_members_event {
	int64_t now_ms;
	enum vrms_members_event_kind kind;
	const uint32_t *nodes; /* borrowed during the step */
	unsigned node_count;
	struct vrms_ring_id ring;
	bool quorate;
	uint32_t node;
	uint64_t boot;       /* digest of the boot and of its corosync, != 0 */
	int64_t tokens_lost; /* since corosync's start; < 0: unknown, so one may have been */
};

struct vrms_members_note {
	uint32_t node; /* 0: the partition as a whole */
	enum vrms_reason reason;
	int64_t away_ms; /* MEMBER_BACK_*: how long it was gone */
};

/* At most one for each node and two for the partition. */
struct vrms_members_plan {
	unsigned count;
	struct vrms_members_note notes[VRMS_MEMBERS_MAX + 2];
};

enum vrms_member_state {
	VRMS_MEMBER_UNKNOWN, /* never seen */
	VRMS_MEMBER_IN,
	VRMS_MEMBER_LEFT, /* said so before */
	VRMS_MEMBER_LOST,
	VRMS_MEMBER_OFF, /* lost, then fenced */
};

struct vrms_members; /* opaque */

struct vrms_members *vrms_members_new(void); /* NULL only when out of memory (about 3 kB) */
void vrms_members_free(struct vrms_members *members); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_members *, vrms_members_free);

void vrms_members_step(struct vrms_members *members, const struct vrms_members_event *event,
		       struct vrms_members_plan *plan);

enum vrms_member_state vrms_members_state(const struct vrms_members *members, uint32_t node);

/* When the node came into its present state; 0 when never seen. */
int64_t vrms_members_since_ms(const struct vrms_members *members, uint32_t node);

/* "in", "left", "lost", "off", "unknown". */
const char *vrms_member_state_name(enum vrms_member_state state);

#endif
