/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/sim.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/random.h"
#include "tests/unit/sim_help.h"
#include "tests/unit/unit.h"

/* Cut to new membership, median of `runs` power cuts at different moments, in seconds. */
static double membership_s(const char *settings, int runs)
{
	struct vrms_sim_record record = {0};
	struct vrms_sim_series series = {0};

	for (int i = 0; i < runs; i++) {
		struct vrms_sim_scenario scenario;
		struct vrms_sim_result result;

		sim_make(&scenario, settings);
		scenario.settings.seed = i + 1;
		sim_fault(&scenario, 60000 + 37 * i, VRMS_SIM_FAULT_CRASH, 1, 0);
		sim_run(&scenario, false, &result);
		const struct vrms_sim_failure *failure = &result.record.failure[0];

		ck_assert_int_ge(failure->detected_us, 0);
		vrms_sim_series_add(&record, &series,
				    (double)(failure->detected_us - failure->at_us) / 1e6);
		vrms_sim_result_done(&result);
	}
	double median = vrms_sim_series_quantile(&series, 0.5);

	free(series.value);
	return median;
}

START_TEST(memberships_come_when_they_were_measured)
{
	static const struct {
		const char *settings;
		double measured_s;
	} gate[] = {
	    {"cluster.nodes=3", 7.95},
	    {"cluster.nodes=5", 10.3},
	    {"cluster.nodes=8", 14.6},
	    {"cluster.nodes=16", 25.9},
	    {"cluster.nodes=3 cluster.token=1s cluster.token_coefficient=0", 2.13},
	    {"cluster.nodes=3 cluster.token=300ms cluster.token_coefficient=0", 0.65},
	    {"cluster.nodes=8 cluster.token=300ms cluster.token_coefficient=0", 0.63},
	    {"cluster.nodes=3 cluster.token=150ms cluster.token_coefficient=0", 0.33},
	    {"cluster.nodes=2 cluster.token=5s cluster.consensus=6s cluster.token_retransmits=10 "
	     "cluster.auto_tie_breaker=yes",
	     11.10},
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(gate); i++) {
		double simulated_s = membership_s(gate[i].settings, 21);

		printf("%-60.60s measured %5.2f s, simulated %5.2f s (%+.1f %%)\n",
		       gate[i].settings, gate[i].measured_s, simulated_s,
		       (simulated_s / gate[i].measured_s - 1) * 100);
		ck_assert_double_lt(fabs(simulated_s / gate[i].measured_s - 1), 0.10);
	}
}
END_TEST

/* Everything a result says but the number of events. */
static void ck_same(const struct vrms_sim_result *one, const struct vrms_sim_result *other)
{
	ck_assert_uint_eq(one->record.step_count, other->record.step_count);
	for (size_t i = 0; i < one->record.step_count; i++) {
		const struct vrms_sim_step *a = &one->record.step[i], *b = &other->record.step[i];

		ck_assert_msg(sim_same_step(a, b), "step %zu: %s at %lld, %s at %lld", i,
			      vrms_sim_step_text((enum vrms_sim_step_kind)a->kind),
			      (long long)a->at_us,
			      vrms_sim_step_text((enum vrms_sim_step_kind)b->kind),
			      (long long)b->at_us);
	}
	ck_assert_int_eq(one->record.lost_us, other->record.lost_us);
	ck_assert_uint_eq(one->record.membership_count, other->record.membership_count);
}

static void compare_modes(const char *settings, int seed)
{
	static const enum vrms_sim_fault_kind kinds[] = {
	    VRMS_SIM_FAULT_CRASH,   VRMS_SIM_FAULT_FREEZE,        VRMS_SIM_FAULT_FREEZE,
	    VRMS_SIM_FAULT_FREEZE,  VRMS_SIM_FAULT_KILL_COROSYNC, VRMS_SIM_FAULT_VM_CRASH,
	    VRMS_SIM_FAULT_ISOLATE, VRMS_SIM_FAULT_PATHS_LOST,    VRMS_SIM_FAULT_HEAL};
	struct vrms_sim_result results[2];

	for (int exact = 0; exact < 2; exact++) {
		struct vrms_sim_scenario scenario;
		struct vrms_random random;

		sim_make(&scenario, settings);
		scenario.settings.seed = seed;
		vrms_random_init(&random, (uint64_t)seed);
		for (int64_t at_ms = 5000; at_ms < 300000;
		     at_ms += (int64_t)vrms_random_below(&random, 40000)) {
			int kind = (int)vrms_random_below(&random, VRMS_COUNT_OF(kinds));

			sim_fault(&scenario, at_ms, kinds[kind], (int)vrms_random_below(&random, 4),
				  1 + (int64_t)vrms_random_below(&random, 4000));
		}
		sim_run(&scenario, exact != 0, &results[exact]);
	}
	ck_same(&results[0], &results[1]);
	/* The point of it: far fewer events. */
	ck_assert_int_lt(results[0].events * 3, results[1].events);
	vrms_sim_result_done(&results[0]);
	vrms_sim_result_done(&results[1]);
}

