/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/world.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "simulator/daemon.h"
#include "simulator/sim.h"

void vrms_sim_schedule_extra(struct vrms_sim_world *world, const struct vrms_sim_event *event)
{
	if (event->at_us > world->end_us) {
		return;
	}
	int rc = vrms_sim_queue_push(world->queue, event);

	world->rc = rc < 0 ? rc : world->rc;
}

void vrms_sim_schedule(struct vrms_sim_world *world, int64_t at_us, enum vrms_sim_event_kind kind,
		       int32_t subject, uint32_t stamp)
{
	struct vrms_sim_event event = {.at_us = at_us,
				       .kind = (uint16_t)kind,
				       .subject = subject,
				       .stamp = stamp};

	vrms_sim_schedule_extra(world, &event);
}

void vrms_sim_note(struct vrms_sim_world *world, enum vrms_sim_step_kind kind, int32_t node,
		   int32_t vm)
{
	struct vrms_sim_step step = {
	    .at_us = world->now_us, .failure = -1, .node = node, .vm = vm, .kind = (int16_t)kind};

	if (vm >= 0) {
		step.failure = world->vm[vm].failure;
	} else if (node >= 0) {
		step.failure = world->node[node].failure;
	}
	step.detail =
	    kind == VRMS_SIM_STEP_TOKEN ? (int32_t)(world->node[node].token_us / 1000) : 0;
	vrms_sim_record_step(&world->record, &step);
}

void vrms_sim_break_rule(struct vrms_sim_world *world, enum vrms_sim_rule rule, int32_t node,
			 int32_t vm)
{
	struct vrms_sim_broken broken = {.at_us = world->now_us,
					 .node = node,
					 .vm = vm,
					 .rule = (int16_t)rule};

	vrms_sim_record_broken(&world->record, &broken);
}

int64_t vrms_sim_vary(struct vrms_sim_world *world, int64_t typical_us)
{
	/* Twelve uniform numbers less six are as good as normal for a spread of a tenth. */
	double sum = -6;

	for (int i = 0; i < 12; i++) {
		sum += vrms_random_unit(&world->random);
	}
	return (int64_t)((double)typical_us * exp(0.1 * sum));
}

bool vrms_sim_chance(struct vrms_sim_world *world, double pct)
{
	return pct > 0 && vrms_random_unit(&world->random) * 100 < pct;
}

static void world_done(struct vrms_sim_world *world)
{
	for (int i = 0; world->node != NULL && i < world->node_count; i++) {
		vrms_fault_free(world->node[i].faults);
		vrms_sim_daemon_free(&world->node[i]);
	}
	for (int i = 0; i < world->ring_count; i++) {
		free(world->ring[i].member);
		free(world->ring[i].last_us);
	}
	vrms_sim_plan_free(world->plan);
	vrms_sim_opinion_free(world->opinion);
	vrms_sim_net_done(world);
	vrms_sim_queue_free(world->queue);
	free(world->node);
	free(world->vm);
	free(world->ring);
	free(world->message);
	free(world->rank);
	free(world->scratch);
	free(world->scratch_vm);
	free(world->room);
	free(world->component);
	vrms_sim_record_done(&world->record);
}

static void init_node(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *node = &world->node[index];
	const struct vrms_sim_list empty = {.head = -1, .tail = -1};
	bool off = world->scenario->node[index].off;

	*node = (struct vrms_sim_node){
	    .supply = true,
	    .bmc = true,
	    .broken = off,
	    .up = !off,
	    .paths = true,
	    .corosync = !off,
	    .thaw_us = -1,
	    .failure = -1,
	    .guests = empty,
	    .ring = -1,
	    .token_us = world->token_us,
	    .seen_all = !off,
	    .lost_us = -1,
	    .state = off ? VRMS_SIM_OFFLINE : VRMS_SIM_MEMBER,
	    .confirmed_us = -1,
	    .residents = empty,
	    .waiting = empty,
	};
}

static void init_vm(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_vm *vm = &world->vm[index];

	*vm = (struct vrms_sim_vm){
	    .on = -1,
	    .other = -1,
	    .down_us = 0,
	    .last_on = -1,
	    .host = -1,
	    .to = -1,
	    .wanted = !world->scenario->vm[index].stopped,
	    .failure = -1,
	};
	for (int i = 0; i < VRMS_SIM_BANS_MAX; i++) {
		vm->ban[i] = -1;
	}
}

static int compare_names(const void *left, const void *right, void *context)
{
	const struct vrms_sim_scenario *scenario = context;

	return strverscmp(scenario->node[*(const int32_t *)left].name,
			  scenario->node[*(const int32_t *)right].name);
}

