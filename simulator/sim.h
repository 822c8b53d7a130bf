/* sim.h - runs a scenario to its end.
 *
 * Pure: same scenario and same options give the same record, always.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_SIM_H
#define VRMS_SIMULATOR_SIM_H

#include "simulator/record.h"
#include "simulator/scenario.h"
#include "simulator/scheduler.h"

struct vrms_sim_options {
	bool exact;                                 /* token hops and beats one by one */
	int plant;                                  /* a planted bug, in builds that have them */
	size_t step_limit;                          /* steps to remember; 0: none */
	const struct vrms_sim_scheduler *scheduler; /* decides; NULL: the model does */
};

struct vrms_sim_result {
	struct vrms_sim_record record;
	int64_t events;
	int64_t simulated_us;
	int node_count, vm_count;
	double availability; /* of the VMs, 0..1 */
	double vm_lost_s;
};

/* Runs it.  The scenario must be complete.  -ENOMEM, or what the scheduler has said; the result is
 * empty then. */
VRMS_MUST_CHECK int vrms_sim_run(const struct vrms_sim_scenario *scenario,
				 const struct vrms_sim_options *options,
				 struct vrms_sim_result *ret_result, struct vrms_error *error);
void vrms_sim_result_done(struct vrms_sim_result *result); /* accepts a zeroed one */

#endif
