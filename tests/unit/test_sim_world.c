/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/sim.h"

#include <string.h>

#include "tests/unit/sim_help.h"
#include "tests/unit/unit.h"

#define SHORT_TOKEN "cluster.token=1s cluster.token_coefficient=0 "

static void run_one(const char *settings, enum vrms_sim_fault_kind kind, int64_t for_ms,
		    struct vrms_sim_result *result)
{
	struct vrms_sim_scenario scenario;

	sim_make(&scenario, settings);
	sim_fault(&scenario, 10000, kind, 0, for_ms);
	sim_run(&scenario, false, result);
}

START_TEST(a_crash_is_fenced_before_its_vms_start)
{
	struct vrms_sim_result result;

	run_one(SHORT_TOKEN "cluster.nodes=3", VRMS_SIM_FAULT_CRASH, 0, &result);
	ck_assert_int_gt(sim_when(&result, VRMS_SIM_STEP_START, -1, -1),
			 sim_when(&result, VRMS_SIM_STEP_FENCED, 0, -1));
	ck_assert_int_eq(sim_count(&result, VRMS_SIM_STEP_RUNNING, -1), 2);
	ck_assert_int_eq(result.record.needless_fences, 0);
	ck_assert_int_eq(result.record.broken_count, 0);
	vrms_sim_result_done(&result);
}
END_TEST

START_TEST(a_bmc_without_power_holds_everything_up)
{
	struct vrms_sim_scenario scenario;
	struct vrms_sim_result result;

	for (int kind = VRMS_SIM_DEVICE_IPMI; kind <= VRMS_SIM_DEVICE_PDU; kind++) {
		sim_make(&scenario, SHORT_TOKEN "cluster.nodes=3");
		scenario.device_count = 1;
		scenario.device[0] = (struct vrms_sim_device){.kind = kind,
							      .level = 1,
							      .time_us = 1000000,
							      .timeout_us = 20000000};
		sim_fault(&scenario, 10000, VRMS_SIM_FAULT_POWER, 2, 0);
		sim_run(&scenario, false, &result);
		bool recovers = kind == VRMS_SIM_DEVICE_PDU;

		ck_assert_int_eq(sim_count(&result, VRMS_SIM_STEP_RUNNING, -1), recovers ? 2 : 0);
		ck_assert_int_eq(result.record.fences, recovers ? 1 : 0);
		vrms_sim_result_done(&result);
	}
}
END_TEST

/* From the question to its answer, with a switch that needs no time itself. */
static int64_t fence_ms(enum vrms_sim_fault_kind kind)
{
	struct vrms_sim_scenario scenario;
	struct vrms_sim_result result;

	sim_make(&scenario, SHORT_TOKEN "cluster.nodes=3 host.power_off=5s");
	scenario.device_count = 1;
	scenario.device[0] = (struct vrms_sim_device){.kind = VRMS_SIM_DEVICE_PDU,
						      .level = 1,
						      .timeout_us = 20000000};
	sim_fault(&scenario, 10000, kind, 2, 0);
	sim_run(&scenario, false, &result);
	int64_t took_ms = sim_when(&result, VRMS_SIM_STEP_FENCED, 2, -1) -
			  sim_when(&result, VRMS_SIM_STEP_FENCE_ASKED, 2, -1);

	vrms_sim_result_done(&result);
	return took_ms;
}

START_TEST(a_host_that_still_runs_takes_a_switch_longer)
{
	ck_assert_int_lt(fence_ms(VRMS_SIM_FAULT_DOWN), 100);
	ck_assert_int_gt(fence_ms(VRMS_SIM_FAULT_FREEZE), 3000);
}
END_TEST

START_TEST(a_minority_stops_its_vms_and_starts_none)
{
	struct vrms_sim_scenario scenario;
	struct vrms_sim_result result;

	sim_make(&scenario, SHORT_TOKEN "cluster.nodes=5 vm.count=10");
	/* A device so slow that the minority has time to react. */
	scenario.device_count = 1;
	scenario.device[0] = (struct vrms_sim_device){.kind = VRMS_SIM_DEVICE_PDU,
						      .level = 1,
						      .time_us = 60000000,
						      .timeout_us = 90000000};
	sim_cut(&scenario, 10000, 24);
	sim_run(&scenario, false, &result);
	ck_assert_int_eq(sim_count(&result, VRMS_SIM_STEP_STOPPED, 3), 2);
	ck_assert_int_eq(sim_count(&result, VRMS_SIM_STEP_RUNNING, 3), 0);
	ck_assert_int_eq(sim_count(&result, VRMS_SIM_STEP_RUNNING, -1), 4);
	ck_assert_int_eq(result.record.broken_count, 0);
	vrms_sim_result_done(&result);
}
END_TEST

