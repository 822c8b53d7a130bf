/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/bound.h"

#include "placement/sort.h"

enum {
	HALVINGS = 44,     /* of an interval, until it is below what a double can tell apart */
	THRESHOLD_MAX = 64 /* sizes tried; leaving some out keeps the bound true */
};

/* Guards floor() against a quotient that should be whole and is a hair below. */
static const double EPSILON = 1e-9;

struct vrms_bound_room {
	double *base, *capacity; /* [receiving node] in one dimension */
	int nodes;
	double *size; /* [unit] in one dimension */
	int *order;   /* the units to place, largest first */
	int count;
	double total; /* of all sizes */
};

struct vrms_bound_room *vrms_bound_room_new(const struct vrms_model *model)
{
	struct vrms_bound_room *room VRMS_CLEANUP(vrms_bound_room_freep) = calloc(1, sizeof(*room));
	size_t nodes = (size_t)model->node_count + 1, units = (size_t)model->unit_count + 1;

	if (room == NULL) {
		return NULL;
	}
	room->base = calloc(nodes, sizeof(double));
	room->capacity = calloc(nodes, sizeof(double));
	room->size = calloc(units, sizeof(double));
	room->order = calloc(units, sizeof(int));
	if (room->base == NULL || room->capacity == NULL || room->size == NULL ||
	    room->order == NULL) {
		return NULL;
	}
	return VRMS_TAKE(room);
}

void vrms_bound_room_free(struct vrms_bound_room *room)
{
	if (room == NULL) {
		return;
	}
	free(room->base);
	free(room->capacity);
	free(room->size);
	free(room->order);
	free(room);
}

static bool water_fits(const struct vrms_bound_room *room, double level)
{
	double left = room->total;

	for (int i = 0; i < room->nodes && left > 0; i++) {
		double free_here = level * room->capacity[i] - room->base[i];

		left -= free_here > 0 ? free_here : 0;
	}
	return left <= 0;
}

/* Are there `wanted` slots of this size below the level? */
static bool slots_suffice(const struct vrms_bound_room *room, double level, double size, int wanted)
{
	for (int i = 0; i < room->nodes && wanted > 0; i++) {
		double slots = (level * room->capacity[i] - room->base[i]) / size + EPSILON;

		if (slots >= wanted) {
			return true;
		}
		wanted -= slots >= 1 ? (int)slots : 0;
	}
	return wanted <= 0;
}

/* Lowest level, from below, at which the test for (size, wanted) holds; size 0: water. */
static double raise_level(const struct vrms_bound_room *room, double level, double size, int wanted)
{
	double low = level, high = level > 0 ? level : EPSILON;

	while (size > 0 ? !slots_suffice(room, high, size, wanted) : !water_fits(room, high)) {
		low = high;
		high *= 2;
		if (high > 1e12) {
			return level; /* there is no capacity at all: nothing to say */
		}
	}
	for (int i = 0; i < HALVINGS && low < high; i++) {
		double middle = low + (high - low) / 2;

		if (size > 0 ? slots_suffice(room, middle, size, wanted)
			     : water_fits(room, middle)) {
			high = middle;
		} else {
			low = middle;
		}
	}
	return low;
}

/* The units must go somewhere: raises the level until no counting argument forbids it. */
static double bound_of_sizes(struct vrms_bound_room *room, double level)
{
	int step = room->count / THRESHOLD_MAX + 1;

	if (room->nodes == 0 || room->count == 0) {
		return level;
	}
	if (!water_fits(room, level)) {
		level = raise_level(room, level, 0, 0);
	}
	vrms_sort_by(room->order, room->count, room->size);
	for (int i = 0; i < room->count; i += i < 2 * step ? 1 : step) {
		double size = room->size[room->order[i]];

		if (size > 0 && !slots_suffice(room, level, size, i + 1)) {
			level = raise_level(room, level, size, i + 1);
		}
	}
	return level;
}

