/* calibrate.h - the same failures in vrms-lab and in the simulator, step by step.
 *
 * A sample is one step of one failure: how long after the fault it was seen.  The lab's come
 * from the logs of its nodes, the simulator's from its record; from there on both are alike.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_CALIBRATE_H
#define VRMS_SIMULATOR_CALIBRATE_H

#include <jansson.h>
#include <stdio.h>

#include "simulator/scenario.h"

enum vrms_sim_trial { VRMS_SIM_TRIAL_POWER, VRMS_SIM_TRIAL_FREEZE, VRMS_SIM_TRIAL_KILL };

/* X(NAME, "word"): in the order in which they happen */
#define VRMS_SIM_TRIAL_STEPS(X)     \
	X(MEMBERSHIP, "membership") \
	X(NOTICED, "noticed")       \
	X(DECIDED, "scheduler")     \
	X(FENCED, "fenced")         \
	X(STARTED, "start-ordered") \
	X(RUNNING, "vm-running")

#define VRMS_SIM_TRIAL_STEP_ENUM(name, word) VRMS_SIM_TRIAL_##name,
enum vrms_sim_trial_step {
	VRMS_SIM_TRIAL_STEPS(VRMS_SIM_TRIAL_STEP_ENUM) VRMS_SIM_TRIAL_STEP_COUNT
};
#undef VRMS_SIM_TRIAL_STEP_ENUM

enum { VRMS_SIM_TRIAL_COUNT = 3 };

struct vrms_sim_sample {
	int round;   /* from 1 */
	int trial;   /* enum vrms_sim_trial */
	int step;    /* enum vrms_sim_trial_step */
	int vm;      /* its number, from 1; 0: of no VM */
	double ms;   /* since the fault */
	double load; /* load average of the lab's machine when the fault was made; 0: not known */
	double wait_us; /* mean wait of a woken thread there, meanwhile; 0: not known */
};

struct vrms_sim_samples {
	struct vrms_sim_sample *item;
	size_t count, capacity;
};

void vrms_sim_samples_done(struct vrms_sim_samples *samples); /* accepts a zeroed one */

/* Keeps the earliest of its round, trial, step and VM.  0 or -ENOMEM. */
VRMS_MUST_CHECK int vrms_sim_samples_add(struct vrms_sim_samples *samples,
					 const struct vrms_sim_sample *sample);

const char *vrms_sim_trial_word(enum vrms_sim_trial trial);
const char *vrms_sim_trial_step_word(enum vrms_sim_trial_step step);

/* Reads and prints "round,fault,step,vm,ms,load,wait_us" with a heading; the last two may be
 * missing. path: for messages.
 */
VRMS_MUST_CHECK int vrms_sim_samples_parse(const char *path, const char *text,
					   struct vrms_sim_samples *samples,
					   struct vrms_error *error);
void vrms_sim_samples_print(FILE *out, const struct vrms_sim_samples *samples);

/* A fault that was made in the lab. */
struct vrms_sim_lab_fault {
	int round, trial;
	int64_t at_ms;      /* of the day, local time */
	double load;        /* average just before it */
	const char *victim; /* node or VM */
};

/* Takes the steps of a fault out of what "vrms-lab logs" prints. 0 or -ENOMEM. */
VRMS_MUST_CHECK int vrms_sim_lab_log_parse(const char *text, const struct vrms_sim_lab_fault *fault,
					   struct vrms_sim_samples *samples);

/* Brings a lab up as the scenario says, makes every fault in every round, takes it down.
 * Rounds are numbered on from those that are in the samples already.
 *
 * tell: is given a line of progress.  -EIO and others: text in error; what was measured stays.
 */
VRMS_MUST_CHECK int vrms_sim_lab_measure(const struct vrms_sim_scenario *scenario, int rounds,
					 struct vrms_sim_samples *samples, FILE *tell,
					 struct vrms_error *error);

enum { VRMS_SIM_TRIAL_ROUNDS = 200 };

/* The same in the simulator: each round with a seed of its own, on hosts as busy as the lab's were
 * in one of its rounds, where that is known. */
VRMS_MUST_CHECK int vrms_sim_trial_simulate(const struct vrms_sim_scenario *scenario,
					    const struct vrms_sim_samples *lab,
					    struct vrms_sim_samples *samples,
					    struct vrms_error *error);

/* Learns from measured samples what is the machine's, not the model's; writes it into the settings
 * and, as a scenario's sections, to out. */
VRMS_MUST_CHECK int vrms_sim_calibrate_fit(struct vrms_sim_scenario *scenario,
					   const struct vrms_sim_samples *samples, FILE *out,
					   struct vrms_error *error);

/* The number of the last round, 0 when there is none. */
int vrms_sim_samples_last_round(const struct vrms_sim_samples *samples);

/* Both distributions side by side, and how busy the lab's machine was.  Returns how many medians
 * differ by more than 15 % and 100 ms; the rows as JSON in *ret_rows when that is not NULL.
 * -ENOMEM.
 */
int vrms_sim_calibrate_compare(const struct vrms_sim_samples *lab,
			       const struct vrms_sim_samples *simulated, FILE *out,
			       json_t **ret_rows);

/* Sorts; the value that a share (0..1) does not exceed; 0 when there is none. */
double vrms_sim_quantile(double *value, size_t count, double share);

#endif
