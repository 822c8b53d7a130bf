/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/failover.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "placement/failover_data.h"

enum {
	PAIRS_UP_TO = 100, /* nodes: beyond, pairs are planned only when asked for */
	LIST_LENGTH = 3,
	SHIFTS_MAX = 32,
	STEPS = 40000,
	DETAILS_MIN = 65536
};

void vrms_failover_config_default(struct vrms_failover_config *config,
				  const struct vrms_model *model)
{
	*config = (struct vrms_failover_config){
	    .losses = model->node_count <= PAIRS_UP_TO ? 2 : 1,
	    .list_length = LIST_LENGTH,
	    .shifts_max = SHIFTS_MAX,
	    .steps = STEPS,
	    .details = model->vm_count > DETAILS_MIN ? model->vm_count : DETAILS_MIN,
	};
}

static bool allocate(struct vrms_failover *failover)
{
	const struct vrms_model *model = failover->model;
	size_t units = (size_t)model->unit_count + 1, nodes = (size_t)model->node_count + 1;
	size_t cells = nodes * nodes * (size_t)(model->dim_count > 0 ? model->dim_count : 1);
	size_t cases = nodes + (failover->config.losses > 1 ? nodes * nodes / 2 : 0);

	failover->host = calloc(units, sizeof(int));
	failover->list = malloc(units * (size_t)failover->config.list_length * sizeof(int));
	failover->resident = calloc(units, sizeof(int));
	failover->first = calloc(nodes + 1, sizeof(int));
	failover->used = calloc(cells, sizeof(*failover->used));
	failover->weight =
	    model->measured ? calloc(cells, sizeof(*failover->weight)) : failover->used;
	failover->displaced = calloc(units, sizeof(int));
	failover->extra = calloc(nodes * (VRMS_DIM_MAX + 1), sizeof(*failover->extra));
	failover->cases = calloc(cases, sizeof(*failover->cases));
	failover->detail = calloc((size_t)failover->config.details + 1, sizeof(*failover->detail));
	if (failover->list != NULL) {
		memset(failover->list, 0xff,
		       units * (size_t)failover->config.list_length * sizeof(int));
	}
	failover->solver = vrms_solver_new(model);
	return failover->host != NULL && failover->list != NULL && failover->resident != NULL &&
	       failover->first != NULL && failover->used != NULL && failover->weight != NULL &&
	       failover->displaced != NULL && failover->extra != NULL && failover->cases != NULL &&
	       failover->detail != NULL && failover->solver != NULL;
}

/* Counting sort of the units by host: first[n] .. first[n + 1] in resident[]. */
static void list_residents(struct vrms_failover *failover)
{
	const struct vrms_model *model = failover->model;
	int total = 0;

	for (int u = 0; u < model->unit_count; u++) {
		failover->host[u] = failover->state->where[u];
		if (failover->host[u] >= 0) {
			failover->first[failover->host[u]]++;
		}
	}
	for (int n = 0; n < model->node_count; n++) {
		total += failover->first[n];
		failover->first[n] = total; /* the end of its run, counted down below */
	}
	failover->first[model->node_count] = total;
	for (int u = model->unit_count - 1; u >= 0; u--) {
		if (failover->host[u] >= 0) {
			failover->resident[--failover->first[failover->host[u]]] = u;
		}
	}
}

void vrms_failover_arrive(struct vrms_failover *failover, int unit, int node, int sign)
{
	const struct vrms_model *model = failover->model;
	int host = failover->host[unit], dims = model->dim_count;
	int64_t *used = vrms_arrivals(failover, failover->used, host, node);
	int64_t *weight = vrms_arrivals(failover, failover->weight, host, node);

	for (int d = 0; d < dims; d++) {
		used[d] += sign * model->unit_demand[(size_t)unit * dims + d];
		if (weight != used) {
			weight[d] += sign * model->unit_weight[(size_t)unit * dims + d];
		}
	}
}

int vrms_failover_fail(struct vrms_failover *failover, int first, int second)
{
	int count = vrms_state_fail(failover->state, first, failover->displaced, 0);

	return second < 0 ? count
			  : vrms_state_fail(failover->state, second, failover->displaced, count);
}

/* A survivor that the solver moved or stopped goes back to where it was. */
static void bring_back(struct vrms_failover *failover, int unit, int first, int second)
{
	int host = failover->host[unit];

	if (host < 0 || host == first || host == second || failover->state->where[unit] == host) {
		return;
	}
	if (failover->state->where[unit] >= 0) {
		vrms_state_take(failover->state, unit);
	}
	vrms_state_put(failover->state, unit, host);
}

