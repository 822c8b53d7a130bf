/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/planner.h"

#include <string.h>

#include "placement/planner_data.h"

enum { STEPS = 40000, SHIFTS_MAX = 32 };

static void forget(struct vrms_planner *planner)
{
	for (int u = 0; u < planner->model->unit_count; u++) {
		planner->last[u] = planner->model->unit[u].host;
	}
}

struct vrms_planner *vrms_planner_new(const struct vrms_model *model)
{
	struct vrms_planner *planner VRMS_CLEANUP(vrms_planner_freep) = calloc(1, sizeof(*planner));
	size_t units = (size_t)model->unit_count + 1;

	if (planner == NULL) {
		return NULL;
	}
	planner->model = model;
	planner->effort = (struct vrms_effort){.steps = STEPS, .shifts_max = SHIFTS_MAX};
	planner->state = vrms_state_new(model);
	planner->before = vrms_state_new(model);
	planner->scratch = vrms_state_new(model);
	planner->solver = vrms_solver_new(model);
	planner->last = calloc(units, sizeof(*planner->last));
	planner->step_max = 2 * model->unit_count;
	planner->steps = calloc(2 * units, sizeof(*planner->steps));
	planner->line = calloc(2 * units, sizeof(*planner->line));
	planner->busy = calloc((size_t)model->node_count + 1, sizeof(*planner->busy));
	if (planner->state == NULL || planner->before == NULL || planner->scratch == NULL ||
	    planner->solver == NULL || planner->last == NULL || planner->steps == NULL ||
	    planner->line == NULL || planner->busy == NULL) {
		return NULL;
	}
	forget(planner);
	return VRMS_TAKE(planner);
}

void vrms_planner_free(struct vrms_planner *planner)
{
	if (planner == NULL) {
		return;
	}
	vrms_state_free(planner->state);
	vrms_state_free(planner->before);
	vrms_state_free(planner->scratch);
	vrms_solver_free(planner->solver);
	free(planner->last);
	free(planner->steps);
	free(planner->line);
	free(planner->busy);
	free(planner);
}

void vrms_planner_reset(struct vrms_planner *planner)
{
	const struct vrms_model *model = planner->model;

	for (int u = 0; u < model->unit_count; u++) {
		if (planner->state->where[u] >= 0) {
			vrms_state_take(planner->state, u);
		}
	}
	for (int n = 0; n < model->node_count; n++) {
		vrms_state_revive(planner->state, n);
	}
	for (int u = 0; u < model->unit_count; u++) {
		int host = model->unit[u].host;

		if (host >= 0 && planner->state->alive[host]) {
			vrms_state_put(planner->state, u, host);
		}
	}
	forget(planner);
}

void vrms_planner_set_effort(struct vrms_planner *planner, int64_t steps, int shifts_max)
{
	planner->effort = (struct vrms_effort){.steps = steps, .shifts_max = shifts_max};
}

void vrms_planner_open_outcome(struct vrms_planner *planner, struct vrms_outcome *outcome)
{
	const struct vrms_model *model = planner->model;

	planner->step_count = 0;
	outcome->move_count = outcome->stopped_count = 0;
	outcome->fewest = outcome->ordered = true;
	memset(outcome->bound, 0, sizeof(outcome->bound));
	memcpy(outcome->before, planner->state->used,
	       (size_t)model->node_count * model->dim_count * sizeof(*outcome->before));
	for (int d = 0; d < model->dim_count; d++) {
		outcome->highest_before[d] = vrms_state_highest(planner->state, d);
	}
}

bool vrms_planner_add_step(struct vrms_planner *planner, const struct vrms_step *step)
{
	if (planner->step_count == planner->step_max) {
		return false;
	}
	planner->steps[planner->step_count++] = *step;
	return true;
}

void vrms_planner_add_stopped(struct vrms_planner *planner, int unit, struct vrms_outcome *outcome)
{
	const struct vrms_unit *self = &planner->model->unit[unit];

	for (int i = 0; i < self->vm_count; i++) {
		outcome->stopped[outcome->stopped_count++] =
		    planner->model->unit_vm[self->vm_first + i];
	}
}

