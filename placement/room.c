/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making room: a search for the fewest live migrations with which everything fits.
 *
 * Depth first with an iteratively raised limit of shifts.  At each step the unit
 * with the fewest places goes next: onto a node where it fits, or onto one from
 * which a smallest possible set of movable units is lifted; those join the units
 * that wait.  Any best answer can be reached this way: taken in the same order,
 * each unit of it finds its node with room, or lifts a part of what that answer
 * lifts there.  What is known to be hopeless is cut: more waiting units of some
 * size than slots of that size even if every shift left gained one; a situation
 * seen before (situations are hashed).
 */
#include "placement/search.h"

#include <string.h>

/* First every limit gets a quick look, then those below the answer get what is left. */
static const int64_t QUICK_STEPS = 1500;

struct vrms_search *vrms_search_new(const struct vrms_model *model)
{
	struct vrms_search *search = calloc(1, sizeof(*search));
	size_t units = (size_t)model->unit_count + 1;

	if (search == NULL) {
		return NULL;
	}
	search->pool = calloc(VRMS_OPTION_POOL, sizeof(*search->pool));
	search->seen = calloc(VRMS_SEEN_SLOTS, sizeof(*search->seen));
	search->seen_at = calloc(VRMS_SEEN_SLOTS, sizeof(*search->seen_at));
	search->waiting = calloc(units, sizeof(int));
	search->origin = malloc(units * sizeof(int));
	search->lifted = calloc(units, sizeof(int));
	search->answer = calloc(units, sizeof(int));
	search->place = calloc(units, sizeof(int));
	search->shift = calloc(units, sizeof(*search->shift));
	if (search->pool == NULL || search->seen == NULL || search->seen_at == NULL ||
	    search->waiting == NULL || search->origin == NULL || search->lifted == NULL ||
	    search->answer == NULL || search->place == NULL || search->shift == NULL) {
		vrms_search_free(search);
		return NULL;
	}
	memset(search->origin, 0xff, units * sizeof(int));
	return search;
}

void vrms_search_free(struct vrms_search *search)
{
	if (search == NULL) {
		return;
	}
	free(search->pool);
	free(search->seen);
	free(search->seen_at);
	free(search->waiting);
	free(search->origin);
	free(search->lifted);
	free(search->answer);
	free(search->place);
	free(search->shift);
	free(search);
}

