/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Places the job's units while everything else stays where it is. */
#include <string.h>

#include "placement/solver.h"
#include "placement/sort.h"

enum { RELIEF_ROUNDS = 200, SMOOTH_ROUNDS = 2 };

/* A level must fall by more than this to count as better. */
static const double WORTHWHILE = 1e-9;

struct choice {
	int node;
	int64_t dislike;
	double level;  /* above 1.0 only: below, everything is as good as it gets */
	double growth; /* of the sum of squared loads */
};

static bool has_rules(const struct vrms_model *model, int unit)
{
	const struct vrms_unit *self = &model->unit[unit];

	return self->allowed >= 0 || self->group_count > 0 || self->like_count > 0 ||
	       self->class_next != unit;
}

double vrms_solver_level(const struct vrms_solver *solver, int node)
{
	double level = 0;

	for (int d = 0; d < solver->model->dim_count; d++) {
		double share = vrms_state_ratio(solver->state, node, d) * solver->scale[d];

		level = share > level ? share : level;
	}
	return level;
}

double vrms_solver_level_with(const struct vrms_solver *solver, int unit, int node)
{
	const struct vrms_model *model = solver->model;
	double level = 0;
	int dims = model->dim_count;

	for (int d = 0; d < dims; d++) {
		size_t at = (size_t)node * dims + d;
		int64_t after =
		    solver->state->weight[at] + model->unit_weight[(size_t)unit * dims + d];
		double share = (double)after * model->inverse[at] * solver->scale[d];

		level = share > level ? share : level;
	}
	return level;
}

static void put(const struct vrms_solver *solver, int unit, int node)
{
	vrms_state_put(solver->state, unit, node);
	vrms_growth_note(solver->growth, solver->state, solver->scale, node);
}

static void take(const struct vrms_solver *solver, int unit)
{
	int node = vrms_state_take(solver->state, unit);

	vrms_growth_note(solver->growth, solver->state, solver->scale, node);
}

static bool is_better(const struct choice *a, const struct choice *b)
{
	if (a->dislike != b->dislike) {
		return a->dislike < b->dislike;
	}
	return a->level != b->level ? a->level < b->level : a->growth < b->growth;
}

struct choosing {
	int unit;
	bool ruled;
	struct vrms_growth_weights weights;
	struct choice best;
};

/* Looks at one node. */
static void look_at(const struct vrms_solver *solver, struct choosing *choosing, int n)
{
	const struct vrms_state *state = solver->state;
	struct choice *best = &choosing->best;
	struct choice option = {.node = n};
	int unit = choosing->unit;

	if (!state->open[n] || !vrms_state_has_room(state, unit, n) ||
	    (choosing->ruled && !vrms_state_keeps_rules(state, unit, n))) {
		return;
	}
	option.dislike = choosing->ruled ? vrms_state_dislike(state, unit, n) : 0;
	option.level = vrms_solver_level_with(solver, unit, n);
	option.level = option.level > 1.0 ? option.level : 1.0;
	if (best->node >= 0 && (option.dislike > best->dislike ||
				(option.dislike == best->dislike && option.level > best->level))) {
		return;
	}
	option.growth = vrms_growth_with(solver->growth, &choosing->weights, n);
	if (best->node < 0 || is_better(&option, best)) {
		*best = option;
	}
}

static void look_through(const struct vrms_solver *solver, struct choosing *choosing, int from,
			 int end)
{
	const struct choice *best = &choosing->best;

	for (int n = from; n < end; n++) {
		/* Nearly all are turned away here: no level is below 1. */
		if (!choosing->ruled && best->node >= 0 && best->level <= 1.0) {
			n = vrms_growth_next(solver->growth, &choosing->weights, n, end,
					     best->growth);
		}
		if (n < end) {
			look_at(solver, choosing, n);
		}
	}
}

/* The node where the unit disturbs least, or -1 when it fits nowhere. */
static int choose_level_node(const struct vrms_solver *solver, int unit)
{
	struct choosing choosing = {.unit = unit,
				    .ruled = has_rules(solver->model, unit),
				    .weights = vrms_growth_weights(solver->model, unit),
				    .best = {.node = -1}};

	look_through(solver, &choosing, solver->start, solver->model->node_count);
	look_through(solver, &choosing, 0, solver->start);
	return choosing.best.node;
}

