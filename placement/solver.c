/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/solver.h"

#include <string.h>

/* A bound below this is no scale to measure by: an empty cluster. */
static const double SCALE_MIN = 1e-6;

struct vrms_solver *vrms_solver_new(const struct vrms_model *model)
{
	struct vrms_solver *solver VRMS_CLEANUP(vrms_solver_freep) = calloc(1, sizeof(*solver));
	size_t units = (size_t)model->unit_count + 1;

	if (solver == NULL) {
		return NULL;
	}
	solver->model = model;
	solver->bounds = vrms_bound_room_new(model);
	solver->unit = calloc(units, sizeof(*solver->unit));
	solver->shift = calloc(units, sizeof(*solver->shift));
	solver->down = calloc(units, sizeof(*solver->down));
	solver->cut = calloc(units, sizeof(*solver->cut));
	solver->growth = vrms_growth_new(model);
	solver->key = calloc(units, sizeof(*solver->key));
	solver->backup = calloc(units, sizeof(*solver->backup));
	solver->mine = calloc(units, sizeof(*solver->mine));
	solver->visited = calloc((size_t)model->node_count + 1, sizeof(*solver->visited));
	solver->search = vrms_search_new(model);
	if (solver->bounds == NULL || solver->unit == NULL || solver->shift == NULL ||
	    solver->down == NULL || solver->growth == NULL || solver->cut == NULL ||
	    solver->key == NULL || solver->backup == NULL || solver->mine == NULL ||
	    solver->visited == NULL || solver->search == NULL) {
		return NULL;
	}
	return VRMS_TAKE(solver);
}

void vrms_solver_free(struct vrms_solver *solver)
{
	if (solver == NULL) {
		return;
	}
	vrms_bound_room_free(solver->bounds);
	vrms_search_free(solver->search);
	free(solver->unit);
	free(solver->shift);
	free(solver->down);
	free(solver->cut);
	vrms_growth_free(solver->growth);
	free(solver->key);
	free(solver->backup);
	free(solver->mine);
	free(solver->visited);
	free(solver);
}

void vrms_solver_begin(struct vrms_solver *solver, struct vrms_state *state, int count)
{
	solver->state = state;
	solver->count = count;
	solver->shift_count = 0;
	solver->down_count = 0;
	solver->fewest = true;
	vrms_bound_fixed(solver->bounds, state, solver->unit, count, solver->bound);
	for (int d = 0; d < solver->model->dim_count; d++) {
		double bound = solver->bound[d] > SCALE_MIN ? solver->bound[d] : SCALE_MIN;

		solver->scale[d] = 1.0 / bound;
	}
}

/* Without moving anything: as level as possible, or else as tight as possible and then levelled. */
static bool place_all(struct vrms_solver *solver)
{
	if (vrms_assign_spread(solver) == 0) {
		return true;
	}
	for (int dim = -1; dim < solver->model->dim_count; dim++) {
		vrms_assign_clear(solver);
		if (vrms_assign_tight(solver, dim) == 0) {
			return true;
		}
	}
	vrms_assign_clear(solver);
	return false;
}

void vrms_solver_solve(struct vrms_solver *solver, const struct vrms_effort *effort)
{
	if (!place_all(solver)) {
		vrms_down_drop_homeless(solver);
		if (!place_all(solver) && !vrms_room_make(solver, effort)) {
			vrms_down_choose(solver, effort);
		}
	}
	vrms_assign_level(solver);
	vrms_down_readmit(solver); /* stopping and levelling may have left room */
}
