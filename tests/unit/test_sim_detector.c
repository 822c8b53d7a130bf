/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/detector.h"

#include <math.h>

#include "tests/unit/sim_help.h"
#include "tests/unit/unit.h"

START_TEST(without_stalls_and_loss_nobody_errs)
{
	struct vrms_sim_scenario scenario;

	sim_make(&scenario, "generate.stalls_per_day=0 host.lateness_sigma=0");
	for (int kind = 0; kind < VRMS_SIM_DETECTOR_COUNT; kind++) {
		struct vrms_sim_detection detection =
		    vrms_sim_detector_judge(&scenario.settings, (enum vrms_sim_detector_kind)kind,
					    100, 200);

		ck_assert_double_eq(detection.mistakes_per_node_year, 0);
		ck_assert_double_gt(detection.detect_ms, 0);
	}
	vrms_sim_scenario_done(&scenario);
}
END_TEST

START_TEST(patience_costs_time_and_saves_mistakes)
{
	struct vrms_sim_scenario scenario;

	sim_make(&scenario, "generate.stalls_per_day=20 generate.stall_max=1h cluster.loss=1");
	for (int kind = 0; kind < VRMS_SIM_DETECTOR_COUNT; kind++) {
		struct vrms_sim_detection hasty =
		    vrms_sim_detector_judge(&scenario.settings, (enum vrms_sim_detector_kind)kind,
					    100, 10);
		struct vrms_sim_detection patient =
		    vrms_sim_detector_judge(&scenario.settings, (enum vrms_sim_detector_kind)kind,
					    100, 200);

		ck_assert_double_gt(patient.detect_ms, hasty.detect_ms);
		ck_assert_double_lt(patient.mistakes_per_node_year, hasty.mistakes_per_node_year);
	}
	vrms_sim_scenario_done(&scenario);
}
END_TEST

/* 20 stalls a day of at least 50 ms with exponent 2: one in 400 of at least a second. */
START_TEST(a_fixed_timeout_errs_as_often_as_stalls_are_longer)
{
	struct vrms_sim_scenario scenario;

	sim_make(&scenario,
		 "generate.stalls_per_day=20 generate.stall=50ms generate.stall_shape=2");
	struct vrms_sim_detection detection =
	    vrms_sim_detector_judge(&scenario.settings, VRMS_SIM_DETECTOR_FIXED, 100, 1050);

	ck_assert_double_eq_tol(detection.mistakes_per_node_year, 20 * 365.25 / 400, 1e-6);
	ck_assert_double_eq_tol(detection.detect_ms, 1000.15, 1e-6);
	vrms_sim_scenario_done(&scenario);
}
END_TEST

/* A phi of 1 is one in ten: 1.2816 deviations above the mean (tables of the normal distribution).
 */
START_TEST(phi_follows_the_normal_distribution)
{
	struct vrms_sim_scenario scenario;

	/* The difference of two uniform jitters of 24.49 ms has a deviation of 10 ms. */
	sim_make(&scenario, "cluster.latency=1ms cluster.jitter=24495us host.lateness_sigma=0");
	struct vrms_sim_detection detection =
	    vrms_sim_detector_judge(&scenario.settings, VRMS_SIM_DETECTOR_PHI, 100, 1);

	ck_assert_double_eq_tol(detection.detect_ms, 1 + 100 + 10 * 1.281552 - 50, 1e-2);
	vrms_sim_scenario_done(&scenario);
}
END_TEST

/* Hayashibara et al. 2004: a threshold of phi makes a mistake with the chance 10^-phi. */
START_TEST(phi_suspects_one_heartbeat_in_ten_to_the_phi)
{
	struct vrms_sim_scenario scenario;

	sim_make(&scenario, "cluster.jitter=20ms");
	for (int phi = 1; phi <= 8; phi++) {
		struct vrms_sim_detection detection =
		    vrms_sim_detector_judge(&scenario.settings, VRMS_SIM_DETECTOR_PHI, 100, phi);
		double expected = 365.25 * 86400 * 10 * pow(10, -phi);

		ck_assert_double_eq_tol(detection.mistakes_per_node_year / expected, 1, 1e-6);
	}
	vrms_sim_scenario_done(&scenario);
}
END_TEST

UNIT_MAIN("sim_detector", without_stalls_and_loss_nobody_errs,
	  patience_costs_time_and_saves_mistakes,
	  a_fixed_timeout_errs_as_often_as_stalls_are_longer, phi_follows_the_normal_distribution,
	  phi_suspects_one_heartbeat_in_ten_to_the_phi)
