/* trial.c - the faults of a calibration in the simulator.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

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

/* How long a woken thread waited in each round of the lab that had the fault. */
static size_t waits_of(const struct vrms_sim_samples *lab, int trial, double *ret_us)
{
	size_t count = 0;
	int last = 0;

	for (size_t i = 0; i < lab->count; i++) {
		const struct vrms_sim_sample *sample = &lab->item[i];

		if (sample->trial == trial && sample->round != last) {
			last = sample->round;
			ret_us[count++] = sample->wait_us;
		}
	}
	return count;
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
	if (about->wait_us > 0) {
		scenario.settings.wakeup_us = llround(about->wait_us);
	}
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

int vrms_sim_trial_simulate(const struct vrms_sim_scenario *scenario,
			    const struct vrms_sim_samples *lab, struct vrms_sim_samples *samples,
			    struct vrms_error *error)
{
	double *waits = calloc(lab->count + 1, sizeof(*waits));
	int rc = waits == NULL ? vrms_error_set(error, -ENOMEM, "out of memory for waits") : 0;

	if (rc == 0 && (scenario->vm_count == 0 || scenario->node_count < 3)) {
		rc = vrms_error_set(error, -EINVAL, "needs three nodes and a VM");
	}
	for (int trial = 0; rc == 0 && trial < VRMS_SIM_TRIAL_COUNT; trial++) {
		size_t count = waits_of(lab, trial, waits);

		for (int i = 0; rc == 0 && i < VRMS_SIM_TRIAL_ROUNDS; i++) {
			struct vrms_sim_sample about = {.round = i + 1,
							.trial = trial,
							.wait_us = count > 0
								       ? waits[(size_t)i % count]
								       : 0};

			rc = simulate_one(scenario, &about, samples, error);
		}
	}
	free(waits);
	return rc;
}
