/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Not everything fits: who stays down, the least important first, and as few as possible. */
#include "placement/solver.h"
#include "placement/sort.h"

enum { STEPS_PART = 8 /* later tries get this part of the effort each */ };

/* Takes unit[index] out of the job: it stays down. */
static void drop(struct vrms_solver *solver, int index)
{
	solver->down[solver->down_count++] = solver->unit[index];
	solver->unit[index] = solver->unit[--solver->count];
}

/* Demand that is more than all free capacity together, per dimension; any at all? */
static bool shortage(const struct vrms_solver *solver, int64_t short_by[VRMS_DIM_MAX])
{
	const struct vrms_model *model = solver->model;
	bool any = false;

	for (int d = 0; d < model->dim_count; d++) {
		short_by[d] = 0;
		for (int i = 0; i < solver->count; i++) {
			short_by[d] +=
			    model->unit_demand[(size_t)solver->unit[i] * model->dim_count + d];
		}
		for (int n = 0; n < model->node_count; n++) {
			size_t at = (size_t)n * model->dim_count + d;
			int64_t left = model->capacity[at] - solver->state->used[at];

			short_by[d] -= solver->state->open[n] && left > 0 ? left : 0;
		}
		any = any || short_by[d] > 0;
	}
	return any;
}

static bool covers(const struct vrms_model *model, int unit, const int64_t short_by[VRMS_DIM_MAX])
{
	for (int d = 0; d < model->dim_count; d++) {
		if (model->unit_demand[(size_t)unit * model->dim_count + d] < short_by[d]) {
			return false;
		}
	}
	return true;
}

/* Of the least important: the smallest that covers the shortage, or else the largest. */
static int choose_victim(const struct vrms_solver *solver, const int64_t short_by[VRMS_DIM_MAX])
{
	const struct vrms_model *model = solver->model;
	int best = 0;

	for (int i = 1; i < solver->count; i++) {
		int u = solver->unit[i], v = solver->unit[best];
		bool u_covers = covers(model, u, short_by), v_covers = covers(model, v, short_by);
		bool better;

		if (model->unit[u].priority != model->unit[v].priority) {
			better = model->unit[u].priority < model->unit[v].priority;
		} else if (u_covers != v_covers) {
			better = u_covers;
		} else {
			better = u_covers ? model->size[u] < model->size[v]
					  : model->size[u] > model->size[v];
		}
		best = better ? i : best;
	}
	return best;
}

static bool place_rest(struct vrms_solver *solver, const struct vrms_effort *effort)
{
	if (vrms_assign_spread(solver) == 0) {
		return true;
	}
	vrms_assign_clear(solver);
	if (vrms_assign_tight(solver, -1) == 0) {
		return true;
	}
	vrms_assign_clear(solver);
	return vrms_room_make(solver, effort);
}

/* The most important of those that stay down come first, then the smallest. */
static void sort_down(struct vrms_solver *solver)
{
	const struct vrms_model *model = solver->model;

	for (int at = 1; at < solver->down_count; at++) {
		int u = solver->down[at], to = at;

		for (; to > 0; to--) {
			int v = solver->down[to - 1];
			bool before = model->unit[u].priority != model->unit[v].priority
					  ? model->unit[u].priority > model->unit[v].priority
					  : model->size[u] < model->size[v];

			if (!before) {
				break;
			}
			solver->down[to] = v;
		}
		solver->down[to] = u;
	}
}

void vrms_down_readmit(struct vrms_solver *solver)
{
	int kept = 0;

	sort_down(solver);
	for (int i = 0; i < solver->down_count; i++) {
		int u = solver->down[i], node = -1;

		for (int n = 0; n < solver->model->node_count && node < 0; n++) {
			node = vrms_state_fits(solver->state, u, n) ? n : -1;
		}
		if (node < 0) {
			solver->down[kept++] = u;
			continue;
		}
		vrms_state_put(solver->state, u, node);
		solver->unit[solver->count++] = u;
	}
	solver->down_count = kept;
}

/* Takes a unit that is stopped after all out of the list of those that were placed. */
static void leave_job(struct vrms_solver *solver, int unit)
{
	for (int i = 0; i < solver->count; i++) {
		if (solver->unit[i] == unit) {
			solver->unit[i] = solver->unit[--solver->count];
			return;
		}
	}
}

