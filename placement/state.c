/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/state.h"

#include <assert.h>
#include <string.h>

static bool allocate(struct vrms_state *state)
{
	const struct vrms_model *model = state->model;
	size_t nodes = (size_t)model->node_count + 1, units = (size_t)model->unit_count + 1;
	size_t cells = nodes * VRMS_DIM_MAX;

	state->used = calloc(cells, sizeof(*state->used));
	state->weight = model->measured ? calloc(cells, sizeof(*state->weight)) : state->used;
	state->where = malloc(units * sizeof(*state->where));
	state->head = malloc(nodes * sizeof(*state->head));
	state->next = calloc(units, sizeof(*state->next));
	state->prev = calloc(units, sizeof(*state->prev));
	state->count = calloc(model->counter_count + 1, sizeof(*state->count));
	state->group_placed = calloc((size_t)model->group_count + 1, sizeof(*state->group_placed));
	state->alive = calloc(nodes, sizeof(*state->alive));
	state->open = calloc(nodes, sizeof(*state->open));
	return state->used != NULL && state->weight != NULL && state->where != NULL &&
	       state->head != NULL && state->next != NULL && state->prev != NULL &&
	       state->count != NULL && state->group_placed != NULL && state->alive != NULL &&
	       state->open != NULL;
}

static void fill(struct vrms_state *state)
{
	const struct vrms_model *model = state->model;

	memset(state->where, 0xff, (size_t)model->unit_count * sizeof(*state->where));
	memset(state->head, 0xff, (size_t)model->node_count * sizeof(*state->head));
	for (int n = 0; n < model->node_count; n++) {
		state->alive[n] = model->node_state[n] != VRMS_NODE_OFFLINE;
		state->open[n] = model->node_state[n] == VRMS_NODE_ONLINE;
	}
	for (int i = 0; i < model->node_count * model->dim_count; i++) {
		state->used[i] = model->other[i];
		state->weight[i] = model->other[i];
	}
	for (int u = 0; u < model->unit_count; u++) {
		int host = model->unit[u].host;

		if (host >= 0 && state->alive[host]) {
			vrms_state_put(state, u, host);
		}
	}
}

struct vrms_state *vrms_state_new(const struct vrms_model *model)
{
	struct vrms_state *state VRMS_CLEANUP(vrms_state_freep) = calloc(1, sizeof(*state));

	assert(model->sealed);
	if (state == NULL) {
		return NULL;
	}
	state->model = model;
	if (!allocate(state)) {
		return NULL;
	}
	fill(state);
	return VRMS_TAKE(state);
}

void vrms_state_free(struct vrms_state *state)
{
	if (state == NULL) {
		return;
	}
	if (state->weight != state->used) {
		free(state->weight);
	}
	free(state->used);
	free(state->where);
	free(state->head);
	free(state->next);
	free(state->prev);
	free(state->count);
	free(state->group_placed);
	free(state->alive);
	free(state->open);
	free(state);
}

void vrms_state_copy(struct vrms_state *to, const struct vrms_state *from)
{
	const struct vrms_model *model = from->model;
	size_t nodes = (size_t)model->node_count, units = (size_t)model->unit_count;
	size_t cells = nodes * model->dim_count;

	memcpy(to->used, from->used, cells * sizeof(*to->used));
	if (to->weight != to->used) {
		memcpy(to->weight, from->weight, cells * sizeof(*to->weight));
	}
	memcpy(to->where, from->where, units * sizeof(*to->where));
	memcpy(to->head, from->head, nodes * sizeof(*to->head));
	memcpy(to->next, from->next, units * sizeof(*to->next));
	memcpy(to->prev, from->prev, units * sizeof(*to->prev));
	memcpy(to->count, from->count, model->counter_count * sizeof(*to->count));
	memcpy(to->group_placed, from->group_placed,
	       (size_t)model->group_count * sizeof(*to->group_placed));
	memcpy(to->alive, from->alive, nodes * sizeof(*to->alive));
	memcpy(to->open, from->open, nodes * sizeof(*to->open));
}

/* Adds (sign 1) or removes (-1) the unit's demand and memberships on a node. */
static void account(struct vrms_state *state, int unit, int node, int sign)
{
	const struct vrms_model *model = state->model;
	int dims = model->dim_count;
	const int64_t *demand = &model->unit_demand[(size_t)unit * dims];
	int64_t *used = &state->used[(size_t)node * dims];

	for (int d = 0; d < dims; d++) {
		used[d] += sign * demand[d];
	}
	for (int d = 0; d < dims && state->weight != state->used; d++) {
		state->weight[node * dims + d] +=
		    sign * model->unit_weight[(size_t)unit * dims + d];
	}
	/* Without such rules the unit itself, which is seldom in a cache, is not looked at. */
	if (model->group_count == 0) {
		return;
	}
	const struct vrms_unit *self = &model->unit[unit];
	const struct vrms_unit_group *list = &model->unit_group[self->group_first];

	for (int i = 0; i < self->group_count; i++) {
		const struct vrms_group *group = &model->group[list[i].group];
		int value = vrms_group_value(model, group, node);

		if (value >= 0) {
			state->count[group->first + value] += sign * list[i].members;
		}
		state->group_placed[list[i].group] += sign * list[i].members;
	}
}

static void link_first(struct vrms_state *state, int unit, int node)
{
	int first = state->head[node];

	state->prev[unit] = -1;
	state->next[unit] = first;
	if (first >= 0) {
		state->prev[first] = unit;
	}
	state->head[node] = unit;
}

