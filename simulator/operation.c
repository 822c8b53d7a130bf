/* operation.c - start, stop and migrate operations: queued on a node, run within limits, ended.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/plant.h"
#include "simulator/world.h"

/* CPU load of a node: its guests and one core for each operation, percent of its cores. */
static double load_pct(struct vrms_sim_world *world, const struct vrms_sim_node *node)
{
	int index = (int)(node - world->node);
	double cores = (double)world->scenario->node[index].cores;

	return (vrms_sim_node_demand(world, index) + node->operations) / cores * 100;
}

/* How many operations the controller lets a node run at once.
 * Source: throttle_get_job_limit() of Pacemaker 2.1: load relative to load-threshold.
 */
static int job_limit(struct vrms_sim_world *world, const struct vrms_sim_node *node)
{
	int64_t most = world->settings->node_action_limit;
	double relative = load_pct(world, node) / (world->settings->load_threshold_pct + 1e-9);

	if (most == 0) {
		most = 2 * world->scenario->node[node - world->node].cores;
	}
	if (relative > 2.0) {
		most = 1;
	} else if (relative > 1.6) {
		most /= 4;
	} else if (relative > 1.2) {
		most /= 2;
	}
	return most > 1 ? (int)most : 1;
}

/* Pre-copy: each round sends what was written during the one before, until the rest fits into the
 * permitted pause or the rounds are used up.
 */
static int64_t migration_us(const struct vrms_sim_world *world, int vm)
{
	double bandwidth = (double)world->settings->bandwidth;
	double left = (double)world->scenario->vm[vm].memory;
	double dirty = (double)world->scenario->vm[vm].dirty;
	double pause = (double)world->settings->downtime_us / 1e6 * bandwidth;
	double seconds = 0;

	for (int64_t round = 0; round < world->settings->migration_rounds && left > pause;
	     round++) {
		double took = left / bandwidth;

		seconds += took;
		left = took * dirty;
		/* A guest cannot dirty more than it has. */
		left = left < (double)world->scenario->vm[vm].memory
			   ? left
			   : (double)world->scenario->vm[vm].memory;
	}
	return (int64_t)((seconds + left / bandwidth) * 1e6);
}

static int64_t duration_us(struct vrms_sim_world *world, int vm)
{
	const struct vrms_sim_vm *item = &world->vm[vm];
	const struct vrms_sim_settings *settings = world->settings;
	const struct vrms_sim_node *node = &world->node[item->host];

	if (item->state == VRMS_SIM_VM_MIGRATING) {
		return vrms_sim_vary(world, 500000) + migration_us(world, vm);
	}
	if (item->state == VRMS_SIM_VM_STOPPING) {
		/* What does not run any more is only cleaned up. */
		return vrms_sim_vary(world, item->on >= 0 && !item->paused
						? settings->vm_stop_us
						: settings->vm_cleanup_us);
	}
	double others = (double)(node->operations - 1);
	int64_t start_us = settings->vm_start_us + settings->vm_start_wakeups * settings->wakeup_us;

	start_us += item->last_on != item->host ? settings->vm_start_elsewhere_us : 0;
	return vrms_sim_vary(world, (int64_t)((double)start_us *
					      (1 + others * settings->start_contention_pct / 100)));
}

static void begin(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	vrms_sim_waiting_remove(world, vm, item->host);
	item->begun = true;
	world->operations++;
	world->node[item->host].operations++;
	if (item->state == VRMS_SIM_VM_STARTING) {
		vrms_sim_rules_start(world, vm, item->host);
		if (item->failure >= 0 && world->record.failure[item->failure].started_us < 0) {
			world->record.failure[item->failure].started_us = world->now_us;
		}
		vrms_sim_note(world, VRMS_SIM_STEP_START, item->host, vm);
	} else if (item->state == VRMS_SIM_VM_STOPPING) {
		vrms_sim_note(world, VRMS_SIM_STEP_STOP, item->host, vm);
	} else {
		world->node[item->host].migrations++;
		world->node[item->to].migrations++;
		vrms_sim_rules_place(world, vm, item->to);
		vrms_sim_note(world, VRMS_SIM_STEP_MIGRATE, item->to, vm);
	}
	vrms_sim_schedule(world, world->now_us + duration_us(world, vm), VRMS_SIM_EVENT_OPERATION,
			  vm, item->stamp);
}