int vrms_assign_spread(struct vrms_solver *solver)
{
	const struct vrms_model *model = solver->model;
	int left = 0;

	for (int i = 0; i < solver->count; i++) {
		int u = solver->unit[i];

		solver->key[u] = 0;
		for (int d = 0; d < model->dim_count; d++) {
			double size = (double)model->unit_weight[(size_t)u * model->dim_count + d] *
				      solver->scale[d] * model->mean_inverse[d];

			solver->key[u] = size > solver->key[u] ? size : solver->key[u];
		}
	}
	vrms_sort_by(solver->unit, solver->count, solver->key);
	vrms_growth_note_all(solver->growth, solver->state, solver->scale);
	for (int i = 0; i < solver->count; i++) {
		int node = choose_level_node(solver, solver->unit[i]);

		if (node < 0) {
			left++;
		} else {
			put(solver, solver->unit[i], node);
		}
	}
	return left;
}

/* What is left free on the node: shares of all dimensions added up. */
static double slack_with(const struct vrms_state *state, int unit, int node)
{
	const struct vrms_model *model = state->model;
	int dims = model->dim_count;
	double slack = 0;

	for (int d = 0; d < dims; d++) {
		size_t at = (size_t)node * dims + d;
		int64_t left = model->capacity[at] - state->used[at] -
			       model->unit_demand[(size_t)unit * dims + d];

		slack += (double)left * model->inverse[at];
	}
	return slack;
}

int vrms_assign_tight(struct vrms_solver *solver, int dim)
{
	const struct vrms_model *model = solver->model;
	int left = 0;

	for (int i = 0; i < solver->count; i++) {
		int u = solver->unit[i];

		solver->key[u] =
		    dim < 0 ? model->size[u]
			    : (double)model->unit_demand[(size_t)u * model->dim_count + dim];
	}
	vrms_sort_by(solver->unit, solver->count, solver->key);
	for (int i = 0; i < solver->count; i++) {
		int u = solver->unit[i], best = -1;
		double best_slack = 0;

		for (int n = 0; n < model->node_count; n++) {
			double slack;

			if (!vrms_state_fits(solver->state, u, n)) {
				continue;
			}
			slack = slack_with(solver->state, u, n);
			if (best < 0 || slack < best_slack) {
				best = n;
				best_slack = slack;
			}
		}
		if (best < 0) {
			left++;
		} else {
			vrms_state_put(solver->state, u, best);
		}
	}
	return left;
}

void vrms_assign_clear(struct vrms_solver *solver)
{
	for (int i = 0; i < solver->count; i++) {
		if (solver->state->where[solver->unit[i]] >= 0) {
			vrms_state_take(solver->state, solver->unit[i]);
		}
	}
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

/* Exchanges two units of the job when that leaves both nodes below the ceiling. */
static bool try_swap(struct vrms_solver *solver, int u, int v, double ceiling)
{
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

		if (node < 0 || solver->visited[node]) {
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

/* Shifts units of the job to where the sum of squares falls, none above the ceiling. */
static bool smooth(struct vrms_solver *solver, double ceiling)
{
	const struct vrms_state *state = solver->state;
	int nodes = solver->model->node_count;
	bool any = false;

	vrms_growth_note_all(solver->growth, solver->state, solver->scale);
	for (int i = 0; i < solver->count; i++) {
		int u = solver->unit[i], from = state->where[u], best = from;
		struct vrms_growth_weights weights = vrms_growth_weights(solver->model, u);
		double best_growth;
		int64_t dislike;

		if (from < 0) {
			continue;
		}
		take(solver, u);
		dislike = vrms_state_dislike(state, u, from);
		best_growth = vrms_growth_with(solver->growth, &weights, from) - WORTHWHILE;
		for (int n = 0; n < nodes; n++) {
			n = vrms_growth_next(solver->growth, &weights, n, nodes, best_growth);
			if (n < nodes && vrms_state_fits(state, u, n) &&
			    vrms_solver_level_with(solver, u, n) <= ceiling &&
			    vrms_state_dislike(state, u, n) <= dislike) {
				best_growth = vrms_growth_with(solver->growth, &weights, n);
				best = n;
			}
		}
		put(solver, u, best);
		any = any || best != from;
	}
	return any;
}

void vrms_assign_level(struct vrms_solver *solver)
{
	double ceiling = 0;

	for (int round = 0; round < RELIEF_ROUNDS; round++) {
		int worst = worst_node(solver, &ceiling);

		if (worst < 0 || ceiling <= 1.0 ||
		    (!shift_off(solver, worst, ceiling) && !swap_off(solver, worst, ceiling) &&
		     !chain_off(solver, worst, ceiling))) {
			break;
		}
	}
	(void)worst_node(solver, &ceiling);
	for (int round = 0; round < SMOOTH_ROUNDS && smooth(solver, ceiling); round++) {
	}
}
