/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/report.h"

#include <math.h>
#include <string.h>

#define YEAR_US (365.25 * 86400e6)

/* Six digits are more than any figure deserves, and the same on every machine. */
static json_t *number(double value)
{
	double scale = value == 0 ? 1 : pow(10, 8 - ceil(log10(fabs(value))));

	return json_real(round(value * scale) / scale);
}

static json_t *quantiles(struct vrms_sim_series *series)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:I}", "p50_ms",
			 number(vrms_sim_series_quantile(series, 0.5)), "p90_ms",
			 number(vrms_sim_series_quantile(series, 0.9)), "p99_ms",
			 number(vrms_sim_series_quantile(series, 0.99)), "max_ms",
			 number(vrms_sim_series_quantile(series, 1)), "count",
			 (json_int_t)series->count);
}

/* Time between two moments of each host failure that had both; which: 0 detect ... 3 start. */
static json_t *phase(struct vrms_sim_record *record, int which, bool of_vms)
{
	struct vrms_sim_series series = {0};

	for (size_t i = 0; i < record->failure_count; i++) {
		const struct vrms_sim_failure *failure = &record->failure[i];
		const int64_t moments[] = {failure->at_us, failure->detected_us, failure->asked_us,
					   failure->fenced_us, failure->running_us};

		if ((failure->vm >= 0) == of_vms && moments[which] >= 0 &&
		    moments[which + 1] >= moments[which]) {
			vrms_sim_series_add(record, &series,
					    (double)(moments[which + 1] - moments[which]) / 1000);
		}
	}
	json_t *object = quantiles(&series);

	free(series.value);
	return object;
}

static json_t *balance(const struct vrms_sim_record *record)
{
	double max_over_mean = 0, cv = 0, jain = 0, gap = 0, worst = 0;
	int64_t count = 0;

	for (size_t i = 0; i < record->failure_count; i++) {
		const struct vrms_sim_failure *failure = &record->failure[i];

		if (failure->max_over_mean >= 0 && failure->vm < 0) {
			max_over_mean += failure->max_over_mean;
			cv += failure->cv;
			jain += failure->jain;
			gap += failure->gap;
			worst = fmax(worst, failure->max_over_mean);
			count++;
		}
	}
	double divisor = count > 0 ? (double)count : 1;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "max_over_mean",
			 number(max_over_mean / divisor), "cv", number(cv / divisor), "jain",
			 number(jain / divisor), "gap", number(gap / divisor),
			 "worst_max_over_mean", number(worst), "count", (json_int_t)count);
}

static json_t *fences(const struct vrms_sim_result *result)
{
	const struct vrms_sim_record *record = &result->record;
	double node_years = (double)result->simulated_us / YEAR_US * result->node_count;

	return json_pack("{s:I, s:I, s:o, s:I, s:I}", "count", (json_int_t)record->fences,
			 "needless", (json_int_t)record->needless_fences, "needless_per_node_year",
			 number((double)record->needless_fences / node_years), "failed",
			 (json_int_t)record->failed_fences, "refused",
			 (json_int_t)record->refused_fences);
}

static json_t *mistakes(struct vrms_sim_result *result)
{
	struct vrms_sim_record *record = &result->record;
	double node_years = (double)result->simulated_us / YEAR_US * result->node_count;
	json_t *duration = quantiles(&record->mistake_ms);

	return json_pack("{s:I, s:o, s:o, s:I}", "count", (json_int_t)record->mistakes,
			 "per_node_year", number((double)record->mistakes / node_years), "duration",
			 duration, "reformed", (json_int_t)record->reformed);
}

/* From one moment to the next; null where one of them did not come. */
static json_t *between(int64_t from_us, int64_t to_us)
{
	return from_us < 0 || to_us < from_us ? json_null()
					      : number((double)(to_us - from_us) / 1000);
}

/* The parts of split, of each failure that was noticed. */
static json_t *failures(const struct vrms_sim_record *record,
			const struct vrms_sim_scenario *scenario)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < record->failure_count; i++) {
		const struct vrms_sim_failure *failure = &record->failure[i];
		bool of_vm = failure->vm >= 0;

		if (failure->detected_us < 0) {
			continue;
		}
		json_array_append_new(
		    rows,
		    json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:i}", "time_s",
			      number((double)failure->at_us / 1e6), of_vm ? "vm" : "node",
			      of_vm ? scenario->vm[failure->vm].name
				    : scenario->node[failure->node].name,
			      "fault",
			      failure->fault < 0
				  ? ""
				  : vrms_sim_fault_word((enum vrms_sim_fault_kind)failure->fault),
			      "detect_ms", between(failure->at_us, failure->detected_us),
			      "decide_ms", between(failure->detected_us, failure->asked_us),
			      "fence_ms", between(failure->asked_us, failure->fenced_us),
			      "start_ms", between(failure->fenced_us, failure->running_us),
			      "recover_ms", between(failure->at_us, failure->running_us), "vms",
			      failure->vms));
	}
	return rows;
}

