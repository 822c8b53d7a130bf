/* totem.c - members fall silent, come back, start, leave: what their rings notice.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/world.h"

void vrms_sim_totem_silent(struct vrms_sim_world *world, int node)
{
	if (world->node[node].ring >= 0) {
		vrms_sim_ring_review(world, world->node[node].ring);
	}
	if (world->node[node].gathering) {
		vrms_sim_schedule(world, world->now_us, VRMS_SIM_EVENT_GATHER, 0, 0);
	}
}

void vrms_sim_totem_dead(struct vrms_sim_world *world, int node)
{
	struct vrms_sim_node *dead = &world->node[node];
	int ring = dead->ring;

	if (ring >= 0) {
		/* First forgotten: its neighbour sends the token into nothing. */
		vrms_sim_ring_forget(world, node);
		vrms_sim_ring_review(world, ring);
	}
	dead->gathering = false;
	dead->seen_all = false;
}

void vrms_sim_totem_back(struct vrms_sim_world *world, int node)
{
	struct vrms_sim_node *back = &world->node[node];

	if (back->gathering) {
		vrms_sim_schedule(world, world->now_us, VRMS_SIM_EVENT_GATHER, 0, 0);
	} else if (back->ring >= 0 && world->ring[back->ring].count > 1) {
		vrms_sim_ring_review(world, back->ring);
	} else {
		vrms_sim_schedule(world, world->now_us, VRMS_SIM_EVENT_MERGE, 0, 0);
	}
}

/* Announces ring `index` once the commit token and the recovery are through: four turns. */
static void form(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_ring *ring = &world->ring[index];
	int64_t at_us = world->now_us + 4 * ring->count * ring->hop_us + 1000;

	ring->base_us = at_us;
	ring->rebased_us = at_us;
	vrms_sim_ring_run(world, index);
	vrms_sim_schedule(world, at_us, VRMS_SIM_EVENT_RING_UP, index, ring->round_stamp);
}

void vrms_sim_totem_start(struct vrms_sim_world *world, int node)
{
	int32_t alone = node;
	int ring;

	world->node[node].corosync = true;
	world->node[node].links_us = world->now_us + world->token_us / 2;
	ring = vrms_sim_ring_new(world, &alone, 1);
	if (ring >= 0) {
		world->ring[ring].expected = world->node_count;
		form(world, ring);
		vrms_sim_schedule(world,
				  world->node[node].links_us +
				      (int64_t)(vrms_random_unit(&world->random) *
						(double)world->settings->merge_us),
				  VRMS_SIM_EVENT_MERGE, 0, 0);
	}
}

/* Somebody of the ring that is still there notices the good-bye. */
static void tell_good_bye(struct vrms_sim_world *world, const struct vrms_sim_ring *ring)
{
	for (int i = 0; i < ring->count; i++) {
		int member = ring->member[i];

		if (world->node[member].ring == (int32_t)(ring - world->ring) &&
		    vrms_sim_is_live(&world->node[member])) {
			vrms_sim_gather_enter(world, member);
			return;
		}
	}
}

void vrms_sim_totem_leave(struct vrms_sim_world *world, int node)
{
	struct vrms_sim_node *leaver = &world->node[node];
	int index = leaver->ring;

	leaver->corosync = false;
	leaver->gathering = false;
	if (index < 0) {
		return;
	}
	world->ring[index].left++;
	vrms_sim_ring_forget(world, node);
	if (world->ring[index].used) {
		tell_good_bye(world, &world->ring[index]);
	}
}

void vrms_sim_totem_reviewed_links(struct vrms_sim_world *world)
{
	for (int i = 0; i < world->ring_count; i++) {
		vrms_sim_ring_review(world, i);
	}
	vrms_sim_schedule(world, world->now_us, VRMS_SIM_EVENT_GATHER, 0, 0);
}

void vrms_sim_totem_token_lost(struct vrms_sim_world *world, const struct vrms_sim_event *event)
{
	struct vrms_sim_node *node = &world->node[event->subject];

	if (node->ring < 0 || world->ring[node->ring].stamp != event->stamp || node->gathering ||
	    !vrms_sim_is_live(node) || !node->corosync) {
		return;
	}
	vrms_sim_note(world, VRMS_SIM_STEP_TOKEN_LOST, event->subject, -1);
	vrms_sim_gather_enter(world, event->subject);
}

/* One ring's first live member, or -1. */
static int spokesman(const struct vrms_sim_world *world, int index)
{
	const struct vrms_sim_ring *ring = &world->ring[index];

	for (int i = 0; ring->used && i < ring->count; i++) {
		int member = ring->member[i];

		if (world->node[member].ring == index && !world->node[member].gathering &&
		    vrms_sim_is_live(&world->node[member])) {
			return member;
		}
	}
	return -1;
}

/* The member of ring `index` that hears some live member of another ring, or -1. */
static int hears_others(const struct vrms_sim_world *world, int index)
{
	const struct vrms_sim_ring *ring = &world->ring[index];

	for (int i = 0; i < ring->count; i++) {
		int member = ring->member[i];

		if (world->node[member].ring != index || !vrms_sim_is_live(&world->node[member])) {
			continue;
		}
		for (int other = 0; other < world->node_count; other++) {
			const struct vrms_sim_node *node = &world->node[other];

			if (node->ring >= 0 && node->ring != index && node->corosync &&
			    vrms_sim_is_live(node) && vrms_sim_meets(world, member, other)) {
				return member;
			}
		}
	}
	return -1;
}

void vrms_sim_totem_merge(struct vrms_sim_world *world)
{
	int voices = 0;

	for (int i = 0; i < world->ring_count; i++) {
		voices += spokesman(world, i) >= 0 ? 1 : 0;
	}
	for (int i = 0; i < world->ring_count && voices > 1; i++) {
		if (spokesman(world, i) >= 0) {
			int member = hears_others(world, i);

			if (member >= 0) {
				vrms_sim_gather_enter(world, member);
			}
		}
	}
}
