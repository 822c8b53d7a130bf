/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/daemon.h"

#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

int64_t vrms_daemon_now_ms(void)
{
	return vrms_clock_now_ms(vrms_clock_system());
}

void vrms_daemon_record(struct vrms_daemon *daemon, const char *event, json_t *fields)
{
	if (daemon->journal == NULL) {
		json_decref(fields);
		return;
	}
	/* A full disk must not stop the daemon; the gap in "seq" tells of it. */
	(void)vrms_journal_write(daemon->journal, vrms_daemon_now_ms(), event, fields);
}

static void apply(struct vrms_daemon *daemon, const struct vrms_agree_step *step)
{
	struct vrms_error error;
	int64_t from_ms = daemon->applied_ms;

	if (daemon->cluster == NULL) {
		return; /* corosync is gone, and its token with it */
	}
	daemon->expected_ms = step->token_ms;
	if (vrms_cluster_apply_token(daemon->cluster, step->token_ms, &error) < 0) {
		vrms_log(LOG_WARNING, "token %" PRId64 " ms: %s", step->token_ms, error.text);
		return;
	}
	vrms_log(LOG_NOTICE, "token %" PRId64 " ms (was %" PRId64 "): %s", step->token_ms, from_ms,
		 vrms_reason_text(step->reason));
	vrms_daemon_record(daemon, "token",
			   json_pack("{s:I, s:I, s:s, s:s}", "token_ms", (json_int_t)step->token_ms,
				     "from_ms", (json_int_t)from_ms, "reason",
				     vrms_reason_name(step->reason), "text",
				     vrms_reason_text(step->reason)));
	vrms_daemon_token_changes(daemon, from_ms);
	daemon->applied_ms = step->token_ms;
	daemon->token_reason = step->reason;
	daemon->reported_ms = 0; /* what corosync has said before this is past */
	vrms_daemon_feed_agree(daemon, (struct vrms_agree_event){.kind = VRMS_AGREE_APPLIED,
								 .token_ms = step->token_ms});
}

static void send(struct vrms_daemon *daemon, const struct vrms_agree_step *step)
{
	const struct vrms_agree_report *report = &step->report;
	struct vrms_message message = {.kind = VRMS_MESSAGE_PROPOSAL,
				       .reason = step->reason,
				       .values = {step->token_ms}};

	if (daemon->cluster == NULL) {
		return;
	}
	if (step->kind == VRMS_AGREE_SEND_REPORT) {
		message = (struct vrms_message){
		    .kind = VRMS_MESSAGE_REPORT,
		    .reason = report->reason,
		    .values = {report->need_ms, report->configured_ms, report->applied_ms,
			       (int64_t)((daemon->boot ^ vrms_cluster_life(daemon->cluster)) &
					 INT64_MAX)},
		};
	}
	if (vrms_cluster_send(daemon->cluster, &message) < 0) {
		vrms_log(LOG_WARNING, "corosync does not take messages: one is lost");
	}
}

void vrms_daemon_feed_agree(struct vrms_daemon *daemon, struct vrms_agree_event event)
{
	struct vrms_agree_plan plan;

	if (daemon->agree == NULL) {
		return;
	}
	event.now_ms = vrms_daemon_now_ms();
	vrms_agree_step(daemon->agree, &event, &plan);
	for (unsigned i = 0; i < plan.count; i++) {
		if (plan.steps[i].kind == VRMS_AGREE_APPLY) {
			apply(daemon, &plan.steps[i]);
		} else {
			send(daemon, &plan.steps[i]);
		}
	}
}