void vrms_planner_close_outcome(struct vrms_planner *planner, struct vrms_outcome *outcome)
{
	const struct vrms_model *model = planner->model;

	for (int i = 0; i < planner->step_count; i++) {
		const struct vrms_step *step = &planner->steps[i];
		const struct vrms_unit *unit = &model->unit[step->unit];

		for (int k = 0; k < unit->vm_count; k++) {
			outcome->moves[outcome->move_count++] = (struct vrms_move){
			    .vm = model->unit_vm[unit->vm_first + k],
			    .from = step->from,
			    .to = step->to,
			    .kind = step->kind,
			    .batch = step->batch,
			    .cold = step->cold,
			};
		}
		planner->last[step->unit] = step->to;
	}
	memcpy(outcome->after, planner->state->used,
	       (size_t)model->node_count * model->dim_count * sizeof(*outcome->after));
	for (int d = 0; d < model->dim_count; d++) {
		outcome->highest_after[d] = vrms_state_highest(planner->state, d);
	}
}

/* Tells where the job went: survivors that were stopped and start elsewhere, or all the others. */
static void tell_placed(struct vrms_planner *planner, bool survivors, int batch)
{
	const struct vrms_solver *solver = planner->solver;

	for (int i = 0; i < solver->count; i++) {
		int u = solver->unit[i], to = planner->state->where[u], from = planner->last[u];
		bool ran = planner->before->where[u] >= 0 && planner->state->alive[from];

		if (to >= 0 && ran == survivors && !(ran && to == from)) {
			vrms_planner_add_step(planner,
					      &(struct vrms_step){.unit = u,
								  .from = from,
								  .to = to,
								  .kind = ran ? VRMS_MOVE_ROOM
									      : VRMS_MOVE_RECOVER,
								  .batch = batch,
								  .cold = ran});
		}
	}
}

/* Solves the job in solver->unit[0..count) and tells what has to be done. */
static void settle(struct vrms_planner *planner, int count, struct vrms_outcome *outcome)
{
	struct vrms_solver *solver = planner->solver;
	double free_bound[VRMS_DIM_MAX];
	bool moves_survivors;
	int told;

	vrms_bound_free(solver->bounds, planner->state, solver->unit, count, free_bound);
	vrms_solver_begin(solver, planner->state, count);
	vrms_solver_solve(solver, &planner->effort);
	for (int i = 0; i < solver->shift_count; i++) {
		const struct vrms_shift *shift = &solver->shift[i];

		vrms_planner_add_step(planner, &(struct vrms_step){.unit = shift->unit,
								   .from = shift->from,
								   .to = shift->to,
								   .kind = VRMS_MOVE_ROOM,
								   .batch = i});
	}
	told = planner->step_count;
	tell_placed(planner, true, solver->shift_count);
	tell_placed(planner, false, solver->shift_count + (planner->step_count > told));
	for (int i = 0; i < solver->down_count; i++) {
		if (planner->state->where[solver->down[i]] < 0) {
			vrms_planner_add_stopped(planner, solver->down[i], outcome);
		}
	}
	outcome->fewest = solver->fewest;
	/* Steps are in order: if a survivor moves at all, the first step is one. */
	moves_survivors = planner->step_count > 0 && planner->steps[0].kind == VRMS_MOVE_ROOM;
	memcpy(outcome->bound, moves_survivors ? free_bound : solver->bound,
	       sizeof(outcome->bound));
	vrms_planner_close_outcome(planner, outcome);
}

void vrms_planner_fail(struct vrms_planner *planner, const int *nodes, int count,
		       struct vrms_outcome *outcome)
{
	struct vrms_solver *solver = planner->solver;
	int job = 0;