void vrms_failover_restore(struct vrms_failover *failover, int first, int second, int displaced)
{
	struct vrms_state *state = failover->state;
	struct vrms_solver *solver = failover->solver;

	for (int i = 0; i < displaced; i++) {
		if (state->where[failover->displaced[i]] >= 0) {
			vrms_state_take(state, failover->displaced[i]);
		}
	}
	for (int i = 0; i < solver->down_count; i++) {
		bring_back(failover, solver->down[i], first, second);
	}
	for (int i = 0; i < solver->count; i++) {
		bring_back(failover, solver->unit[i], first, second);
	}
	for (int i = 0; i < solver->shift_count; i++) {
		bring_back(failover, solver->shift[i].unit, first, second);
	}
	vrms_state_revive(state, first);
	if (second >= 0) {
		vrms_state_revive(state, second);
	}
	for (int i = displaced - 1; i >= 0; i--) {
		int u = failover->displaced[i];

		vrms_state_put(state, u, failover->host[u]);
	}
	solver->shift_count = solver->down_count = solver->count = 0;
}

static void add_detail(struct vrms_failover *failover, struct vrms_case *found, int unit, int to)
{
	if (failover->detail_count == failover->config.details) {
		found->cut = true;
		return;
	}
	failover->detail[failover->detail_count++] =
	    (struct vrms_detail){.unit = unit, .from = failover->host[unit], .to = to};
	found->detail_count++;
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

static bool is_survivor(const struct vrms_failover *failover, const struct vrms_case *found,
			int unit)
{
	return failover->host[unit] != found->node[0] && failover->host[unit] != found->node[1];
}

/* Shifts in their order, then who was stopped or restarted elsewhere for others, then where the
 * displaced ones go.
 */
static void add_details(struct vrms_failover *failover, struct vrms_case *found)
{
	const struct vrms_state *state = failover->state;
	struct vrms_solver *solver = failover->solver;
	int displaced = 0;

	for (int i = 0; i < solver->shift_count; i++) {
		add_detail(failover, found, solver->shift[i].unit,
			   state->where[solver->shift[i].unit]);
	}
	for (int i = 0; i < solver->down_count; i++) {
		if (is_survivor(failover, found, solver->down[i]) &&
		    !was_shifted(solver, solver->down[i])) {
			add_detail(failover, found, solver->down[i], VRMS_NODE_NONE);
		}
	}
	for (int i = 0; i < solver->count; i++) {
		int u = solver->unit[i];

		if (is_survivor(failover, found, u) && !was_shifted(solver, u) &&
		    state->where[u] != failover->host[u]) {
			add_detail(failover, found, u, state->where[u]);
		}
	}
	for (int k = 0; k < 2 && found->node[k] >= 0; k++) {
		displaced += failover->first[found->node[k] + 1] - failover->first[found->node[k]];
	}
	for (int i = 0; i < displaced; i++) {
		add_detail(failover, found, failover->displaced[i],
			   state->where[failover->displaced[i]]);
	}
}

/* Was a survivor stopped for a more important VM, and started elsewhere? */
static bool displaces_survivors(const struct vrms_failover *failover, const struct vrms_case *found)
{
	const struct vrms_solver *solver = failover->solver;

	for (int i = 0; i < solver->count; i++) {
		int u = solver->unit[i];

		if (is_survivor(failover, found, u) && failover->host[u] >= 0 &&
		    failover->state->where[u] != failover->host[u]) {
			return true;
		}
	}
	return false;
}

void vrms_failover_record(struct vrms_failover *failover, struct vrms_case *found, bool by_list)
{
	const struct vrms_solver *solver = failover->solver;
	const struct vrms_model *model = failover->model;

	found->by_list = by_list && solver->shift_count == 0 && solver->down_count == 0 &&
			 !displaces_survivors(failover, found);
	found->fewest = solver->fewest;
	found->shifts = solver->shift_count;
	for (int i = 0; i < solver->down_count; i++) {
		found->down += model->unit[solver->down[i]].vm_count;
	}
	memcpy(found->bound, solver->bound, sizeof(found->bound));
	for (int d = 0; d < model->dim_count; d++) {
		found->highest[d] = vrms_state_highest(failover->state, d);
	}
	found->detail_first = failover->detail_count;
	if (!found->by_list) {
		add_details(failover, found);
	}
}

/* Solves the loss of one node and takes the first hosts from it. */
static void solve_single(struct vrms_failover *failover, int node)
{
	struct vrms_solver *solver = failover->solver;
	struct vrms_case *found = &failover->cases[failover->case_count++];
	const struct vrms_effort effort = {.steps = failover->config.steps,
					   .shifts_max = failover->config.shifts_max};
	int displaced = vrms_failover_fail(failover, node, VRMS_NODE_NONE);

	*found = (struct vrms_case){.node = {node, VRMS_NODE_NONE}};
	memcpy(solver->unit, failover->displaced, (size_t)displaced * sizeof(int));
	solver->start = (node + 1) % failover->model->node_count;
	vrms_solver_begin(solver, failover->state, displaced);
	vrms_solver_solve(solver, &effort);
	vrms_failover_record(failover, found, true);
	for (int i = 0; i < displaced; i++) {
		int u = failover->displaced[i], to = failover->state->where[u];

		if (to >= 0) {
			vrms_list_of(failover, u)[0] = to;
			vrms_failover_arrive(failover, u, to, 1);
		}
	}
	vrms_failover_restore(failover, node, VRMS_NODE_NONE, displaced);
}

/* The first hosts were changed after the single losses were solved: what do they give now? */
static void remeasure(struct vrms_failover *failover)
{
	const struct vrms_model *model = failover->model;
	int dims = model->dim_count;

	for (int i = 0; i < failover->case_count; i++) {
		struct vrms_case *single = &failover->cases[i];
		double highest[VRMS_DIM_MAX] = {0};

		for (int n = 0; single->by_list && n < model->node_count; n++) {
			const int64_t *more =
			    vrms_arrivals(failover, failover->weight, single->node[0], n);

			for (int d = 0; d < dims; d++) {
				size_t at = (size_t)n * dims + d;
				double load = (double)(failover->state->weight[at] + more[d]) *
					      model->inverse[at];

				if (n != single->node[0] && failover->state->alive[n] &&
				    load > highest[d]) {
					highest[d] = load;
				}
			}
		}
		if (single->by_list) {
			memcpy(single->highest, highest, sizeof(highest));
		}
	}
}

struct vrms_failover *vrms_failover_new(const struct vrms_model *model,
					const struct vrms_state *state,
					const struct vrms_failover_config *config)
{
	struct vrms_failover *failover VRMS_CLEANUP(vrms_failover_freep) =
	    calloc(1, sizeof(*failover));

	assert(config->list_length > 0 && config->list_length <= VRMS_LIST_MAX);
	if (failover == NULL) {
		return NULL;
	}
	failover->model = model;
	failover->config = *config;
	failover->state = vrms_state_new(model);
	if (failover->state == NULL || !allocate(failover)) {
		return NULL;
	}
	if (state != NULL) {
		vrms_state_copy(failover->state, state);
	}
	list_residents(failover);
	for (int n = 0; n < model->node_count; n++) {
		if (failover->state->alive[n]) {
			solve_single(failover, n);
		}
	}
	if (config->losses > 1) {
		vrms_pairs_adjust(failover);
		remeasure(failover);
		vrms_pairs_solve(failover);
	}
	vrms_ranks_fill(failover);
	return VRMS_TAKE(failover);
}

void vrms_failover_free(struct vrms_failover *failover)
{
	if (failover == NULL) {
		return;
	}
	vrms_state_free(failover->state);
	vrms_solver_free(failover->solver);
	if (failover->weight != failover->used) {
		free(failover->weight);
	}
	free(failover->used);
	free(failover->host);
	free(failover->list);
	free(failover->resident);
	free(failover->first);
	free(failover->displaced);
	free(failover->extra);
	free(failover->cases);
	free(failover->detail);
	free(failover);
}

const int *vrms_failover_list(const struct vrms_failover *failover, int vm, int *ret_count)
{
	const int *list = vrms_list_of(failover, failover->model->vm[vm].unit);

	*ret_count = 0;
	while (*ret_count < failover->config.list_length && list[*ret_count] >= 0) {
		(*ret_count)++;
	}
	return list;
}

int vrms_failover_case_count(const struct vrms_failover *failover)
{
	return failover->case_count;
}

const struct vrms_case *vrms_failover_case(const struct vrms_failover *failover, int index)
{
	return &failover->cases[index];
}

const struct vrms_case *vrms_failover_find(const struct vrms_failover *failover, int first,
					   int second)
{
	for (int i = 0; i < failover->case_count; i++) {
		const struct vrms_case *at = &failover->cases[i];

		if ((at->node[0] == first && at->node[1] == second) ||
		    (at->node[0] == second && at->node[1] == first)) {
			return at;
		}
	}
	return NULL;
}

const struct vrms_detail *vrms_failover_details(const struct vrms_failover *failover,
						const struct vrms_case *found)
{
	return &failover->detail[found->detail_first];
}

int vrms_failover_detail_vm(const struct vrms_failover *failover, const struct vrms_detail *detail,
			    int index)
{
	const struct vrms_unit *unit = &failover->model->unit[detail->unit];

	return index < unit->vm_count ? failover->model->unit_vm[unit->vm_first + index] : -ENOENT;
}
