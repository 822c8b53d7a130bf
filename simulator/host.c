/* host.c - power, kernels, freezes, paths: what happens to a machine and to all that runs on it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/daemon.h"

bool vrms_sim_is_sound(const struct vrms_sim_world *world, int index, int witness)
{
	const struct vrms_sim_node *node = &world->node[index];

	return node->up && node->corosync && (!node->frozen || node->failure < 0) &&
	       vrms_sim_meets(world, index, witness);
}

int vrms_sim_host_failure(struct vrms_sim_world *world, int index, int fault)
{
	struct vrms_sim_node *node = &world->node[index];
	struct vrms_sim_failure failure = vrms_sim_failure_at(world->now_us, index, -1, fault);
	struct vrms_sim_step step = {.at_us = world->now_us,
				     .node = index,
				     .vm = -1,
				     .kind = VRMS_SIM_STEP_FAULT,
				     .fault = (int16_t)fault};

	node->failure = vrms_sim_record_failure(&world->record, &failure);
	step.failure = node->failure;
	vrms_sim_record_step(&world->record, &step);
	return node->failure;
}

/* --exact: a beat that is due at this very moment is written, whichever event comes first. */
static void write_due_beat(const struct vrms_sim_world *world, struct vrms_sim_node *node)
{
	int64_t every_us = world->settings->beat_interval_us;

	if ((world->now_us - node->up_us) % every_us == 0) {
		node->beat = (uint64_t)((world->now_us - node->up_us) / every_us);
	}
}

static void end_beats(struct vrms_sim_world *world, struct vrms_sim_node *node)
{
	if (vrms_sim_writes_beats(world, node)) {
		node->silent_us = world->now_us;
		write_due_beat(world, node);
	}
}

static void begin_beats(struct vrms_sim_world *world, struct vrms_sim_node *node)
{
	node->beats_from_us = world->now_us;
	if (vrms_sim_writes_beats(world, node)) {
		write_due_beat(world, node);
	}
}

/* Fence agents that run here die; whoever takes over the cluster asks anew. */
static void abandon_fences(struct vrms_sim_world *world, int node)
{
	for (int i = 0; i < world->node_count; i++) {
		if (world->node[i].fence_busy && world->node[i].fence_by == node) {
			world->node[i].fence_busy = false;
			world->node[i].fence_stamp++;
		}
	}
}

/* Operations that run here never end; what they had reserved elsewhere is not theirs any more. */
static void abandon_operations(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *node = &world->node[index];

	for (int vm = node->residents.head; vm >= 0; vm = world->vm[vm].next) {
		if (world->vm[vm].begun) {
			world->vm[vm].stamp++;
		}
	}
	/* Second copies, which only a broken rule makes, die as well. */
	for (int vm = 0; world->doubles > 0 && vm < world->vm_count; vm++) {
		if (world->vm[vm].other == index) {
			world->vm[vm].other = -1;
			world->doubles--;
		}
	}
}

void vrms_sim_host_die(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *node = &world->node[index];

	if (!node->up) {
		return;
	}
	end_beats(world, node);
	abandon_operations(world, index);
	while (node->guests.head >= 0) {
		int vm = node->guests.head;

		vrms_sim_vm_lose(world, vm);
		vrms_sim_vm_survive(world, vm);
	}
	node->up = false;
	node->frozen = false;
	node->freeze++;
	node->life++;
	node->io_hangs = !node->paths;
	node->corosync = false;
	node->stopping = false;
	node->lost_us = -1;
	vrms_sim_daemon_free(node);
	vrms_sim_totem_dead(world, index);
	abandon_fences(world, index);
}

