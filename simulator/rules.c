/* rules.c - what must never happen, looked at from outside: by what is, not by what is believed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/world.h"

void vrms_sim_rules_start(struct vrms_sim_world *world, int vm, int node)
{
	const struct vrms_sim_vm *item = &world->vm[vm];
	int ring = world->node[node].ring;

	if (ring >= 0 && !world->ring[ring].quorate && !world->node[node].gathering) {
		vrms_sim_break_rule(world, VRMS_SIM_RULE_NO_QUORUM_START, node, vm);
	}
	if (item->on >= 0 || (item->ended_by_host && item->last_on >= 0 &&
			      world->node[item->last_on].confirmed_us < item->ended_us)) {
		vrms_sim_break_rule(world, VRMS_SIM_RULE_UNFENCED_START, node, vm);
	}
}

/* Is there a reason outside the cluster why nothing can be started at the end? */
static bool is_blocked(const struct vrms_sim_world *world)
{
	if (!world->array_up) {
		return true;
	}
	for (int i = 0; i < world->node_count; i++) {
		const struct vrms_sim_node *node = &world->node[i];

		/* Somebody who cannot be fenced holds everything up, as he must. */
		if (node->state == VRMS_SIM_UNCLEAN || node->fence_wanted || node->fence_busy ||
		    node->gathering) {
			return true;
		}
	}
	return false;
}

static bool could_run(const struct vrms_sim_world *world, int vm)
{
	for (int node = 0; node < world->node_count; node++) {
		if (vrms_sim_is_live(&world->node[node]) && world->node[node].ring >= 0 &&
		    world->node[node].paths &&
		    world->scenario->node[node].memory - world->node[node].used_memory >=
			world->scenario->vm[vm].memory &&
		    world->ring[world->node[node].ring].quorate &&
		    vrms_sim_place_fits(world, vm, node)) {
			return true;
		}
	}
	return false;
}

void vrms_sim_rules_end(struct vrms_sim_world *world)
{
	if (is_blocked(world)) {
		return;
	}
	for (int vm = 0; vm < world->vm_count; vm++) {
		const struct vrms_sim_vm *item = &world->vm[vm];
		bool pending = item->state == VRMS_SIM_VM_STARTING ||
			       item->state == VRMS_SIM_VM_STOPPING ||
			       item->state == VRMS_SIM_VM_MIGRATING;

		if (item->wanted && item->on < 0 && !pending && could_run(world, vm)) {
			vrms_sim_break_rule(world, VRMS_SIM_RULE_LEFT_DOWN, -1, vm);
		}
	}
}
