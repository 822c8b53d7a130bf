/* What vrmsd answers: one table row a command.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include <string.h>

#include "common/log.h"
#include "quorum/daemon.h"
#include "quorum/plan_child.h"
#include "quorum/vms.h"

enum { LOAD_MS_MAX = 24 * 3600000 };

static json_t *refuse(const char *text)
{
	return json_pack("{s:b, s:s}", "ok", 0, "error", text);
}

static json_t *describe_members(const struct vrms_daemon *daemon)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < daemon->ring_count; i++) {
		char name[VRMS_CLUSTER_NAME_BYTES] = "";
		uint32_t node = daemon->ring_nodes[i];
		json_t *row = NULL;

		vrms_cluster_node_name(daemon->cluster, node, name);
		for (unsigned j = 0; j < daemon->report_count; j++) {
			const struct vrms_agree_report *report = &daemon->reports[j];

			if (report->node == node) {
				row = json_pack("{s:I, s:s, s:I, s:I, s:I, s:s}", "id",
						(json_int_t)node, "name", name, "need_ms",
						(json_int_t)report->need_ms, "token_ms",
						(json_int_t)report->applied_ms, "configured_ms",
						(json_int_t)report->configured_ms, "reason",
						vrms_reason_text(report->reason));
			}
		}
		json_array_append_new(list, row != NULL
						? row
						: json_pack("{s:I, s:s}", "id", (json_int_t)node,
							    "name", name));
	}
	return list;
}

static json_t *describe_beats(const struct vrms_daemon *daemon)
{
	json_t *list = json_array();
	int64_t now_ms = vrms_daemon_now_ms();

	for (unsigned slot = 0; slot < VRMS_BEAT_SLOTS; slot++) {
		const struct vrms_beater_row *row = &daemon->beats.rows[slot];

		if (row->node_id != 0) {
			json_array_append_new(
			    list,
			    json_pack("{s:i, s:I, s:s, s:s, s:I, s:I, s:I}", "slot", (int)slot,
				      "id", (json_int_t)row->node_id, "name", row->name, "state",
				      row->is_stopped ? "stopped"
				      : row->silent   ? "silent"
						      : "fresh",
				      "age_ms", (json_int_t)(now_ms - row->changed_ms), "write_us",
				      (json_int_t)row->last_us, "slowest_us",
				      (json_int_t)row->slowest_us));
		}
	}
	return json_pack("{s:b, s:b, s:b, s:s, s:i, s:i, s:o}", "open", daemon->beats.is_open,
			 "contested", daemon->beats.is_contested, "late", daemon->beats_are_late,
			 "text", daemon->beats.error.text, "read_us", (int)daemon->beats.read_us,
			 "write_us", (int)daemon->beats.write_us, "slots", list);
}

static json_t *describe_fit(const struct vrms_tail_fit *fit)
{
	if (fit == NULL) {
		return NULL;
	}
	return json_pack("{s:f, s:f, s:f, s:f, s:I}", "threshold_us", fit->threshold_us, "scale_us",
			 fit->scale_us, "shape", fit->shape, "share", fit->exceed_share, "blocks",
			 (json_int_t)fit->block_count);
}

static json_t *describe_sources(const struct vrms_daemon *daemon)
{
	json_t *object = json_object();

	for (unsigned i = 0; daemon->tuner != NULL && i < VRMS_TUNER_SOURCE_COUNT; i++) {
		const struct vrms_history *history = vrms_tuner_history(daemon->tuner, i);

		json_object_set_new(
		    object, vrms_tuner_source_name(i),
		    json_pack("{s:i, s:i, s:i, s:o*}", "p50_us",
			      (int)vrms_history_minutes_quantile(history, 500000), "p99_us",
			      (int)vrms_history_minutes_quantile(history, 990000), "day_max_us",
			      (int)vrms_history_hours_quantile(history, 1000000), "tail",
			      describe_fit(vrms_tuner_fit(daemon->tuner, i))));
	}
	return object;
}

static json_t *describe_tuning(const struct vrms_daemon *daemon)
{
	struct vrms_tuner_observed observed = {0};

	if (daemon->tuner != NULL) {
		vrms_tuner_observed(daemon->tuner, &observed);
	}
	return json_pack(
	    "{s:b, s:b, s:I, s:s, s:I, s:s, s:I, s:f, s:f, s:f, s:I, s:I, s:I, s:f, s:f, s:o}",
	    "on", daemon->is_tuning, "guarded", daemon->is_guarded, "token_ms",
	    (json_int_t)daemon->applied_ms, "reason",
	    daemon->token_reason == VRMS_REASON_NONE ? "as corosync is configured"
						     : vrms_reason_text(daemon->token_reason),
	    "need_ms", (json_int_t)daemon->need.token_ms, "need_reason",
	    vrms_reason_text(daemon->need.reason), "configured_ms",
	    (json_int_t)daemon->configured_ms, "allowed_losses_per_year",
	    daemon->need.allowed_loss_per_year, "predicted_losses_per_year",
	    daemon->need.predicted_loss_per_year, "predicted_disturbances_per_year",
	    daemon->need.predicted_disturbances_per_year, "watched_ms",
	    (json_int_t)observed.watched_ms, "false_losses", (json_int_t)observed.false_losses,
	    "disturbances", (json_int_t)observed.disturbances, "expected_losses",
	    observed.expected_losses, "expected_disturbances", observed.expected_disturbances,
	    "measured", describe_sources(daemon));
}

static json_t *answer_status(struct vrms_daemon *daemon, const json_t *request)
{
	(void)request;
	return json_pack("{s:b, s:s, s:b, s:b, s:I, s:I, s:o, s:o, s:o*, s:o*, s:o*}", "ok", 1,
			 "node", daemon->node_name, "attached", daemon->cluster != NULL, "quorate",
			 daemon->quorate, "ring", (json_int_t)daemon->ring.sequence, "ring_age_ms",
			 (json_int_t)(vrms_daemon_now_ms() - daemon->ring_ms), "tuning",
			 describe_tuning(daemon), "members",
			 daemon->cluster != NULL ? describe_members(daemon) : json_array(), "beats",
			 daemon->beater != NULL ? describe_beats(daemon) : NULL, "machines",
			 vrms_vms_status(daemon), "plan", vrms_plan_child_describe(daemon));
}

static json_t *answer_tune(struct vrms_daemon *daemon, const json_t *request)
{
	const json_t *on = json_object_get(request, "on");

	if (!json_is_boolean(on)) {
		return refuse("tune: \"on\" must be true or false");
	}
	daemon->is_tuning = json_is_true(on);
	vrms_log(LOG_NOTICE, "tuning is switched %s on this node",
		 daemon->is_tuning ? "on" : "off");
	vrms_daemon_record(daemon, "tune", json_pack("{s:b}", "on", daemon->is_tuning));
	vrms_daemon_feed_tuner(daemon, (struct vrms_tuner_event){.kind = VRMS_TUNER_ENABLE,
								 .value_ms = daemon->is_tuning});
	return json_pack("{s:b, s:b}", "ok", 1, "on", daemon->is_tuning);
}

static json_t *answer_announce(struct vrms_daemon *daemon, const json_t *request)
{
	const json_t *wanted = json_object_get(request, "for_ms");
	json_int_t for_ms = json_integer_value(wanted);
	const char *what = json_string_value(json_object_get(request, "what"));

	/* 0 ends what others have announced: not what is missing. */
	if (!json_is_integer(wanted) || for_ms < 0 || for_ms > LOAD_MS_MAX || what == NULL) {
		return refuse("announce: \"for_ms\" must be 0 to 24 h, and \"what\" a text");
	}
	vrms_log(LOG_NOTICE, "load is announced for %" PRId64 " ms: %s", (int64_t)for_ms, what);
	vrms_daemon_record(daemon, "load", json_pack("{s:I, s:s}", "for_ms", for_ms, "what", what));
	vrms_daemon_feed_tuner(daemon, (struct vrms_tuner_event){.kind = VRMS_TUNER_LOAD,
								 .value_ms = for_ms});
	return json_pack("{s:b, s:I}", "ok", 1, "need_ms", (json_int_t)daemon->need.token_ms);
}

static const struct {
	const char *name;
	json_t *(*answer)(struct vrms_daemon *daemon, const json_t *request);
} commands[] = {
    {"status", answer_status},
    {"tune", answer_tune},
    {"announce", answer_announce},
};

json_t *vrms_daemon_answer(void *context, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "command"));

	for (size_t i = 0; name != NULL && i < VRMS_COUNT_OF(commands); i++) {
		if (strcmp(commands[i].name, name) == 0) {
			return commands[i].answer(context, request);
		}
	}
	return refuse("no such command");
}