static json_t *membership(const struct vrms_sim_record *record)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < record->membership_count; i++) {
		const struct vrms_sim_membership *row = &record->membership[i];

		json_array_append_new(rows, json_pack("{s:o, s:i, s:b}", "time_s",
						      number((double)row->at_us / 1e6), "members",
						      row->members, "quorate", row->quorate));
	}
	return rows;
}

static json_t *rules(const struct vrms_sim_record *record)
{
	json_t *object = json_object();

	for (int i = 0; i < VRMS_SIM_RULE_COUNT; i++) {
		json_object_set_new(object, vrms_sim_rule_word((enum vrms_sim_rule)i),
				    json_integer(record->rule_count[i]));
	}
	return object;
}

static int64_t count_no_room(const struct vrms_sim_record *record)
{
	int64_t count = 0;

	for (size_t i = 0; i < record->failure_count; i++) {
		count += record->failure[i].no_room ? 1 : 0;
	}
	return count;
}

static json_t *split(struct vrms_sim_record *record)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "detect", phase(record, 0, false), "decide",
			 phase(record, 1, false), "fence", phase(record, 2, false), "start",
			 phase(record, 3, false));
}

static json_t *agreement(const struct vrms_sim_agreement *agreement)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "asked",
			 (json_int_t)agreement->asked, "differs",
			 (json_int_t)(agreement->fences + agreement->stops + agreement->starts +
				      agreement->places),
			 "fences", (json_int_t)agreement->fences, "stops",
			 (json_int_t)agreement->stops, "starts", (json_int_t)agreement->starts,
			 "places", (json_int_t)agreement->places, "first", agreement->first);
}

static json_t *load(const struct vrms_sim_load_record *record)
{
	double looks = record->looks > 0 ? (double)record->looks : 1;
	double nodes = record->nodes > 0 ? (double)record->nodes : 1;

	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "looks", (json_int_t)record->looks,
			 "mean", number(record->mean / looks), "max_over_mean",
			 number(record->max_over_mean / looks), "cv", number(record->cv / looks),
			 "jain", number(record->jain / looks), "peak", number(record->peak),
			 "overloaded", number((double)record->overloaded / nodes));
}

static json_t *token(const struct vrms_sim_result *result)
{
	const struct vrms_sim_record *record = &result->record;
	double span_us = (double)result->simulated_us;

	return json_pack("{s:o, s:o, s:o, s:I}", "mean_ms",
			 number(span_us > 0 ? record->token_sum / span_us / 1000 : 0), "min_ms",
			 number((double)record->token_us_min / 1000), "max_ms",
			 number((double)record->token_us_max / 1000), "changes",
			 (json_int_t)record->token_changes);
}

json_t *vrms_sim_report_json(const struct vrms_sim_scenario *scenario,
			     struct vrms_sim_result *result, double wall_s)
{
	struct vrms_sim_record *record = &result->record;
	json_t *figures =
	    json_pack("{s:o, s:o, s:o, s:{s:o, s:o}, s:I, s:o, s:I, s:I, s:o, s:o, s:I}", "detect",
		      phase(record, 0, false), "recover", quantiles(&record->recover_ms), "fence",
		      fences(result), "vm", "lost_s", number(result->vm_lost_s), "availability",
		      number(result->availability), "migrations", (json_int_t)record->migrations,
		      "balance", balance(record), "violations", (json_int_t)record->broken_count,
		      "events", (json_int_t)result->events, "sim_s",
		      number((double)result->simulated_us / 1e6), "wall_s",
		      wall_s < 0 ? json_null() : number(wall_s), "seed",
		      (json_int_t)scenario->settings.seed);

	if (figures == NULL) {
		return NULL;
	}
	json_object_set_new(figures, "membership", membership(record));
	json_object_set_new(figures, "split", split(record));
	json_object_set_new(figures, "noticed", failures(record, scenario));
	json_object_set_new(figures, "vm_detect", phase(record, 0, true));
	json_object_set_new(figures, "mistakes", mistakes(result));
	json_object_set_new(figures, "rules", rules(record));
	json_object_set_new(figures, "n_plus_k_violations", json_integer(count_no_room(record)));
	json_object_set_new(figures, "starts", json_integer(record->starts));
	json_object_set_new(figures, "failed_starts", json_integer(record->failed_starts));
	json_object_set_new(figures, "token", token(result));
	json_object_set_new(figures, "load", load(&record->load));
	json_object_set_new(figures, "policy", agreement(&record->agreement));
	json_object_set_new(figures, "quorum_losses", json_integer(record->quorum_losses));
	json_object_set_new(figures, "failures", json_integer((json_int_t)record->failure_count));
	json_object_set_new(figures, "nodes", json_integer(result->node_count));
	json_object_set_new(figures, "vms", json_integer(result->vm_count));
	json_object_set_new(figures, "skipped_lines", json_integer(scenario->skipped_lines));
	return figures;
}
