/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One failure decided by look-up: what was worked out beforehand is only read. */
#include "placement/failover_data.h"
#include "placement/planner_data.h"
#include "placement/sort.h"

/* Carries out what was prepared for just this failure. */
static void follow_case(struct vrms_planner *planner, const struct vrms_failover *lists,
			const struct vrms_case *found, struct vrms_outcome *outcome)
{
	const struct vrms_detail *detail = vrms_failover_details(lists, found);
	struct vrms_state *state = planner->state;

	for (int i = 0; i < found->detail_count; i++) {
		struct vrms_step step = {.unit = detail[i].unit,
					 .from = detail[i].from,
					 .to = detail[i].to,
					 .kind = VRMS_MOVE_RECOVER,
					 .batch = found->shifts};

		bool survivor = state->where[step.unit] >= 0;

		if (survivor) {
			vrms_state_take(state, step.unit);
			step.kind = VRMS_MOVE_ROOM;
			step.batch = i;
		}
		if (survivor && step.to < 0) { /* stops for more important ones */
			vrms_planner_add_stopped(planner, step.unit, outcome);
		} else if (step.to >= 0) {
			vrms_state_put(state, step.unit, step.to);
			vrms_planner_add_step(planner, &step);
		}
	}
}

/* First surviving host of the list that has room; VRMS_NODE_NONE: none. */
static int first_host(const struct vrms_planner *planner, const struct vrms_failover *lists,
		      int unit)
{
	const int *list = vrms_list_of(lists, unit);

	for (int i = 0; i < lists->config.list_length && list[i] >= 0; i++) {
		if (vrms_state_fits(planner->state, unit, list[i])) {
			return list[i];
		}
	}
	return VRMS_NODE_NONE;
}

/* The most important first, as Pacemaker does it. */
static void sort_job(struct vrms_solver *solver, int count)
{
	for (int i = 0; i < count; i++) {
		int u = solver->unit[i];

		solver->key[u] = (double)solver->model->unit[u].priority;
	}
	vrms_sort_by(solver->unit, count, solver->key);
}

int vrms_planner_decide(struct vrms_planner *planner, const struct vrms_failover *lists,
			const int *nodes, int count, struct vrms_outcome *outcome)
{
	struct vrms_solver *solver = planner->solver;
	struct vrms_state *state = planner->state;
	const struct vrms_case *found =
	    count == 1 || count == 2
		? vrms_failover_find(lists, nodes[0], count > 1 ? nodes[1] : VRMS_NODE_NONE)
		: NULL;
	int job = 0;

	vrms_planner_open_outcome(planner, outcome);
	for (int i = 0; i < count; i++) {
		int from = job;

		if (state->alive[nodes[i]]) {
			job = vrms_state_fail(state, nodes[i], solver->unit, job);
		}
		for (int k = from; k < job; k++) {
			planner->last[solver->unit[k]] = nodes[i];
		}
	}
	if (found != NULL && !found->by_list && !found->cut) {
		follow_case(planner, lists, found, outcome);
	}
	sort_job(solver, job);
	for (int i = 0; i < job; i++) {
		int u = solver->unit[i], to;

		if (state->where[u] >= 0) {
			continue;
		}
		to = first_host(planner, lists, u);
		if (to < 0) {
			vrms_planner_add_stopped(planner, u, outcome);
			continue;
		}
		vrms_state_put(state, u, to);
		vrms_planner_add_step(planner, &(struct vrms_step){.unit = u,
								   .from = planner->last[u],
								   .to = to,
								   .kind = VRMS_MOVE_RECOVER});
	}
	for (int d = 0; found != NULL && d < planner->model->dim_count; d++) {
		outcome->bound[d] = found->bound[d];
	}
	vrms_planner_close_outcome(planner, outcome);
	return outcome->stopped_count;
}
