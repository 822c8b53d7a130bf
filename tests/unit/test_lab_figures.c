/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/figures.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct vrms_figures_cut cut_of(int64_t membership_ms)
{
	struct vrms_figures_cut cut = {.token_ms = membership_ms / 2};

	for (int step = 0; step < VRMS_FIGURES_STEP_COUNT; step++) {
		cut.after_ms[step] = -1;
	}
	cut.after_ms[VRMS_FIGURES_MEMBERSHIP] = membership_ms;
	return cut;
}

static void add(struct vrms_figures *figures, enum vrms_figures_setting setting,
		int64_t membership_ms)
{
	struct vrms_figures_cut cut = cut_of(membership_ms);

	vrms_figures_add(figures, setting, &cut);
}

static int64_t median_of(const struct vrms_figures *figures)
{
	return vrms_figures_median_ms(figures, VRMS_FIGURES_TUNED, VRMS_FIGURES_MEMBERSHIP);
}

START_TEST(a_timeline_gives_the_first_of_each_step_and_the_last_guest)
{
	static const struct tm noon = {.tm_year = 126, .tm_mon = 0, .tm_mday = 1, .tm_hour = 12};
	struct vrms_timeline timeline;
	struct vrms_figures_cut cut;

	vrms_timeline_init(&timeline, &noon, 0, "node1");
	vrms_timeline_add(&timeline, VRMS_TIMELINE_MEMBERSHIP, 640, NULL, NULL);
	vrms_timeline_add(&timeline, VRMS_TIMELINE_FENCED, 900, "node1", NULL);
	vrms_timeline_add(&timeline, VRMS_TIMELINE_GUEST_LIVES, 2100, "vm2", "node2");
	vrms_timeline_add(&timeline, VRMS_TIMELINE_GUEST_LIVES, 1500, "vm1", "node3");
	vrms_figures_cut_read(&cut, &timeline, 300);
	ck_assert_int_eq(cut.token_ms, 300);
	ck_assert_int_eq(cut.after_ms[VRMS_FIGURES_MEMBERSHIP], 640);
	ck_assert_int_eq(cut.after_ms[VRMS_FIGURES_FENCED], 900);
	ck_assert_int_eq(cut.after_ms[VRMS_FIGURES_RUNNING], 2100);
	ck_assert_int_eq(cut.after_ms[VRMS_FIGURES_TOKEN_LOST], -1);
}
END_TEST

START_TEST(the_median_is_the_middle_one_or_the_mean_of_two)
{
	struct vrms_figures figures = {.node_count = 3};

	ck_assert_int_eq(median_of(&figures), -1);
	add(&figures, VRMS_FIGURES_TUNED, 900);
	add(&figures, VRMS_FIGURES_TUNED, 500);
	ck_assert_int_eq(median_of(&figures), 700);
	add(&figures, VRMS_FIGURES_TUNED, 600);
	ck_assert_int_eq(median_of(&figures), 600);
}
END_TEST

START_TEST(what_never_happened_counts_as_the_longest)
{
	struct vrms_figures figures = {.node_count = 3};

	add(&figures, VRMS_FIGURES_TUNED, 600);
	add(&figures, VRMS_FIGURES_TUNED, -1);
	ck_assert_int_eq(median_of(&figures), -1);
	add(&figures, VRMS_FIGURES_TUNED, 500);
	ck_assert_int_eq(median_of(&figures), 600);
}
END_TEST

static bool reaches(struct vrms_figures *figures, int64_t at_most_ms, double ratio_least)
{
	struct vrms_figures_goal goals[VRMS_FIGURES_GOALS_MAX];
	int count = vrms_figures_goals(figures, goals);

	for (int i = 0; i < count; i++) {
		if (goals[i].step == VRMS_FIGURES_MEMBERSHIP && goals[i].at_most_ms == at_most_ms &&
		    goals[i].ratio_least <= ratio_least && goals[i].ratio_least >= ratio_least) {
			return vrms_figures_is_reached(figures, &goals[i]);
		}
	}
	ck_abort_msg("no such goal: %d ms, %.0fx", (int)at_most_ms, ratio_least);
	return false;
}

START_TEST(goals_are_reached_at_the_limit_and_not_beyond_it)
{
	struct vrms_figures figures = {.node_count = 3};

	add(&figures, VRMS_FIGURES_DEFAULTS, 6400);
	ck_assert(!reaches(&figures, 800, 0)); /* nothing measured */
	add(&figures, VRMS_FIGURES_TUNED, 800);
	ck_assert(reaches(&figures, 800, 0));
	ck_assert(reaches(&figures, 0, 8));
	figures.cuts[VRMS_FIGURES_TUNED][0].after_ms[VRMS_FIGURES_MEMBERSHIP] = 801;
	ck_assert(!reaches(&figures, 800, 0));
	ck_assert(!reaches(&figures, 0, 8));
}
END_TEST

START_TEST(each_size_has_its_own_goals)
{
	struct vrms_figures_goal goals[VRMS_FIGURES_GOALS_MAX];
	struct vrms_figures small = {.node_count = 3, .vm_count = 6};
	struct vrms_figures large = {.node_count = 8};

	ck_assert_int_eq(vrms_figures_goals(&small, goals), 4);
	ck_assert_int_eq(goals[3].step, VRMS_FIGURES_RUNNING);
	ck_assert_int_eq(goals[3].at_most_ms, 3500);
	ck_assert_int_eq(vrms_figures_goals(&large, goals), 3);
	ck_assert(goals[1].ratio_least >= 15);
}
END_TEST

START_TEST(no_more_cuts_are_kept_than_there_is_room_for)
{
	struct vrms_figures figures = {.node_count = 3};

	for (int i = 0; i < VRMS_FIGURES_CUTS_MAX + 3; i++) {
		add(&figures, VRMS_FIGURES_TUNED, 600);
	}
	ck_assert_int_eq(figures.cut_count[VRMS_FIGURES_TUNED], VRMS_FIGURES_CUTS_MAX);
}
END_TEST

UNIT_MAIN("lab_figures", a_timeline_gives_the_first_of_each_step_and_the_last_guest,
	  the_median_is_the_middle_one_or_the_mean_of_two,
	  what_never_happened_counts_as_the_longest,
	  goals_are_reached_at_the_limit_and_not_beyond_it, each_size_has_its_own_goals,
	  no_more_cuts_are_kept_than_there_is_room_for)
