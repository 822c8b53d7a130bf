/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Places the job's units while everything else stays where it is. */
#include <string.h>

#include "placement/solver.h"
#include "placement/sort.h"

struct choice {
	int node;
	int64_t dislike;
	double level;  /* above 1.0 only: below, everything is as good as it gets */
	double growth; /* of the sum of squared loads */
};

bool vrms_solver_has_rules(const struct vrms_model *model, int unit)
{
	const struct vrms_unit *self = &model->unit[unit];

	return model->rule_count > 0 && (self->allowed >= 0 || self->group_count > 0 ||
					 self->like_count > 0 || self->class_next != unit);
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

void vrms_solver_put(const struct vrms_solver *solver, int unit, int node)
{
	vrms_state_put(solver->state, unit, node);
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
			struct vrms_growth_range range = {n, end, best->growth};

			n = vrms_growth_next(solver->growth, &choosing->weights, &range);
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
				    .ruled = vrms_solver_has_rules(solver->model, unit),
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
			vrms_solver_put(solver, solver->unit[i], node);
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
