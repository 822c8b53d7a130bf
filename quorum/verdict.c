/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/verdict.h"

#include <assert.h>

void vrms_verdict_begin(struct vrms_verdict *verdict, const struct vrms_verdict_config *config,
			int64_t now_ms)
{
	assert(config->grace_ms >= 0 && config->silent_ms > 0);
	*verdict = (struct vrms_verdict){.config = *config, .begin_ms = now_ms};
}

int64_t vrms_verdict_left_ms(const struct vrms_verdict *verdict, int64_t now_ms)
{
	int64_t left_ms = verdict->begin_ms + verdict->config.grace_ms - now_ms;

	return left_ms > 0 ? left_ms : 0;
}

/* Returns true when the target has booted anew between two looks. */
static bool absorb_beat(struct vrms_verdict *verdict, const struct vrms_verdict_look *look)
{
	if (look->beat != VRMS_BEAT_READ) {
		return false;
	}
	bool is_reborn = verdict->has_beat && look->boot != verdict->boot;

	if (!verdict->has_beat) {
		verdict->changed_ms = look->now_ms;
	} else if (look->sequence != verdict->sequence) {
		verdict->changed_ms = look->now_ms;
		verdict->is_fresh = true;
	}
	verdict->has_beat = true;
	verdict->sequence = look->sequence;
	verdict->boot = look->boot;
	return is_reborn;
}

static bool is_silent(const struct vrms_verdict *verdict, const struct vrms_verdict_look *look)
{
	int64_t silent_ms = verdict->config.silent_ms;

	return look->beat == VRMS_BEAT_READ &&
	       (look->now_ms - verdict->changed_ms >= silent_ms || look->unchanged_ms >= silent_ms);
}

/* Returns true when the very first word about the membership is that the target is in it. */
static bool absorb_member(struct vrms_verdict *verdict, const struct vrms_verdict_look *look)
{
	bool is_first = !verdict->has_member && look->member != VRMS_VERDICT_MEMBER_UNKNOWN;

	if (is_first) {
		verdict->has_member = true;
	}
	return is_first && look->member == VRMS_VERDICT_MEMBER_IN;
}

static enum vrms_verdict_answer done(enum vrms_reason reason, enum vrms_reason *ret_reason)
{
	*ret_reason = reason;
	return VRMS_VERDICT_DONE;
}

enum vrms_verdict_answer vrms_verdict_step(struct vrms_verdict *verdict,
					   const struct vrms_verdict_look *look,
					   enum vrms_reason *ret_reason)
{
	bool is_reborn = absorb_beat(verdict, look);
	bool was_member = absorb_member(verdict, look);

	if (vrms_verdict_left_ms(verdict, look->now_ms) == 0) {
		return done(VRMS_REASON_VERDICT_GRACE_OVER, ret_reason);
	}
	if (look->beat == VRMS_BEAT_UNREADABLE) {
		return done(VRMS_REASON_VERDICT_UNREADABLE, ret_reason);
	}
	if (was_member) {
		return done(VRMS_REASON_VERDICT_MEMBER, ret_reason);
	}
	if (look->beat == VRMS_BEAT_ABSENT) {
		return done(VRMS_REASON_VERDICT_NO_SLOT, ret_reason);
	}
	if (is_silent(verdict, look) || (look->beat == VRMS_BEAT_READ && look->is_stopped)) {
		return done(VRMS_REASON_VERDICT_SILENT, ret_reason);
	}
	if (is_reborn) {
		return done(VRMS_REASON_VERDICT_REBOOTED, ret_reason);
	}
	/* Not a member at first (rule 3 would have answered), and one now. */
	if (verdict->is_fresh && look->beat == VRMS_BEAT_READ &&
	    look->member == VRMS_VERDICT_MEMBER_IN) {
		*ret_reason = VRMS_REASON_VERDICT_RETURNED;
		return VRMS_VERDICT_REFUSE;
	}
	return VRMS_VERDICT_WAIT;
}
