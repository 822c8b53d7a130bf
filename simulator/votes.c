/* votes.c - votequorum: has this membership the right to act?  Source: votequorum(5).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/world.h"

static int live_members(const struct vrms_sim_world *world, const struct vrms_sim_ring *ring)
{
	int live = 0;

	for (int i = 0; i < ring->count; i++) {
		const struct vrms_sim_node *node = &world->node[ring->member[i]];

		live +=
		    node->ring == (int32_t)(ring - world->ring) && vrms_sim_is_live(node) ? 1 : 0;
	}
	return live;
}

/* The quorum device votes for the largest partition, of equal ones for that with the lowest node.
 */
static bool has_device_vote(const struct vrms_sim_world *world, const struct vrms_sim_ring *ring)
{
	int mine = live_members(world, ring);

	if (world->settings->qdevice == VRMS_SIM_QDEVICE_NONE || !world->qdevice_up || mine == 0) {
		return false;
	}
	for (int i = 0; i < world->ring_count; i++) {
		const struct vrms_sim_ring *rival = &world->ring[i];

		if (rival == ring || !rival->used || !rival->operational) {
			continue;
		}
		int theirs = live_members(world, rival);

		if (theirs > mine || (theirs == mine && rival->member[0] < ring->member[0])) {
			return false;
		}
	}
	return true;
}

static bool has_majority(const struct vrms_sim_world *world, const struct vrms_sim_ring *ring)
{
	const struct vrms_sim_settings *settings = world->settings;
	int votes = ring->count, expected = ring->expected;
	int device = settings->qdevice == VRMS_SIM_QDEVICE_LMS ? world->node_count - 1 : 1;

	if (settings->two_node) {
		return true;
	}
	if (settings->qdevice != VRMS_SIM_QDEVICE_NONE) {
		expected += device;
		votes += has_device_vote(world, ring) ? device : 0;
	}
	if (votes * 2 > expected) {
		return true;
	}
	return settings->auto_tie_breaker && votes * 2 == expected && ring->member[0] == 0;
}

/* wait_for_all: nobody in here has seen all nodes since it was started. */
static bool waits_for_all(struct vrms_sim_world *world, const struct vrms_sim_ring *ring)
{
	bool seen = ring->count == world->node_count;

	if (!world->settings->wait_for_all && !world->settings->two_node) {
		return false;
	}
	for (int i = 0; i < ring->count && !seen; i++) {
		seen = world->node[ring->member[i]].seen_all;
	}
	for (int i = 0; i < ring->count && seen; i++) {
		world->node[ring->member[i]].seen_all = true;
	}
	return !seen;
}

void vrms_sim_votes_count(struct vrms_sim_world *world, struct vrms_sim_ring *ring)
{
	ring->is_waiting = waits_for_all(world, ring);
	ring->quorate = !ring->is_waiting && has_majority(world, ring);
}

void vrms_sim_votes_last_man(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_ring *ring = &world->ring[index];
	int least = world->settings->auto_tie_breaker ? 1 : 2;

	/* Only a quorate partition may lower what is expected of it. */
	if (ring->quorate) {
		ring->expected = ring->count > least ? ring->count : least;
	}
}
