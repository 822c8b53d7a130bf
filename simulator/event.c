/* event.c - who is told of which event.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/daemon.h"

static bool is_of_ring(const struct vrms_sim_world *world, const struct vrms_sim_event *event)
{
	return world->ring[event->subject].used &&
	       world->ring[event->subject].round_stamp == event->stamp;
}

static void handle_ring(struct vrms_sim_world *world, const struct vrms_sim_event *event)
{
	if (!is_of_ring(world, event)) {
		return;
	}
	switch (event->kind) {
	case VRMS_SIM_EVENT_RING_UP:
		vrms_sim_cluster_ring_up(world, event->subject);
		break;
	case VRMS_SIM_EVENT_LAST_MAN:
		vrms_sim_votes_last_man(world, event->subject);
		break;
	case VRMS_SIM_EVENT_DC:
		vrms_sim_cluster_dc(world, event->subject);
		break;
	default:
		vrms_sim_round_run(world, event->subject);
		break;
	}
}

static void handle_vm(struct vrms_sim_world *world, const struct vrms_sim_event *event)
{
	int vm = event->subject;
	struct vrms_sim_vm *item = &world->vm[vm];

	switch (event->kind) {
	case VRMS_SIM_EVENT_OPERATION:
		if (item->stamp == event->stamp) {
			vrms_sim_operation_done(world, vm);
		}
		break;
	case VRMS_SIM_EVENT_VM_SIGN:
		vrms_sim_vm_sign(world, event);
		break;
	case VRMS_SIM_EVENT_VM_MONITOR:
		if (item->run == event->stamp) {
			vrms_sim_vm_monitor(world, vm);
		}
		break;
	case VRMS_SIM_EVENT_ORPHAN:
		if (item->run == event->stamp) {
			vrms_sim_vm_orphan(world, vm);
		}
		break;
	case VRMS_SIM_EVENT_UNBAN:
		item->ban[event->stamp] = -1;
		vrms_sim_todo_add_idle(world, vm);
		vrms_sim_round_for_all(world);
		break;
	default:
		/* Paths that came back in time have ended the wait. */
		if (item->run == event->stamp && item->on >= 0 && world->node[item->on].io_hangs &&
		    world->now_us - world->node[item->on].io_us >= world->settings->io_error_us) {
			vrms_sim_vm_pause(world, vm);
		}
		break;
	}
}

static void handle_node(struct vrms_sim_world *world, const struct vrms_sim_event *event)
{
	struct vrms_sim_node *node = &world->node[event->subject];

	switch (event->kind) {
	case VRMS_SIM_EVENT_TOKEN_LOST:
		vrms_sim_totem_token_lost(world, event);
		break;
	case VRMS_SIM_EVENT_JOINED:
		if (node->life == event->stamp) {
			vrms_sim_cluster_joined(world, event->subject);
		}
		break;
	case VRMS_SIM_EVENT_FENCE:
		if (node->fence_busy && node->fence_stamp == event->stamp) {
			vrms_sim_fence_step(world, event->subject);
		}
		break;
	case VRMS_SIM_EVENT_BOOT:
		if (node->life == event->stamp) {
			vrms_sim_host_boot(world, event->subject);
		}
		break;
	default:
		if (node->freeze == event->stamp) {
			vrms_sim_host_thaw(world, event->subject);
		}
		break;
	}
}

void vrms_sim_next_fault(struct vrms_sim_world *world, int32_t index)
{
	const struct vrms_sim_scenario *scenario = world->scenario;

	if ((size_t)index < scenario->fault_count) {
		vrms_sim_schedule(world, scenario->fault[index].at_us, VRMS_SIM_EVENT_FAULT, index,
				  0);
	}
}

/* --exact: each beat of each node. */
static void beat(struct vrms_sim_world *world, const struct vrms_sim_event *event)
{
	struct vrms_sim_node *node = &world->node[event->subject];
	int64_t every_us = world->settings->beat_interval_us;

	if (node->life != event->stamp) {
		return;
	}
	if (vrms_sim_writes_beats(world, node)) {
		node->beat = (uint64_t)((world->now_us - node->up_us) / every_us);
	}
	vrms_sim_schedule(world, world->now_us + every_us, VRMS_SIM_EVENT_BEAT, event->subject,
			  event->stamp);
}

void vrms_sim_handle(struct vrms_sim_world *world, const struct vrms_sim_event *event)
{
	switch (event->kind) {
	case VRMS_SIM_EVENT_FAULT:
		vrms_sim_fault_apply(world, &world->scenario->fault[event->subject]);
		vrms_sim_next_fault(world, event->subject + 1);
		break;
	case VRMS_SIM_EVENT_HOP:
		vrms_sim_ring_hop(world, event);
		break;
	case VRMS_SIM_EVENT_BEAT:
		beat(world, event);
		break;
	case VRMS_SIM_EVENT_PACKET_LOST:
		vrms_sim_ring_packet_lost(world, event);
		break;
	case VRMS_SIM_EVENT_GATHER:
		vrms_sim_gather_look(world);
		break;
	case VRMS_SIM_EVENT_MERGE:
		vrms_sim_totem_merge(world);
		break;
	case VRMS_SIM_EVENT_KNET:
		vrms_sim_net_catch_up(world);
		break;
	case VRMS_SIM_EVENT_LOAD:
		vrms_sim_load_look(world);
		break;
	case VRMS_SIM_EVENT_LOOK:
		vrms_sim_daemon_look(world, event);
		break;
	case VRMS_SIM_EVENT_MESSAGE:
		vrms_sim_daemon_message(world, event);
		break;
	case VRMS_SIM_EVENT_RING_UP:
	case VRMS_SIM_EVENT_LAST_MAN:
	case VRMS_SIM_EVENT_DC:
	case VRMS_SIM_EVENT_ROUND:
		handle_ring(world, event);
		break;
	case VRMS_SIM_EVENT_OPERATION:
	case VRMS_SIM_EVENT_VM_SIGN:
	case VRMS_SIM_EVENT_VM_MONITOR:
	case VRMS_SIM_EVENT_VM_PAUSE:
	case VRMS_SIM_EVENT_ORPHAN:
	case VRMS_SIM_EVENT_UNBAN:
		handle_vm(world, event);
		break;
	case VRMS_SIM_EVENT_TOKEN_LOST:
	case VRMS_SIM_EVENT_JOINED:
	case VRMS_SIM_EVENT_FENCE:
	case VRMS_SIM_EVENT_BOOT:
	case VRMS_SIM_EVENT_THAW:
		handle_node(world, event);
		break;
	default:
		vrms_sim_generate_event(world, event);
		break;
	}
}