static bool may_begin(struct vrms_sim_world *world, int vm)
{
	const struct vrms_sim_vm *item = &world->vm[vm];
	const struct vrms_sim_node *node = &world->node[item->host];
	int64_t moves = world->settings->migration_limit;

	if (node->operations >= job_limit(world, node) ||
	    (world->settings->batch_limit > 0 &&
	     world->operations >= world->settings->batch_limit)) {
		return false;
	}
	return item->state != VRMS_SIM_VM_MIGRATING || moves == 0 ||
	       (node->migrations < moves && world->node[item->to].migrations < moves);
}

/* A start that has not begun is taken back: its transition has been aborted. */
static void abort_start(struct vrms_sim_world *world, int vm)
{
	vrms_sim_operation_cancel(world, vm);
	vrms_sim_resident_remove(world, vm);
	world->vm[vm].state = VRMS_SIM_VM_STOPPED;
	vrms_sim_todo_add(world, vm);
}

/* What has happened to a VM while it moved, or was to, is seen to now. */
static void settle_move(struct vrms_sim_world *world, int vm)
{
	const struct vrms_sim_vm *item = &world->vm[vm];

	if (item->on < 0) {
		vrms_sim_vm_failed(world, vm);
	} else if (!item->wanted && !vrms_sim_has_bug(world, VRMS_SIM_BUG_STOP)) {
		vrms_sim_todo_add(world, vm);
	}
}

/* Nor does a migration begin whose target has left, or takes no guests any more. */
static void abort_move(struct vrms_sim_world *world, int vm)
{
	vrms_sim_operation_cancel(world, vm);
	world->vm[vm].state = VRMS_SIM_VM_RUNNING;
	settle_move(world, vm);
	vrms_sim_round_for_node(world, world->vm[vm].host, vrms_sim_round_us(world));
}

void vrms_sim_operation_dispatch(struct vrms_sim_world *world, int index)
{
	const struct vrms_sim_node *node = &world->node[index];

	/* While the ring is broken, nothing moves. */
	while (node->waiting.head >= 0 && vrms_sim_is_live(node) && node->ring >= 0 &&
	       !node->gathering) {
		int vm = node->waiting.head;

		if (world->vm[vm].state == VRMS_SIM_VM_STARTING &&
		    !vrms_sim_round_decides(world, node->ring)) {
			abort_start(world, vm);
		} else if (world->vm[vm].state == VRMS_SIM_VM_MIGRATING &&
			   !vrms_sim_place_is_open(world, world->vm[vm].to)) {
			abort_move(world, vm);
		} else if (may_begin(world, vm)) {
			begin(world, vm);
		} else {
			return;
		}
	}
}

static void enqueue(struct vrms_sim_world *world, int vm, int node)
{
	vrms_sim_todo_remove(world, vm);
	world->vm[vm].stamp++;
	world->vm[vm].begun = false;
	world->vm[vm].due = false;
	vrms_sim_waiting_add(world, vm, node);
	vrms_sim_operation_dispatch(world, node);
}

void vrms_sim_operation_start(struct vrms_sim_world *world, int vm, int node)
{
	world->vm[vm].state = VRMS_SIM_VM_STARTING;
	vrms_sim_resident_add(world, vm, node);
	if (world->node[node].used_memory > world->scenario->node[node].memory) {
		vrms_sim_break_rule(world, VRMS_SIM_RULE_OVER_CAPACITY, node, vm);
	}
	enqueue(world, vm, node);
}

void vrms_sim_operation_stop(struct vrms_sim_world *world, int vm)
{
	world->vm[vm].state = VRMS_SIM_VM_STOPPING;
	enqueue(world, vm, world->vm[vm].host);
}

