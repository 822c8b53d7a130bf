/* judge.h - asks the verdict core until it answers, never longer than the grace.
 *
 * The witnesses (beat area, membership) are a port: they may be slow, silent or
 * dead, but the port returns in time, and so does the judge.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_JUDGE_H
#define VRMS_QUORUM_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "quorum/verdict.h"

/* Somebody who wants to know what the judge sees; must not wait. */
struct vrms_judge_observer {
	void *context;
	void (*look)(void *context, const struct vrms_verdict_look *look);
};

struct vrms_judge_config {
	const struct vrms_judge_observer *observer; /* NULL: nobody */
	int64_t grace_ms;
	int64_t silent_count;    /* beat intervals without a change that count as silence, > 0 */
	int64_t read_timeout_ms; /* the area is unreadable when it gives nothing for that long */
};

/* What the witnesses know by now. */
struct vrms_testimony {
	enum vrms_verdict_beat beat; /* PENDING: nothing yet */
	int64_t beat_ms;             /* when that was read, on the judge's clock */
	uint64_t sequence, boot;
	bool is_stopped;
	int64_t interval_ms; /* between two beats, as the target says; 0: unknown */
	int64_t unchanged_ms;
	enum vrms_verdict_member member;
};

struct vrms_witnesses {
	void *context;
	/* Waits for news for at most wait_ms, and returns what is known then.  Must never take
	 * longer, whatever the storage or the cluster does. */
	void (*listen)(void *context, int64_t wait_ms, struct vrms_testimony *testimony);
};

/* Returns DONE or REFUSE at the latest begin_ms + grace_ms (plus the time of one
 * turn of the loop, which never waits beyond it).
 *
 * begin_ms: on clock, when the question was asked.
 */
enum vrms_verdict_answer vrms_judge_run(const struct vrms_judge_config *config, int64_t begin_ms,
					const struct vrms_witnesses *witnesses,
					const struct vrms_clock *clock,
					enum vrms_reason *ret_reason);

#endif
