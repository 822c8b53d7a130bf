/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/growth.h"

#include <stdlib.h>

struct vrms_growth *vrms_growth_new(const struct vrms_model *model)
{
	struct vrms_growth *growth = calloc(1, sizeof(*growth));
	size_t cells = ((size_t)model->node_count + VRMS_GROWTH_BLOCK) * VRMS_DIM_MAX;

	if (growth == NULL) {
		return NULL;
	}
	growth->model = model;
	growth->load = calloc(cells, sizeof(*growth->load));
	growth->scale = calloc(cells, sizeof(*growth->scale));
	growth->low_load = calloc(cells, sizeof(*growth->low_load));
	growth->low_scale = calloc(cells, sizeof(*growth->low_scale));
	if (growth->load == NULL || growth->scale == NULL || growth->low_load == NULL ||
	    growth->low_scale == NULL) {
		vrms_growth_free(growth);
		return NULL;
	}
	return growth;
}

void vrms_growth_free(struct vrms_growth *growth)
{
	if (growth != NULL) {
		free(growth->load);
		free(growth->scale);
		free(growth->low_load);
		free(growth->low_scale);
		free(growth);
	}
}

static void note_node(struct vrms_growth *growth, const struct vrms_state *state,
		      const double *scale, int node)
{
	int dims = growth->model->dim_count;

	for (int d = 0; d < dims; d++) {
		size_t at = (size_t)node * dims + d;

		growth->scale[at] = growth->model->inverse[at] * scale[d];
		growth->load[at] = (double)state->weight[at] * growth->scale[at];
	}
}

static void note_block(struct vrms_growth *growth, int block)
{
	int dims = growth->model->dim_count, first = block * VRMS_GROWTH_BLOCK;
	int end = first + VRMS_GROWTH_BLOCK;

	end = end < growth->model->node_count ? end : growth->model->node_count;
	for (int d = 0; d < dims; d++) {
		double load = growth->load[(size_t)first * dims + d];
		double scale = growth->scale[(size_t)first * dims + d];

		for (int n = first + 1; n < end; n++) {
			size_t at = (size_t)n * dims + d;

			load = growth->load[at] < load ? growth->load[at] : load;
			scale = growth->scale[at] < scale ? growth->scale[at] : scale;
		}
		growth->low_load[(size_t)block * dims + d] = load;
		growth->low_scale[(size_t)block * dims + d] = scale;
	}
}

void vrms_growth_note_all(struct vrms_growth *growth, const struct vrms_state *state,
			  const double *scale)
{
	int nodes = growth->model->node_count;

	for (int n = 0; n < nodes; n++) {
		note_node(growth, state, scale, n);
	}
	for (int block = 0; block * VRMS_GROWTH_BLOCK < nodes; block++) {
		note_block(growth, block);
	}
}

void vrms_growth_note(struct vrms_growth *growth, const struct vrms_state *state,
		      const double *scale, int node)
{
	int dims = growth->model->dim_count, block = node / VRMS_GROWTH_BLOCK;
	const double *load = &growth->load[(size_t)node * dims];
	double *low = &growth->low_load[(size_t)block * dims];
	bool was_lowest = false;

	for (int d = 0; d < dims; d++) {
		was_lowest = was_lowest || load[d] <= low[d];
	}
	note_node(growth, state, scale, node);
	/* Unless the lowest has grown, the others need not be asked. */
	for (int d = 0; d < dims && !was_lowest; d++) {
		low[d] = load[d] < low[d] ? load[d] : low[d];
	}
	if (was_lowest) {
		note_block(growth, block);
	}
}

struct vrms_growth_weights vrms_growth_weights(const struct vrms_model *model, int unit)
{
	struct vrms_growth_weights weights = {{0}};

	for (int d = 0; d < model->dim_count; d++) {
		weights.value[d] = (double)model->unit_weight[(size_t)unit * model->dim_count + d];
	}
	return weights;
}

static inline double add_up(const double *load, const double *scale,
			    const struct vrms_growth_weights *weights, int dims)
{
	double growth = 0;

	for (int d = 0; d < dims; d++) {
		double more = weights->value[d] * scale[d];

		growth += more * (2 * load[d] + more);
	}
	return growth;
}

double vrms_growth_with(const struct vrms_growth *growth, const struct vrms_growth_weights *weights,
			int node)
{
	size_t dims = (size_t)growth->model->dim_count, at = (size_t)node * dims;

	return add_up(&growth->load[at], &growth->scale[at], weights, (int)dims);
}

double vrms_growth_where(const struct vrms_growth *growth, const struct vrms_state *state,
			 const double *scale, int unit)
{
	const struct vrms_model *model = growth->model;
	struct vrms_growth_weights weights = vrms_growth_weights(model, unit);
	double load[VRMS_DIM_MAX], part[VRMS_DIM_MAX];
	int dims = model->dim_count;

	for (int d = 0; d < dims; d++) {
		size_t at = (size_t)state->where[unit] * dims + d;
		int64_t others = state->weight[at] - model->unit_weight[(size_t)unit * dims + d];

		part[d] = model->inverse[at] * scale[d];
		load[d] = (double)others * part[d];
	}
	return add_up(load, part, &weights, dims);
}

/* Inlined for each usual number of dimensions: the sum is most of what placing costs. */
static inline __attribute__((always_inline)) int next_of(const struct vrms_growth *growth,
							 const struct vrms_growth_weights *weights,
							 const struct vrms_growth_range *range,
							 int dims)
{
	int n = range->from;

	while (n < range->end) {
		int block = n / VRMS_GROWTH_BLOCK * dims;
		int next = (n / VRMS_GROWTH_BLOCK + 1) * VRMS_GROWTH_BLOCK;

		if (add_up(&growth->low_load[block], &growth->low_scale[block], weights, dims) >=
		    range->limit) {
			n = next;
			continue;
		}
		for (next = next < range->end ? next : range->end; n < next; n++) {
			int at = n * dims;

			if (add_up(&growth->load[at], &growth->scale[at], weights, dims) <
			    range->limit) {
				return n;
			}
		}
	}
	return range->end;
}

int vrms_growth_next(const struct vrms_growth *growth, const struct vrms_growth_weights *weights,
		     const struct vrms_growth_range *range)
{
	switch (growth->model->dim_count) {
	case 1:
		return next_of(growth, weights, range, 1);
	case 2:
		return next_of(growth, weights, range, 2);
	default:
		return next_of(growth, weights, range, growth->model->dim_count);
	}
}
