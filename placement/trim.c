/* SPDX-License-Identifier: GPL-2.0-or-later */
/* After a failure: lowers the highest load with a few live migrations, worst node by worst node. */
#include <string.h>

#include "placement/planner_data.h"

/* A level must fall by more than this to count. */
static const double WORTHWHILE = 1e-9;

struct trimming {
	struct vrms_planner *planner;
	const struct vrms_solver *solver; /* its scale[] measures levels */
	struct vrms_state *state;
	int *units; /* scratch: those of the worst node */
	int left;
};

struct relief {
	int unit, to, back; /* unit -1: none; back -1: a plain move, else an exchange */
	double level;       /* of the higher of the two nodes afterwards */
};

static bool may_go(const struct trimming *trimming, int unit, int to)
{
	struct vrms_state *state = trimming->state;
	int from = vrms_state_take(state, unit);
	bool may = vrms_state_fits(state, unit, to) &&
		   vrms_state_dislike(state, unit, to) <= vrms_state_dislike(state, unit, from);

	vrms_state_put(state, unit, from);
	return may;
}

static double without(const struct trimming *trimming, int unit)
{
	int node = vrms_state_take(trimming->state, unit);
	double level = vrms_solver_level(trimming->solver, node);

	vrms_state_put(trimming->state, unit, node);
	return level;
}

static void find_move(const struct trimming *trimming, int worst, struct relief *best)
{
	const struct vrms_state *state = trimming->state;

	for (int i = 0, count = vrms_state_list(state, worst, trimming->units); i < count; i++) {
		int u = trimming->units[i];
		double here;

		if (!state->model->unit[u].movable) {
			continue;
		}
		here = without(trimming, u);
		for (int n = 0; here < best->level && n < state->model->node_count; n++) {
			double level;

			if (n == worst || !state->open[n]) {
				continue;
			}
			level = vrms_solver_level_with(trimming->solver, u, n);
			level = level > here ? level : here;
			if (level < best->level && may_go(trimming, u, n)) {
				*best =
				    (struct relief){.unit = u, .to = n, .back = -1, .level = level};
			}
		}
	}
}

/* u and v change places, u first: the level of the higher of their nodes, or 2 * ceiling. */
static double exchanged(const struct trimming *trimming, int u, int v, double ceiling)
{
	struct vrms_state *state = trimming->state;
	int a = state->where[u], b = state->where[v];
	double level = 2 * ceiling;

	if (!may_go(trimming, u, b)) {
		return level;
	}
	vrms_state_take(state, u);
	vrms_state_put(state, u, b);
	if (may_go(trimming, v, a)) {
		double level_a, level_b;

		vrms_state_take(state, v);
		level_a = vrms_solver_level_with(trimming->solver, v, a);
		level_b = vrms_solver_level(trimming->solver, b);
		vrms_state_put(state, v, b);
		level = level_a > level_b ? level_a : level_b;
	}
	vrms_state_take(state, u);
	vrms_state_put(state, u, a);
	return level;
}

static void find_exchange(const struct trimming *trimming, int worst, struct relief *best)
{
	const struct vrms_state *state = trimming->state;
	double ceiling = best->level;

	for (int i = 0, count = vrms_state_list(state, worst, trimming->units); i < count; i++) {
		int u = trimming->units[i];

		for (int v = 0; state->model->unit[u].movable && v < state->model->unit_count;
		     v++) {
			int n = state->where[v];
			double level;

			if (n < 0 || n == worst || !state->open[n] ||
			    !state->model->unit[v].movable ||
			    vrms_solver_level(trimming->solver, n) >= ceiling) {
				continue;
			}
			level = exchanged(trimming, u, v, ceiling);
			if (level < best->level) {
				*best =
				    (struct relief){.unit = u, .to = n, .back = v, .level = level};
			}
		}
	}
}

static void go(struct trimming *trimming, int unit, int to)
{
	int from = vrms_state_take(trimming->state, unit);

	vrms_state_put(trimming->state, unit, to);
	vrms_planner_add_step(trimming->planner, &(struct vrms_step){.unit = unit,
								     .from = from,
								     .to = to,
								     .kind = VRMS_MOVE_REBALANCE});
	trimming->left--;
}

static bool trim_once(struct trimming *trimming)
{
	struct relief best = {.unit = -1};
	int worst = -1;

	for (int n = 0; n < trimming->state->model->node_count; n++) {
		double level =
		    trimming->state->alive[n] ? vrms_solver_level(trimming->solver, n) : 0;

		if (level > best.level) {
			best.level = level;
			worst = n;
		}
	}
	if (worst < 0) {
		return false;
	}
	best.level -= WORTHWHILE;
	find_move(trimming, worst, &best);
	if (best.unit < 0 && trimming->left >= 2) {
		find_exchange(trimming, worst, &best);
	}
	if (best.unit < 0) {
		return false;
	}
	go(trimming, best.unit, best.to);
	if (best.back >= 0) {
		go(trimming, best.back, worst);
	}
	return true;
}

void vrms_planner_trim(struct vrms_planner *planner, int moves_max, int parallel,
		       struct vrms_outcome *outcome)
{
	struct vrms_solver *solver = planner->solver;
	struct trimming trimming = {
	    .planner = planner,
	    .solver = solver,
	    .state = planner->state,
	    .units = solver->unit,
	    .left = moves_max < planner->step_max ? moves_max : planner->step_max,
	};

	vrms_planner_open_outcome(planner, outcome);
	vrms_state_copy(planner->before, planner->state);
	for (int d = 0; d < planner->model->dim_count; d++) {
		double highest = outcome->highest_before[d];

		solver->scale[d] = highest > 0 ? 1.0 / highest : 1.0;
	}
	while (trimming.left > 0 && trim_once(&trimming)) {
	}
	vrms_bound_free(solver->bounds, planner->before, NULL, 0, outcome->bound);
	outcome->ordered = vrms_batches_form(planner, planner->before, parallel);
	vrms_planner_close_outcome(planner, outcome);
}