/* Both hosts need the memory until it is over. */
static void claim_target(struct vrms_sim_world *world, int vm, int node)
{
	world->vm[vm].to = node;
	if (node != world->vm[vm].host) {
		world->node[node].used_memory += world->scenario->vm[vm].memory;
		world->node[node].used_cores += world->scenario->vm[vm].cores;
	}
}

static void release_target(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	if (item->to >= 0 && item->to != item->host) {
		world->node[item->to].used_memory -= world->scenario->vm[vm].memory;
		world->node[item->to].used_cores -= world->scenario->vm[vm].cores;
		if (item->begun && item->state == VRMS_SIM_VM_MIGRATING) {
			world->node[item->to].migrations--;
		}
	}
	item->to = -1;
}

void vrms_sim_operation_restart(struct vrms_sim_world *world, int vm, int node)
{
	claim_target(world, vm, node);
}

void vrms_sim_operation_migrate(struct vrms_sim_world *world, int vm, int node)
{
	world->vm[vm].state = VRMS_SIM_VM_MIGRATING;
	claim_target(world, vm, node);
	enqueue(world, vm, world->vm[vm].host);
}

/* The operation no longer runs. */
static void finish(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	if (item->state == VRMS_SIM_VM_MIGRATING) {
		world->node[item->host].migrations--;
	}
	world->node[item->host].operations--;
	world->operations--;
	item->due = false;
}

void vrms_sim_operation_cancel(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	if (item->state != VRMS_SIM_VM_STARTING && item->state != VRMS_SIM_VM_STOPPING &&
	    item->state != VRMS_SIM_VM_MIGRATING) {
		return;
	}
	if (item->begun) {
		finish(world, vm);
	} else {
		vrms_sim_waiting_remove(world, vm, item->host);
	}
	release_target(world, vm);
	item->begun = false;
	item->stamp++;
}

static void start_failed(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];
	int node = item->host;

	world->record.failed_starts++;
	vrms_sim_note(world, VRMS_SIM_STEP_START_FAILED, node, vm);
	if (world->settings->start_failure_is_fatal) {
		vrms_sim_vm_ban(world, vm, node);
	}
	vrms_sim_resident_remove(world, vm);
	item->state = VRMS_SIM_VM_STOPPED;
	if (!vrms_sim_has_bug(world, VRMS_SIM_BUG_FORGET)) {
		vrms_sim_todo_add(world, vm);
	}
	vrms_sim_round_for_node(world, node, vrms_sim_round_us(world));
}

static void account_recovery(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	if (item->failure < 0) {
		return;
	}
	struct vrms_sim_failure *failure = &world->record.failure[item->failure];
	int index = item->failure;

	vrms_sim_series_add(&world->record, &world->record.recover_ms,
			    (double)(world->now_us - failure->at_us) / 1000);
	failure->running_us = world->now_us;
	failure->waiting--;
	item->failure = -1;
	if (failure->waiting == 0) {
		vrms_sim_balance_settle(world, index);
	}
}

static void start_done(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];
	int node = item->host;

	item->begun = false;
	world->record.starts++;
	if (!world->node[node].paths || !world->array_up ||
	    vrms_sim_chance(world, world->settings->start_failure_pct)) {
		start_failed(world, vm);
		return;
	}
	item->state = VRMS_SIM_VM_RUNNING;
	vrms_sim_vm_begin(world, vm, node);
	vrms_sim_note(world, VRMS_SIM_STEP_RUNNING, node, vm);
	account_recovery(world, vm);
	if (!item->wanted) {
		vrms_sim_todo_add(world, vm);
		vrms_sim_round_for_node(world, node, vrms_sim_round_us(world));
	}
}

