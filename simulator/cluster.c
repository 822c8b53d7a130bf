/* cluster.c - what Pacemaker makes of memberships: who is a member, lost, back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/daemon.h"

/* A boot of the node that the cluster does not know: whatever ran there has ended. */
static void see_new_boot(struct vrms_sim_world *world, int node)
{
	struct vrms_sim_node *seen = &world->node[node];

	if (seen->known_life != seen->life) {
		seen->confirmed_us = world->now_us;
		seen->known_life = seen->life;
		vrms_sim_cluster_displace(world, node);
	}
}

static void welcome(struct vrms_sim_world *world, int node)
{
	struct vrms_sim_node *member = &world->node[node];
	bool is_new_boot = member->known_life != member->life;

	if (member->state == VRMS_SIM_UNCLEAN && !is_new_boot) {
		/* Back before it was fenced: its controller joins again, nothing was lost. */
		member->state = VRMS_SIM_MEMBER;
		return;
	}
	if (member->state == VRMS_SIM_MEMBER && !is_new_boot) {
		return;
	}
	see_new_boot(world, node);
	member->state = VRMS_SIM_PENDING;
	vrms_sim_schedule(world, world->now_us + world->settings->join_us, VRMS_SIM_EVENT_JOINED,
			  node, member->life);
}

static void compare_members(struct vrms_sim_world *world, int ring)
{
	for (int i = 0; i < world->node_count; i++) {
		struct vrms_sim_node *node = &world->node[i];

		if (node->ring == ring) {
			welcome(world, i);
		} else if (node->state == VRMS_SIM_MEMBER || node->state == VRMS_SIM_PENDING) {
			node->state = VRMS_SIM_UNCLEAN;
		}
	}
}

static void end_mistakes(struct vrms_sim_world *world, const struct vrms_sim_ring *ring)
{
	if (ring->count * 2 <= world->node_count) {
		return;
	}
	for (int i = 0; i < ring->count; i++) {
		struct vrms_sim_node *node = &world->node[ring->member[i]];

		if (node->lost_us >= 0) {
			vrms_sim_series_add(&world->record, &world->record.mistake_ms,
					    (double)(world->now_us - node->lost_us) / 1000);
			node->lost_us = -1;
			vrms_sim_note(world, VRMS_SIM_STEP_REJOINED, ring->member[i], -1);
		}
	}
}

/* Counts the votes of all partitions: the quorum device may have changed its mind. */
static void count_votes(struct vrms_sim_world *world, int changed)
{
	for (int i = 0; i < world->ring_count; i++) {
		struct vrms_sim_ring *ring = &world->ring[i];
		bool before = ring->quorate;

		if (!ring->used || !ring->operational ||
		    (i != changed && world->settings->qdevice == VRMS_SIM_QDEVICE_NONE)) {
			continue;
		}
		vrms_sim_votes_count(world, ring);
		if (i != changed && ring->quorate != before) {
			vrms_sim_cluster_quorum_changed(world, i);
		}
	}
}

/* Does any partition have quorum?  Written down when that changes. */
static void watch_quorum(struct vrms_sim_world *world, int witness)
{
	bool has = false;

	for (int i = 0; i < world->ring_count; i++) {
		const struct vrms_sim_ring *ring = &world->ring[i];

		has |= ring->used && ring->operational && ring->quorate;
	}
	if (has != world->has_quorum) {
		world->has_quorum = has;
		world->record.quorum_losses += has ? 0 : 1;
		vrms_sim_note(world, has ? VRMS_SIM_STEP_QUORUM : VRMS_SIM_STEP_QUORUM_LOST,
			      witness, -1);
	}
}

static void seek_dc(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_ring *ring = &world->ring[index];
	int64_t delay_us = vrms_sim_round_us(world);

	if (ring->dc < 0) {
		vrms_sim_schedule(world,
				  world->now_us +
				      vrms_sim_vary(world, world->settings->election_us),
				  VRMS_SIM_EVENT_DC, index, ring->round_stamp);
		return;
	}
	/* Right after a membership change the controller may find corosync still syncing, and
	 * sleeps before it asks again; unless it has waited anyway. */
	if (world->settings->transition_delay_us < world->settings->sync_window_us &&
	    vrms_sim_chance(world, world->settings->sync_retry_pct)) {
		delay_us += world->settings->sync_retry_us;
	}
	vrms_sim_round_ask(world, index, delay_us);
}

