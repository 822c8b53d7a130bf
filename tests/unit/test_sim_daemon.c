/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/sim.h"

#include <string.h>

#include "tests/unit/sim_help.h"
#include "tests/unit/unit.h"

#define TUNED                                                                       \
	"cluster.nodes=3 vm.count=3 cluster.token_coefficient=0 vrmsd.enabled=yes " \
	"vrmsd.tuner=yes "

/* The last token of the cluster at a moment; the configured one before the first change. */
static int token_at(const struct vrms_sim_result *result, int64_t at_s)
{
	int token_ms = 3000;

	for (size_t i = 0; i < result->record.step_count; i++) {
		const struct vrms_sim_step *step = &result->record.step[i];

		if (step->kind == VRMS_SIM_STEP_TOKEN && step->at_us <= at_s * 1000000) {
			token_ms = step->detail;
		}
	}
	return token_ms;
}

START_TEST(a_quiet_cluster_comes_down_to_the_floor)
{
	struct vrms_sim_scenario scenario;
	struct vrms_sim_result result;

	sim_make(&scenario, TUNED "run.duration=600s vrmsd.token_floor=250ms");
	sim_run(&scenario, false, &result);
	ck_assert_int_eq(token_at(&result, 40), 3000);
	ck_assert_int_eq(token_at(&result, 600), 250);
	ck_assert_int_eq(result.record.token_us_min, 250000);
	vrms_sim_result_done(&result);
}
END_TEST

START_TEST(the_ladder_halves_at_most)
{
	struct vrms_sim_scenario scenario;
	struct vrms_sim_result result;
	int last_ms = 3000;

	sim_make(&scenario, TUNED "run.duration=600s");
	sim_run(&scenario, false, &result);
	for (size_t i = 0; i < result.record.step_count; i++) {
		if (result.record.step[i].kind == VRMS_SIM_STEP_TOKEN) {
			ck_assert_int_ge(result.record.step[i].detail * 2, last_ms);
			last_ms = result.record.step[i].detail;
		}
	}
	vrms_sim_result_done(&result);
}
END_TEST

START_TEST(a_death_is_noticed_by_the_token_in_force)
{
	struct vrms_sim_result result[2];

	for (int tuned = 0; tuned < 2; tuned++) {
		struct vrms_sim_scenario scenario;

		sim_make(&scenario, TUNED);
		scenario.settings.tuner = tuned != 0;
		sim_fault(&scenario, 600000, VRMS_SIM_FAULT_CRASH, 2, 0);
		sim_run(&scenario, false, &result[tuned]);
	}
	int64_t fixed_ms = sim_when(&result[0], VRMS_SIM_STEP_MEMBERSHIP, -1, -1) - 600000;
	int64_t tuned_ms = sim_when(&result[1], VRMS_SIM_STEP_MEMBERSHIP, -1, -1) - 600000;

	ck_assert_int_ge(fixed_ms, 6000);
	ck_assert_int_le(tuned_ms, 500);
	ck_assert_int_ge(tuned_ms, 400);
	vrms_sim_result_done(&result[0]);
	vrms_sim_result_done(&result[1]);
}
END_TEST

START_TEST(announced_load_lengthens_the_token_ahead_and_for_its_time)
{
	struct vrms_sim_scenario scenario;
	struct vrms_sim_result result;

	sim_make(&scenario, TUNED "run.duration=2000s vrmsd.token_load_floor=1s");
	sim_fault(&scenario, 600000, VRMS_SIM_FAULT_ANNOUNCE, 1, 300000);
	sim_run(&scenario, false, &result);
	ck_assert_int_eq(token_at(&result, 599), 200);
	ck_assert_int_eq(token_at(&result, 603), 1000);
	ck_assert_int_eq(token_at(&result, 890), 1000);
	ck_assert_int_eq(token_at(&result, 1000), 200);
	vrms_sim_result_done(&result);
}
END_TEST