/* Leaves scratch in the order of names. */
static void rank_names(struct vrms_sim_world *world)
{
	for (int i = 0; i < world->node_count; i++) {
		world->scratch[i] = i;
	}
	qsort_r(world->scratch, (size_t)world->node_count, sizeof(*world->scratch), compare_names,
		(void *)world->scenario);
	for (int i = 0; i < world->node_count; i++) {
		world->rank[world->scratch[i]] = i;
	}
}

static int world_init(struct vrms_sim_world *world)
{
	size_t nodes = (size_t)world->node_count, vms = (size_t)world->vm_count;

	world->queue = vrms_sim_queue_new();
	world->node = calloc(nodes, sizeof(*world->node));
	world->vm = calloc(vms + 1, sizeof(*world->vm));
	world->rank = calloc(nodes + 1, sizeof(*world->rank));
	world->scratch = calloc(nodes + 1, sizeof(*world->scratch));
	world->scratch_vm = calloc(4 * vms + 2, sizeof(*world->scratch_vm));
	world->room = calloc(nodes + 1, sizeof(*world->room));
	world->component = calloc(nodes, sizeof(*world->component));
	if (world->queue == NULL || world->node == NULL || world->vm == NULL ||
	    world->rank == NULL || world->scratch == NULL || world->scratch_vm == NULL ||
	    world->room == NULL || world->component == NULL) {
		return -ENOMEM;
	}
	for (int i = 0; i < world->node_count; i++) {
		init_node(world, i);
	}
	for (int i = 0; i < world->vm_count; i++) {
		init_vm(world, i);
	}
	rank_names(world);
	world->todo = (struct vrms_sim_list){.head = -1, .tail = -1};
	return vrms_sim_net_init(world);
}

/* All nodes that are on are members of one ring, whose token is somewhere in its first rotation. */
static void form_first_ring(struct vrms_sim_world *world)
{
	int count = 0;

	for (int i = 0; i < world->node_count; i++) {
		if (world->node[i].up) {
			world->scratch[count++] = i;
		}
	}
	if (count == 0) {
		return;
	}
	int index = vrms_sim_ring_new(world, world->scratch, count);

	if (index < 0) {
		return;
	}
	struct vrms_sim_ring *ring = &world->ring[index];

	ring->expected = world->node_count;
	ring->operational = true;
	ring->dc = world->scratch[0];
	ring->base_us = (int64_t)(vrms_random_unit(&world->random) * (double)ring->period_us);
	vrms_sim_votes_count(world, ring);
	world->has_quorum = ring->quorate;
	vrms_sim_ring_run(world, index);

	struct vrms_sim_membership membership = {.members = count,
						 .lowest = ring->member[0],
						 .quorate = ring->quorate};

	vrms_sim_record_membership(&world->record, &membership);
}

/* VMs run from the start where the scenario says, or where the placement puts them. */
static void start_first(struct vrms_sim_world *world)
{
	int32_t *vms = world->scratch_vm, *target = world->scratch_vm + world->vm_count;
	int homeless = 0;

	for (int vm = 0; vm < world->vm_count; vm++) {
		int host = world->scenario->vm[vm].host;

		if (!world->vm[vm].wanted) {
			world->vm[vm].down_us = -1;
		} else if (host >= 0 && world->node[host].up) {
			vrms_sim_resident_add(world, vm, host);
		} else {
			vms[homeless++] = vm;
		}
	}
	vrms_sim_place(world, vms, homeless, target);
	for (int i = 0; i < homeless; i++) {
		if (target[i] >= 0) {
			vrms_sim_resident_add(world, vms[i], target[i]);
		} else {
			vrms_sim_todo_add(world, vms[i]);
		}
	}
	for (int vm = 0; vm < world->vm_count; vm++) {
		if (world->vm[vm].host >= 0) {
			world->vm[vm].state = VRMS_SIM_VM_RUNNING;
			world->vm[vm].last_on = world->vm[vm].host;
			world->vm[vm].down_us = -1;
			vrms_sim_guest_add(world, vm, world->vm[vm].host);
		}
	}
}

static int64_t end_of(const struct vrms_sim_scenario *scenario)
{
	const struct vrms_sim_settings *settings = &scenario->settings;
	int64_t quiet_us = INT64_C(300) * 1000000;
	bool generates = settings->model != VRMS_SIM_MODEL_NONE || settings->rack_mtbf_us > 0 ||
			 settings->vm_mtbf_us > 0 || settings->stalls_per_day > 0;

	if (settings->duration_us > 0) {
		return settings->duration_us;
	}
	/* Hosts boot and guests move before the last word is said. */
	quiet_us += 2 * settings->boot_us + 3 * vrms_sim_token_us(settings, scenario->node_count);
	if (scenario->fault_count > 0) {
		const struct vrms_sim_fault *last = &scenario->fault[scenario->fault_count - 1];

		return last->at_us + last->for_us + quiet_us;
	}
	if (scenario->load_end_us > quiet_us) {
		return scenario->load_end_us;
	}
	return generates ? INT64_C(86400) * 1000000 : quiet_us;
}

