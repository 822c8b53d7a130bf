/* fuzz.h - random clusters and faults against the rules that must never break.
 *
 * Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_FUZZ_H
#define VRMS_SIMULATOR_FUZZ_H

#include <stdio.h>

#include "simulator/sim.h"

/* Makes the small cluster and the faults that belong to a seed; complete.  -ENOMEM. */
VRMS_MUST_CHECK int vrms_sim_fuzz_make(uint64_t seed, struct vrms_sim_scenario *scenario,
				       struct vrms_error *error);

/* Runs a scenario.  Returns the first broken rule, -1: none, or another negative errno. */
int vrms_sim_fuzz_try(const struct vrms_sim_scenario *scenario, int plant,
		      struct vrms_sim_broken *ret_broken, struct vrms_error *error);

/* Takes out of the scenario whatever is not needed to break the same rule: faults, then the rules
 * about VMs and nodes, then VMs.
 */
VRMS_MUST_CHECK int vrms_sim_fuzz_shrink(struct vrms_sim_scenario *scenario, int plant, int rule,
					 struct vrms_error *error);

enum { VRMS_SIM_FUZZ_NONE = -1 };

#endif
