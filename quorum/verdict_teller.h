/* verdict_teller.h - tells vrmsd what the judge sees and decides about a target, for the journal.
 *
 * Each object has
 *   "target"   the node that is to be fenced
 *   "action"   what is asked for: "off", "reboot"
 *   "state"    "asked", "seen" (something has changed), "done" or "refused"
 *   "at_ms"    CLOCK_MONOTONIC of this node, when it was so
 *   "after_ms" since the question
 *   "text"     a sentence
 * A "seen" has "beat", "sequence", "unchanged_ms", "member"; the last one has "reason", and
 * "trouble" when the area could not be read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_VERDICT_TELLER_H
#define VRMS_QUORUM_VERDICT_TELLER_H

#include "quorum/verdict.h"

/* Plain data: begin it with vrms_verdict_teller_begin(). */
struct vrms_verdict_teller {
	int fd; /* -1: nobody listens */
	const char *target, *action;
	int64_t begin_ms;
	bool has_beat, is_moving;  /* the beat was read, and has changed since */
	uint64_t sequence;         /* of the first look */
	const char *beat, *member; /* as told last */
};

/* path: the daemon's socket.  Never fails and never waits: without a daemon it is silent. */
void vrms_verdict_teller_begin(struct vrms_verdict_teller *teller, const char *path,
			       const char *target, const char *action, int64_t begin_ms);

/* One look (quorum/judge.h); told when it differs from the last one in kind.  context: the teller.
 */
void vrms_verdict_teller_look(void *context, const struct vrms_verdict_look *look);

/* The answer, and the end. */
void vrms_verdict_teller_end(struct vrms_verdict_teller *teller, enum vrms_verdict_answer answer,
			     enum vrms_reason reason, int64_t now_ms, const char *trouble);

#endif