START_TEST(without_fencing_two_copies_run_for_a_time)
{
	struct vrms_sim_scenario scenario;
	struct vrms_sim_result result;

	sim_make(&scenario, SHORT_TOKEN "cluster.nodes=5 pacemaker.stonith=no vm.count=10");
	sim_cut(&scenario, 10000, 24);
	sim_run(&scenario, false, &result);
	ck_assert_int_gt(result.record.rule_count[VRMS_SIM_RULE_TWO_COPIES], 0);
	ck_assert_int_gt(result.record.rule_count[VRMS_SIM_RULE_UNFENCED_START], 0);
	vrms_sim_result_done(&result);
}
END_TEST

START_TEST(a_long_freeze_is_fenced_and_wakes_up_to_nothing)
{
	struct vrms_sim_result result;

	run_one(SHORT_TOKEN "cluster.nodes=3", VRMS_SIM_FAULT_FREEZE, 60000, &result);
	ck_assert_int_eq(result.record.fences, 1);
	ck_assert_int_eq(result.record.needless_fences, 0);
	ck_assert_int_eq(result.record.rule_count[VRMS_SIM_RULE_TWO_COPIES], 0);
	vrms_sim_result_done(&result);
}
END_TEST

/* Frozen for longer than token + consensus, awake before the fence: a false alarm. */
START_TEST(the_verdict_saves_a_node_that_comes_back)
{
	for (int vrmsd = 0; vrmsd < 2; vrmsd++) {
		struct vrms_sim_scenario scenario;
		struct vrms_sim_result result;

		sim_make(&scenario, SHORT_TOKEN "cluster.nodes=3 pacemaker.sync_retry_pct=0 "
						"vrmsd.silent_count=15");
		scenario.settings.vrmsd = vrmsd != 0;
		sim_fault(&scenario, 10000, VRMS_SIM_FAULT_FREEZE, 1, 2600);
		sim_run(&scenario, false, &result);
		ck_assert_int_eq(result.record.needless_fences, vrmsd ? 0 : 1);
		ck_assert_int_eq(result.record.fences, vrmsd ? 0 : 1);
		ck_assert_int_eq(result.record.refused_fences, vrmsd ? 1 : 0);
		ck_assert_int_eq(result.record.broken_count, 0);
		vrms_sim_result_done(&result);
	}
}
END_TEST

START_TEST(events_notice_a_dead_vm_before_a_monitor_does)
{
	struct vrms_sim_result result;

	run_one("cluster.nodes=3", VRMS_SIM_FAULT_VM_CRASH, 0, &result);
	int64_t polled_ms = sim_when(&result, VRMS_SIM_STEP_NOTICED, -1, 0);
	vrms_sim_result_done(&result);
	run_one("cluster.nodes=3 vrmsd.enabled=yes ", VRMS_SIM_FAULT_VM_CRASH, 0, &result);
	int64_t told_ms = sim_when(&result, VRMS_SIM_STEP_NOTICED, -1, 0);

	ck_assert_int_le(told_ms, 10010);
	ck_assert_int_gt(polled_ms, told_ms);
	ck_assert_int_eq(sim_count(&result, VRMS_SIM_STEP_RUNNING, -1), 1);
	vrms_sim_result_done(&result);
}
END_TEST

/* Stop and start are one transition: no second round of the scheduler lies between them. */
START_TEST(a_dead_vm_is_started_where_it_was_in_the_transition_that_stops_it)
{
	struct vrms_sim_result result;

	run_one("cluster.nodes=3 vrmsd.enabled=yes pacemaker.scheduler=3s", VRMS_SIM_FAULT_VM_CRASH,
		0, &result);
	int64_t stopped_ms = sim_when(&result, VRMS_SIM_STEP_STOPPED, -1, 0);

	ck_assert_int_ge(stopped_ms, 10000);
	ck_assert_int_eq(sim_when(&result, VRMS_SIM_STEP_START, 0, 0), stopped_ms);
	vrms_sim_result_done(&result);
}
END_TEST

START_TEST(a_start_waits_for_the_cpus_of_a_busy_host_with_each_wakeup)
{
	static const char *const hosts[] = {"vm.start=400ms host.wakeup=0",
					    "vm.start=400ms host.wakeup=2ms vm.start_wakeups=1000"};
	int64_t took_ms[2];

	for (int i = 0; i < 2; i++) {
		struct vrms_sim_result result;

		run_one(hosts[i], VRMS_SIM_FAULT_VM_CRASH, 0, &result);
		took_ms[i] = sim_when(&result, VRMS_SIM_STEP_RUNNING, -1, 0) -
			     sim_when(&result, VRMS_SIM_STEP_START, -1, 0);
		vrms_sim_result_done(&result);
	}
	ck_assert_int_lt(took_ms[0], 800);
	ck_assert_int_gt(took_ms[1], 1500);
	ck_assert_int_lt(took_ms[1], 3600);
}
END_TEST

