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
	note_node(growth, state, scale, node);
	note_block(growth, node / VRMS_GROWTH_BLOCK);
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

int vrms_growth_next(const struct vrms_growth *growth, const struct vrms_growth_weights *weights,
		     int from, int end, double limit)
{
	size_t dims = (size_t)growth->model->dim_count;
	int n = from;

	while (n < end) {
		size_t at = (size_t)(n / VRMS_GROWTH_BLOCK) * dims;
		int next = (n / VRMS_GROWTH_BLOCK + 1) * VRMS_GROWTH_BLOCK;

		if (add_up(&growth->low_load[at], &growth->low_scale[at], weights, (int)dims) >=
		    limit) {
			n = next;
			continue;
		}
		for (next = next < end ? next : end; n < next; n++) {
			if (vrms_growth_with(growth, weights, n) < limit) {
				return n;
			}
		}
	}
	return end;
}