static void begin(struct vrms_sim_world *world)
{
	vrms_sim_record_token(&world->record, 0, world->token_us);
	form_first_ring(world);
	start_first(world);
	vrms_sim_next_fault(world, 0);
	vrms_sim_generate_begin(world);
	vrms_sim_daemon_begin(world);
	if (world->scenario->load_count > 0) {
		vrms_sim_schedule(world, 0, VRMS_SIM_EVENT_LOAD, 0, 0);
	}
	for (int i = 0; i < world->node_count && world->exact && world->settings->vrmsd; i++) {
		vrms_sim_schedule(world, 0, VRMS_SIM_EVENT_BEAT, i, 0);
	}
}

/* Books the outages that have not ended, or not begun to end, when the curtain falls. */
static void close_books(struct vrms_sim_world *world)
{
	for (int vm = 0; vm < world->vm_count; vm++) {
		const struct vrms_sim_vm *item = &world->vm[vm];

		if (item->down_us >= 0) {
			world->record.lost_us += world->end_us - item->down_us;
		} else if (item->serving_us > world->end_us) {
			world->record.lost_us -= item->serving_us - world->end_us;
		}
	}
}

static void hand_over(struct vrms_sim_world *world, struct vrms_sim_result *ret_result)
{
	double possible = (double)world->end_us * world->vm_count;

	*ret_result = (struct vrms_sim_result){
	    .record = world->record,
	    .events = world->events,
	    .simulated_us = world->end_us,
	    .node_count = world->node_count,
	    .vm_count = world->vm_count,
	    .availability = possible > 0 ? 1 - (double)world->record.lost_us / possible : 1,
	    .vm_lost_s = (double)world->record.lost_us / 1e6,
	};
	memset(&world->record, 0, sizeof(world->record));
}

int vrms_sim_run(const struct vrms_sim_scenario *scenario, const struct vrms_sim_options *options,
		 struct vrms_sim_result *ret_result, struct vrms_error *error)
{
	struct vrms_sim_world world = {
	    .scenario = scenario,
	    .settings = &scenario->settings,
	    .node_count = scenario->node_count,
	    .vm_count = scenario->vm_count,
	    .end_us = end_of(scenario),
	    .exact = options->exact,
	    .plant = options->plant,
	    .array_up = true,
	    .qdevice_up = true,
	    .record.step_limit = options->step_limit,
	    .scheduler = options->scheduler,
	    .error = error,
	};
	struct vrms_sim_event event;

	memset(ret_result, 0, sizeof(*ret_result));
	world.token_us = vrms_sim_token_us(world.settings, world.node_count);
	vrms_random_init(&world.random, (uint64_t)world.settings->seed);
	vrms_random_init(&world.sampler, (uint64_t)world.settings->seed ^ UINT64_C(0x5a3b1e));
	vrms_random_init(&world.lottery, (uint64_t)world.settings->seed ^ UINT64_C(0x10771e));
	world.rc = world_init(&world);
	if (world.rc == 0 && world.settings->policy == VRMS_SIM_PLAN) {
		world.rc = vrms_sim_plan_new(scenario, &world.plan, error);
	}
	if (world.rc == 0 && options->scheduler != NULL) {
		world.rc = vrms_sim_opinion_new(&world, &world.opinion);
	}
	if (world.rc == 0) {
		begin(&world);
	}
	while (world.rc == 0 && vrms_sim_queue_pop(world.queue, &event)) {
		world.now_us = event.at_us;
		world.events++;
		vrms_sim_handle(&world, &event);
	}
	if (world.rc == 0 && world.record.out_of_memory) {
		world.rc = -ENOMEM;
	}
	if (world.rc == 0) {
		world.now_us = world.end_us;
		vrms_sim_rules_end(&world);
		close_books(&world);
		vrms_sim_record_token(&world.record, world.end_us, world.record.token_us);
		hand_over(&world, ret_result);
	}
	world_done(&world);
	return world.rc == -ENOMEM
		   ? vrms_error_set(error, world.rc, "out of memory for the simulation")
		   : world.rc;
}

void vrms_sim_result_done(struct vrms_sim_result *result)
{
	vrms_sim_record_done(&result->record);
	memset(result, 0, sizeof(*result));
}
