/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/keeper.h"

void vrms_keeper_init(struct vrms_keeper *keeper, const struct vrms_keeper_config *config)
{
	*keeper = (struct vrms_keeper){.config = *config};
}

void vrms_keeper_ended(struct vrms_keeper *keeper)
{
	keeper->is_running = false;
	keeper->asked_ms = 0;
}

static enum vrms_keeper_step step_running(struct vrms_keeper *keeper,
					  const struct vrms_keeper_event *event)
{
	/* What it has seen is not true any more, or it is not our business any more. */
	bool is_over = !event->is_chosen || event->changed_ms > keeper->begun_ms ||
		       event->now_ms - keeper->begun_ms > keeper->config.limit_ms;

	if (keeper->asked_ms == 0 && is_over) {
		keeper->asked_ms = event->now_ms;
		return VRMS_KEEPER_END;
	}
	if (keeper->asked_ms != 0 && event->now_ms - keeper->asked_ms > keeper->config.grace_ms) {
		keeper->asked_ms = event->now_ms;
		return VRMS_KEEPER_KILL;
	}
	return VRMS_KEEPER_WAIT;
}

enum vrms_keeper_step vrms_keeper_step(struct vrms_keeper *keeper,
				       const struct vrms_keeper_event *event)
{
	if (keeper->is_running) {
		return step_running(keeper, event);
	}
	if (!event->is_chosen || event->now_ms - event->changed_ms < keeper->config.settle_ms ||
	    (keeper->has_begun && event->now_ms - keeper->begun_ms < keeper->config.interval_ms)) {
		return VRMS_KEEPER_WAIT;
	}
	keeper->has_begun = keeper->is_running = true;
	keeper->begun_ms = event->now_ms;
	return VRMS_KEEPER_BEGIN;
}