/* Does the transition that stopped a VM go on?  Not when it has been aborted since. */
static bool goes_on(const struct vrms_sim_world *world, int vm, int node, int target)
{
	const struct vrms_sim_ring *ring;

	if (target < 0 || !world->vm[vm].wanted || world->node[node].ring < 0) {
		return false;
	}
	ring = &world->ring[world->node[node].ring];
	return ring->dc >= 0 && !ring->round_pending && !ring->waits &&
	       vrms_sim_is_live(&world->node[ring->dc]) &&
	       world->node[target].ring == world->node[node].ring &&
	       vrms_sim_place_fits(world, vm, target);
}

static void stop_done(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];
	int node = item->host, target = item->to;

	release_target(world, vm);
	item->begun = false;
	if (vrms_sim_chance(world, world->settings->stop_failure_pct)) {
		/* Nobody knows whether it still runs: only a fence makes sure. */
		world->record.failed_stops++;
		vrms_sim_note(world, VRMS_SIM_STEP_STOP_FAILED, node, vm);
		item->state = VRMS_SIM_VM_FAILED;
		world->node[node].fence_wanted = true;
		vrms_sim_round_for_node(world, node, vrms_sim_round_us(world));
		return;
	}
	if (item->on == node) {
		vrms_sim_vm_end(world, vm);
	}
	vrms_sim_resident_remove(world, vm);
	item->state = VRMS_SIM_VM_STOPPED;
	vrms_sim_note(world, VRMS_SIM_STEP_STOPPED, node, vm);
	if (goes_on(world, vm, node, target)) {
		vrms_sim_operation_start(world, vm, target);
		if (world->todo.head >= 0) {
			vrms_sim_round_for_node(world, node, VRMS_SIM_NEXT_ACTION_US);
		}
		return;
	}
	if (item->wanted) {
		vrms_sim_todo_add(world, vm);
	} else {
		item->down_us = -1;
	}
	vrms_sim_round_for_node(world, node, vrms_sim_round_us(world));
}

static void migrate_done(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];
	int source = item->host, target = item->to;
	bool arrives = item->on == source && vrms_sim_is_live(&world->node[target]) &&
		       world->node[target].ring == world->node[source].ring &&
		       world->node[target].paths && world->array_up;

	release_target(world, vm);
	item->begun = false;
	item->state = VRMS_SIM_VM_RUNNING;
	if (arrives && vrms_sim_has_bug(world, VRMS_SIM_BUG_MIGRATION)) {
		vrms_sim_vm_begin(world, vm, target);
	}
	if (arrives) {
		vrms_sim_vm_move(world, vm, target);
		vrms_sim_resident_remove(world, vm);
		vrms_sim_resident_add(world, vm, target);
		world->record.migrations++;
		vrms_sim_note(world, VRMS_SIM_STEP_MIGRATED, target, vm);
		vrms_sim_operation_dispatch(world, target);
	}
	settle_move(world, vm);
	vrms_sim_round_for_node(world, source, vrms_sim_round_us(world));
}

static void dispatch_all(struct vrms_sim_world *world)
{
	for (int i = 0; i < world->node_count; i++) {
		if (world->node[i].waiting.head >= 0) {
			vrms_sim_operation_dispatch(world, i);
		}
	}
}

void vrms_sim_operation_done(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];
	int node = item->host;

	if (world->node[node].frozen) {
		item->due = true;
		return;
	}
	finish(world, vm);
	if (item->state == VRMS_SIM_VM_STARTING) {
		start_done(world, vm);
	} else if (item->state == VRMS_SIM_VM_STOPPING) {
		stop_done(world, vm);
	} else {
		migrate_done(world, vm);
	}
	if (world->settings->batch_limit > 0 || world->settings->migration_limit > 0) {
		dispatch_all(world);
	} else {
		vrms_sim_operation_dispatch(world, node);
	}
}

void vrms_sim_operation_thawed(struct vrms_sim_world *world, int node)
{
	for (int vm = world->node[node].residents.head; vm >= 0; vm = world->vm[vm].next) {
		if (world->vm[vm].due) {
			vrms_sim_schedule(world, world->now_us, VRMS_SIM_EVENT_OPERATION, vm,
					  world->vm[vm].stamp);
		}
	}
	vrms_sim_operation_dispatch(world, node);
}