void vrms_sim_host_boot(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *node = &world->node[index];

	if (node->up || node->broken || !node->supply) {
		return;
	}
	node->up = true;
	node->life++;
	node->up_us = world->now_us;
	node->silent_us = world->now_us;
	node->beats_from_us = world->now_us;
	node->beat = 0;
	if (world->exact && world->settings->vrmsd) {
		vrms_sim_schedule(world, world->now_us, VRMS_SIM_EVENT_BEAT, index, node->life);
	}
	vrms_fault_free(node->faults);
	node->faults = NULL;
	vrms_sim_note(world, VRMS_SIM_STEP_BOOTED, index, -1);
	vrms_sim_daemon_boot(world, index);
	vrms_sim_totem_start(world, index);
}

void vrms_sim_host_power_off(struct vrms_sim_world *world, int index)
{
	vrms_sim_host_die(world, index);
}

void vrms_sim_host_power_on(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *node = &world->node[index];

	if (!node->up && !node->broken && node->supply) {
		vrms_sim_schedule(world,
				  world->now_us + vrms_sim_vary(world, world->settings->boot_us),
				  VRMS_SIM_EVENT_BOOT, index, node->life);
	}
}

void vrms_sim_host_freeze(struct vrms_sim_world *world, int index, int64_t for_us)
{
	struct vrms_sim_node *node = &world->node[index];

	if (!vrms_sim_is_live(node)) {
		return;
	}
	end_beats(world, node);
	node->frozen = true;
	node->freeze_us = world->now_us;
	node->freeze++;
	for (int vm = node->guests.head; vm >= 0; vm = world->vm[vm].guest_next) {
		vrms_sim_vm_interrupt(world, vm);
	}
	vrms_sim_totem_silent(world, index);
	if (for_us > 0) {
		vrms_sim_schedule(world, world->now_us + for_us, VRMS_SIM_EVENT_THAW, index,
				  node->freeze);
	}
}

static void resume_guests(struct vrms_sim_world *world, const struct vrms_sim_node *node)
{
	for (int vm = node->guests.head; vm >= 0; vm = world->vm[vm].guest_next) {
		vrms_sim_vm_resume(world, vm, world->now_us);
	}
}

void vrms_sim_host_over(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *node = &world->node[index];

	if (node->failure >= 0 && node->over_us <= world->record.failure[node->failure].at_us) {
		vrms_sim_note(world, VRMS_SIM_STEP_OVER, index, -1);
	}
	node->over_us = world->now_us;
}

void vrms_sim_host_thaw(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *node = &world->node[index];

	if (!node->frozen) {
		return;
	}
	node->frozen = false;
	node->freeze++;
	node->thaw_us = world->now_us;
	vrms_sim_host_over(world, index);
	begin_beats(world, node);
	if (!node->io_hangs) {
		resume_guests(world, node);
	}
	vrms_sim_totem_back(world, index);
	vrms_sim_daemon_stalled(world, index, world->now_us - node->freeze_us);
	vrms_sim_operation_thawed(world, index);
	vrms_sim_round_for_node(world, index, vrms_sim_round_us(world));
}

void vrms_sim_host_emptied(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *node = &world->node[index];
	bool returns = node->returning;

	vrms_sim_cluster_left(world, index);
	vrms_sim_totem_leave(world, index);
	vrms_sim_host_die(world, index);
	node->known_life = node->life;
	node->broken = !returns;
	if (returns) {
		vrms_sim_host_power_on(world, index);
	}
}

void vrms_sim_host_set_io(struct vrms_sim_world *world, int index, bool works)
{
	struct vrms_sim_node *node = &world->node[index];

	if (works == !node->io_hangs) {
		return;
	}
	if (!works) {
		end_beats(world, node);
	}
	node->io_hangs = !works;
	if (works) {
		begin_beats(world, node);
		if (vrms_sim_is_live(node)) {
			resume_guests(world, node);
		}
		return;
	}
	node->io_us = world->now_us;
	for (int vm = node->guests.head; vm >= 0; vm = world->vm[vm].guest_next) {
		vrms_sim_vm_interrupt(world, vm);
		vrms_sim_schedule(world, world->now_us + world->settings->io_error_us,
				  VRMS_SIM_EVENT_VM_PAUSE, vm, world->vm[vm].run);
	}
}
