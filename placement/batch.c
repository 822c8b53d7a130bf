/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which moves may go at once: during a live migration the VM takes up room on both hosts. */
#include <string.h>

#include "placement/planner_data.h"

/* Keeps (sign 1) or frees (-1) the room of a unit on the node it is leaving. */
static void hold_room(struct vrms_state *state, int unit, int node, int sign)
{
	const struct vrms_model *model = state->model;
	int dims = model->dim_count;

	for (int d = 0; d < dims; d++) {
		state->used[node * dims + d] += sign * model->unit_demand[(size_t)unit * dims + d];
	}
}

/* Rules count the unit as gone from its old host: nobody they concern may enter meanwhile. */
static bool meets_a_leaver(const struct vrms_planner *planner, const struct vrms_step *step,
			   int batch_first, int batch_end)
{
	if (planner->model->unit[step->unit].group_count == 0) {
		return false;
	}
	for (int i = batch_first; i < batch_end; i++) {
		if (planner->steps[i].from == step->to) {
			return true;
		}
	}
	return false;
}

static bool may_go(const struct vrms_planner *planner, const struct vrms_step *step,
		   int batch_first, int batch_end, int parallel)
{
	for (int i = batch_first; i < batch_end; i++) {
		if (planner->steps[i].unit == step->unit) {
			return false; /* its first move is still under way */
		}
	}
	return planner->scratch->where[step->unit] == step->from &&
	       planner->busy[step->to] < parallel && planner->busy[step->from] < parallel &&
	       !meets_a_leaver(planner, step, batch_first, batch_end);
}

/* Forms one batch out of steps[done..); those chosen are brought to the front. */
static int form_batch(struct vrms_planner *planner, int done, int batch, int parallel)
{
	struct vrms_state *state = planner->scratch;
	int end = done;

	memset(planner->busy, 0, (size_t)planner->model->node_count * sizeof(*planner->busy));
	for (int at = done; at < planner->step_count; at++) {
		struct vrms_step step = planner->steps[at];
		bool fits;

		if (!may_go(planner, &step, done, end, parallel)) {
			continue;
		}
		vrms_state_take(state, step.unit);
		hold_room(state, step.unit, step.from, 1);
		fits = vrms_state_fits(state, step.unit, step.to);
		vrms_state_put(state, step.unit, fits ? step.to : step.from);
		if (!fits) {
			hold_room(state, step.unit, step.from, -1);
			continue;
		}
		planner->busy[step.from]++;
		planner->busy[step.to]++;
		step.batch = batch;
		for (int i = at; i > end; i--) {
			planner->steps[i] = planner->steps[i - 1];
		}
		planner->steps[end++] = step;
	}
	for (int i = done; i < end; i++) {
		hold_room(state, planner->steps[i].unit, planner->steps[i].from, -1);
	}
	return end;
}

/* One move after the other, as they were decided. */
static bool form_line(struct vrms_planner *planner)
{
	struct vrms_state *state = planner->scratch;

	for (int i = 0; i < planner->step_count; i++) {
		struct vrms_step *step = &planner->steps[i];

		step->batch = i;
		if (state->where[step->unit] != step->from) {
			return false;
		}
		vrms_state_take(state, step->unit);
		if (!vrms_state_fits(state, step->unit, step->to)) {
			return false;
		}
		vrms_state_put(state, step->unit, step->to);
	}
	return true;
}

bool vrms_batches_form(struct vrms_planner *planner, const struct vrms_state *before, int parallel)
{
	int batch = 0, done = 0, end = -1;

	memcpy(planner->line, planner->steps, (size_t)planner->step_count * sizeof(*planner->line));
	vrms_state_copy(planner->scratch, before);
	while (done < planner->step_count && end != done) {
		done = end < 0 ? 0 : end;
		end = form_batch(planner, done, batch++, parallel);
	}
	if (end == planner->step_count || planner->step_count == 0) {
		return true;
	}
	memcpy(planner->steps, planner->line, (size_t)planner->step_count * sizeof(*planner->line));
	vrms_state_copy(planner->scratch, before);
	return form_line(planner);
}
