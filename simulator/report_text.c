/* report_text.c - the figures for a terminal.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include <string.h>

#include "simulator/report.h"

enum { FAILURES_SHOWN = 3 };

static double figure(const json_t *figures, const char *object, const char *key)
{
	return json_number_value(json_object_get(json_object_get(figures, object), key));
}

static void print_quantiles(FILE *out, const char *label, const json_t *row)
{
	fprintf(out, "  %-28s %10.3f %10.3f %10.3f %10.3f %8.0f\n", label,
		json_number_value(json_object_get(row, "p50_ms")) / 1000,
		json_number_value(json_object_get(row, "p90_ms")) / 1000,
		json_number_value(json_object_get(row, "p99_ms")) / 1000,
		json_number_value(json_object_get(row, "max_ms")) / 1000,
		json_number_value(json_object_get(row, "count")));
}

static void print_times(FILE *out, const json_t *figures)
{
	const json_t *split = json_object_get(figures, "split");

	fprintf(out, "  %-28s %10s %10s %10s %10s %8s\n", "seconds", "p50", "p90", "p99", "max",
		"count");
	print_quantiles(out, "host lost: noticed", json_object_get(figures, "detect"));
	print_quantiles(out, "  then fence asked for", json_object_get(split, "decide"));
	print_quantiles(out, "  then fenced", json_object_get(split, "fence"));
	print_quantiles(out, "  then all VMs running", json_object_get(split, "start"));
	print_quantiles(out, "cut to VM running", json_object_get(figures, "recover"));
	print_quantiles(out, "VM failed: noticed", json_object_get(figures, "vm_detect"));
}

static void print_one_step(FILE *out, const struct vrms_sim_scenario *scenario,
			   const struct vrms_sim_step *step, int64_t from_us)
{
	fprintf(out, "  %+12.3f s  %s", (double)(step->at_us - from_us) / 1e6,
		vrms_sim_step_text((enum vrms_sim_step_kind)step->kind));
	if (step->kind == VRMS_SIM_STEP_FAULT) {
		fprintf(out, " %s", vrms_sim_fault_word((enum vrms_sim_fault_kind)step->fault));
	}
	if (step->kind == VRMS_SIM_STEP_MEMBERSHIP) {
		fprintf(out, " of %d", step->detail);
	} else if (step->kind == VRMS_SIM_STEP_TOKEN) {
		fprintf(out, " to %d ms", step->detail);
	} else if (step->vm >= 0) {
		fprintf(out, " %s", scenario->vm[step->vm].name);
	}
	if (step->node >= 0 && step->kind != VRMS_SIM_STEP_MEMBERSHIP) {
		fprintf(out, " %s", scenario->node[step->node].name);
	}
	fputc('\n', out);
}

/* The first failures, step by step. */
static void print_failures(FILE *out, const struct vrms_sim_scenario *scenario,
			   const struct vrms_sim_record *record)
{
	int shown = 0;
	int64_t from_us = 0;

	for (size_t i = 0; i < record->step_count; i++) {
		const struct vrms_sim_step *step = &record->step[i];

		if (step->kind == VRMS_SIM_STEP_FAULT) {
			if (++shown > FAILURES_SHOWN) {
				return;
			}
			from_us = step->at_us;
			fprintf(out, "\nat %.3f s\n", (double)from_us / 1e6);
		}
		if (shown > 0) {
			print_one_step(out, scenario, step, from_us);
		}
	}
}

static void print_rules(FILE *out, const struct vrms_sim_scenario *scenario,
			const struct vrms_sim_record *record)
{
	for (int64_t i = 0; i < record->broken_count && i < (int64_t)VRMS_COUNT_OF(record->broken);
	     i++) {
		const struct vrms_sim_broken *broken = &record->broken[i];

		fprintf(out, "  RULE BROKEN at %.3f s: %s", (double)broken->at_us / 1e6,
			vrms_sim_rule_text((enum vrms_sim_rule)broken->rule));
		if (broken->vm >= 0) {
			fprintf(out, ": %s", scenario->vm[broken->vm].name);
		}
		if (broken->node >= 0) {
			fprintf(out, " on %s", scenario->node[broken->node].name);
		}
		fputc('\n', out);
	}
}

void vrms_sim_report_text(FILE *out, const struct vrms_sim_scenario *scenario,
			  const struct vrms_sim_result *result, const json_t *figures)
{
	const struct vrms_sim_record *record = &result->record;

	fprintf(out, "%d nodes, %d VMs, %.6g s simulated, %zu failures, seed %" PRId64 "\n",
		result->node_count, result->vm_count, (double)result->simulated_us / 1e6,
		record->failure_count, scenario->settings.seed);
	if (scenario->skipped_lines > 0) {
		fprintf(out, "%" PRId64 " broken lines were skipped\n", scenario->skipped_lines);
	}
	print_times(out, figures);
	fprintf(out,
		"  fences %" PRId64 ", needless %" PRId64
		" (%.3g per node and year), refused %" PRId64 ", failed %" PRId64 "\n",
		record->fences, record->needless_fences,
		figure(figures, "fence", "needless_per_node_year"), record->refused_fences,
		record->failed_fences);
	fprintf(out,
		"  live nodes lost by mistake %" PRId64 ", rings formed again %" PRId64
		", quorum lost %" PRId64 " times\n",
		record->mistakes, record->reformed, record->quorum_losses);
	fprintf(out, "  VMs out of service %.1f s, availability %.6f, migrations %" PRId64 "\n",
		result->vm_lost_s, result->availability, record->migrations);
	fprintf(out,
		"  load after a failure: highest over mean %.3f, variation %.3f, Jain %.3f, above "
		"the bound %.1f %%\n",
		figure(figures, "balance", "max_over_mean"), figure(figures, "balance", "cv"),
		figure(figures, "balance", "jain"), figure(figures, "balance", "gap") * 100);
	fprintf(out, "  failures that left a VM without a host: %.0f\n",
		json_number_value(json_object_get(figures, "n_plus_k_violations")));
	if (record->load.looks > 0) {
		fprintf(out,
			"  CPU over time: mean %.1f %%, highest over mean %.3f, variation %.3f, "
			"Jain %.3f, peak %.1f %%, overloaded %.2f %% of the time\n",
			figure(figures, "load", "mean") * 100,
			figure(figures, "load", "max_over_mean"), figure(figures, "load", "cv"),
			figure(figures, "load", "jain"), figure(figures, "load", "peak") * 100,
			figure(figures, "load", "overloaded") * 100);
	}
	if (record->token_changes > 0) {
		fprintf(out, "  token: mean %.0f ms, %.0f to %.0f ms, changed %" PRId64 " times\n",
			figure(figures, "token", "mean_ms"), figure(figures, "token", "min_ms"),
			figure(figures, "token", "max_ms"), record->token_changes);
	}
	if (record->agreement.asked > 0) {
		const struct vrms_sim_agreement *agreement = &record->agreement;

		fprintf(out,
			"  Pacemaker's scheduler was asked %" PRId64
			" times; the model had other fences %" PRId64 ", stops %" PRId64
			", starts %" PRId64 ", places %" PRId64 "%s%s\n",
			agreement->asked, agreement->fences, agreement->stops, agreement->starts,
			agreement->places, agreement->first[0] == '\0' ? "" : "; first ",
			agreement->first);
	}
	print_rules(out, scenario, record);
	print_failures(out, scenario, record);
}
