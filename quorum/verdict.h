/* verdict.h - is a node that left the ring dead? Beats and membership in, one answer out.
 *
 * Pure.  What a fence agent before the real device may say:
 *
 *   DONE     go on: the real device fences now.  Never "it is dead": that is the device's word.
 *   REFUSE   do not fence: the target lives, and is a member again.
 *
 * Rules, in this order:
 *   1. A fence is delayed by `grace_ms` at most: at begin + grace_ms the answer is DONE, whatever
 *      was seen and whatever was not.
 *   2. The beat area cannot be read: DONE.
 *   3. The target is a member when the question is asked: DONE.  Its fence has
 *      another cause (a stop that failed, an admin), of which beats know nothing.
 *   4. The target has no beat, or said that it stops beating: DONE.
 *   5. The beat has not changed for silent_ms: DONE.
 *   6. Its boot id has changed since the first look: DONE.
 *   7. Seen outside the membership, then inside it again; its beat is read at that very
 *      look, and has changed since the question was asked: REFUSE.
 *   8. Otherwise wait for the next look.
 *
 * Why a refusal is safe: it needs the target's own beat, with the boot id of the first look,
 * and totem's word that it is a member: both are about the running target.  And
 * it is the only answer that prevents a fence; silence never leads to it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_VERDICT_H
#define VRMS_QUORUM_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "quorum/reason.h"

struct vrms_verdict_config {
	int64_t grace_ms;  /* >= 0 */
	int64_t silent_ms; /* beat interval x k, > 0 */
};

enum vrms_verdict_beat {
	VRMS_BEAT_READ,       /* sequence, boot and is_stopped are valid */
	VRMS_BEAT_ABSENT,     /* the area is readable and has no such node */
	VRMS_BEAT_UNREADABLE, /* error, checksum, time-out, another cluster's area */
	VRMS_BEAT_PENDING,    /* no answer yet: the read is under way */
};

enum vrms_verdict_member {
	VRMS_VERDICT_MEMBER_UNKNOWN, /* corosync does not answer */
	VRMS_VERDICT_MEMBER_OUT,
	VRMS_VERDICT_MEMBER_IN,
};

/* One look at the world. */
struct vrms_verdict_look {
	int64_t now_ms;
	enum vrms_verdict_beat beat;
	uint64_t sequence;
	uint64_t boot;
	bool is_stopped;
	int64_t unchanged_ms; /* >= 0: how long this node's vrmsd has seen the same sequence; -1:
				 it is not there, or its knowledge is not fresh */
	enum vrms_verdict_member member;
};

enum vrms_verdict_answer { VRMS_VERDICT_WAIT, VRMS_VERDICT_DONE, VRMS_VERDICT_REFUSE };

/* Plain data: begin it with vrms_verdict_begin(). */
struct vrms_verdict {
	struct vrms_verdict_config config;
	int64_t begin_ms;
	int64_t changed_ms; /* when the sequence was last seen to change (or first seen) */
	uint64_t sequence, boot;
	bool has_beat;   /* sequence and boot were read at least once */
	bool is_fresh;   /* the sequence has changed since begin_ms */
	bool has_member; /* the membership was known at least once */
};

void vrms_verdict_begin(struct vrms_verdict *verdict, const struct vrms_verdict_config *config,
			int64_t now_ms);

/* ret_reason: why DONE or REFUSE; untouched for WAIT. */
enum vrms_verdict_answer vrms_verdict_step(struct vrms_verdict *verdict,
					   const struct vrms_verdict_look *look,
					   enum vrms_reason *ret_reason);

/* Milliseconds until the answer can no longer be WAIT; never below 0. */
int64_t vrms_verdict_left_ms(const struct vrms_verdict *verdict, int64_t now_ms);

#endif
