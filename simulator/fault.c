/* fault.c - carries out the faults of a scenario.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/daemon.h"

static void break_host(struct vrms_sim_world *world, int index, int kind)
{
	struct vrms_sim_node *node = &world->node[index];

	if (node->up) {
		vrms_sim_host_failure(world, index, kind);
	}
	node->broken = kind != VRMS_SIM_FAULT_CRASH;
	if (kind == VRMS_SIM_FAULT_POWER) {
		node->supply = false;
	}
	vrms_sim_host_die(world, index);
}

static void repair_host(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *node = &world->node[index];

	node->broken = false;
	node->supply = true;
	node->bmc = true;
	vrms_sim_host_boot(world, index);
}

static void leave(struct vrms_sim_world *world, int index, bool returns)
{
	struct vrms_sim_node *node = &world->node[index];

	if (!vrms_sim_is_live(node)) {
		node->broken = !returns;
		return;
	}
	node->stopping = true;
	node->returning = returns;
	vrms_sim_round_for_node(world, index, vrms_sim_round_us(world));
}

static void stall(struct vrms_sim_world *world, const struct vrms_sim_fault *fault)
{
	struct vrms_sim_node *node = &world->node[fault->first];

	node->stall_from_us = world->now_us;
	node->stall_until_us =
	    world->now_us + (fault->for_us > 0 ? fault->for_us : INT64_C(60) * 1000000);
	node->dying = fault->kind == VRMS_SIM_FAULT_SLOW_DEATH;
	vrms_sim_schedule(world, world->now_us, VRMS_SIM_EVENT_STALL, fault->first, node->life);
}

static void kill_corosync(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *node = &world->node[index];

	if (vrms_sim_is_live(node) && node->corosync) {
		vrms_sim_host_failure(world, index, VRMS_SIM_FAULT_KILL_COROSYNC);
		node->corosync = false;
		vrms_sim_totem_dead(world, index);
		/* Pacemaker's daemons end with it; the guests go on. */
	}
}

static void fail_io(struct vrms_sim_world *world, const struct vrms_sim_fault *fault)
{
	switch (fault->kind) {
	case VRMS_SIM_FAULT_PATHS_LOST:
	case VRMS_SIM_FAULT_SLOW_IO:
		vrms_sim_host_set_io(world, fault->first, false);
		world->node[fault->first].paths = fault->kind == VRMS_SIM_FAULT_SLOW_IO;
		if (fault->for_us > 0) {
			vrms_sim_schedule(world, world->now_us + fault->for_us,
					  VRMS_SIM_EVENT_REPAIR, fault->first, 0);
		}
		break;
	case VRMS_SIM_FAULT_PATHS_BACK:
		world->node[fault->first].paths = true;
		vrms_sim_host_set_io(world, fault->first, world->array_up);
		break;
	default:
		for (int i = 0; i < world->node_count; i++) {
			vrms_sim_host_set_io(world, i,
					     fault->kind == VRMS_SIM_FAULT_ARRAY_UP &&
						 world->node[i].paths);
		}
		world->array_up = fault->kind == VRMS_SIM_FAULT_ARRAY_UP;
		break;
	}
}

static void cut_network(struct vrms_sim_world *world, const struct vrms_sim_fault *fault)
{
	int width = world->node_count;

	if (fault->kind == VRMS_SIM_FAULT_CUT) {
		const int16_t *row = &world->scenario->group[(size_t)fault->first * (size_t)width];

		for (int i = 0; i < width; i++) {
			if (row[i] != 0 && world->node[i].up) {
				vrms_sim_host_failure(world, i, fault->kind);
			}
		}
	} else if (fault->kind == VRMS_SIM_FAULT_ISOLATE && world->node[fault->first].up) {
		vrms_sim_host_failure(world, fault->first, fault->kind);
	} else if (fault->kind == VRMS_SIM_FAULT_HEAL) {
		for (int i = 0; i < width; i++) {
			vrms_sim_host_over(world, i);
		}
	} else if (fault->kind == VRMS_SIM_FAULT_ONEWAY && world->node[fault->second].up) {
		vrms_sim_host_failure(world, fault->second, fault->kind);
	}
	vrms_sim_net_fault(world, fault);
}

static void want(struct vrms_sim_world *world, int vm, bool wanted)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	if (item->wanted == wanted) {
		return;
	}
	item->wanted = wanted;
	if (wanted && item->on < 0) {
		item->down_us = world->now_us;
	}
	vrms_sim_todo_add_idle(world, vm);
	vrms_sim_round_for_all(world);
}

