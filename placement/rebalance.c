/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Levelling by live migration.
 *
 * Unevenness is the sum over nodes and dimensions of (load / lowest possible
 * highest load)^16: the fullest nodes dominate, a node at the bound counts 1,
 * and it depends only on where VMs are.  Every move lowers it by at least what
 * the move costs, so a state that was left is never reached again.
 */
#include "placement/planner_data.h"

enum { SOURCES = 6 /* fullest nodes looked at in each step */ };

static const double SCALE_MIN = 1e-6;
/* Moving something tiny is not free either. */
static const double COST_MIN = 0.25;

struct levelling {
	struct vrms_planner *planner;
	const struct vrms_model *model;
	struct vrms_state *state;
	const struct vrms_rebalance_config *config;
	double scale[VRMS_DIM_MAX];
	double mean_cost;
	int *units, *others; /* scratch: those of two nodes */
	int left;            /* moves */
};

struct exchange {
	int unit, to;    /* unit -1: none found */
	int back;        /* another unit that goes the other way, -1: none */
	bool back_first; /* it has to go first */
	double gain;
};

/* Of the node, with the units' demand added (sign 1) or taken away (-1). */
static double unevenness(const struct levelling *levelling, int node, int plus, int minus)
{
	const struct vrms_model *model = levelling->model;
	int dims = model->dim_count;
	double total = 0;

	for (int d = 0; d < dims; d++) {
		size_t at = (size_t)node * dims + d;
		int64_t weight = levelling->state->weight[at];
		double x;

		weight += plus >= 0 ? model->unit_weight[(size_t)plus * dims + d] : 0;
		weight -= minus >= 0 ? model->unit_weight[(size_t)minus * dims + d] : 0;
		x = (double)weight * model->inverse[at] * levelling->scale[d];
		x *= x;
		x *= x;
		x *= x;
		total += x * x;
	}
	return total;
}

/* What a move of the unit has to gain to be worth it. */
static double price(const struct levelling *levelling, int unit)
{
	double cost = levelling->mean_cost > 0
			  ? (double)levelling->model->unit[unit].cost / levelling->mean_cost
			  : 1;

	return levelling->config->gain_min * (cost > COST_MIN ? cost : COST_MIN);
}

static bool is_target(const struct levelling *levelling, int node)
{
	return levelling->state->open[node] &&
	       (levelling->config->only_to < 0 || levelling->config->only_to == node);
}

/* May the unit go there, breaking nothing, hard or soft, that it does not break here? */
static bool may_go(const struct levelling *levelling, int unit, int to)
{
	struct vrms_state *state = levelling->state;
	int from = vrms_state_take(state, unit);
	bool may = vrms_state_fits(state, unit, to) &&
		   vrms_state_dislike(state, unit, to) <= vrms_state_dislike(state, unit, from);

	vrms_state_put(state, unit, from);
	return may;
}

static void find_move(const struct levelling *levelling, int from, struct exchange *best)
{
	const struct vrms_state *state = levelling->state;
	double full = unevenness(levelling, from, -1, -1);

	for (int i = 0, count = vrms_state_list(state, from, levelling->units); i < count; i++) {
		int u = levelling->units[i];
		double relief = full - unevenness(levelling, from, -1, u);
		double worth = price(levelling, u);

		if (!levelling->model->unit[u].movable || relief <= best->gain || relief < worth) {
			continue;
		}
		for (int n = 0; n < levelling->model->node_count; n++) {
			double gain;

			if (n == from || !is_target(levelling, n)) {
				continue;
			}
			gain = relief - unevenness(levelling, n, u, -1) +
			       unevenness(levelling, n, -1, -1);
			if (gain >= worth && gain > best->gain && may_go(levelling, u, n)) {
				*best =
				    (struct exchange){.unit = u, .to = n, .back = -1, .gain = gain};
			}
		}
	}
}

/* Can one of the two go first and the other follow? Live, so both need room in between. */
static bool can_exchange(const struct levelling *levelling, int u, int v, bool *ret_back_first)
{
	struct vrms_state *state = levelling->state;
	int a = state->where[u], b = state->where[v];

	for (int order = 0; order < 2; order++) {
		int first = order == 0 ? u : v, second = order == 0 ? v : u;
		int first_to = order == 0 ? b : a, second_to = order == 0 ? a : b;
		bool works = may_go(levelling, first, first_to);

		if (works) {
			vrms_state_take(state, first);
			vrms_state_put(state, first, first_to);
			works = may_go(levelling, second, second_to);
			vrms_state_take(state, first);
			vrms_state_put(state, first, order == 0 ? a : b);
		}
		if (works) {
			*ret_back_first = order == 1;
			return true;
		}
	}
	return false;
}

static void find_exchange(const struct levelling *levelling, int from, struct exchange *best)
{
	const struct vrms_state *state = levelling->state;
	const struct vrms_model *model = levelling->model;
	double full = unevenness(levelling, from, -1, -1);

	for (int i = 0, count = vrms_state_list(state, from, levelling->units); i < count; i++) {
		int u = levelling->units[i];

		for (int n = 0; model->unit[u].movable && n < model->node_count; n++) {
			double there = unevenness(levelling, n, -1, -1);
			int others = n == from || !state->open[n]
					 ? 0
					 : vrms_state_list(state, n, levelling->others);

			for (int k = 0; k < others; k++) {
				int v = levelling->others[k];
				double gain = full + there - unevenness(levelling, from, v, u) -
					      unevenness(levelling, n, u, v);
				bool back_first;

				if (gain > best->gain && model->unit[v].movable &&
				    gain >= price(levelling, u) + price(levelling, v) &&
				    can_exchange(levelling, u, v, &back_first)) {
					*best = (struct exchange){.unit = u,
								  .to = n,
								  .back = v,
								  .back_first = back_first,
								  .gain = gain};
				}
			}
		}
	}
}