START_TEST(leaving_quiet_time_out_changes_nothing)
{
	for (int seed = 1; seed <= 40; seed++) {
		compare_modes("cluster.nodes=4 cluster.token=1s cluster.token_coefficient=0 "
			      "vrmsd.enabled=yes ",
			      seed);
		compare_modes("cluster.nodes=5 cluster.token=300ms cluster.token_coefficient=0 "
			      "cluster.jitter=400us cluster.loss=2 vrmsd.enabled=yes "
			      "run.duration=200s",
			      seed);
	}
}
END_TEST

START_TEST(a_freeze_shorter_than_the_token_is_not_noticed)
{
	struct vrms_sim_scenario scenario;
	struct vrms_sim_result result;

	sim_make(&scenario, "cluster.nodes=3 cluster.token=1s cluster.token_coefficient=0");
	sim_fault(&scenario, 10000, VRMS_SIM_FAULT_FREEZE, 1, 700);
	sim_run(&scenario, false, &result);
	ck_assert_int_eq(sim_count(&result, VRMS_SIM_STEP_TOKEN_LOST, -1), 0);
	ck_assert_int_eq(result.record.fences, 0);
	vrms_sim_result_done(&result);
}
END_TEST

START_TEST(a_freeze_between_token_and_consensus_forms_the_same_ring_again)
{
	struct vrms_sim_scenario scenario;
	struct vrms_sim_result result;

	sim_make(&scenario, "cluster.nodes=3 cluster.token=1s cluster.token_coefficient=0");
	sim_fault(&scenario, 10000, VRMS_SIM_FAULT_FREEZE, 1, 1500);
	sim_run(&scenario, false, &result);
	ck_assert_int_ge(sim_count(&result, VRMS_SIM_STEP_TOKEN_LOST, -1), 1);
	ck_assert_int_eq(result.record.reformed, 1);
	ck_assert_int_eq(result.record.fences, 0);
	vrms_sim_result_done(&result);
}
END_TEST

START_TEST(a_second_link_saves_the_ring)
{
	for (int links = 1; links <= 2; links++) {
		struct vrms_sim_scenario scenario;
		struct vrms_sim_result result;

		sim_make(&scenario, "cluster.nodes=3 cluster.token=1s");
		scenario.settings.links = links;
		sim_cut(&scenario, 10000, 4);
		scenario.fault[0].link = 0;
		sim_run(&scenario, false, &result);
		ck_assert_int_eq(result.record.fences, links == 1 ? 1 : 0);
		vrms_sim_result_done(&result);
	}
}
END_TEST

/* Ring order is 1 2 3 1: what gets lost between neighbours breaks it, the other way round knet
 * notices. */
START_TEST(a_one_way_cut_splits_the_ring)
{
	struct vrms_sim_scenario scenario;
	struct vrms_sim_result result;

	sim_make(&scenario, "cluster.nodes=3 cluster.token=1s");
	sim_fault(&scenario, 10000, VRMS_SIM_FAULT_ONEWAY, 0, 0);
	scenario.fault[0].second = 1;
	sim_run(&scenario, false, &result);
	ck_assert_int_ge(result.record.fences, 1);
	ck_assert_int_eq(result.record.broken_count, 0);
	vrms_sim_result_done(&result);
}
END_TEST

UNIT_MAIN("sim_totem", memberships_come_when_they_were_measured,
	  leaving_quiet_time_out_changes_nothing, a_freeze_shorter_than_the_token_is_not_noticed,
	  a_freeze_between_token_and_consensus_forms_the_same_ring_again,
	  a_second_link_saves_the_ring, a_one_way_cut_splits_the_ring)