static void move(struct vrms_sim_world *world, const struct vrms_sim_fault *fault)
{
	struct vrms_sim_vm *item = &world->vm[fault->first];
	const struct vrms_sim_node *target = &world->node[fault->second];

	if (item->state != VRMS_SIM_VM_RUNNING || item->host == fault->second ||
	    target->state != VRMS_SIM_MEMBER || target->standby ||
	    !vrms_sim_place_fits(world, fault->first, fault->second)) {
		return;
	}
	if (fault->kind == VRMS_SIM_FAULT_VM_MIGRATE) {
		vrms_sim_operation_migrate(world, fault->first, fault->second);
	} else {
		vrms_sim_vm_ban(world, fault->first, item->host);
		vrms_sim_operation_stop(world, fault->first);
	}
}

static void set_standby(struct vrms_sim_world *world, int node, bool standby)
{
	world->node[node].standby = standby;
	vrms_sim_round_for_node(world, node, vrms_sim_round_us(world));
}

static void count_device_vote(struct vrms_sim_world *world, bool up)
{
	world->qdevice_up = up;
	for (int i = 0; i < world->ring_count; i++) {
		struct vrms_sim_ring *ring = &world->ring[i];
		bool before = ring->quorate;

		if (ring->used && ring->operational) {
			vrms_sim_votes_count(world, ring);
			if (ring->quorate != before) {
				vrms_sim_cluster_quorum_changed(world, i);
			}
		}
	}
}

static void to_host(struct vrms_sim_world *world, const struct vrms_sim_fault *fault)
{
	int node = fault->first;

	switch (fault->kind) {
	case VRMS_SIM_FAULT_UP:
		repair_host(world, node);
		break;
	case VRMS_SIM_FAULT_SHUTDOWN:
	case VRMS_SIM_FAULT_RESTART:
		leave(world, node, fault->kind == VRMS_SIM_FAULT_RESTART);
		break;
	case VRMS_SIM_FAULT_FREEZE:
		if (vrms_sim_is_live(&world->node[node])) {
			vrms_sim_host_failure(world, node, fault->kind);
		}
		vrms_sim_host_freeze(world, node, fault->for_us);
		break;
	case VRMS_SIM_FAULT_THAW:
		vrms_sim_host_thaw(world, node);
		break;
	case VRMS_SIM_FAULT_OVERLOAD:
	case VRMS_SIM_FAULT_SLOW_DEATH:
		stall(world, fault);
		break;
	case VRMS_SIM_FAULT_ANNOUNCE:
		vrms_sim_daemon_announce(world, node, fault->for_us);
		break;
	case VRMS_SIM_FAULT_KILL_COROSYNC:
		kill_corosync(world, node);
		break;
	case VRMS_SIM_FAULT_BMC_DOWN:
	case VRMS_SIM_FAULT_BMC_UP:
		world->node[node].bmc = fault->kind == VRMS_SIM_FAULT_BMC_UP;
		break;
	case VRMS_SIM_FAULT_STANDBY:
	case VRMS_SIM_FAULT_ONLINE:
		set_standby(world, node, fault->kind == VRMS_SIM_FAULT_STANDBY);
		break;
	default:
		break_host(world, node, fault->kind);
		if (fault->for_us > 0) {
			vrms_sim_schedule(world, world->now_us + fault->for_us,
					  VRMS_SIM_EVENT_REPAIR, node, 1);
		}
		break;
	}
}

void vrms_sim_fault_apply(struct vrms_sim_world *world, const struct vrms_sim_fault *fault)
{
	switch (fault->kind) {
	case VRMS_SIM_FAULT_CUT:
	case VRMS_SIM_FAULT_ONEWAY:
	case VRMS_SIM_FAULT_ISOLATE:
	case VRMS_SIM_FAULT_HEAL:
		cut_network(world, fault);
		break;
	case VRMS_SIM_FAULT_PATHS_LOST:
	case VRMS_SIM_FAULT_PATHS_BACK:
	case VRMS_SIM_FAULT_SLOW_IO:
	case VRMS_SIM_FAULT_ARRAY_DOWN:
	case VRMS_SIM_FAULT_ARRAY_UP:
		fail_io(world, fault);
		break;
	case VRMS_SIM_FAULT_QDEVICE_DOWN:
	case VRMS_SIM_FAULT_QDEVICE_UP:
		count_device_vote(world, fault->kind == VRMS_SIM_FAULT_QDEVICE_UP);
		break;
	case VRMS_SIM_FAULT_VM_CRASH:
		vrms_sim_vm_crash(world, fault->first);
		break;
	case VRMS_SIM_FAULT_VM_PAUSE:
		vrms_sim_vm_pause(world, fault->first);
		break;
	case VRMS_SIM_FAULT_VM_START:
	case VRMS_SIM_FAULT_VM_STOP:
		want(world, fault->first, fault->kind == VRMS_SIM_FAULT_VM_START);
		break;
	case VRMS_SIM_FAULT_VM_MIGRATE:
	case VRMS_SIM_FAULT_VM_RELOCATE:
		move(world, fault);
		break;
	default:
		to_host(world, fault);
		break;
	}
}
