/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/judge.h"

#include <stddef.h>

enum { INTERVAL_MS_DEFAULT = 250, TURN_MS = 50 };

static void look_from(const struct vrms_testimony *heard, const struct vrms_judge_config *config,
		      int64_t begin_ms, int64_t now_ms, struct vrms_verdict_look *look)
{
	int64_t last_ms = heard->beat == VRMS_BEAT_PENDING ? begin_ms : heard->beat_ms;

	*look = (struct vrms_verdict_look){
	    .now_ms = now_ms,
	    .beat = heard->beat,
	    .sequence = heard->sequence,
	    .boot = heard->boot,
	    .is_stopped = heard->is_stopped,
	    .unchanged_ms = heard->unchanged_ms,
	    .member = heard->member,
	};
	if (now_ms - last_ms >= config->read_timeout_ms) {
		look->beat = VRMS_BEAT_UNREADABLE; /* storage that does not answer */
	}
}

enum vrms_verdict_answer vrms_judge_run(const struct vrms_judge_config *config, int64_t begin_ms,
					const struct vrms_witnesses *witnesses,
					const struct vrms_clock *clock,
					enum vrms_reason *ret_reason)
{
	struct vrms_verdict_config verdict_config = {
	    .grace_ms = config->grace_ms,
	    .silent_ms = config->silent_count * INTERVAL_MS_DEFAULT,
	};
	struct vrms_testimony heard = {.beat = VRMS_BEAT_PENDING, .unchanged_ms = -1};
	struct vrms_verdict verdict;
	struct vrms_verdict_look look;
	enum vrms_verdict_answer answer;
	int64_t left_ms;

	vrms_verdict_begin(&verdict, &verdict_config, begin_ms);
	do {
		left_ms = vrms_verdict_left_ms(&verdict, vrms_clock_now_ms(clock));
		witnesses->listen(witnesses->context, left_ms < TURN_MS ? left_ms : TURN_MS,
				  &heard);
		if (heard.interval_ms > 0) {
			verdict.config.silent_ms = config->silent_count * heard.interval_ms;
		}
		look_from(&heard, config, begin_ms, vrms_clock_now_ms(clock), &look);
		if (config->observer != NULL) {
			config->observer->look(config->observer->context, &look);
		}
		answer = vrms_verdict_step(&verdict, &look, ret_reason);
	} while (answer == VRMS_VERDICT_WAIT);
	return answer;
}