START_TEST(a_clean_shutdown_moves_guests_and_fences_nobody)
{
	struct vrms_sim_result result;

	run_one("cluster.nodes=3", VRMS_SIM_FAULT_RESTART, 0, &result);
	ck_assert_int_eq(result.record.migrations, 2);
	ck_assert_int_eq(result.record.fences, 0);
	ck_assert_double_lt(result.vm_lost_s, 1);
	ck_assert_int_ge(sim_when(&result, VRMS_SIM_STEP_ONLINE, 0, -1), 0);
	vrms_sim_result_done(&result);
}
END_TEST

START_TEST(a_freeze_that_nobody_noticed_is_not_noticed_by_a_shutdown)
{
	struct vrms_sim_scenario scenario;
	struct vrms_sim_result result;

	sim_make(&scenario, SHORT_TOKEN "cluster.nodes=3");
	sim_fault(&scenario, 10000, VRMS_SIM_FAULT_FREEZE, 2, 700);
	sim_fault(&scenario, 100000, VRMS_SIM_FAULT_SHUTDOWN, 2, 0);
	sim_run(&scenario, false, &result);
	ck_assert_uint_ge(result.record.failure_count, 1);
	ck_assert_int_eq(result.record.failure[0].node, 2);
	ck_assert_int_lt(result.record.failure[0].detected_us, 0);
	ck_assert_int_eq(sim_when(&result, VRMS_SIM_STEP_OVER, 2, -1), 10700);
	vrms_sim_result_done(&result);
}
END_TEST

START_TEST(lost_paths_take_the_vms_elsewhere)
{
	struct vrms_sim_result result;

	run_one("cluster.nodes=3 vrmsd.enabled=yes ", VRMS_SIM_FAULT_PATHS_LOST, 0, &result);
	ck_assert_int_eq(sim_count(&result, VRMS_SIM_STEP_RUNNING, 0), 0);
	ck_assert_int_eq(sim_count(&result, VRMS_SIM_STEP_RUNNING, -1), 2);
	vrms_sim_result_done(&result);
}
END_TEST

static bool keeps_quorum(const char *settings, unsigned second_bits)
{
	struct vrms_sim_scenario scenario;
	struct vrms_sim_result result;
	bool quorate = false;

	sim_make(&scenario, settings);
	sim_cut(&scenario, 10000, second_bits);
	sim_run(&scenario, false, &result);
	for (size_t i = 0; i < result.record.membership_count; i++) {
		const struct vrms_sim_membership *membership = &result.record.membership[i];

		quorate |=
		    membership->quorate && membership->at_us > 0 && membership->at_us < 30000000;
	}
	vrms_sim_result_done(&result);
	return quorate;
}

START_TEST(votes_follow_the_options_of_votequorum)
{
	ck_assert(!keeps_quorum(SHORT_TOKEN "cluster.nodes=4", 3));
	ck_assert(keeps_quorum(SHORT_TOKEN "cluster.nodes=4 cluster.auto_tie_breaker=yes", 3));
	ck_assert(keeps_quorum(SHORT_TOKEN "cluster.nodes=4 cluster.qdevice=ffsplit", 3));
	ck_assert(keeps_quorum(SHORT_TOKEN "cluster.nodes=3", 1));
	ck_assert(keeps_quorum(SHORT_TOKEN "cluster.nodes=2 cluster.two_node=yes", 1));
	ck_assert(!keeps_quorum(SHORT_TOKEN "cluster.nodes=2", 1));
}
END_TEST

START_TEST(last_man_standing_outlives_the_majority)
{
	for (int standing = 0; standing < 2; standing++) {
		struct vrms_sim_scenario scenario;
		struct vrms_sim_result result;

		sim_make(&scenario, SHORT_TOKEN "cluster.nodes=5");
		scenario.settings.last_man_standing = standing != 0;
		for (int i = 0; i < 3; i++) {
			sim_fault(&scenario, 10000 + 60000 * i, VRMS_SIM_FAULT_DOWN, 4 - i, 0);
		}
		sim_run(&scenario, false, &result);
		bool quorate = result.record.membership[result.record.membership_count - 1].quorate;

		ck_assert_int_eq(quorate, standing);
		vrms_sim_result_done(&result);
	}
}
END_TEST