/* A fixed random number for "unit on node" (splitmix64, Steele, Lea, Flood 2014). */
static uint64_t mark_of(int unit, int node)
{
	uint64_t z = ((uint64_t)unit << 13) + (uint64_t)(node + 2);

	z = (z + 1) * 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Was this situation looked at before?  Remembers it; a full table only forgets. */
static bool seen_before(struct vrms_search *search)
{
	uint64_t key = search->hash | 1;
	uint32_t at = (uint32_t)(key >> 32) % VRMS_SEEN_SLOTS;

	while (search->seen[at] != 0 && search->seen[at] != key) {
		at = (at + 1) % VRMS_SEEN_SLOTS;
	}
	if (search->seen[at] == key) {
		return true;
	}
	if (search->seen_count < VRMS_SEEN_SLOTS / 2) {
		search->seen[at] = key;
		search->seen_at[search->seen_count++] = (int)at;
	}
	return false;
}

static void apply(struct vrms_search *search, int unit, const struct vrms_option *option)
{
	for (int i = 0; i < option->lift_count; i++) {
		int u = option->lift[i];

		search->origin[u] = vrms_state_take(search->state, u);
		search->hash ^= mark_of(u, option->node) ^ mark_of(u, VRMS_NODE_NONE);
		search->cost += search->state->model->unit[u].cost;
		search->lifted[search->lifted_count++] = u;
		search->waiting[search->waiting_count++] = u;
	}
	vrms_state_put(search->state, unit, option->node);
	search->hash ^= mark_of(unit, option->node) ^ mark_of(unit, VRMS_NODE_NONE);
}

static void undo(struct vrms_search *search, int unit, const struct vrms_option *option)
{
	search->hash ^= mark_of(unit, option->node) ^ mark_of(unit, VRMS_NODE_NONE);
	vrms_state_take(search->state, unit);
	for (int i = option->lift_count - 1; i >= 0; i--) {
		int u = option->lift[i];

		search->waiting_count--;
		search->lifted_count--;
		search->cost -= search->state->model->unit[u].cost;
		search->hash ^= mark_of(u, option->node) ^ mark_of(u, VRMS_NODE_NONE);
		search->origin[u] = -1;
		vrms_state_put(search->state, u, option->node);
	}
}

/* Everything has a place. If the shifts have an order too, this is the best answer so far. */
static bool record(struct vrms_search *search)
{
	struct vrms_solver *solver = search->solver;
	struct vrms_state *state = search->state;
	bool ordered;

	for (int i = 0; i < solver->count; i++) {
		search->place[solver->unit[i]] = vrms_state_take(state, solver->unit[i]);
	}
	for (int i = 0; i < search->lifted_count; i++) {
		int u = search->lifted[i], to = vrms_state_take(state, u);

		search->shift[i] =
		    (struct vrms_shift){.unit = u, .from = search->origin[u], .to = to};
		vrms_state_put(state, u, search->origin[u]);
	}
	ordered = vrms_shift_order(state, search->shift, search->lifted_count);
	for (int i = search->lifted_count - 1; i >= 0; i--) {
		vrms_state_take(state, search->shift[i].unit);
		vrms_state_put(state, search->shift[i].unit, search->shift[i].to);
	}
	for (int i = solver->count - 1; i >= 0; i--) {
		vrms_state_put(state, solver->unit[i], search->place[solver->unit[i]]);
	}
	if (ordered) {
		search->found = true;
		search->best_cost = search->cost;
		solver->shift_count = search->lifted_count;
		memcpy(solver->shift, search->shift,
		       (size_t)search->lifted_count * sizeof(*solver->shift));
		memcpy(search->answer, search->place,
		       (size_t)solver->model->unit_count * sizeof(int));
	}
	return ordered;
}

/* Returns true when the search is over: an answer that will do, or no steps left. */
static bool descend(struct vrms_search *search, int shifts_left)
{
	int first = search->pool_used, index, places, unit;
	bool over = false;

	if (search->steps-- <= 0) {
		search->complete = false;
		return true;
	}
	if (search->waiting_count == 0) {
		return record(search) && search->first_will_do;
	}
	if (vrms_option_hopeless(search, shifts_left)) {
		return false;
	}
	index = vrms_option_pick(search, &places);
	if (places == 0 && shifts_left == 0) {
		return false;
	}
	unit = search->waiting[index];
	search->waiting[index] = search->waiting[--search->waiting_count];
	vrms_option_list(search, unit, shifts_left);
	for (int i = first, last = search->pool_used; i < last && !over; i++) {
		const struct vrms_option option = search->pool[i];

		apply(search, unit, &option);
		if ((!search->found || search->cost < search->best_cost) && !seen_before(search)) {
			over = descend(search, shifts_left - option.lift_count);
		}
		undo(search, unit, &option);
	}
	search->pool_used = first;
	search->waiting[search->waiting_count++] = search->waiting[index];
	search->waiting[index] = unit;
	return over;
}

/* One look with at most so many shifts. Returns whether that settled it: an answer, or none. */
static bool look(struct vrms_search *search, int shifts, int64_t steps)
{
	struct vrms_solver *solver = search->solver;

	while (search->seen_count > 0) {
		search->seen[search->seen_at[--search->seen_count]] = 0;
	}
	search->pool_used = 0;
	search->hash = 0;
	search->cost = 0;
	search->steps = steps;
	search->complete = true;
	search->lifted_count = 0;
	search->waiting_count = solver->count;
	memcpy(search->waiting, solver->unit, (size_t)solver->count * sizeof(int));
	(void)descend(search, shifts);
	return search->complete;
}

static bool enough_in_total(const struct vrms_solver *solver)
{
	const struct vrms_model *model = solver->model;

	for (int d = 0; d < model->dim_count; d++) {
		int64_t left = 0;

		for (int n = 0; n < model->node_count; n++) {
			size_t at = (size_t)n * model->dim_count + d;
			int64_t here = model->capacity[at] - solver->state->used[at];

			left += solver->state->open[n] && here > 0 ? here : 0;
		}
		for (int i = 0; i < solver->count; i++) {
			left -= model->unit_demand[(size_t)solver->unit[i] * model->dim_count + d];
		}
		if (left < 0) {
			return false;
		}
	}
	return true;
}

static void prepare(struct vrms_search *search, struct vrms_solver *solver)
{
	const struct vrms_model *model = solver->model;

	search->solver = solver;
	search->state = solver->state;
	search->found = false;
	search->first_will_do = true;
	memset(search->largest, 0, sizeof(search->largest));
	for (int i = 0; i < solver->count; i++) {
		solver->mine[solver->unit[i]] = true;
	}
	for (int u = 0; u < model->unit_count; u++) {
		for (int d = 0; d < model->dim_count; d++) {
			int64_t demand = model->unit_demand[(size_t)u * model->dim_count + d];

			if (model->unit[u].movable && demand > search->largest[d]) {
				search->largest[d] = demand;
			}
		}
	}
}

/* Raises the limit until there is an answer; returns the lowest limit that may still have one. */
static int find_any(struct vrms_search *search, const struct vrms_effort *effort, int64_t *steps)
{
	int open = 0;

	for (int shifts = 0; shifts <= effort->shifts_max && *steps > 0 && !search->found;
	     shifts += shifts < 6 ? 1 : shifts / 3) {
		int64_t quick = *steps < QUICK_STEPS ? *steps : QUICK_STEPS;
		bool settled = look(search, shifts, quick);

		*steps -= quick - (search->steps > 0 ? search->steps : 0);
		if (settled && !search->found) {
			open = shifts + 1;
		}
	}
	return open;
}

/* Spends what is left on fewer shifts, and then on cheaper ones. */
static void improve(struct vrms_search *search, int64_t steps, int open)
{
	struct vrms_solver *solver = search->solver;
	int64_t cost = search->best_cost;

	solver->fewest = true;
	while (open < solver->shift_count) {
		int64_t given = steps / (solver->shift_count - open);
		bool settled;

		search->found = false;
		settled = given > 0 && look(search, open, given);
		if (search->found) {
			cost = search->best_cost;
			break;
		}
		solver->fewest = solver->fewest && settled;
		steps -= given - (search->steps > 0 ? search->steps : 0);
		open++;
	}
	search->found = true;
	search->best_cost = cost;
	if (solver->shift_count > 0 && steps > 0) {
		search->first_will_do = false;
		(void)look(search, solver->shift_count, steps);
	}
}

bool vrms_room_make(struct vrms_solver *solver, const struct vrms_effort *effort)
{
	struct vrms_search *search = solver->search;
	int64_t steps = effort->steps;
	int open;

	if (steps == 0 || !enough_in_total(solver)) {
		return false;
	}
	prepare(search, solver);
	open = find_any(search, effort, &steps);
	if (search->found) {
		improve(search, steps, open);
		for (int i = 0; i < solver->shift_count; i++) {
			vrms_state_take(solver->state, solver->shift[i].unit);
			vrms_state_put(solver->state, solver->shift[i].unit, solver->shift[i].to);
		}
	}
	for (int i = 0; i < solver->count; i++) {
		solver->mine[solver->unit[i]] = false;
		if (search->found) {
			vrms_state_put(solver->state, solver->unit[i],
				       search->answer[solver->unit[i]]);
		}
	}
	return search->found;
}
