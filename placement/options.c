/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be done with one waiting unit: the branching of the search for room. */
#include "placement/search.h"

enum {
	OPTIONS_PER_STEP = 1024,
	CROWD = 24, /* of the movable units on a node, only so many of the largest are thought of */
	TESTS_PER_STEP = 40000, /* sets of units to lift, over all nodes */
	TESTS_OF_A_STEP = 256,  /* that many of them take as long as a step */
};

static int64_t demand_of(const struct vrms_search *search, int unit, int dim)
{
	return search->state->model
	    ->unit_demand[(size_t)unit * search->state->model->dim_count + dim];
}

/* Slots of a size that are free now, counted no further than `wanted`. */
static int64_t count_slots(const struct vrms_state *state, int dim, int64_t size, int64_t wanted)
{
	const struct vrms_model *model = state->model;
	int64_t slots = 0;

	for (int n = 0; n < model->node_count && slots < wanted; n++) {
		size_t at = (size_t)n * model->dim_count + dim;
		int64_t left = model->capacity[at] - state->used[at];

		slots += state->open[n] && left > 0 ? left / size : 0;
	}
	return slots;
}

bool vrms_option_hopeless(const struct vrms_search *search, int shifts_left)
{
	for (int d = 0; d < search->state->model->dim_count; d++) {
		for (int i = 0; i < search->waiting_count; i++) {
			int64_t size = demand_of(search, search->waiting[i], d), wanted = 0, gain;

			if (size == 0) {
				continue;
			}
			for (int j = 0; j < search->waiting_count; j++) {
				wanted += demand_of(search, search->waiting[j], d) >= size;
			}
			gain = search->largest[d] / size > 1 ? search->largest[d] / size : 1;
			if (count_slots(search->state, d, size, wanted) + gain * shifts_left <
			    wanted) {
				return true;
			}
		}
	}
	return false;
}

int vrms_option_pick(const struct vrms_search *search, int *ret_places)
{
	const struct vrms_model *model = search->state->model;
	int best = -1, fewest = 0;

	for (int i = 0; i < search->waiting_count; i++) {
		int u = search->waiting[i], places = 0;

		for (int n = 0; n < model->node_count && (best < 0 || places <= fewest); n++) {
			places += n != search->origin[u] && vrms_state_fits(search->state, u, n);
		}
		if (best < 0 || places < fewest ||
		    (places == fewest && model->size[u] > model->size[search->waiting[best]])) {
			best = i;
			fewest = places;
		}
	}
	*ret_places = fewest;
	return best;
}

static void add_option(struct vrms_search *search, int first, const struct vrms_option *option)
{
	if (search->pool_used - first >= OPTIONS_PER_STEP ||
	    search->pool_used == VRMS_OPTION_POOL) {
		search->complete = false;
		return;
	}
	search->pool[search->pool_used++] = *option;
}

/* Free space on the node, as shares summed up, with the unit there and the lifted ones gone. */
static double waste_of(const struct vrms_search *search, int unit, const struct vrms_option *option)
{
	const struct vrms_model *model = search->state->model;
	double waste = 0;

	for (int d = 0; d < model->dim_count; d++) {
		size_t at = (size_t)option->node * model->dim_count + d;
		int64_t left =
		    model->capacity[at] - search->state->used[at] - demand_of(search, unit, d);

		for (int i = 0; i < option->lift_count; i++) {
			left += demand_of(search, option->lift[i], d);
		}
		waste += (double)left * model->inverse[at];
	}
	return waste;
}

/* Does lifting these make the unit fit there? */
static bool lift_helps(struct vrms_search *search, int unit, const struct vrms_option *option)
{
	struct vrms_state *state = search->state;
	const struct vrms_model *model = state->model;
	bool fits;

	for (int d = 0; d < model->dim_count; d++) {
		size_t at = (size_t)option->node * model->dim_count + d;
		int64_t need = demand_of(search, unit, d);
		int64_t left = model->capacity[at] - state->used[at] - need;

		for (int i = 0; i < option->lift_count; i++) {
			left += demand_of(search, option->lift[i], d);
		}
		if (need > 0 && left < 0) {
			return false;
		}
	}
	if (model->unit[unit].group_count == 0 && model->unit[unit].class_next == unit) {
		return vrms_unit_allowed(model, unit, option->node); /* no one there matters */
	}
	for (int i = 0; i < option->lift_count; i++) {
		vrms_state_take(state, option->lift[i]);
	}
	fits = vrms_state_fits(state, unit, option->node);
	for (int i = option->lift_count - 1; i >= 0; i--) {
		vrms_state_put(state, option->lift[i], option->node);
	}
	return fits;
}