	vrms_planner_open_outcome(planner, outcome);
	for (int i = 0; i < count; i++) {
		if (planner->state->alive[nodes[i]]) {
			job = vrms_state_fail(planner->state, nodes[i], solver->unit, 0);
			for (int k = 0; k < job; k++) {
				planner->last[solver->unit[k]] = nodes[i];
			}
		}
	}
	vrms_state_copy(planner->before, planner->state);
	job = 0;
	for (int u = 0; u < planner->model->unit_count; u++) {
		if (planner->state->where[u] < 0) {
			solver->unit[job++] = u;
		}
	}
	solver->start = count > 0 ? (nodes[0] + 1) % planner->model->node_count : 0;
	settle(planner, job, outcome);
}

void vrms_planner_place(struct vrms_planner *planner, const int *vms, int count,
			struct vrms_outcome *outcome)
{
	struct vrms_solver *solver = planner->solver;
	int job = 0;

	vrms_planner_open_outcome(planner, outcome);
	for (int i = 0; i < count; i++) {
		int u = planner->model->vm[vms[i]].unit;
		bool known = planner->state->where[u] >= 0;

		for (int k = 0; k < job && !known; k++) {
			known = solver->unit[k] == u;
		}
		if (!known) {
			solver->unit[job++] = u;
		}
	}
	solver->start = 0;
	vrms_state_copy(planner->before, planner->state);
	settle(planner, job, outcome);
}

void vrms_planner_open(struct vrms_planner *planner, int node)
{
	planner->state->alive[node] = true;
	planner->state->open[node] = true;
}

struct vrms_failover *vrms_planner_lists(const struct vrms_planner *planner,
					 const struct vrms_failover_config *config)
{
	return vrms_failover_new(planner->model, planner->state, config);
}

int vrms_planner_where(const struct vrms_planner *planner, int vm)
{
	return planner->state->where[planner->model->vm[vm].unit];
}

bool vrms_planner_is_alive(const struct vrms_planner *planner, int node)
{
	return planner->state->alive[node];
}

/* Does a hard rule hold for every VM that runs? */
static bool is_kept(const struct vrms_planner *planner, const struct vrms_rule *rule,
		    const struct vrms_group *group)
{
	const struct vrms_model *model = planner->model;
	const int *vms = &model->member[rule->vm_first], *nodes = &model->member[rule->node_first];
	int first = VRMS_NODE_NONE;

	for (int v = 0; group != NULL && v < group->values; v++) {
		if (planner->state->count[group->first + v] > rule->limit) {
			return false;
		}
	}
	for (int i = 0; i < rule->vm_count; i++) {
		int at = planner->state->where[model->vm[vms[i]].unit];
		bool named = false;

		if (at < 0) {
			continue;
		}
		first = first < 0 ? at : first;
		for (int k = 0; k < rule->node_count; k++) {
			named = named || nodes[k] == at;
		}
		if ((rule->kind == VRMS_RULE_ALLOW && !named) ||
		    (rule->kind == VRMS_RULE_DENY && named) ||
		    (rule->kind == VRMS_RULE_TOGETHER && at != first)) {
			return false;
		}
	}
	return true;
}

int vrms_planner_broken(const struct vrms_planner *planner,
			void (*tell)(void *context, const char *what, const char *name),
			void *context)
{
	const struct vrms_model *model = planner->model;
	int broken = 0, group = 0;

	for (int r = 0; r < model->rule_count; r++) {
		const struct vrms_rule *rule = &model->rule[r];
		const struct vrms_group *counted = NULL;

		if (group < model->group_count && model->group[group].rule == r) {
			counted = &model->group[group++];
		}
		if (rule->soft || rule->kind == VRMS_RULE_PREFER) {
			continue;
		}
		if (!is_kept(planner, rule, counted)) {
			tell(context, "rule", rule->name);
			broken++;
		}
	}
	for (int n = 0; n < model->node_count; n++) {
		if (planner->state->alive[n] && vrms_state_overloaded(planner->state, n)) {
			tell(context, "capacity", vrms_model_node_name(model, n));
			broken++;
		}
	}
	return broken;
}
