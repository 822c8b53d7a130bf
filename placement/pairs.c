/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loss of two nodes: lists that stay good when a second host fails. */
#include <string.h>

#include "placement/failover_data.h"

enum { SWEEPS = 3 };

static const double OVERLOAD_PENALTY = 1000.0;
static const double CLASH_PENALTY = 100.0;
static const double WORTHWHILE = 1e-9;

struct adjust {
	struct vrms_failover *failover;
	const struct vrms_model *model;
	double scale[VRMS_DIM_MAX]; /* 1 / highest load after any single loss */
	double weight[VRMS_DIM_MAX];
	double used[VRMS_DIM_MAX]; /* of the unit looked at */
};

static double eighth_power(double x)
{
	x *= x;
	x *= x;
	return x * x;
}

/* How much adding the unit to the node hurts when both h and g are lost: grows steeply with load.
 */
static double harm(const struct adjust *adjust, int h, int g, int n, bool is_there)
{
	const struct vrms_failover *failover = adjust->failover;
	const struct vrms_model *model = adjust->model;
	const int64_t *from_h = vrms_arrivals(failover, failover->weight, h, n);
	const int64_t *from_g = vrms_arrivals(failover, failover->weight, g, n);
	double total = 0;

	for (int d = 0; d < model->dim_count; d++) {
		size_t at = (size_t)n * model->dim_count + d;
		double scale = model->inverse[at] * adjust->scale[d];
		double with = (double)(failover->state->weight[at] + from_h[d] + from_g[d]) +
			      (is_there ? 0 : adjust->weight[d]);

		total +=
		    eighth_power(with * scale) - eighth_power((with - adjust->weight[d]) * scale);
	}
	from_h = vrms_arrivals(failover, failover->used, h, n);
	from_g = vrms_arrivals(failover, failover->used, g, n);
	for (int d = 0; d < model->dim_count; d++) {
		size_t at = (size_t)n * model->dim_count + d;
		double over = (double)(failover->state->used[at] + from_h[d] + from_g[d] -
				       model->capacity[at]) +
			      (is_there ? 0 : adjust->used[d]);

		if (over > 0) {
			double added = over < adjust->used[d] ? over : adjust->used[d];

			total += OVERLOAD_PENALTY * added * model->inverse[at];
		}
	}
	return total;
}

static double harm_of_all(const struct adjust *adjust, int h, int n, bool is_there)
{
	double total = 0;

	for (int g = 0; g < adjust->model->node_count; g++) {
		if (g != h && g != n && adjust->failover->state->alive[g]) {
			total += harm(adjust, h, g, n, is_there);
		}
	}
	return total;
}

/* Members of the unit's hard groups that would share its domain on node n: at the same time
 * after the loss of its host (returns -1), or possibly after another loss too (counted).
 */
static int count_clashes(const struct adjust *adjust, int unit, int n)
{
	const struct vrms_failover *failover = adjust->failover;
	const struct vrms_model *model = adjust->model;
	const struct vrms_unit *self = &model->unit[unit];
	int clashes = 0;

	for (int i = 0; i < self->group_count; i++) {
		const struct vrms_unit_group *in = &model->unit_group[self->group_first + i];
		const struct vrms_group *group = &model->group[in->group];
		const struct vrms_rule *rule = &model->rule[group->rule];
		int value = vrms_group_value(model, group, n), now = in->members, maybe = 0;

		for (int k = 0; !group->together && value >= 0 && k < rule->vm_count; k++) {
			int other = model->vm[model->member[rule->vm_first + k]].unit;
			int first = vrms_list_of(failover, other)[0];
			bool displaced = failover->host[other] == failover->host[unit];
			int place = displaced ? first : failover->host[other];

			if (other == unit) {
				continue;
			}
			now += place >= 0 && vrms_group_value(model, group, place) == value;
			maybe += !displaced && first >= 0 &&
				 vrms_group_value(model, group, first) == value;
		}
		if (now > group->limit && !group->soft) {
			return -1;
		}
		clashes += now + maybe > group->limit ? now + maybe - group->limit : 0;
	}
	return clashes;
}

/* May the unit go there when only its host is lost, without making that case worse? */
static bool single_allows(const struct adjust *adjust, const struct vrms_case *single, int unit,
			  int n)
{
	const struct vrms_failover *failover = adjust->failover;
	const struct vrms_model *model = adjust->model;
	int h = single->node[0], dims = model->dim_count;
	const int64_t *used = vrms_arrivals(failover, failover->used, h, n);
	const int64_t *weight = vrms_arrivals(failover, failover->weight, h, n);

	if (n == h || !failover->state->open[n] || !vrms_unit_allowed(model, unit, n)) {
		return false;
	}
	for (int d = 0; d < dims; d++) {
		size_t at = (size_t)n * dims + d;
		int64_t demand = model->unit_demand[(size_t)unit * dims + d];
		double after =
		    (double)failover->state->weight[at] + (double)weight[d] + adjust->weight[d];

		if ((demand > 0 &&
		     failover->state->used[at] + used[d] + demand > model->capacity[at]) ||
		    after * model->inverse[at] > single->highest[d]) {
			return false;
		}
	}
	return true;
}

