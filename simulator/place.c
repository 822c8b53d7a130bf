/* place.c - where VMs go: the fail-over plan, or one after the other to the emptiest node.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <math.h>

#include "simulator/plant.h"
#include "simulator/world.h"

/* May the node take new guests, as far as the cluster knows? */
bool vrms_sim_place_is_open(const struct vrms_sim_world *world, int index)
{
	const struct vrms_sim_node *node = &world->node[index];

	return node->state == VRMS_SIM_MEMBER && !node->standby && !node->stopping &&
	       !node->fence_wanted && node->ring >= 0 && vrms_sim_round_decides(world, node->ring);
}

bool vrms_sim_place_fits(const struct vrms_sim_world *world, int vm, int node)
{
	return vrms_sim_place_is_open(world, node) && !vrms_sim_vm_banned(world, vm, node) &&
	       vrms_sim_affinity_allows(world, vm, node) &&
	       (vrms_sim_has_bug(world, VRMS_SIM_BUG_CAPACITY) ||
		world->node[node].used_memory + world->scenario->vm[vm].memory <=
		    world->scenario->node[node].memory);
}

static double free_share(const struct vrms_sim_world *world, int node)
{
	double capacity = (double)world->scenario->node[node].memory;

	return (capacity - (double)world->node[node].used_memory) / capacity;
}

/* Source: compare_nodes() of Pacemaker 2.1: capacity, at last the name. */
static int emptiest(const struct vrms_sim_world *world, int vm)
{
	int best = -1;
	double most = -INFINITY;

	if (world->scenario->vm[vm].ruled) {
		return vrms_sim_affinity_place(world, vm);
	}
	for (int node = 0; node < world->node_count; node++) {
		double room = world->room[node];

		/* Nearly all are turned away here: the rest of a node need not be fetched. */
		if (room < most || node == world->vm[vm].host ||
		    (room == most && best >= 0 && world->rank[node] > world->rank[best])) {
			continue;
		}
		if (vrms_sim_place_fits(world, vm, node)) {
			best = node;
			most = room;
		}
	}
	return best;
}

static void measure_room(struct vrms_sim_world *world)
{
	for (int node = 0; node < world->node_count; node++) {
		world->room[node] = free_share(world, node);
	}
}

/* placement-strategy=balanced of Pacemaker: the node with the most free capacity. */
int vrms_sim_place_emptiest(struct vrms_sim_world *world, int vm)
{
	measure_room(world);
	return emptiest(world, vm);
}

static void claim(struct vrms_sim_world *world, int vm, int node, int sign)
{
	world->node[node].used_memory += sign * world->scenario->vm[vm].memory;
	world->room[node] = free_share(world, node);
}

/* What the plan says of those who have no host; of those that are stopped just now: where they are
 * (resource-stickiness).
 */
static void prefer(struct vrms_sim_world *world, const int32_t *vms, int count, int32_t *target)
{
	int32_t *homeless = world->scratch_vm + 2 * world->vm_count;
	int32_t *planned = world->scratch_vm + 3 * world->vm_count;
	int homeless_count = 0, next = 0;

	for (int i = 0; i < count; i++) {
		target[i] = world->vm[vms[i]].host;
		if (target[i] < 0) {
			homeless[homeless_count++] = vms[i];
		}
	}
	if (world->plan != NULL && homeless_count > 0) {
		vrms_sim_plan_place(world, homeless, homeless_count, planned);
		for (int i = 0; i < count; i++) {
			target[i] = world->vm[vms[i]].host < 0 ? planned[next++] : target[i];
		}
	}
}

void vrms_sim_place(struct vrms_sim_world *world, const int32_t *vms, int count, int32_t *target)
{
	prefer(world, vms, count, target);
	measure_room(world);
	for (int i = 0; i < count; i++) {
		/* The plan knows no bans, and room that is still to be made is not there yet. */
		if (target[i] < 0 || !vrms_sim_place_fits(world, vms[i], target[i])) {
			target[i] = emptiest(world, vms[i]);
		}
		if (target[i] >= 0) {
			claim(world, vms[i], target[i], 1);
			world->vm[vms[i]].to = target[i]; /* for the rules of the next */
		}
	}
	for (int i = 0; i < count; i++) {
		if (target[i] >= 0) {
			claim(world, vms[i], target[i], -1);
			world->vm[vms[i]].to = -1;
		}
	}
}

/* A guest of a node that may move and is not larger than `most` bytes; the largest of those, or -1.
 */
static int pick_guest(const struct vrms_sim_world *world, int from, int to, int64_t most)
{
	int best = -1;

	for (int vm = world->node[from].residents.head; vm >= 0; vm = world->vm[vm].next) {
		int64_t memory = world->scenario->vm[vm].memory;

		if (world->vm[vm].state == VRMS_SIM_VM_RUNNING && memory <= most &&
		    vrms_sim_place_fits(world, vm, to) &&
		    (best < 0 || memory > world->scenario->vm[best].memory)) {
			best = vm;
		}
	}
	return best;
}

static int fullest(const struct vrms_sim_world *world)
{
	int worst = -1;

	for (int node = 0; node < world->node_count; node++) {
		if (world->node[node].state == VRMS_SIM_MEMBER &&
		    (worst < 0 || free_share(world, node) < free_share(world, worst))) {
			worst = node;
		}
	}
	return worst;
}

void vrms_sim_place_rebalance(struct vrms_sim_world *world, int node)
{
	for (int moves = 0; moves <= world->vm_count / world->node_count; moves++) {
		int from = fullest(world);

		if (from < 0 || from == node) {
			return;
		}
		/* Not more than half the difference: the source must not become the emptier one. */
		double difference = free_share(world, node) - free_share(world, from);
		int64_t most =
		    (int64_t)(difference / 2 * (double)world->scenario->node[from].memory);
		int vm = pick_guest(world, from, node, most);

		if (vm < 0) {
			return;
		}
		vrms_sim_operation_migrate(world, vm, node);
	}
}
