/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "placement/planner_data.h"

/* The node's units leave, the largest first: they need the room most. Cold ones come last. */
static void tell_leavers(struct vrms_planner *planner, int node, const int *leaving, int count,
			 struct vrms_outcome *outcome)
{
	const struct vrms_model *model = planner->model;

	for (int cold = 0; cold < 2; cold++) {
		for (int i = 0; i < count; i++) {
			int u = leaving[i];

			if (planner->state->where[u] >= 0 &&
			    model->unit[u].movable == (cold == 0)) {
				vrms_planner_add_step(
				    planner, &(struct vrms_step){.unit = u,
								 .from = node,
								 .to = planner->state->where[u],
								 .kind = VRMS_MOVE_DRAIN,
								 .cold = cold == 1});
			} else if (planner->state->where[u] < 0 && cold == 1) {
				vrms_planner_add_stopped(planner, u, outcome);
			}
		}
	}
}

void vrms_planner_drain(struct vrms_planner *planner, int node, int parallel,
			struct vrms_outcome *outcome)
{
	struct vrms_solver *solver = planner->solver;
	struct vrms_state *state = planner->state;
	int count, *leaving = solver->backup;

	vrms_planner_open_outcome(planner, outcome);
	vrms_state_copy(planner->before, state);
	count = vrms_state_fail(state, node, solver->unit, 0);
	state->alive[node] = planner->before->alive[node];
	memcpy(leaving, solver->unit, (size_t)count * sizeof(*leaving));
	solver->start = (node + 1) % planner->model->node_count;
	vrms_solver_begin(solver, state, count);
	vrms_solver_solve(solver, &planner->effort);
	for (int i = 0; i < solver->shift_count; i++) {
		vrms_planner_add_step(planner, &(struct vrms_step){.unit = solver->shift[i].unit,
								   .from = solver->shift[i].from,
								   .to = solver->shift[i].to,
								   .kind = VRMS_MOVE_ROOM});
	}
	tell_leavers(planner, node, leaving, count, outcome);
	planner->before->open[node] = false;
	outcome->ordered = vrms_batches_form(planner, planner->before, parallel);
	outcome->fewest = solver->fewest;
	memcpy(outcome->bound, solver->bound, sizeof(outcome->bound));
	vrms_planner_close_outcome(planner, outcome);
}
