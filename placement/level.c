/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Evens out the job that has been placed: units of the job move, all others stay where they are. */
#include <string.h>

#include "placement/solver.h"

enum { RELIEF_ROUNDS = 200, SMOOTH_ROUNDS = 2 };

/* A level must fall by more than this to count as better. */
static const double WORTHWHILE = 1e-9;

static void take(const struct vrms_solver *solver, int unit)
{
	int node = vrms_state_take(solver->state, unit);

	vrms_growth_note(solver->growth, solver->state, solver->scale, node);
}

static int worst_node(const struct vrms_solver *solver, double *ret_level)
{
	int worst = -1;

	*ret_level = 0;
	for (int n = 0; n < solver->model->node_count; n++) {
		double level = solver->state->alive[n] ? vrms_solver_level(solver, n) : 0;

		if (level > *ret_level) {
			*ret_level = level;
			worst = n;
		}
	}
	return worst;
}

/* Moves one unit of the job off the worst node to where it leaves the lowest level. */
static bool shift_off(struct vrms_solver *solver, int worst, double ceiling)
{
	struct vrms_state *state = solver->state;
	double best = ceiling - WORTHWHILE;
	int best_unit = -1, best_node = -1;

	for (int i = 0; i < solver->count; i++) {
		int u = solver->unit[i];
		int64_t dislike;

		if (state->where[u] != worst) {
			continue;
		}
		vrms_state_take(state, u);
		dislike = vrms_state_dislike(state, u, worst);
		for (int n = 0; n < solver->model->node_count; n++) {
			double level;

			if (n == worst || !vrms_state_fits(state, u, n)) {
				continue;
			}
			level = vrms_solver_level_with(solver, u, n);
			if (level < best && vrms_state_dislike(state, u, n) <= dislike) {
				best = level;
				best_unit = u;
				best_node = n;
			}
		}
		vrms_state_put(state, u, worst);
	}
	if (best_unit < 0) {
		return false;
	}
	vrms_state_take(state, best_unit);
	vrms_state_put(state, best_unit, best_node);
	return true;
}

/* Units without rules: would one have room in the other's place, with the node below the ceiling?
 */
static bool could_replace(const struct vrms_solver *solver, int unit, int other, double ceiling)
{
	const struct vrms_model *model = solver->model;
	const struct vrms_state *state = solver->state;
	int node = state->where[other];
	size_t dims = (size_t)model->dim_count;
	size_t at = (size_t)node * dims, in = (size_t)unit * dims, out = (size_t)other * dims;

	for (size_t d = 0; d < dims; d++, at++, in++, out++) {
		int64_t weight =
		    state->weight[at] + model->unit_weight[in] - model->unit_weight[out];
		int64_t used = state->used[at] + model->unit_demand[in] - model->unit_demand[out];

		if ((double)weight * model->inverse[at] * solver->scale[d] >= ceiling ||
		    (model->unit_demand[in] > 0 && used > model->capacity[at])) {
			return false;
		}
	}
	return state->open[node];
}

/* Do room and level alone forbid that one takes the other's place?  That is looked at without
 * taking anything up; the other is the first of its node then, as after a try in vain.
 */
static bool is_vain(struct vrms_solver *solver, int unit, int other, double ceiling)
{
	if (vrms_solver_has_rules(solver->model, unit) ||
	    vrms_solver_has_rules(solver->model, other) ||
	    could_replace(solver, unit, other, ceiling)) {
		return false;
	}
	vrms_state_to_front(solver->state, other);
	return true;
}

/* Exchanges two units of the job when that leaves both nodes below the ceiling. */
static bool try_swap(struct vrms_solver *solver, int u, int v, double ceiling)
{
	if (is_vain(solver, u, v, ceiling)) {
		vrms_state_to_front(solver->state, u);
		return false;
	}
	struct vrms_state *state = solver->state;
	int a = vrms_state_take(state, u), b = vrms_state_take(state, v);
	int64_t before = vrms_state_dislike(state, u, a), after = vrms_state_dislike(state, u, b);
	bool good = false;

	if (vrms_state_fits(state, u, b) && vrms_solver_level_with(solver, u, b) < ceiling) {
		before += vrms_state_dislike(state, v, b);
		vrms_state_put(state, u, b);
		after += vrms_state_dislike(state, v, a);
		good = vrms_state_fits(state, v, a) && after <= before &&
		       vrms_solver_level_with(solver, v, a) < ceiling;
		vrms_state_take(state, u);
	}
	vrms_state_put(state, u, good ? b : a);
	vrms_state_put(state, v, good ? a : b);
	return good;
}

static bool swap_off(struct vrms_solver *solver, int worst, double ceiling)
{
	const struct vrms_state *state = solver->state;

	for (int i = 0; i < solver->count; i++) {
		for (int j = 0; state->where[solver->unit[i]] == worst && j < solver->count; j++) {
			int node = state->where[solver->unit[j]];

			if (node >= 0 && node != worst &&
			    try_swap(solver, solver->unit[i], solver->unit[j],
				     ceiling - WORTHWHILE)) {
				return true;
			}
		}
	}
	return false;
}