static void go(struct levelling *levelling, int unit, int to)
{
	int from = vrms_state_take(levelling->state, unit);

	vrms_state_put(levelling->state, unit, to);
	vrms_planner_add_step(levelling->planner, &(struct vrms_step){.unit = unit,
								      .from = from,
								      .to = to,
								      .kind = VRMS_MOVE_REBALANCE});
	levelling->left--;
}

/* The fullest nodes, the fullest first; returns how many. */
static int find_sources(const struct levelling *levelling, int sources[SOURCES])
{
	double level[SOURCES];
	int count = 0;

	for (int n = 0; n < levelling->model->node_count; n++) {
		double here = levelling->state->alive[n] && n != levelling->config->only_to
				  ? unevenness(levelling, n, -1, -1)
				  : 0;
		int at = count < SOURCES ? count++ : SOURCES;

		while (at > 0 && level[at - 1] < here) {
			if (at < SOURCES) {
				level[at] = level[at - 1];
				sources[at] = sources[at - 1];
			}
			at--;
		}
		if (at < SOURCES) {
			level[at] = here;
			sources[at] = n;
		}
	}
	return count;
}

static bool level_once(struct levelling *levelling)
{
	int sources[SOURCES], count = find_sources(levelling, sources), to_back;
	struct exchange best = {.unit = -1};

	for (int i = 0; i < count; i++) {
		find_move(levelling, sources[i], &best);
	}
	for (int i = 0;
	     i < count && best.unit < 0 && levelling->left >= 2 && levelling->config->only_to < 0;
	     i++) {
		find_exchange(levelling, sources[i], &best);
	}
	if (best.unit < 0) {
		return false;
	}
	to_back = levelling->state->where[best.unit];
	if (best.back >= 0 && best.back_first) {
		go(levelling, best.back, to_back);
	}
	go(levelling, best.unit, best.to);
	if (best.back >= 0 && !best.back_first) {
		go(levelling, best.back, to_back);
	}
	return true;
}

/* Where the unit, which breaks something here, would break nothing and weigh least; or -1. */
static int find_remedy(const struct levelling *levelling, int unit)
{
	struct vrms_state *state = levelling->state;
	int from = vrms_state_take(state, unit), best = -1;
	bool fits_here =
	    vrms_state_has_room(state, unit, from) && vrms_state_keeps_rules(state, unit, from);
	int64_t best_dislike = fits_here ? vrms_state_dislike(state, unit, from) : INT64_MAX;
	double best_level = 0;

	for (int n = 0; n < levelling->model->node_count; n++) {
		int64_t dislike;
		double level;

		if (!is_target(levelling, n) || n == from || !vrms_state_fits(state, unit, n)) {
			continue;
		}
		dislike = vrms_state_dislike(state, unit, n);
		level = unevenness(levelling, n, unit, -1);
		if (dislike < best_dislike ||
		    (best >= 0 && dislike == best_dislike && level < best_level)) {
			best = n;
			best_dislike = dislike;
			best_level = level;
		}
	}
	vrms_state_put(state, unit, from);
	return best;
}

/* Broken hard rules and overloads first, then soft rules and preferences. */
static void mend(struct levelling *levelling)
{
	const struct vrms_model *model = levelling->model;

	for (int u = 0; u < model->unit_count && levelling->left > 0; u++) {
		const struct vrms_unit *unit = &model->unit[u];
		int at = levelling->state->where[u], to;
		bool ruled = unit->allowed >= 0 || unit->group_count > 0 || unit->like_count > 0;

		if (at < 0 || !unit->movable ||
		    (!ruled && !vrms_state_overloaded(levelling->state, at))) {
			continue;
		}
		to = find_remedy(levelling, u);
		if (to >= 0) {
			go(levelling, u, to);
		}
	}
}

static void begin(struct levelling *levelling)
{
	struct vrms_solver *solver = levelling->planner->solver;
	const struct vrms_model *model = levelling->model;
	int movable = 0;

	vrms_bound_free(solver->bounds, levelling->state, NULL, 0, solver->bound);
	for (int d = 0; d < model->dim_count; d++) {
		levelling->scale[d] =
		    1.0 / (solver->bound[d] > SCALE_MIN ? solver->bound[d] : SCALE_MIN);
	}
	for (int u = 0; u < model->unit_count; u++) {
		if (model->unit[u].movable) {
			levelling->mean_cost += (double)model->unit[u].cost;
			movable++;
		}
	}
	levelling->mean_cost /= movable > 0 ? movable : 1;
}

void vrms_planner_rebalance(struct vrms_planner *planner,
			    const struct vrms_rebalance_config *config,
			    struct vrms_outcome *outcome)
{
	struct levelling levelling = {
	    .planner = planner,
	    .model = planner->model,
	    .state = planner->state,
	    .config = config,
	    .units = planner->solver->unit,
	    .others = planner->solver->cut,
	    .left = config->moves_max < planner->step_max ? config->moves_max : planner->step_max,
	};

	vrms_planner_open_outcome(planner, outcome);
	vrms_state_copy(planner->before, planner->state);
	begin(&levelling);
	mend(&levelling);
	while (levelling.left > 0 && level_once(&levelling)) {
	}
	outcome->ordered = vrms_batches_form(planner, planner->before, config->parallel);
	for (int d = 0; d < planner->model->dim_count; d++) {
		outcome->bound[d] = planner->solver->bound[d];
	}
	vrms_planner_close_outcome(planner, outcome);
}
