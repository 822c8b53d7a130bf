/* round.c - one run of Pacemaker's scheduler and the beginning of its transition.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/plant.h"
#include "simulator/world.h"

bool vrms_sim_round_decides(const struct vrms_sim_world *world, int ring)
{
	return world->ring[ring].quorate || world->settings->no_quorum == VRMS_SIM_IGNORE ||
	       vrms_sim_has_bug(world, VRMS_SIM_BUG_QUORUM);
}

int64_t vrms_sim_round_us(const struct vrms_sim_world *world)
{
	/* Measured: the scheduler's time grows with VMs times nodes. */
	double pairs = (double)world->vm_count * world->node_count;

	return world->settings->transition_delay_us + world->settings->scheduler_us +
	       (int64_t)(pairs * (double)world->settings->scheduler_per_vm_node_ns / 1000);
}

void vrms_sim_round_ask(struct vrms_sim_world *world, int index, int64_t delay_us)
{
	struct vrms_sim_ring *ring = &world->ring[index];

	int64_t at_us = world->now_us + delay_us;

	if (ring->dc >= 0 && (!ring->round_pending || at_us < ring->round_us)) {
		ring->round_pending = true;
		ring->round_us = at_us;
		vrms_sim_schedule(world, at_us, VRMS_SIM_EVENT_ROUND, index, ring->round_stamp);
	}
}

void vrms_sim_round_for_node(struct vrms_sim_world *world, int node, int64_t delay_us)
{
	if (world->node[node].ring >= 0) {
		vrms_sim_round_ask(world, world->node[node].ring, delay_us);
	}
}

void vrms_sim_round_for_all(struct vrms_sim_world *world)
{
	for (int i = 0; i < world->ring_count; i++) {
		if (world->ring[i].used && world->ring[i].quorate) {
			vrms_sim_round_ask(world, i, vrms_sim_round_us(world));
		}
	}
}

/* Fences whom it must; returns whether somebody is still to be fenced. */
static bool fence_the_lost(struct vrms_sim_world *world, int index)
{
	bool waits = false;

	for (int i = 0; i < world->node_count; i++) {
		struct vrms_sim_node *node = &world->node[i];
		bool lost = node->state == VRMS_SIM_UNCLEAN && node->ring != index;

		if (!lost && !node->fence_wanted) {
			continue;
		}
		if (!lost && !world->settings->stonith) {
			continue; /* a stop failed: the VM is blocked for good */
		}
		if (!world->settings->stonith || vrms_sim_has_bug(world, VRMS_SIM_BUG_FENCE)) {
			node->state = VRMS_SIM_OFFLINE;
			node->known_life = node->life;
			vrms_sim_cluster_displace(world, i);
			continue;
		}
		waits = true;
		if (!node->fence_busy) {
			vrms_sim_fence_begin(world, index, i);
		}
	}
	return waits;
}

static bool is_member(const struct vrms_sim_world *world, int node, int ring)
{
	return world->node[node].ring == ring && world->node[node].state == VRMS_SIM_MEMBER;
}

/* Begins stops of what has failed or is not wanted; lists who needs a host in scratch_vm: who has
 * none, and who is stopped now to be started in the same transition.
 */
static int sort_todo(struct vrms_sim_world *world, int ring)
{
	int homeless = 0, next;

	for (int vm = world->todo.head; vm >= 0; vm = next) {
		struct vrms_sim_vm *item = &world->vm[vm];

		next = item->waiting_next;
		if (item->host < 0) {
			if (item->wanted) {
				world->scratch_vm[homeless++] = vm;
			} else {
				vrms_sim_todo_remove(world, vm);
			}
			continue;
		}
		if (item->state != VRMS_SIM_VM_FAILED && item->wanted) {
			vrms_sim_todo_remove(world, vm);
		} else if (is_member(world, item->host, ring) &&
			   (item->state == VRMS_SIM_VM_FAILED ||
			    item->state == VRMS_SIM_VM_RUNNING)) {
			vrms_sim_operation_stop(world, vm);
			if (item->wanted && !world->node[item->host].fence_wanted) {
				world->scratch_vm[homeless++] = vm;
			}
		}
	}
	return homeless;
}

/* Said once for each VM and failure. */
static void tell_no_room(struct vrms_sim_world *world, int vm)
{
	int failure = world->vm[vm].failure;

	if (failure >= 0 && !world->record.failure[failure].no_room) {
		world->record.failure[failure].no_room = true;
		vrms_sim_note(world, VRMS_SIM_STEP_NO_ROOM, -1, vm);
	}
}

/* Pacemaker assigns by priority, then by the scores of nodes, then in the order of the
 * configuration. Source: cmp_resources() of Pacemaker 2.1.
 */
static int compare_order(const void *left, const void *right, void *context)
{
	const struct vrms_sim_world *world = context;
	const struct vrms_sim_vm_spec *vm = world->scenario->vm;
	int32_t one = *(const int32_t *)left, other = *(const int32_t *)right;
	int order = 0;

	if (vm[one].priority != vm[other].priority) {
		return vm[one].priority > vm[other].priority ? -1 : 1;
	}
	if (vm[one].ruled || vm[other].ruled) {
		order = vrms_sim_affinity_compare(world, one, other);
	}
	return order != 0 ? order : one < other ? -1 : one > other;
}

/* What is being stopped counts where it goes, not where it is. */
static void lift(struct vrms_sim_world *world, const int32_t *vms, int count, int sign)
{
	for (int i = 0; i < count; i++) {
		int host = world->vm[vms[i]].host;

		if (host >= 0) {
			world->node[host].used_memory -= sign * world->scenario->vm[vms[i]].memory;
		}
	}
}