void vrms_sim_cluster_quorum_changed(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_ring *ring = &world->ring[index];

	watch_quorum(world, ring->member[0]);
	if (vrms_sim_round_decides(world, index)) {
		compare_members(world, index);
	}
	vrms_sim_round_ask(world, index, vrms_sim_round_us(world));
	vrms_sim_daemon_quorum(world, index);
}

void vrms_sim_cluster_ring_up(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_ring *ring = &world->ring[index];
	struct vrms_sim_step step = {.at_us = world->now_us,
				     .failure = -1,
				     .node = ring->member[0],
				     .vm = -1,
				     .kind = VRMS_SIM_STEP_MEMBERSHIP,
				     .detail = ring->count};

	ring->operational = true;
	count_votes(world, index);
	watch_quorum(world, ring->member[0]);

	struct vrms_sim_membership membership = {.at_us = world->now_us,
						 .members = ring->count,
						 .lowest = ring->member[0],
						 .quorate = ring->quorate};

	vrms_sim_record_membership(&world->record, &membership);
	vrms_sim_record_step(&world->record, &step);
	end_mistakes(world, ring);
	if (vrms_sim_round_decides(world, index)) {
		compare_members(world, index);
	}
	if (world->settings->last_man_standing) {
		vrms_sim_schedule(world,
				  world->now_us + world->settings->last_man_standing_window_us,
				  VRMS_SIM_EVENT_LAST_MAN, index, ring->round_stamp);
	}
	seek_dc(world, index);
	vrms_sim_daemon_ring(world, index);
}

void vrms_sim_cluster_dc(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_ring *ring = &world->ring[index];

	for (int i = 0; i < ring->count && ring->dc < 0; i++) {
		struct vrms_sim_node *node = &world->node[ring->member[i]];

		if (node->ring == index && vrms_sim_is_live(node)) {
			ring->dc = ring->member[i];
			vrms_sim_note(world, VRMS_SIM_STEP_DC, ring->dc, -1);
		}
	}
	/* An election ends with a run of the scheduler, without transition-delay. */
	vrms_sim_round_ask(world, index,
			   vrms_sim_round_us(world) - world->settings->transition_delay_us);
}

void vrms_sim_cluster_joined(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *node = &world->node[index];

	if (node->state != VRMS_SIM_PENDING || node->ring < 0 ||
	    !vrms_sim_round_decides(world, node->ring)) {
		return;
	}
	node->state = VRMS_SIM_MEMBER;
	node->failure = -1;
	node->fence_attempts = 0;
	vrms_sim_note(world, VRMS_SIM_STEP_ONLINE, index, -1);
	vrms_sim_round_ask(world, node->ring, vrms_sim_round_us(world));
	vrms_sim_affinity_return(world, index);
	if (world->settings->rebalance) {
		vrms_sim_place_rebalance(world, index);
	}
}

void vrms_sim_cluster_left(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *node = &world->node[index];

	node->state = VRMS_SIM_OFFLINE;
	node->confirmed_us = world->now_us;
	node->known_life = node->life;
}

/* A VM has lost its host: it belongs to that host's failure from now on. */
static void assign_failure(struct vrms_sim_world *world, int vm, int failure)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	if (item->failure >= 0) {
		world->record.failure[item->failure].waiting--;
	}
	item->failure = failure;
	if (failure >= 0) {
		world->record.failure[failure].vms++;
		world->record.failure[failure].waiting++;
		world->record.failure[failure].settled = false;
	}
}

void vrms_sim_cluster_displace(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *node = &world->node[index];

	while (node->residents.head >= 0) {
		int vm = node->residents.head;
		struct vrms_sim_vm *item = &world->vm[vm];

		vrms_sim_operation_cancel(world, vm);
		vrms_sim_todo_remove(world, vm);
		vrms_sim_resident_remove(world, vm);
		item->state = VRMS_SIM_VM_STOPPED;
		if (item->wanted) {
			assign_failure(world, vm, node->failure);
			vrms_sim_todo_add(world, vm);
		}
	}
	node->fence_wanted = false;
}