/* Gives the unit another first host when that helps the pairs. */
static bool adjust_unit(struct adjust *adjust, const struct vrms_case *single, int unit)
{
	struct vrms_failover *failover = adjust->failover;
	const struct vrms_model *model = adjust->model;
	int h = single->node[0], *first = vrms_list_of(failover, unit), best;
	double best_harm;

	if (*first < 0 || model->unit[unit].like_count > 0 ||
	    model->unit[unit].class_next != unit) {
		return false;
	}
	for (int d = 0; d < model->dim_count; d++) {
		adjust->weight[d] = (double)model->unit_weight[(size_t)unit * model->dim_count + d];
		adjust->used[d] = (double)model->unit_demand[(size_t)unit * model->dim_count + d];
	}
	best = *first;
	best_harm = harm_of_all(adjust, h, best, true) +
		    CLASH_PENALTY * count_clashes(adjust, unit, best) - WORTHWHILE;
	for (int i = 1; i <= model->node_count; i++) {
		int n = (h + i) % model->node_count, clashes;
		double here;

		if (n == *first || !single_allows(adjust, single, unit, n)) {
			continue;
		}
		clashes = count_clashes(adjust, unit, n);
		if (clashes < 0) {
			continue;
		}
		here = harm_of_all(adjust, h, n, false) + CLASH_PENALTY * clashes;
		if (here < best_harm) {
			best_harm = here;
			best = n;
		}
	}
	if (best == *first) {
		return false;
	}
	vrms_failover_arrive(failover, unit, *first, -1);
	vrms_failover_arrive(failover, unit, best, 1);
	*first = best;
	return true;
}

void vrms_pairs_adjust(struct vrms_failover *failover)
{
	struct adjust adjust = {.failover = failover, .model = failover->model};
	int singles = failover->case_count;
	bool any = true;

	for (int d = 0; d < failover->model->dim_count; d++) {
		double highest = 0;

		for (int i = 0; i < singles; i++) {
			double here = failover->cases[i].highest[d];

			highest = here > highest ? here : highest;
		}
		adjust.scale[d] = highest > 0 ? 1.0 / highest : 1.0;
	}
	for (int sweep = 0; sweep < SWEEPS && any; sweep++) {
		any = false;
		for (int i = 0; i < singles; i++) {
			const struct vrms_case *single = &failover->cases[i];
			int h = single->node[0];

			for (int k = failover->first[h];
			     single->by_list && k < failover->first[h + 1]; k++) {
				any = adjust_unit(&adjust, single, failover->resident[k]) || any;
			}
		}
	}
}

/* Puts displaced units on their first hosts; lists the others as the solver's job. */
static int place_by_list(struct vrms_failover *failover, const struct vrms_case *pair,
			 int displaced)
{
	struct vrms_state *state = failover->state;
	int count = 0;

	for (int i = 0; i < displaced; i++) {
		int u = failover->displaced[i], to = vrms_list_of(failover, u)[0];

		if (to >= 0 && to != pair->node[0] && to != pair->node[1] &&
		    vrms_state_fits(state, u, to)) {
			vrms_state_put(state, u, to);
		} else {
			failover->solver->unit[count++] = u;
		}
	}
	return count;
}

/* Did every unit end on the first survivor of its list? Sets second hosts where they are free. */
static bool take_seconds(struct vrms_failover *failover, const struct vrms_case *pair,
			 int displaced)
{
	bool by_list = true;

	for (int i = 0; i < displaced; i++) {
		int u = failover->displaced[i], to = failover->state->where[u];
		int *list = vrms_list_of(failover, u);

		if (list[0] == pair->node[0] || list[0] == pair->node[1]) {
			list[1] = to;
		} else {
			by_list = by_list && to == list[0];
		}
	}
	return by_list;
}

static void solve_pair(struct vrms_failover *failover, int h, int g,
		       const struct vrms_effort *effort)
{
	struct vrms_solver *solver = failover->solver;
	struct vrms_case *pair = &failover->cases[failover->case_count++];
	int displaced = vrms_failover_fail(failover, h, g), count;
	double bound[VRMS_DIM_MAX];

	*pair = (struct vrms_case){.node = {h, g}};
	vrms_bound_fixed(solver->bounds, failover->state, failover->displaced, displaced, bound);
	solver->start = (h + g + 1) % failover->model->node_count;
	count = place_by_list(failover, pair, displaced);
	vrms_solver_begin(solver, failover->state, count);
	vrms_solver_solve(solver, effort);
	if (solver->shift_count > 0 || solver->down_count > 0) {
		/* The first hosts stand in the way: decide this pair as a whole. */
		vrms_failover_restore(failover, h, g, displaced);
		displaced = vrms_failover_fail(failover, h, g);
		memcpy(solver->unit, failover->displaced, (size_t)displaced * sizeof(int));
		vrms_solver_begin(solver, failover->state, displaced);
		vrms_solver_solve(solver, effort);
	}
	memcpy(solver->bound, bound, sizeof(bound));
	vrms_failover_record(failover, pair, take_seconds(failover, pair, displaced));
	vrms_failover_restore(failover, h, g, displaced);
}

void vrms_pairs_solve(struct vrms_failover *failover)
{
	const struct vrms_state *state = failover->state;
	int nodes = failover->model->node_count;
	int64_t pairs = (int64_t)nodes * (nodes - 1) / 2;
	struct vrms_effort effort = {.steps = failover->config.steps,
				     .shifts_max = failover->config.shifts_max};

	/* All pairs together may take as long as all single losses. */
	if (pairs > nodes) {
		effort.steps = effort.steps * nodes / pairs;
	}
	for (int h = 0; h < nodes; h++) {
		for (int g = h + 1; g < nodes && state->alive[h]; g++) {
			if (state->alive[g]) {
				solve_pair(failover, h, g, &effort);
			}
		}
	}
}
