/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/calibrate.h"

#include <string.h>

#include "tests/unit/unit.h"

enum { CUT_MS = ((5 * 60 + 59) * 60 + 31) * 1000 + 934 }; /* 05:59:31.934 */

/* What "vrms-lab logs" printed after a power cut of node3. */
static const char cut_log[] =
    "node1 pacemaker  Nov 23 05:59:28.149 node1 pacemaker-controld  [59] (execute_rsc_action) "
    "notice: Initiating start operation vm1_start_0 on node3 | action 30\n"
    "lab power        2026-11-23 05:59:32.003 node3 off, by hand: done (69 ms)\n"
    "node1 corosync   Nov 23 05:59:34.125 [4] node1 corosync notice  [TOTEM ] A new membership "
    "(1.1a) was formed. Members left: 3\n"
    "node2 corosync   Nov 23 05:59:34.126 [4] node2 corosync notice  [TOTEM ] A new membership "
    "(1.1a) was formed. Members left: 3\n"
    "node1 pacemaker  Nov 23 05:59:34.221 node1 pacemaker-controld  [59] (execute_rsc_action) "
    "notice: Initiating start operation verdict_start_0 on node2 | action 18\n"
    "node1 pacemaker  Nov 23 05:59:34.225 node1 pacemaker-fenced    [55] "
    "(initiate_remote_stonith_op) notice: Requesting peer fencing (off) targeting node3 | id=9\n"
    "node2 pacemaker  Nov 23 05:59:34.309 node2 pacemaker-controld  [63] (log_executor_event) "
    "notice: Result of start operation for verdict on node2: ok | CIB update 29\n"
    "node1 pacemaker  Nov 23 05:59:34.381 node1 pacemaker-fenced    [55] (finalize_op) notice: "
    "Operation 'off' targeting node3 by node1 for pacemaker-controld.59@node1: OK (complete) | "
    "id=9\n"
    "node1 pacemaker  Nov 23 05:59:34.381 node1 pacemaker-controld  [59] (execute_rsc_action) "
    "notice: Initiating start operation vm12_start_0 on node2 | action 20\n"
    "node2 pacemaker  Nov 23 05:59:35.357 node2 pacemaker-controld  [63] (log_executor_event) "
    "notice: Result of start operation for vm12 on node2: ok | CIB update 35\n";

static double find(const struct vrms_sim_samples *samples, int step, int vm)
{
	for (size_t i = 0; i < samples->count; i++) {
		if (samples->item[i].step == step && samples->item[i].vm == vm) {
			return samples->item[i].ms;
		}
	}
	return -1;
}

START_TEST(logs_of_a_power_cut_give_each_step_once)
{
	struct vrms_sim_samples samples = {0};
	struct vrms_sim_lab_fault fault = {.round = 1,
					   .trial = VRMS_SIM_TRIAL_POWER,
					   .at_ms = CUT_MS,
					   .victim = "node3"};

	ck_assert_int_eq(vrms_sim_lab_log_parse(cut_log, &fault, &samples), 0);
	ck_assert_double_eq(find(&samples, VRMS_SIM_TRIAL_MEMBERSHIP, 0), 2191);
	ck_assert_double_eq(find(&samples, VRMS_SIM_TRIAL_DECIDED, 0), 2291);
	ck_assert_double_eq(find(&samples, VRMS_SIM_TRIAL_FENCED, 0), 2447);
	ck_assert_double_eq(find(&samples, VRMS_SIM_TRIAL_STARTED, 12), 2447);
	ck_assert_double_eq(find(&samples, VRMS_SIM_TRIAL_RUNNING, 12), 3423);
	ck_assert_uint_eq(samples.count, 5);
	vrms_sim_samples_done(&samples);
}
END_TEST

START_TEST(a_fault_before_midnight_is_told_after_it)
{
	struct vrms_sim_samples samples = {0};
	struct vrms_sim_lab_fault fault = {.round = 1,
					   .trial = VRMS_SIM_TRIAL_FREEZE,
					   .at_ms = 86400000 - 1500,
					   .victim = "node3"};

	ck_assert_int_eq(vrms_sim_lab_log_parse(
			     "node1 corosync   Nov 24 00:00:00.600 [4] node1 corosync notice  "
			     "[TOTEM ] A new membership (1.1a) was formed. Members left: 3\n",
			     &fault, &samples),
			 0);
	ck_assert_double_eq(find(&samples, VRMS_SIM_TRIAL_MEMBERSHIP, 0), 2100);
	vrms_sim_samples_done(&samples);
}
END_TEST

