/* agree.h - one token for the whole cluster: what every node needs in, one value at a time out.
 *
 * Pure.  One instance per node; the instances talk through a totally ordered
 * multicast (CPG): every node sees the same reports and proposals in the same order.
 *
 * - Every node reports what it needs, what its admin configured, and which token
 *   its corosync has in force.  A report follows every change of these and of
 *   the group.
 * - The node with the lowest number in the group leads: it alone proposes.  A
 *   proposal is applied by every node at the moment it is delivered; one from a
 *   node that does not lead at that point is ignored.  As both joins and
 *   proposals are ordered, all nodes agree on who led.
 * - Target: the largest need, when every member of the ring is in the group, and
 *   has reported; otherwise (for step_timeout_ms on end) the largest configured value.
 * - Ladder: one step at most doubles the smallest value or halves the largest
 *   one, and the next step waits until every node reports the present one (or
 *   step_timeout_ms has passed).
 * - A node that is stopping needs its configured value: all climb with it, then it goes.
 * - Without quorum or without a cluster connection for step_timeout_ms, a node goes
 *   to its own configured value by the same ladder, one step every step_timeout_ms.
 *
 * While nodes differ.  A token value never decides who is a member, only when
 * somebody starts to ask: totem's membership protocol and votequorum decide,
 * with any mixture of values.  The shortest value in force determines when the
 * ring is called broken; that value had been found bearable for the slowest node,
 * or is about to be left.  What a mixture could do is to break the ring
 * in vain: an idle ring's representative holds the token for up to 0.2 of *its*
 * token.  Values within a factor of four of each other cannot do that (0.2 x 4 < 1), and the
 * ladder keeps them there, except where a node joins with a value of its own; beyond a
 * factor of two the first daemon of the group sends a message every third of the
 * shortest token, which keeps the token moving: corosync cancels the hold for every message.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_AGREE_H
#define VRMS_QUORUM_AGREE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "quorum/reason.h"

enum { VRMS_AGREE_NODES_MAX = 64, VRMS_AGREE_STEPS_MAX = 4 };

struct vrms_agree_report {
	uint32_t node;
	int64_t need_ms;
	int64_t configured_ms;
	int64_t applied_ms; /* in force in this node's corosync; 0: unknown */
	enum vrms_reason reason;
};

enum vrms_agree_event_kind {
	VRMS_AGREE_MEMBERS,  /* nodes, node_count, quorate: the ring */
	VRMS_AGREE_GROUP,    /* nodes, node_count: who runs vrmsd; in order with the messages */
	VRMS_AGREE_REPORT,   /* report: delivered, one's own too */
	VRMS_AGREE_PROPOSAL, /* report.node, token_ms, reason: delivered, one's own too */
	VRMS_AGREE_OWN,      /* report (node ignored): what this node needs, has configured */
	VRMS_AGREE_APPLIED,  /* token_ms: corosync says what is in force here */
	VRMS_AGREE_DETACHED, /* the cluster connection is gone */
	VRMS_AGREE_LEAVING,  /* vrmsd stops as soon as its configured value is in force */
	VRMS_AGREE_TICK,
};

struct vrms_agree_event {
	int64_t now_ms;
	enum vrms_agree_event_kind kind;
	const uint32_t *nodes; /* borrowed during the step */
	unsigned node_count;   /* <= VRMS_AGREE_NODES_MAX */
	bool quorate;
	int64_t token_ms;
	enum vrms_reason reason;
	struct vrms_agree_report report;
};

enum vrms_agree_step_kind {
	VRMS_AGREE_SEND_REPORT,   /* report */
	VRMS_AGREE_SEND_PROPOSAL, /* token_ms, reason */
	VRMS_AGREE_APPLY,         /* token_ms, reason: set it in this node's corosync */
};

struct vrms_agree_step {
	enum vrms_agree_step_kind kind;
	int64_t token_ms;
	enum vrms_reason reason;
	struct vrms_agree_report report;
};

struct vrms_agree_plan {
	unsigned count;
	struct vrms_agree_step steps[VRMS_AGREE_STEPS_MAX];
};

struct vrms_agree_config {
	uint32_t self;           /* corosync node id */
	int64_t step_timeout_ms; /* > 0 */
};

struct vrms_agree; /* opaque */

/* NULL only when out of memory (about 4 kB). */
struct vrms_agree *vrms_agree_new(const struct vrms_agree_config *config);
void vrms_agree_free(struct vrms_agree *agree); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_agree *, vrms_agree_free);

void vrms_agree_step(struct vrms_agree *agree, const struct vrms_agree_event *event,
		     struct vrms_agree_plan *plan);

/* The value wanted for the cluster as seen from here, and why. */
int64_t vrms_agree_target_ms(const struct vrms_agree *agree, enum vrms_reason *ret_reason);

/* The next rung from values between low and high (> 0) towards the target: at most 2 x low,
 * and not below high / 2 unless that would break the first rule.
 */
int64_t vrms_agree_rung_ms(int64_t low_ms, int64_t high_ms, int64_t target_ms);

#endif
