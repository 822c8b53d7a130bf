/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/figures.h"

#include <stdlib.h>

#define WORD(name, word, text) word,
#define TEXT(name, word, text) text,
static const char *const setting_words[] = {VRMS_FIGURES_SETTINGS(WORD)};
static const char *const setting_texts[] = {VRMS_FIGURES_SETTINGS(TEXT)};
static const char *const step_words[] = {VRMS_FIGURES_STEPS(WORD)};
static const char *const step_texts[] = {VRMS_FIGURES_STEPS(TEXT)};

/* Where a step is found in a timeline; RUNNING is the last guest that lives. */
static const enum vrms_timeline_kind kinds[VRMS_FIGURES_STEP_COUNT] = {
    [VRMS_FIGURES_TOKEN_LOST] = VRMS_TIMELINE_TOKEN_LOST,
    [VRMS_FIGURES_MEMBERSHIP] = VRMS_TIMELINE_MEMBERSHIP,
    [VRMS_FIGURES_FENCE_ASKED] = VRMS_TIMELINE_FENCE_ASKED,
    [VRMS_FIGURES_FENCED] = VRMS_TIMELINE_FENCED,
    [VRMS_FIGURES_RUNNING] = VRMS_TIMELINE_GUEST_LIVES,
};

static const struct vrms_figures_goal all_goals[] = {
    {VRMS_FIGURES_MEMBERSHIP, 0, 800, 0}, {VRMS_FIGURES_MEMBERSHIP, 3, 0, 8},
    {VRMS_FIGURES_MEMBERSHIP, 8, 0, 15},  {VRMS_FIGURES_FENCED, 0, 1500, 0},
    {VRMS_FIGURES_RUNNING, 0, 3500, 0},
};

const char *vrms_figures_setting_word(enum vrms_figures_setting setting)
{
	return setting_words[setting];
}

const char *vrms_figures_setting_text(enum vrms_figures_setting setting)
{
	return setting_texts[setting];
}

const char *vrms_figures_step_word(enum vrms_figures_step step)
{
	return step_words[step];
}

const char *vrms_figures_step_text(enum vrms_figures_step step)
{
	return step_texts[step];
}

void vrms_figures_cut_read(struct vrms_figures_cut *cut, const struct vrms_timeline *timeline,
			   int64_t token_ms)
{
	cut->token_ms = token_ms;
	cut->is_dc = false;
	for (int step = 0; step < VRMS_FIGURES_STEP_COUNT; step++) {
		cut->after_ms[step] = -1;
	}
	for (size_t i = 0; i < timeline->count; i++) { /* in order of time */
		const struct vrms_timeline_event *event = &timeline->events[i];

		for (int step = 0; step < VRMS_FIGURES_STEP_COUNT; step++) {
			bool is_first = cut->after_ms[step] < 0;

			if (kinds[step] == event->kind &&
			    (is_first || step == VRMS_FIGURES_RUNNING)) {
				cut->after_ms[step] = event->after_ms;
			}
		}
	}
}

void vrms_figures_add(struct vrms_figures *figures, enum vrms_figures_setting setting,
		      const struct vrms_figures_cut *cut)
{
	int *count = &figures->cut_count[setting];

	if (*count < VRMS_FIGURES_CUTS_MAX) {
		figures->cuts[setting][(*count)++] = *cut;
	}
}

static int compare(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

static int64_t median(int64_t *values, int count)
{
	if (count == 0) {
		return -1;
	}
	qsort(values, (size_t)count, sizeof(values[0]), compare);
	int64_t low = values[(count - 1) / 2], high = values[count / 2];

	return high == INT64_MAX ? -1 : (low + high) / 2;
}

int64_t vrms_figures_median_ms(const struct vrms_figures *figures,
			       enum vrms_figures_setting setting, enum vrms_figures_step step)
{
	int64_t values[VRMS_FIGURES_CUTS_MAX];

	for (int i = 0; i < figures->cut_count[setting]; i++) {
		int64_t ms = figures->cuts[setting][i].after_ms[step];

		values[i] = ms < 0 ? INT64_MAX : ms;
	}
	return median(values, figures->cut_count[setting]);
}

int64_t vrms_figures_median_token_ms(const struct vrms_figures *figures,
				     enum vrms_figures_setting setting)
{
	int64_t values[VRMS_FIGURES_CUTS_MAX];

	for (int i = 0; i < figures->cut_count[setting]; i++) {
		values[i] = figures->cuts[setting][i].token_ms;
	}
	return median(values, figures->cut_count[setting]);
}

double vrms_figures_ratio(const struct vrms_figures *figures, enum vrms_figures_step step)
{
	int64_t defaults_ms = vrms_figures_median_ms(figures, VRMS_FIGURES_DEFAULTS, step);
	int64_t tuned_ms = vrms_figures_median_ms(figures, VRMS_FIGURES_TUNED, step);

	return defaults_ms > 0 && tuned_ms > 0 ? (double)defaults_ms / (double)tuned_ms : 0;
}

int vrms_figures_goals(const struct vrms_figures *figures,
		       struct vrms_figures_goal goals[VRMS_FIGURES_GOALS_MAX])
{
	int count = 0;

	for (size_t i = 0; i < sizeof(all_goals) / sizeof(all_goals[0]); i++) {
		const struct vrms_figures_goal *goal = &all_goals[i];
		bool is_for_size = goal->node_count == 0 || goal->node_count == figures->node_count;
		bool is_about_vms = goal->step == VRMS_FIGURES_RUNNING;

		if (is_for_size && (figures->vm_count > 0 || !is_about_vms)) {
			goals[count++] = *goal;
		}
	}
	return count;
}

bool vrms_figures_is_reached(const struct vrms_figures *figures,
			     const struct vrms_figures_goal *goal)
{
	int64_t ms = vrms_figures_median_ms(figures, VRMS_FIGURES_TUNED, goal->step);
	double ratio = vrms_figures_ratio(figures, goal->step);

	return ms >= 0 && (goal->at_most_ms == 0 || ms <= goal->at_most_ms) &&
	       (goal->ratio_least <= 0 || ratio >= goal->ratio_least);
}