/* A unit that rules keep to some nodes needs one of those. */
static double bound_of_rules(const struct vrms_state *state, const int *units, int count, int dim)
{
	const struct vrms_model *model = state->model;
	double level = 0;

	for (int i = 0; i < count; i++) {
		double best = -1;

		for (int n = 0; model->unit[units[i]].allowed >= 0 && n < model->node_count; n++) {
			size_t at = (size_t)n * model->dim_count + dim;
			double after =
			    (double)(state->weight[at] +
				     model
					 ->unit_weight[(size_t)units[i] * model->dim_count + dim]) *
			    model->inverse[at];

			if (state->open[n] && vrms_unit_allowed(model, units[i], n) &&
			    (best < 0 || after < best)) {
				best = after;
			}
		}
		level = best > level ? best : level;
	}
	return level;
}

static void load_nodes(struct vrms_bound_room *room, const struct vrms_state *state, int dim)
{
	const struct vrms_model *model = state->model;

	room->nodes = 0;
	room->count = 0;
	room->total = 0;
	for (int n = 0; n < model->node_count; n++) {
		size_t at = (size_t)n * model->dim_count + dim;

		if (state->open[n] && model->physical[at] > 0) {
			room->base[room->nodes] = (double)state->weight[at];
			room->capacity[room->nodes++] = (double)model->physical[at];
		}
	}
}

static void load_unit(struct vrms_bound_room *room, const struct vrms_model *model, int unit,
		      int dim)
{
	double size = (double)model->unit_weight[(size_t)unit * model->dim_count + dim];

	room->size[unit] = size;
	room->order[room->count++] = unit;
	room->total += size;
}

void vrms_bound_fixed(struct vrms_bound_room *room, const struct vrms_state *state,
		      const int *units, int count, double ret_bound[VRMS_DIM_MAX])
{
	for (int d = 0; d < state->model->dim_count; d++) {
		double level = vrms_state_highest(state, d);
		double ruled = bound_of_rules(state, units, count, d);

		load_nodes(room, state, d);
		for (int i = 0; i < count; i++) {
			load_unit(room, state->model, units[i], d);
		}
		ret_bound[d] = bound_of_sizes(room, ruled > level ? ruled : level);
	}
}

/* Takes the movable units off the node: what is left stays whatever is decided. */
static double base_without(const struct vrms_state *state, int node, int dim)
{
	const struct vrms_model *model = state->model;
	int64_t base = state->weight[(size_t)node * model->dim_count + dim];

	for (int u = state->head[node]; u >= 0; u = state->next[u]) {
		if (model->unit[u].movable) {
			base -= model->unit_weight[(size_t)u * model->dim_count + dim];
		}
	}
	return (double)base;
}

void vrms_bound_free(struct vrms_bound_room *room, const struct vrms_state *state, const int *units,
		     int count, double ret_bound[VRMS_DIM_MAX])
{
	const struct vrms_model *model = state->model;

	for (int d = 0; d < model->dim_count; d++) {
		double level = 0;

		room->nodes = room->count = 0;
		room->total = 0;
		for (int n = 0; n < model->node_count; n++) {
			size_t at = (size_t)n * model->dim_count + d;
			double base = base_without(state, n, d);

			if (!state->alive[n] || model->physical[at] == 0) {
				continue;
			}
			if (base * model->inverse[at] > level) {
				level = base * model->inverse[at];
			}
			/* A standby node keeps what it has, and may keep any part of it. */
			room->base[room->nodes] = base;
			room->capacity[room->nodes++] = (double)model->physical[at];
		}
		for (int u = 0; u < model->unit_count; u++) {
			if (state->where[u] >= 0 && model->unit[u].movable) {
				load_unit(room, model, u, d);
			}
		}
		for (int i = 0; i < count; i++) {
			load_unit(room, model, units[i], d);
		}
		ret_bound[d] = bound_of_sizes(room, level);
	}
}
