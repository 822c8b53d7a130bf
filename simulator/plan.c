/* plan.c - the fail-over plan of VRMS as the simulator's placement: the product's own solver.
 *
 * vrmsd works out the lists before anything fails; the answer to the failure of a
 * node is the same as that of the solver asked at that moment, which is what is done
 * here: a list for each VM would be out of date after each of thousands of
 * failures.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>

#include "placement/solver.h"
#include "placement/state.h"
#include "simulator/world.h"

enum { DIM_MEMORY, DIM_CORES, DIMS };
enum { STEPS = 4000, SHIFTS_MAX = 8, CORES_PERMILLE = 100000 };

struct vrms_sim_plan {
	struct vrms_model *model;
	struct vrms_state *state;
	struct vrms_solver *solver;
};

void vrms_sim_plan_free(struct vrms_sim_plan *plan)
{
	if (plan != NULL) {
		vrms_solver_free(plan->solver);
		vrms_state_free(plan->state);
		vrms_model_free(plan->model);
		free(plan);
	}
}

static int add_nodes(struct vrms_model *model, const struct vrms_sim_scenario *scenario,
		     struct vrms_error *error)
{
	for (int i = 0; i < scenario->node_count; i++) {
		const struct vrms_sim_node_spec *node = &scenario->node[i];
		struct vrms_node_spec spec = {.name = node->name,
					      .capacity = {node->memory, node->cores},
					      .state = VRMS_NODE_ONLINE};
		int rc = vrms_model_add_node(model, &spec, error);

		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

/* Only what runs somewhere counts as movable, so all begin on the first node; see empty(). */
static int add_vms(struct vrms_model *model, const struct vrms_sim_scenario *scenario,
		   struct vrms_error *error)
{
	for (int i = 0; i < scenario->vm_count; i++) {
		const struct vrms_sim_vm_spec *vm = &scenario->vm[i];
		struct vrms_vm_spec spec = {.name = vm->name,
					    .demand = {vm->memory, vm->cores},
					    .priority = vm->priority,
					    .dirty = vm->dirty,
					    .host = 0};
		int rc = vrms_model_add_vm(model, &spec, error);

		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

static int build_model(const struct vrms_sim_scenario *scenario, struct vrms_model **ret_model,
		       struct vrms_error *error)
{
	size_t names = (size_t)(scenario->node_count + scenario->vm_count) * VRMS_SIM_NAME_BYTES;
	struct vrms_model_limits limits = {.nodes = scenario->node_count,
					   .vms = scenario->vm_count,
					   .name_bytes = names + 64};
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = vrms_model_new(&limits);
	int rc;

	if (model == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory for the plan");
	}
	rc = vrms_model_add_dim(model, "memory", 1000, error);
	/* CPU counts for balance; only memory says no. */
	rc = rc < 0 ? rc : vrms_model_add_dim(model, "cpu", CORES_PERMILLE, error);
	rc = rc < 0 ? rc : add_nodes(model, scenario, error);
	rc = rc < 0 ? rc : add_vms(model, scenario, error);
	rc = rc < 0 ? rc : vrms_model_seal(model, error);
	if (rc < 0) {
		return rc;
	}
	*ret_model = VRMS_TAKE(model);
	return 0;
}

/* The world says where VMs are, by put and take. */
static void empty(struct vrms_sim_plan *plan)
{
	for (int unit = 0; unit < plan->model->unit_count; unit++) {
		if (plan->state->where[unit] != VRMS_NODE_NONE) {
			vrms_state_take(plan->state, unit);
		}
	}
}

int vrms_sim_plan_new(const struct vrms_sim_scenario *scenario, struct vrms_sim_plan **ret_plan,
		      struct vrms_error *error)
{
	struct vrms_sim_plan *plan = calloc(1, sizeof(*plan));
	int rc;

	if (plan == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory for the plan");
	}
	rc = build_model(scenario, &plan->model, error);
	if (rc == 0) {
		plan->state = vrms_state_new(plan->model);
		plan->solver = vrms_solver_new(plan->model);
		if (plan->state == NULL || plan->solver == NULL) {
			rc = vrms_error_set(error, -ENOMEM, "out of memory for the plan");
		} else {
			empty(plan);
		}
	}
	if (rc < 0) {
		vrms_sim_plan_free(plan);
		return rc;
	}
	*ret_plan = plan;
	return 0;
}

static int unit_of(const struct vrms_sim_plan *plan, int vm)
{
	return plan->model->vm[vm].unit;
}

void vrms_sim_plan_put(struct vrms_sim_plan *plan, int vm, int node)
{
	vrms_state_put(plan->state, unit_of(plan, vm), node);
}

void vrms_sim_plan_take(struct vrms_sim_plan *plan, int vm)
{
	vrms_state_take(plan->state, unit_of(plan, vm));
}

/* Who lives and who takes guests, as the cluster sees it now. */
static void open_nodes(struct vrms_sim_world *world, struct vrms_sim_plan *plan)
{
	for (int i = 0; i < world->node_count; i++) {
		plan->state->open[i] = vrms_sim_place_is_open(world, i);
		plan->state->alive[i] = world->node[i].state == VRMS_SIM_MEMBER;
	}
}

/* Migrations that make room; the VMs that wait for it are placed in a later round. */
static void make_room(struct vrms_sim_world *world, const struct vrms_sim_plan *plan)
{
	for (int i = 0; i < plan->solver->shift_count; i++) {
		const struct vrms_shift *shift = &plan->solver->shift[i];
		int vm = plan->model->unit_vm[plan->model->unit[shift->unit].vm_first];

		if (world->vm[vm].state == VRMS_SIM_VM_RUNNING && world->vm[vm].on >= 0 &&
		    !world->vm[vm].paused && vrms_sim_place_fits(world, vm, shift->to)) {
			vrms_sim_operation_migrate(world, vm, shift->to);
		}
	}
}

/* The state follows what happens, not what was planned: everything back to where it is. */
static void take_back(const struct vrms_sim_world *world, struct vrms_sim_plan *plan,
		      const int32_t *vms, int count)
{
	for (int i = 0; i < count; i++) {
		if (plan->state->where[unit_of(plan, vms[i])] != VRMS_NODE_NONE) {
			vrms_state_take(plan->state, unit_of(plan, vms[i]));
		}
	}
	/* Who would be stopped for somebody more important: the simulated cluster stops nobody. */
	for (int i = 0; i < plan->solver->down_count; i++) {
		int unit = plan->solver->down[i];
		int host = world->vm[plan->model->unit_vm[plan->model->unit[unit].vm_first]].host;

		if (host >= 0 && plan->state->where[unit] == VRMS_NODE_NONE) {
			vrms_state_put(plan->state, unit, host);
		}
	}
	for (int i = plan->solver->shift_count - 1; i >= 0; i--) {
		const struct vrms_shift *shift = &plan->solver->shift[i];

		if (plan->state->where[shift->unit] != VRMS_NODE_NONE) {
			vrms_state_take(plan->state, shift->unit);
		}
		vrms_state_put(plan->state, shift->unit, shift->from);
	}
}

void vrms_sim_plan_place(struct vrms_sim_world *world, const int32_t *vms, int count,
			 int32_t *target)
{
	struct vrms_sim_plan *plan = world->plan;
	struct vrms_effort effort = {.steps = STEPS, .shifts_max = SHIFTS_MAX};

	open_nodes(world, plan);
	for (int i = 0; i < count; i++) {
		plan->solver->unit[i] = unit_of(plan, vms[i]);
	}
	vrms_solver_begin(plan->solver, plan->state, count);
	vrms_solver_solve(plan->solver, &effort);
	for (int i = 0; i < count; i++) {
		target[i] = plan->state->where[unit_of(plan, vms[i])];
	}
	take_back(world, plan, vms, count);
	make_room(world, plan);
}