START_TEST(of_a_kill_only_the_victim_counts)
{
	static const char text[] =
	    "node3 pacemaker  Nov 23 05:59:32.034 node3 pacemaker-controld  [59] notice: Result of "
	    "asyncmon operation for vm1 on node3: error (Simulated failure) | CIB update 48\n"
	    "node1 pacemaker  Nov 23 05:59:32.134 node1 pacemaker-controld  [59] notice: "
	    "Initiating "
	    "stop operation vm1_stop_0 on node3 | action 8\n"
	    "node1 pacemaker  Nov 23 05:59:32.135 node1 pacemaker-controld  [59] notice: "
	    "Initiating "
	    "stop operation vm2_stop_0 on node3 | action 9\n";
	struct vrms_sim_samples samples = {0};
	struct vrms_sim_lab_fault fault = {.round = 1,
					   .trial = VRMS_SIM_TRIAL_KILL,
					   .at_ms = CUT_MS,
					   .victim = "vm1"};

	ck_assert_int_eq(vrms_sim_lab_log_parse(text, &fault, &samples), 0);
	ck_assert_double_eq(find(&samples, VRMS_SIM_TRIAL_NOTICED, 1), 100);
	ck_assert_double_eq(find(&samples, VRMS_SIM_TRIAL_DECIDED, 1), 200);
	ck_assert_uint_eq(samples.count, 2);
	vrms_sim_samples_done(&samples);
}
END_TEST

START_TEST(samples_survive_their_file)
{
	struct vrms_sim_samples samples = {0};
	struct vrms_error error = {""};

	ck_assert_int_eq(vrms_sim_samples_parse("s.csv",
						"round,fault,step,vm,ms,load\n"
						"1,power-cut,membership,0,2100\n"
						"2,qemu-kill,vm-running,3,700,4.5\n"
						"3,qemu-kill,vm-running,3,700,4.5,1250\n",
						&samples, &error),
			 0);
	ck_assert_uint_eq(samples.count, 3);
	ck_assert_double_eq(samples.item[1].wait_us, 0);
	ck_assert_double_eq(samples.item[2].wait_us, 1250);
	ck_assert_int_eq(samples.item[1].vm, 3);
	ck_assert_double_eq(samples.item[0].load, 0);
	ck_assert_double_eq(samples.item[1].load, 4.5);
	ck_assert_int_eq(vrms_sim_samples_last_round(&samples), 3);
	static const char *const bad[] = {"1,power-cut,fenced,0,1,busy\n",
					  "1,power-cut,fenced,0,1,2,-3\n",
					  "1,power-cut,fenced,0,1,2,3,4\n"};

	for (size_t i = 0; i < VRMS_COUNT_OF(bad); i++) {
		ck_assert_int_lt(vrms_sim_samples_parse("s.csv", bad[i], &samples, &error), 0);
	}
	vrms_error_clear(&error);
	ck_assert_int_eq(samples.item[1].trial, VRMS_SIM_TRIAL_KILL);
	ck_assert_int_lt(vrms_sim_samples_parse("s.csv", "1,power-cut,dinner,0,1\n", &samples,
						&error),
			 0);
	ck_assert_ptr_nonnull(strstr(error.text, "s.csv:1: there is no \"dinner\""));
	vrms_sim_samples_done(&samples);
}
END_TEST

START_TEST(medians_agree_within_15_percent_or_100_ms)
{
	static const struct {
		double lab_ms, simulated_ms;
		int outside;
	} rows[] = {{2000, 2299, 0}, {2000, 2301, 1}, {50, 149, 0}, {50, 151, 1}, {2000, 1699, 1}};

	for (size_t i = 0; i < VRMS_COUNT_OF(rows); i++) {
		struct vrms_sim_samples lab = {0}, simulated = {0};
		struct vrms_sim_sample sample = {.round = 1, .ms = rows[i].lab_ms};
		FILE *nowhere = fopen("/dev/null", "we");

		ck_assert_int_eq(vrms_sim_samples_add(&lab, &sample), 0);
		sample.ms = rows[i].simulated_ms;
		ck_assert_int_eq(vrms_sim_samples_add(&simulated, &sample), 0);
		ck_assert_int_eq(vrms_sim_calibrate_compare(&lab, &simulated, nowhere, NULL),
				 rows[i].outside);
		fclose(nowhere);
		vrms_sim_samples_done(&lab);
		vrms_sim_samples_done(&simulated);
	}
}
END_TEST

UNIT_MAIN("sim_calibrate", logs_of_a_power_cut_give_each_step_once,
	  a_fault_before_midnight_is_told_after_it, of_a_kill_only_the_victim_counts,
	  samples_survive_their_file, medians_agree_within_15_percent_or_100_ms)