static void start_homeless(struct vrms_sim_world *world, int count)
{
	/* Parts of one array: who, and where to. */
	int32_t *vms = world->scratch_vm;
	int32_t *target = world->scratch_vm + world->vm_count;

	if (count == 0) {
		return;
	}
	qsort_r(vms, (size_t)count, sizeof(*vms), compare_order, world);
	lift(world, vms, count, 1);
	vrms_sim_balance_bound(world, vms, count);
	vrms_sim_place(world, vms, count, target);
	lift(world, vms, count, -1);
	if (world->opinion != NULL) {
		vrms_sim_opinion_place(world, vms, count, target);
	}
	for (int i = 0; i < count; i++) {
		if (target[i] >= 0 && world->vm[vms[i]].host >= 0) {
			vrms_sim_operation_restart(world, vms[i], target[i]);
		} else if (target[i] >= 0) {
			/* Into room that a stop has yet to leave it goes after that. */
			if (vrms_sim_place_fits(world, vms[i], target[i])) {
				vrms_sim_operation_start(world, vms[i], target[i]);
			}
		} else {
			tell_no_room(world, vms[i]);
		}
	}
}

/* Moves one guest off a node that is on its way out, or stops it. */
static void send_away(struct vrms_sim_world *world, int node, int vm)
{
	int32_t target = vrms_sim_place_emptiest(world, vm);

	if (world->opinion != NULL) {
		target = vrms_sim_opinion_move(world, vm, target);
	}
	if (target >= 0 && world->vm[vm].on == node && !world->vm[vm].paused) {
		vrms_sim_operation_migrate(world, vm, target);
	} else if (world->node[node].stopping) {
		vrms_sim_operation_stop(world, vm);
	}
}

static void drain(struct vrms_sim_world *world, int ring, int node)
{
	int32_t *vms = world->scratch_vm;
	int count = 0;

	for (int vm = world->node[node].residents.head; vm >= 0; vm = world->vm[vm].next) {
		if (world->vm[vm].state == VRMS_SIM_VM_RUNNING) {
			vms[count++] = vm;
		}
	}
	qsort_r(vms, (size_t)count, sizeof(*vms), compare_order, world);
	for (int i = 0; i < count; i++) {
		send_away(world, node, vms[i]);
	}
	if (world->node[node].stopping && world->node[node].residents.count == 0 &&
	    is_member(world, node, ring)) {
		vrms_sim_host_emptied(world, node);
	}
}

static void decide(struct vrms_sim_world *world, int index)
{
	if (world->opinion != NULL) {
		vrms_sim_opinion_ask(world, index);
		if (world->rc < 0) {
			return;
		}
	}
	bool waits = fence_the_lost(world, index);

	world->ring[index].waits = waits;
	int homeless = sort_todo(world, index);

	/* requires=fencing: nothing starts before all who are lost are fenced. */
	if (!waits) {
		start_homeless(world, homeless);
	}
	for (int i = 0; i < world->node_count; i++) {
		if (world->node[i].waiting.head >= 0) {
			vrms_sim_operation_dispatch(world, i);
		}
		if ((world->node[i].standby || world->node[i].stopping) &&
		    is_member(world, i, index)) {
			drain(world, index, i);
		}
	}
}

/* no-quorum-policy=stop: all guests of the partition. */
static void stop_all(struct vrms_sim_world *world, const struct vrms_sim_ring *ring)
{
	for (int i = 0; i < ring->count; i++) {
		int node = ring->member[i], next;

		if (world->node[node].ring != (int32_t)(ring - world->ring)) {
			continue;
		}
		for (int vm = world->node[node].residents.head; vm >= 0; vm = next) {
			next = world->vm[vm].next;
			if (world->vm[vm].state == VRMS_SIM_VM_RUNNING ||
			    world->vm[vm].state == VRMS_SIM_VM_FAILED) {
				vrms_sim_operation_stop(world, vm);
			}
		}
		vrms_sim_operation_dispatch(world, node);
		vrms_sim_vm_stop_orphans(world, node);
	}
}

static void suicide(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_ring *ring = &world->ring[index];
	int count = 0;

	for (int i = 0; i < ring->count; i++) {
		if (world->node[ring->member[i]].ring == index) {
			world->scratch[count++] = ring->member[i];
		}
	}
	/* The ring ends with its last member, so it is not looked at any more. */
	for (int i = 0; i < count; i++) {
		if (vrms_sim_is_live(&world->node[world->scratch[i]])) {
			vrms_sim_host_power_off(world, world->scratch[i]);
			vrms_sim_host_power_on(world, world->scratch[i]);
		}
	}
}

void vrms_sim_round_run(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_ring *ring = &world->ring[index];
	const struct vrms_sim_node *dc;

	if (!ring->round_pending || ring->round_us != world->now_us) {
		return; /* it was brought forward */
	}
	dc = &world->node[ring->dc];
	ring->round_pending = false;
	/* A new membership comes with a round of its own, and so does a thaw. */
	if (dc->ring != index || !vrms_sim_is_live(dc)) {
		return;
	}
	/* While the ring is broken, nothing in Pacemaker moves. */
	if (dc->gathering || ring->stuck_us <= world->now_us) {
		vrms_sim_round_ask(world, index, 100000);
		return;
	}
	if (vrms_sim_round_decides(world, index)) {
		decide(world, index);
	} else if (world->settings->no_quorum == VRMS_SIM_STOP) {
		stop_all(world, ring);
	} else if (world->settings->no_quorum == VRMS_SIM_SUICIDE) {
		suicide(world, index);
	}
}