START_TEST(a_stall_lengthens_the_token_when_it_is_over)
{
	struct vrms_sim_scenario scenario;
	struct vrms_sim_result result;

	sim_make(&scenario, TUNED "run.duration=700s");
	sim_fault(&scenario, 600000, VRMS_SIM_FAULT_FREEZE, 1, 150);
	sim_run(&scenario, false, &result);
	ck_assert_int_eq(token_at(&result, 599), 200);
	ck_assert_int_ge(token_at(&result, 610), 150 * 5 / 4);
	ck_assert_int_eq(result.record.mistakes, 0);
	vrms_sim_result_done(&result);
}
END_TEST

/* A node that was lost although it lived: the configured token for an hour. */
START_TEST(a_mistake_brings_the_configured_token_back)
{
	struct vrms_sim_scenario scenario;
	struct vrms_sim_result result;

	sim_make(&scenario, TUNED "run.duration=900s vrmsd.silent_count=15");
	sim_fault(&scenario, 600000, VRMS_SIM_FAULT_FREEZE, 1, 700);
	sim_run(&scenario, false, &result);
	ck_assert_int_eq(result.record.mistakes + (int64_t)result.record.failure_count, 1);
	ck_assert_int_eq(result.record.refused_fences, 1);
	ck_assert_int_eq(token_at(&result, 800), 3000);
	vrms_sim_result_done(&result);
}
END_TEST

START_TEST(two_links_keep_the_token_long_enough_for_knet)
{
	struct vrms_sim_scenario scenario;
	struct vrms_sim_result result;

	sim_make(&scenario, TUNED "run.duration=600s cluster.links=2");
	sim_run(&scenario, false, &result);
	ck_assert_int_ge(token_at(&result, 600), 3000 * 3 / 8);
	vrms_sim_result_done(&result);
}
END_TEST

START_TEST(one_seed_gives_one_series_of_tokens_also_step_by_step)
{
	struct vrms_sim_result result[2];

	for (int exact = 0; exact < 2; exact++) {
		struct vrms_sim_scenario scenario;

		sim_make(&scenario, TUNED "run.duration=400s cluster.jitter=100us");
		for (int i = 0; i < 40; i++) {
			sim_fault(&scenario, 150000 + 5011 * i, VRMS_SIM_FAULT_FREEZE, i % 3,
				  20 + 17 * i);
		}
		sim_run(&scenario, exact != 0, &result[exact]);
	}
	ck_assert_int_eq(result[0].record.token_changes, result[1].record.token_changes);
	ck_assert_int_gt(result[0].record.token_changes, 0);
	ck_assert_uint_eq(result[0].record.step_count, result[1].record.step_count);
	for (size_t i = 0; i < result[0].record.step_count; i++) {
		ck_assert(sim_same_step(&result[0].record.step[i], &result[1].record.step[i]));
	}
	vrms_sim_result_done(&result[0]);
	vrms_sim_result_done(&result[1]);
}
END_TEST

START_TEST(more_nodes_than_the_cores_know_are_refused)
{
	struct vrms_sim_scenario scenario;
	struct vrms_error error = {""};

	sim_make(&scenario, "cluster.nodes=65 vrmsd.enabled=yes vrmsd.tuner=yes");
	ck_assert_int_lt(vrms_sim_scenario_complete(&scenario, &error), 0);
	ck_assert_ptr_nonnull(strstr(error.text, "65 nodes"));
	vrms_sim_scenario_done(&scenario);
}
END_TEST

UNIT_MAIN("sim_daemon", a_quiet_cluster_comes_down_to_the_floor, the_ladder_halves_at_most,
	  a_death_is_noticed_by_the_token_in_force,
	  announced_load_lengthens_the_token_ahead_and_for_its_time,
	  a_stall_lengthens_the_token_when_it_is_over, a_mistake_brings_the_configured_token_back,
	  two_links_keep_the_token_long_enough_for_knet,
	  one_seed_gives_one_series_of_tokens_also_step_by_step,
	  more_nodes_than_the_cores_know_are_refused)