/* Units that may leave the node, largest first. */
static int list_movable(struct vrms_search *search, int node, int *list)
{
	const struct vrms_model *model = search->state->model;
	int count = 0;

	for (int u = search->state->head[node]; u >= 0; u = search->state->next[u]) {
		int at = count;

		if (!model->unit[u].movable || search->solver->mine[u] || search->origin[u] >= 0) {
			continue;
		}
		while (at > 0 &&
		       (model->size[list[at - 1]] < model->size[u] ||
			(model->size[list[at - 1]] == model->size[u] && list[at - 1] > u))) {
			at--;
		}
		if (count == CROWD) {
			search->complete = false;
			if (at == count) {
				continue;
			}
			count--;
		}
		for (int i = count; i > at; i--) {
			list[i] = list[i - 1];
		}
		list[at] = u;
		count++;
	}
	return count;
}

/* Would it still help without one of them? Then another set, tried elsewhere, is enough. */
static bool is_smallest(struct vrms_search *search, int unit, const struct vrms_option *option)
{
	for (int out = 0; out < option->lift_count && option->lift_count > 1; out++) {
		struct vrms_option rest = *option;

		rest.lift[out] = rest.lift[--rest.lift_count];
		if (lift_helps(search, unit, &rest)) {
			return false;
		}
	}
	return true;
}

/* The sets to try on one node for one unit. */
struct lifting {
	int unit, first, limit, tests_left;
	int list[CROWD + 1], count;
};

static void lift_more(struct vrms_search *search, struct lifting *lifting,
		      const struct vrms_option *so_far, int from)
{
	struct vrms_option option = *so_far;

	option.lift_count++;
	for (int i = from; i < lifting->count; i++) {
		if (lifting->tests_left-- <= 0) {
			search->complete = false;
			return;
		}
		option.lift[option.lift_count - 1] = lifting->list[i];
		if (!lift_helps(search, lifting->unit, &option)) {
			if (option.lift_count < lifting->limit) {
				lift_more(search, lifting, &option, i + 1);
			}
		} else if (is_smallest(search, lifting->unit, &option)) {
			option.waste = waste_of(search, lifting->unit, &option);
			add_option(search, lifting->first, &option);
		}
	}
}

/* All smallest sets of movable units whose lifting lets the unit in. */
static void add_lifts(struct vrms_search *search, int first, int unit, int node, int shifts_left)
{
	int share = TESTS_PER_STEP / search->state->model->node_count;
	struct vrms_option none = {.node = node};
	struct lifting lifting = {
	    .unit = unit,
	    .first = first,
	    .limit = shifts_left < VRMS_LIFT_MAX ? shifts_left : VRMS_LIFT_MAX,
	    .tests_left = share > CROWD ? share : CROWD,
	};
	int tests = lifting.tests_left;

	if (shifts_left > VRMS_LIFT_MAX) {
		search->complete = false;
	}
	lifting.count = list_movable(search, node, lifting.list);
	lift_more(search, &lifting, &none, 0);
	search->steps -= (tests - lifting.tests_left) / TESTS_OF_A_STEP;
}

static bool goes_before(const struct vrms_option *a, const struct vrms_option *b)
{
	return a->lift_count != b->lift_count ? a->lift_count < b->lift_count : a->waste < b->waste;
}

/* Insertion sort: the lists are short, and equal ones keep their order. */
static void sort_options(struct vrms_option *list, int count)
{
	for (int at = 1; at < count; at++) {
		struct vrms_option item = list[at];
		int to = at;

		while (to > 0 && goes_before(&item, &list[to - 1])) {
			list[to] = list[to - 1];
			to--;
		}
		list[to] = item;
	}
}

void vrms_option_list(struct vrms_search *search, int unit, int shifts_left)
{
	const struct vrms_state *state = search->state;
	int first = search->pool_used;

	for (int n = 0; n < state->model->node_count; n++) {
		struct vrms_option direct = {.node = n};

		if (n == search->origin[unit] || !state->open[n]) {
			continue;
		}
		if (vrms_state_fits(state, unit, n)) {
			direct.waste = waste_of(search, unit, &direct);
			add_option(search, first, &direct);
		} else if (shifts_left > 0 && vrms_unit_allowed(state->model, unit, n)) {
			add_lifts(search, first, unit, n, shifts_left);
		}
	}
	sort_options(&search->pool[first], search->pool_used - first);
}
