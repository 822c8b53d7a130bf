/* figures.h - what several power cuts took, under Corosync's defaults and under vrmsd: medians,
 * ratios, goals.
 *
 * Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_FIGURES_H
#define VRMS_LAB_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "lab/timeline.h"

enum { VRMS_FIGURES_CUTS_MAX = 64 };

/* X(NAME, "word for programs", "for people") */
#define VRMS_FIGURES_SETTINGS(X)                       \
	X(DEFAULTS, "defaults", "Corosync's defaults") \
	X(TUNED, "vrmsd", "vrmsd")

#define VRMS_FIGURES_SETTING_ENUM(name, word, text) VRMS_FIGURES_##name,
enum vrms_figures_setting {
	VRMS_FIGURES_SETTINGS(VRMS_FIGURES_SETTING_ENUM) VRMS_FIGURES_SETTING_COUNT
};
#undef VRMS_FIGURES_SETTING_ENUM

/* Milliseconds from the cut to ... */
#define VRMS_FIGURES_STEPS(X)                                        \
	X(TOKEN_LOST, "token_lost_ms", "cut to token lost")          \
	X(MEMBERSHIP, "membership_ms", "cut to new membership")      \
	X(FENCE_ASKED, "fence_asked_ms", "cut to fencing asked for") \
	X(FENCED, "fenced_ms", "cut to fenced")                      \
	X(RUNNING, "running_ms", "cut to all VMs running")

#define VRMS_FIGURES_STEP_ENUM(name, word, text) VRMS_FIGURES_##name,
enum vrms_figures_step { VRMS_FIGURES_STEPS(VRMS_FIGURES_STEP_ENUM) VRMS_FIGURES_STEP_COUNT };
#undef VRMS_FIGURES_STEP_ENUM

const char *vrms_figures_setting_word(enum vrms_figures_setting setting);
const char *vrms_figures_setting_text(enum vrms_figures_setting setting);
const char *vrms_figures_step_word(enum vrms_figures_step step);
const char *vrms_figures_step_text(enum vrms_figures_step step);

struct vrms_figures_cut {
	int64_t token_ms;                          /* in force at the cut */
	bool is_dc;                                /* of the DC: an election comes first */
	int64_t after_ms[VRMS_FIGURES_STEP_COUNT]; /* -1: it did not happen */
};

/* All cuts of one cluster. */
struct vrms_figures {
	int node_count, vm_count;
	int cut_count[VRMS_FIGURES_SETTING_COUNT];
	struct vrms_figures_cut cuts[VRMS_FIGURES_SETTING_COUNT][VRMS_FIGURES_CUTS_MAX];
};

/* What a timeline says.  With no VM in it, RUNNING has not happened. */
void vrms_figures_cut_read(struct vrms_figures_cut *cut, const struct vrms_timeline *timeline,
			   int64_t token_ms);

/* Takes one more cut in; those beyond VRMS_FIGURES_CUTS_MAX are ignored. */
void vrms_figures_add(struct vrms_figures *figures, enum vrms_figures_setting setting,
		      const struct vrms_figures_cut *cut);

/* The median over the cuts (of an even number, the mean of the middle two); one in which the step
 * did not happen counts as the longest.  -1: none, or too many of those. */
int64_t vrms_figures_median_ms(const struct vrms_figures *figures,
			       enum vrms_figures_setting setting, enum vrms_figures_step step);
int64_t vrms_figures_median_token_ms(const struct vrms_figures *figures,
				     enum vrms_figures_setting setting);

/* How many times sooner with vrmsd; 0 when either is unknown. */
double vrms_figures_ratio(const struct vrms_figures *figures, enum vrms_figures_step step);

struct vrms_figures_goal {
	enum vrms_figures_step step;
	int node_count;     /* of clusters of this size; 0: of all */
	int64_t at_most_ms; /* 0: no such goal */
	double ratio_least; /* 0: no such goal */
};

/* The goals for clusters of this size; returns how many.
 *
 * goals: room for VRMS_FIGURES_GOALS_MAX.
 */
enum { VRMS_FIGURES_GOALS_MAX = 8 };
int vrms_figures_goals(const struct vrms_figures *figures,
		       struct vrms_figures_goal goals[VRMS_FIGURES_GOALS_MAX]);

/* Has vrmsd's median reached it? */
bool vrms_figures_is_reached(const struct vrms_figures *figures,
			     const struct vrms_figures_goal *goal);

#endif