void vrms_daemon_feed_tuner(struct vrms_daemon *daemon, struct vrms_tuner_event event)
{
	enum vrms_reason old_reason = daemon->need.reason;

	if (daemon->tuner == NULL) {
		return;
	}
	event.now_ms = vrms_daemon_now_ms();
	vrms_tuner_step(daemon->tuner, &event, &daemon->need);
	if (!daemon->need.changed && daemon->need.reason == old_reason) {
		return;
	}
	vrms_daemon_record(daemon, "need",
			   json_pack("{s:I, s:s, s:s, s:f, s:f}", "token_ms",
				     (json_int_t)daemon->need.token_ms, "reason",
				     vrms_reason_name(daemon->need.reason), "text",
				     vrms_reason_text(daemon->need.reason), "losses_per_year",
				     daemon->need.predicted_loss_per_year, "disturbances_per_year",
				     daemon->need.predicted_disturbances_per_year));
	vrms_daemon_feed_agree(
	    daemon, (struct vrms_agree_event){.kind = VRMS_AGREE_OWN,
					      .report = {.need_ms = daemon->need.token_ms,
							 .configured_ms = daemon->configured_ms,
							 .reason = daemon->need.reason}});
}

/* Says what has changed since the last look; the state itself is for `vrms status`. */
static void compare_beats(struct vrms_daemon *daemon, const struct vrms_beater_state *now,
			  bool are_late)
{
	const struct vrms_beater_state *old = &daemon->beats;

	if (are_late != daemon->beats_are_late || now->is_open != old->is_open ||
	    now->is_contested != old->is_contested ||
	    strcmp(now->error.text, old->error.text) != 0) {
		const char *state = are_late            ? "late"
				    : now->is_contested ? "contested"
				    : now->is_open      ? "open"
							: "failed";

		vrms_log(now->is_open && !are_late ? LOG_NOTICE : LOG_WARNING, "beats: %s%s%s",
			 state, now->error.text[0] == '\0' ? "" : ": ", now->error.text);
		vrms_daemon_record(daemon, "beats",
				   json_pack("{s:s, s:s, s:i, s:i, s:i}", "state", state, "text",
					     now->error.text, "slot", (int)now->slot, "write_us",
					     (int)now->write_us, "read_us", (int)now->read_us));
	}
}

/* At the last look, not now: between the two this node's own storage may have stalled. */
static bool is_silent(const struct vrms_daemon *daemon, const struct vrms_beater_state *state,
		      unsigned slot)
{
	const struct vrms_beater_row *row = &state->rows[slot];

	return state->read_ms - row->changed_ms >=
	       row->interval_ms * daemon->settings->silent_intervals;
}

static void compare_row(struct vrms_daemon *daemon, unsigned slot,
			const struct vrms_beater_state *now)
{
	const struct vrms_beater_row *row = &now->rows[slot];
	const struct vrms_beater_row *old = &daemon->beats.rows[slot];
	bool was_silent = old->node_id != row->node_id || old->silent;

	if (row->node_id == 0 || row->silent == was_silent) {
		return;
	}
	vrms_daemon_record(daemon, "beat",
			   json_pack("{s:I, s:s, s:s, s:I}", "id", (json_int_t)row->node_id, "name",
				     row->name, "state",
				     row->silent ? row->is_stopped ? "stopped" : "silent" : "fresh",
				     "unchanged_ms", (json_int_t)(now->read_ms - row->changed_ms)));
}

void vrms_daemon_check_beats(struct vrms_daemon *daemon)
{
	struct vrms_beater_state now;
	int64_t now_ms = vrms_daemon_now_ms();
	int64_t limit_ms = daemon->settings->beat_interval_ms * daemon->settings->silent_intervals;

	if (daemon->beater == NULL) {
		return;
	}
	vrms_beater_state(daemon->beater, &now);
	bool are_late = now.began_ms != 0 && now_ms - now.began_ms > limit_ms;

	compare_beats(daemon, &now, are_late);
	/* Without fresh looks of our own, silence of others means nothing. */
	for (unsigned slot = 0; slot < VRMS_BEAT_SLOTS && now.is_open && !are_late; slot++) {
		now.rows[slot].silent = is_silent(daemon, &now, slot);
		compare_row(daemon, slot, &now);
	}
	if (are_late || !now.is_open) {
		memcpy(now.rows, daemon->beats.rows, sizeof(now.rows));
	}
	daemon->beats = now;
	daemon->beats_are_late = are_late;
}
