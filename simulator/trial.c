/* trial.c - the faults of a calibration in the simulator.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>

#include "simulator/calibrate.h"
#include "simulator/sim.h"

enum { STEPS_KEPT = 4096 };

static const struct {
	enum vrms_sim_step_kind kind;
	enum vrms_sim_trial_step step;
	bool of_hosts, of_vms; /* of which faults it tells */
} steps[] = {
    {VRMS_SIM_STEP_MEMBERSHIP, VRMS_SIM_TRIAL_MEMBERSHIP, true, false},
    {VRMS_SIM_STEP_FENCE_ASKED, VRMS_SIM_TRIAL_DECIDED, true, false},
    {VRMS_SIM_STEP_FENCED, VRMS_SIM_TRIAL_FENCED, true, false},
    {VRMS_SIM_STEP_NOTICED, VRMS_SIM_TRIAL_NOTICED, false, true},
    {VRMS_SIM_STEP_STOP, VRMS_SIM_TRIAL_DECIDED, false, true},
    {VRMS_SIM_STEP_START, VRMS_SIM_TRIAL_STARTED, true, true},
    {VRMS_SIM_STEP_RUNNING, VRMS_SIM_TRIAL_RUNNING, true, true},
};

static int take_step(const struct vrms_sim_step *step, const struct vrms_sim_sample *about,
		     int64_t fault_us, struct vrms_sim_samples *samples)
{
	bool of_vm = about->trial == VRMS_SIM_TRIAL_KILL;

	for (size_t i = 0; i < VRMS_COUNT_OF(steps); i++) {
		if (steps[i].kind == (enum vrms_sim_step_kind)step->kind &&
		    (of_vm ? steps[i].of_vms : steps[i].of_hosts) && step->at_us >= fault_us) {
			struct vrms_sim_sample sample = *about;

			sample.step = (int)steps[i].step;
			sample.vm = step->vm >= 0 ? step->vm + 1 : 0;
			sample.ms = (double)(step->at_us - fault_us) / 1000;
			return vrms_sim_samples_add(samples, &sample);
		}
	}
	return 0;
}

/* The last node: as in the lab, not the DC. */
static struct vrms_sim_fault make_fault(const struct vrms_sim_scenario *scenario, int trial,
					int round)
{
	static const enum vrms_sim_fault_kind kinds[] = {VRMS_SIM_FAULT_DOWN, VRMS_SIM_FAULT_FREEZE,
							 VRMS_SIM_FAULT_VM_CRASH};
	/* Wherever the token and the monitors may be just then. */
	struct vrms_sim_fault fault = {.at_us = 20000000 + round * INT64_C(377001),
				       .kind = (uint16_t)kinds[trial],
				       .link = -1,
				       .first = scenario->node_count - 1 - round % 2};

	if (trial == VRMS_SIM_TRIAL_KILL) {
		fault.first = round % scenario->vm_count;
	}
	return fault;
}

static int simulate_one(const struct vrms_sim_scenario *base, const struct vrms_sim_sample *about,
			struct vrms_sim_samples *samples, struct vrms_error *error)
{
	struct vrms_sim_options options = {.step_limit = STEPS_KEPT};
	struct vrms_sim_scenario scenario;
	struct vrms_sim_result result = {0};
	struct vrms_sim_fault fault = make_fault(base, about->trial, about->round);
	int rc = vrms_sim_scenario_copy(&scenario, base);

	if (rc < 0) {
		return vrms_error_set(error, rc, "out of memory for a scenario");
	}
	scenario.settings.seed += about->round;
	scenario.fault_count = 0;
	rc = vrms_sim_scenario_add_fault(&scenario, &fault);
	rc = rc < 0 ? rc : vrms_sim_run(&scenario, &options, &result, error);
	for (size_t i = 0; rc == 0 && i < result.record.step_count; i++) {
		rc = take_step(&result.record.step[i], about, fault.at_us, samples);
	}
	vrms_sim_result_done(&result);
	vrms_sim_scenario_done(&scenario);
	return rc == -ENOMEM ? vrms_error_set(error, rc, "out of memory for a simulation") : rc;
}

int vrms_sim_trial_simulate(const struct vrms_sim_scenario *scenario, int rounds,
			    struct vrms_sim_samples *samples, struct vrms_error *error)
{
	int rc = 0;

	if (scenario->vm_count == 0 || scenario->node_count < 3) {
		return vrms_error_set(error, -EINVAL, "needs three nodes and a VM");
	}
	for (int i = 0; rc == 0 && i < rounds * VRMS_SIM_TRIAL_COUNT; i++) {
		struct vrms_sim_sample about = {.round = i / VRMS_SIM_TRIAL_COUNT + 1,
						.trial = i % VRMS_SIM_TRIAL_COUNT};

		rc = simulate_one(scenario, &about, samples, error);
	}
	return rc;
}