static bool was_shifted(const struct vrms_solver *solver, int unit)
{
	for (int i = 0; i < solver->shift_count; i++) {
		if (solver->shift[i].unit == unit) {
			return true;
		}
	}
	return false;
}

/* Stops units on the node that matter less than this one, least first, until it fits.
 * Returns how many are in solver->cut, or -1 when even that is not enough; the state is
 * as before.
 */
static int cut_for(struct vrms_solver *solver, int unit, int node, int64_t *ret_priority)
{
	const struct vrms_model *model = solver->model;
	struct vrms_state *state = solver->state;
	int cut = 0;
	bool fits = false;

	*ret_priority = INT64_MIN;
	while (!(fits = vrms_state_fits(state, unit, node))) {
		int least = -1;

		for (int u = state->head[node]; u >= 0; u = state->next[u]) {
			if (model->unit[u].priority < model->unit[unit].priority &&
			    !was_shifted(solver, u) &&
			    (least < 0 || model->unit[u].priority < model->unit[least].priority ||
			     (model->unit[u].priority == model->unit[least].priority &&
			      model->size[u] > model->size[least]))) {
				least = u;
			}
		}
		if (least < 0) {
			break;
		}
		*ret_priority = model->unit[least].priority;
		vrms_state_take(state, least);
		solver->cut[cut++] = least;
	}
	for (int i = cut - 1; i >= 0; i--) {
		vrms_state_put(state, solver->cut[i], node);
	}
	return fits ? cut : -1;
}

/* Makes way for one dropped unit by stopping less important ones; where that costs least. */
static bool preempt(struct vrms_solver *solver, int unit)
{
	const struct vrms_model *model = solver->model;
	struct vrms_state *state = solver->state;
	int best = -1, best_count = 0;
	int64_t best_priority = 0, priority;

	for (int n = 0; n < model->node_count; n++) {
		int count = state->open[n] && vrms_unit_allowed(model, unit, n)
				? cut_for(solver, unit, n, &priority)
				: -1;

		if (count > 0 && (best < 0 || priority < best_priority ||
				  (priority == best_priority && count < best_count))) {
			best = n;
			best_count = count;
			best_priority = priority;
		}
	}
	if (best < 0) {
		return false;
	}
	best_count = cut_for(solver, unit, best, &priority);
	for (int i = 0; i < best_count; i++) {
		vrms_state_take(state, solver->cut[i]);
		leave_job(solver, solver->cut[i]);
		solver->down[solver->down_count++] = solver->cut[i];
	}
	vrms_state_put(state, unit, best);
	return true;
}

static void preempt_all(struct vrms_solver *solver)
{
	for (int i = 0; i < solver->down_count; i++) {
		int u = solver->down[i];

		if (preempt(solver, u)) {
			solver->down[i] = solver->down[--solver->down_count];
			solver->unit[solver->count++] = u;
			sort_down(solver);
			i = -1; /* those stopped just now may find another place by stopping others
				 */
		}
	}
}

/* No open node would take the unit even if it were empty. */
static bool is_homeless(const struct vrms_solver *solver, int unit)
{
	const struct vrms_model *model = solver->model;
	int dims = model->dim_count;

	for (int n = 0; n < model->node_count; n++) {
		bool fits = solver->state->open[n] && vrms_unit_allowed(model, unit, n);

		for (int d = 0; d < dims && fits; d++) {
			int64_t demand = model->unit_demand[(size_t)unit * dims + d];

			fits = demand == 0 ||
			       demand + model->other[n * dims + d] <= model->capacity[n * dims + d];
		}
		if (fits) {
			return false;
		}
	}
	return true;
}

void vrms_down_drop_homeless(struct vrms_solver *solver)
{
	for (int i = 0; i < solver->count; i++) {
		if (is_homeless(solver, solver->unit[i])) {
			drop(solver, i--);
		}
	}
}

void vrms_down_choose(struct vrms_solver *solver, const struct vrms_effort *effort)
{
	struct vrms_effort part = *effort;
	int64_t short_by[VRMS_DIM_MAX];

	part.steps /= STEPS_PART;
	do {
		bool lacks = shortage(solver, short_by);

		do {
			drop(solver, choose_victim(solver, short_by));
			lacks = lacks && shortage(solver, short_by);
		} while (lacks && solver->count > 0);
	} while (solver->count > 0 && !place_rest(solver, &part));
	solver->fewest = solver->fewest && solver->shift_count == 0;
	vrms_down_readmit(solver);
	preempt_all(solver);
}