static bool is_below(const struct vrms_solver *solver, int unit, int node, double ceiling,
		     int64_t dislike)
{
	return solver->state->open[node] && vrms_solver_level_with(solver, unit, node) < ceiling &&
	       vrms_state_dislike(solver->state, unit, node) <= dislike;
}

/* Finds a place below the ceiling for a unit of the job that is nowhere: a free one, or that of
 * another which then finds one in turn (an augmenting path; each node gives up a unit once).
 */
static bool augment(struct vrms_solver *solver, int unit, double ceiling, int64_t dislike)
{
	struct vrms_state *state = solver->state;
	int nodes = solver->model->node_count;

	for (int n = 0; n < nodes; n++) {
		if (is_below(solver, unit, n, ceiling, dislike) &&
		    vrms_state_fits(state, unit, n)) {
			vrms_state_put(state, unit, n);
			return true;
		}
	}
	for (int i = 0; i < solver->count; i++) {
		int other = solver->unit[i], node = state->where[other];
		int64_t others_dislike;

		if (node < 0 || solver->visited[node] || is_vain(solver, unit, other, ceiling)) {
			continue;
		}
		vrms_state_take(state, other);
		others_dislike = vrms_state_dislike(state, other, node);
		if (is_below(solver, unit, node, ceiling, dislike) &&
		    vrms_state_fits(state, unit, node)) {
			solver->visited[node] = true;
			vrms_state_put(state, unit, node);
			if (augment(solver, other, ceiling, others_dislike)) {
				return true;
			}
			vrms_state_take(state, unit);
		}
		vrms_state_put(state, other, node);
	}
	return false;
}

static bool chain_off(struct vrms_solver *solver, int worst, double ceiling)
{
	struct vrms_state *state = solver->state;

	for (int i = 0; i < solver->count; i++) {
		int u = solver->unit[i];

		if (state->where[u] != worst) {
			continue;
		}
		memset(solver->visited, 0,
		       (size_t)solver->model->node_count * sizeof(*solver->visited));
		solver->visited[worst] = true;
		vrms_state_take(state, u);
		if (augment(solver, u, ceiling - WORTHWHILE, vrms_state_dislike(state, u, worst))) {
			return true;
		}
		vrms_state_put(state, u, worst);
	}
	return false;
}

/* Where the unit, which is nowhere or has no rules, makes the sum of squares grow by less than
 * `growth`, with no node above the ceiling and nothing disliked more; -1: nowhere.
 */
static int find_smoother(const struct vrms_solver *solver, int unit, double growth, double ceiling,
			 int64_t dislike)
{
	const struct vrms_state *state = solver->state;
	struct vrms_growth_weights weights = vrms_growth_weights(solver->model, unit);
	struct vrms_growth_range range = {.end = solver->model->node_count, .limit = growth};
	int best = -1;

	for (;; range.from++) {
		range.from = vrms_growth_next(solver->growth, &weights, &range);
		if (range.from == range.end) {
			return best;
		}
		if (vrms_state_fits(state, unit, range.from) &&
		    vrms_solver_level_with(solver, unit, range.from) <= ceiling &&
		    vrms_state_dislike(state, unit, range.from) <= dislike) {
			range.limit = vrms_growth_with(solver->growth, &weights, range.from);
			best = range.from;
		}
	}
}

/* Moves the unit to where the sum of squares falls most; false: it stays where it is. */
static bool smooth_one(struct vrms_solver *solver, int unit, double ceiling)
{
	struct vrms_state *state = solver->state;
	int from = state->where[unit];
	double growth = vrms_growth_where(solver->growth, state, solver->scale, unit) - WORTHWHILE;
	int best;

	/* Nearly all stay; only rules ask for the unit to be taken up before its place is known. */
	if (!vrms_solver_has_rules(solver->model, unit)) {
		best = find_smoother(solver, unit, growth, ceiling, 0);
		if (best < 0) {
			vrms_state_to_front(state, unit);
			return false;
		}
		take(solver, unit);
	} else {
		take(solver, unit);
		best = find_smoother(solver, unit, growth, ceiling,
				     vrms_state_dislike(state, unit, from));
	}
	vrms_solver_put(solver, unit, best < 0 ? from : best);
	return best >= 0;
}

/* Shifts units of the job to where the sum of squares falls, none above the ceiling. */
static bool smooth(struct vrms_solver *solver, double ceiling)
{
	bool any = false;

	for (int i = 0; i < solver->count; i++) {
		if (solver->state->where[solver->unit[i]] >= 0) {
			any = smooth_one(solver, solver->unit[i], ceiling) || any;
		}
	}
	return any;
}

void vrms_assign_level(struct vrms_solver *solver)
{
	double ceiling = 0;
	bool better = true;

	for (int round = 0; round < RELIEF_ROUNDS && better; round++) {
		int worst = worst_node(solver, &ceiling);

		better = worst >= 0 && ceiling > 1.0 &&
			 (shift_off(solver, worst, ceiling) || swap_off(solver, worst, ceiling) ||
			  chain_off(solver, worst, ceiling));
	}
	if (better) {
		(void)worst_node(solver, &ceiling);
	}
	vrms_growth_note_all(solver->growth, solver->state, solver->scale);
	for (int round = 0; round < SMOOTH_ROUNDS && smooth(solver, ceiling); round++) {
	}
}
