/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Both settings side by side, for people and for programs.
 */
#include <stdio.h>

#include "lab/demo_run.h"

static void print_seconds(FILE *out, int width, int64_t ms)
{
	if (ms < 0) {
		fprintf(out, "%*s", width, "never");
	} else {
		fprintf(out, "%*.2f s", width - 2, (double)ms / 1000);
	}
}

void vrms_demo_show_cut(const struct vrms_demo_style *style, const struct vrms_figures *figures,
			const struct vrms_figures_cut *cut)
{
	if (style->out == NULL) {
		return;
	}
	fprintf(style->out, "  token %lld ms:", (long long)cut->token_ms);
	for (int step = 0; step < VRMS_FIGURES_STEP_COUNT; step++) {
		if (step == VRMS_FIGURES_RUNNING && figures->vm_count == 0) {
			continue;
		}
		/* "cut to fenced" reads "fenced" here. */
		fprintf(style->out, "  %s", vrms_figures_step_text(step) + sizeof("cut to"));
		print_seconds(style->out, 8, cut->after_ms[step]);
	}
	fputs(cut->is_dc ? "  (the DC)\n" : "\n", style->out);
	fflush(style->out);
}

static void print_goals(FILE *out, const struct vrms_figures *figures, int step)
{
	struct vrms_figures_goal goals[VRMS_FIGURES_GOALS_MAX];
	int count = vrms_figures_goals(figures, goals);
	const char *before = "  ";

	for (int i = 0; i < count; i++) {
		if ((int)goals[i].step != step) {
			continue;
		}
		if (goals[i].at_most_ms > 0) {
			fprintf(out, "%sat most %.1f s", before,
				(double)goals[i].at_most_ms / 1000);
		} else {
			fprintf(out, "%sat least %.0fx", before, goals[i].ratio_least);
		}
		fputs(vrms_figures_is_reached(figures, &goals[i]) ? ": reached" : ": NOT REACHED",
		      out);
		before = ", ";
	}
}

static void print_row(FILE *out, const struct vrms_figures *figures, int step)
{
	double ratio = vrms_figures_ratio(figures, step);

	fprintf(out, "  %-28s", vrms_figures_step_text(step));
	for (int setting = 0; setting < VRMS_FIGURES_SETTING_COUNT; setting++) {
		print_seconds(out, 20, vrms_figures_median_ms(figures, setting, step));
	}
	if (ratio > 0) {
		fprintf(out, "%8.1fx", ratio);
	} else {
		fprintf(out, "%9s", "-");
	}
	print_goals(out, figures, step);
	fputc('\n', out);
}

void vrms_demo_show_figures(const struct vrms_demo_style *style, const struct vrms_figures *figures)
{
	FILE *out = style->out;

	if (out == NULL) {
		return;
	}
	fprintf(out, "  %d nodes, ", figures->node_count);
	if (figures->vm_count > 0) {
		fprintf(out, "%d VMs; ", figures->vm_count);
	} else {
		fputs("no VMs; ", out);
	}
	fprintf(out, "medians of %d and %d power cuts\n", figures->cut_count[VRMS_FIGURES_DEFAULTS],
		figures->cut_count[VRMS_FIGURES_TUNED]);
	fprintf(out, "  %-28s", "");
	for (int setting = 0; setting < VRMS_FIGURES_SETTING_COUNT; setting++) {
		fprintf(out, "%20s", vrms_figures_setting_text(setting));
	}
	fprintf(out, "%9s  goal for vrmsd\n  %-28s", "sooner", "token");
	for (int setting = 0; setting < VRMS_FIGURES_SETTING_COUNT; setting++) {
		fprintf(out, "%17lld ms",
			(long long)vrms_figures_median_token_ms(figures, setting));
	}
	fputc('\n', out);
	for (int step = 0; step < VRMS_FIGURES_STEP_COUNT; step++) {
		if (step != VRMS_FIGURES_RUNNING || figures->vm_count > 0) {
			print_row(out, figures, step);
		}
	}
	fputc('\n', out);
	fflush(out);
}

static json_t *json_ms(int64_t ms)
{
	return ms >= 0 ? json_integer(ms) : json_null();
}

static json_t *json_setting(const struct vrms_figures *figures, int setting)
{
	json_t *object = json_object();

	json_object_set_new(object, "cuts", json_integer(figures->cut_count[setting]));
	json_object_set_new(object, "token_ms",
			    json_ms(vrms_figures_median_token_ms(figures, setting)));
	for (int step = 0; step < VRMS_FIGURES_STEP_COUNT; step++) {
		json_object_set_new(object, vrms_figures_step_word(step),
				    json_ms(vrms_figures_median_ms(figures, setting, step)));
	}
	return object;
}

json_t *vrms_demo_json_figures(const struct vrms_figures *figures)
{
	struct vrms_figures_goal goals[VRMS_FIGURES_GOALS_MAX];
	int count = vrms_figures_goals(figures, goals);
	json_t *object =
	    json_pack("{s:i, s:i}", "nodes", figures->node_count, "vms", figures->vm_count);
	json_t *list = json_array();

	for (int setting = 0; setting < VRMS_FIGURES_SETTING_COUNT; setting++) {
		json_object_set_new(object, vrms_figures_setting_word(setting),
				    json_setting(figures, setting));
	}
	for (int i = 0; i < count; i++) {
		json_t *goal =
		    json_pack("{s:s, s:b}", "step", vrms_figures_step_word(goals[i].step),
			      "reached", vrms_figures_is_reached(figures, &goals[i]));

		if (goals[i].at_most_ms > 0) {
			json_object_set_new(goal, "at_most_ms", json_integer(goals[i].at_most_ms));
		} else {
			json_object_set_new(goal, "ratio_least", json_real(goals[i].ratio_least));
		}
		json_array_append_new(list, goal);
	}
	json_object_set_new(object, "goals", list);
	return object;
}