static void unlink_unit(struct vrms_state *state, int unit, int node)
{
	int next = state->next[unit], prev = state->prev[unit];

	if (prev >= 0) {
		state->next[prev] = next;
	} else {
		state->head[node] = next;
	}
	if (next >= 0) {
		state->prev[next] = prev;
	}
}

void vrms_state_put(struct vrms_state *state, int unit, int node)
{
	assert(state->where[unit] < 0);
	state->where[unit] = node;
	link_first(state, unit, node);
	account(state, unit, node, 1);
}

int vrms_state_take(struct vrms_state *state, int unit)
{
	int node = state->where[unit];

	assert(node >= 0);
	unlink_unit(state, unit, node);
	state->where[unit] = VRMS_NODE_NONE;
	account(state, unit, node, -1);
	return node;
}

void vrms_state_to_front(struct vrms_state *state, int unit)
{
	int node = state->where[unit];

	assert(node >= 0);
	unlink_unit(state, unit, node);
	link_first(state, unit, node);
}

bool vrms_state_has_room(const struct vrms_state *state, int unit, int node)
{
	const struct vrms_model *model = state->model;
	int dims = model->dim_count;
	const int64_t *demand = &model->unit_demand[(size_t)unit * dims];
	const int64_t *used = &state->used[node * dims];
	const int64_t *capacity = &model->capacity[node * dims];

	for (int d = 0; d < dims; d++) {
		/* What needs nothing fits even where there is too little already. */
		if (demand[d] > 0 && used[d] + demand[d] > capacity[d]) {
			return false;
		}
	}
	return true;
}

/* Parts of one "together" that run apart already may only join each other. */
static bool joins_its_class(const struct vrms_state *state, int unit, int node)
{
	const struct vrms_unit *units = state->model->unit;
	bool elsewhere = false;

	for (int part = units[unit].class_next; part != unit; part = units[part].class_next) {
		if (state->where[part] == node) {
			return true;
		}
		elsewhere = elsewhere || state->where[part] >= 0;
	}
	return !elsewhere;
}

bool vrms_state_keeps_rules(const struct vrms_state *state, int unit, int node)
{
	const struct vrms_model *model = state->model;
	const struct vrms_unit *self = &model->unit[unit];
	const struct vrms_unit_group *list = &model->unit_group[self->group_first];

	if (!vrms_unit_allowed(model, unit, node) || !joins_its_class(state, unit, node)) {
		return false;
	}
	for (int i = 0; i < self->group_count; i++) {
		const struct vrms_group *group = &model->group[list[i].group];
		int value = vrms_group_value(model, group, node);

		if (!group->soft && value >= 0 &&
		    state->count[group->first + value] + list[i].members > group->limit) {
			return false;
		}
	}
	return true;
}

bool vrms_state_fits(const struct vrms_state *state, int unit, int node)
{
	return state->open[node] && vrms_state_has_room(state, unit, node) &&
	       vrms_state_keeps_rules(state, unit, node);
}

int64_t vrms_state_dislike(const struct vrms_state *state, int unit, int node)
{
	const struct vrms_model *model = state->model;
	const struct vrms_unit *self = &model->unit[unit];
	const struct vrms_unit_group *list = &model->unit_group[self->group_first];
	int64_t dislike = 0;

	for (int i = 0; i < self->group_count; i++) {
		const struct vrms_group *group = &model->group[list[i].group];
		int value = vrms_group_value(model, group, node);
		int there = value < 0 ? 0 : state->count[group->first + value];

		if (group->together) {
			dislike += (state->group_placed[list[i].group] - there) * group->score;
		} else if (group->soft && value >= 0 && there + list[i].members > group->limit) {
			dislike += (there + list[i].members - group->limit) * group->score;
		}
	}
	for (int i = 0; i < self->like_count; i++) {
		if (model->unit_like[self->like_first + i].node == node) {
			dislike -= model->unit_like[self->like_first + i].score;
		}
	}
	return dislike;
}

int vrms_state_list(const struct vrms_state *state, int node, int *list)
{
	int count = 0;

	for (int u = state->head[node]; u >= 0; u = state->next[u]) {
		list[count++] = u;
	}
	return count;
}

int vrms_state_fail(struct vrms_state *state, int node, int *list, int count)
{
	state->alive[node] = false;
	state->open[node] = false;
	while (state->head[node] >= 0) {
		list[count++] = state->head[node];
		vrms_state_take(state, state->head[node]);
	}
	return count;
}

void vrms_state_revive(struct vrms_state *state, int node)
{
	state->alive[node] = state->model->node_state[node] != VRMS_NODE_OFFLINE;
	state->open[node] = state->model->node_state[node] == VRMS_NODE_ONLINE;
}

double vrms_state_highest(const struct vrms_state *state, int dim)
{
	double highest = 0;

	for (int n = 0; n < state->model->node_count; n++) {
		double ratio = state->alive[n] ? vrms_state_ratio(state, n, dim) : 0;

		highest = ratio > highest ? ratio : highest;
	}
	return highest;
}

bool vrms_state_overloaded(const struct vrms_state *state, int node)
{
	const struct vrms_model *model = state->model;
	int dims = model->dim_count;

	for (int d = 0; d < dims; d++) {
		if (state->used[node * dims + d] > model->capacity[node * dims + d] &&
		    state->used[node * dims + d] > model->other[node * dims + d]) {
			return true;
		}
	}
	return false;
}