/* One after the other to the emptiest node, large and small ones end up less level. */
START_TEST(the_plan_is_at_least_as_level_as_pacemaker)
{
	double level[2];

	for (int policy = VRMS_SIM_PLAN; policy <= VRMS_SIM_BALANCED; policy++) {
		struct vrms_sim_scenario scenario;
		struct vrms_sim_result result;

		sim_make(&scenario, SHORT_TOKEN "cluster.nodes=5 vm.count=40 vm.memory=2GiB "
						"vm.memory_max=16GiB");
		scenario.settings.policy = policy;
		sim_fault(&scenario, 10000, VRMS_SIM_FAULT_DOWN, 2, 0);
		sim_run(&scenario, false, &result);
		level[policy] = result.record.failure[0].max_over_mean;
		ck_assert_double_ge(level[policy], 1);
		vrms_sim_result_done(&result);
	}
	ck_assert_double_le(level[VRMS_SIM_PLAN], level[VRMS_SIM_BALANCED]);
}
END_TEST

/* Both hosts left have room for the VM only once something else has moved. */
START_TEST(the_plan_makes_room)
{
	int running[2];

	for (int policy = VRMS_SIM_PLAN; policy <= VRMS_SIM_BALANCED; policy++) {
		static const int64_t size_gib[] = {6, 3, 3, 3, 3};
		static const int host[] = {0, 1, 1, 2, 2};
		struct vrms_error error;
		struct vrms_sim_scenario scenario;
		struct vrms_sim_result result;

		sim_make(&scenario, SHORT_TOKEN "cluster.nodes=3 host.memory=9GiB");
		scenario.settings.policy = policy;
		for (int i = 0; i < 5; i++) {
			char name[] = {'v', (char)('a' + i), '\0'};
			int vm = vrms_sim_scenario_add_vm(&scenario, name, &error);

			scenario.vm[vm].memory = size_gib[i] << 30;
			scenario.vm[vm].host = host[i];
		}
		sim_fault(&scenario, 10000, VRMS_SIM_FAULT_DOWN, 0, 0);
		sim_run(&scenario, false, &result);
		running[policy] = (int)(sim_when(&result, VRMS_SIM_STEP_RUNNING, -1, 0) >= 0);
		ck_assert_int_eq(result.record.broken_count, 0);
		vrms_sim_result_done(&result);
	}
	ck_assert_int_eq(running[VRMS_SIM_PLAN], 1);
	ck_assert_int_eq(running[VRMS_SIM_BALANCED], 0);
}
END_TEST

START_TEST(same_seed_same_history)
{
	struct vrms_sim_result results[2];

	for (int i = 0; i < 2; i++) {
		struct vrms_sim_scenario scenario;

		sim_make(&scenario,
			 "cluster.nodes=8 vm.count=80 generate.model=weibull "
			 "generate.mtbf=10h generate.burst=20 generate.stalls_per_day=50 "
			 "generate.vm_mtbf=100h cluster.token=300ms run.duration=48h");
		sim_run(&scenario, false, &results[i]);
	}
	ck_assert_uint_gt(results[0].record.failure_count, 20);
	ck_assert_uint_eq(results[0].record.step_count, results[1].record.step_count);
	for (size_t i = 0; i < results[0].record.step_count; i++) {
		ck_assert(sim_same_step(&results[0].record.step[i], &results[1].record.step[i]));
	}
	vrms_sim_result_done(&results[0]);
	vrms_sim_result_done(&results[1]);
}
END_TEST

UNIT_MAIN("sim_world", a_crash_is_fenced_before_its_vms_start,
	  a_bmc_without_power_holds_everything_up, a_host_that_still_runs_takes_a_switch_longer,
	  a_minority_stops_its_vms_and_starts_none, without_fencing_two_copies_run_for_a_time,
	  a_long_freeze_is_fenced_and_wakes_up_to_nothing, the_verdict_saves_a_node_that_comes_back,
	  events_notice_a_dead_vm_before_a_monitor_does,
	  a_dead_vm_is_started_where_it_was_in_the_transition_that_stops_it,
	  a_start_waits_for_the_cpus_of_a_busy_host_with_each_wakeup,
	  a_clean_shutdown_moves_guests_and_fences_nobody,
	  a_freeze_that_nobody_noticed_is_not_noticed_by_a_shutdown,
	  lost_paths_take_the_vms_elsewhere, votes_follow_the_options_of_votequorum,
	  last_man_standing_outlives_the_majority, the_plan_is_at_least_as_level_as_pacemaker,
	  the_plan_makes_room, same_seed_same_history)
