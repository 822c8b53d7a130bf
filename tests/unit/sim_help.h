/* sim_help.h - scenarios for tests in a few words.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_TESTS_UNIT_SIM_HELP_H
#define VRMS_TESTS_UNIT_SIM_HELP_H

#include "simulator/sim.h"

/* A scenario with these settings, "section.key=value" separated by blanks. */
void sim_make(struct vrms_sim_scenario *scenario, const char *settings);

/* Adds a fault at a time in milliseconds, to a node or a VM by index. */
void sim_fault(struct vrms_sim_scenario *scenario, int64_t at_ms, enum vrms_sim_fault_kind kind,
	       int first, int64_t for_ms);

/* Adds a cut: nodes whose bit is set are in the second group. */
void sim_cut(struct vrms_sim_scenario *scenario, int64_t at_ms, unsigned second_bits);

/* Completes the scenario, runs it and frees it. */
void sim_run(struct vrms_sim_scenario *scenario, bool exact, struct vrms_sim_result *result);

/* When a step was taken first, for this node (-1: any) and VM (-1: any); ms, or -1. */
int64_t sim_when(const struct vrms_sim_result *result, enum vrms_sim_step_kind kind, int node,
		 int vm);
int sim_count(const struct vrms_sim_result *result, enum vrms_sim_step_kind kind, int node);

/* Do two steps say the same? */
bool sim_same_step(const struct vrms_sim_step *one, const struct vrms_sim_step *other);

#endif
