/* rules.c - what must never happen, looked at from outside: by what is, not by what is believed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/world.h"

static bool is_named(const struct vrms_sim_scenario *scenario, int vm, int node)
{
	for (int i = 0; i < scenario->preference_count; i++) {
		if (scenario->preference[i].vm == vm && scenario->preference[i].node == node) {
			return true;
		}
	}
	return false;
}

/* Does the other, which runs, forbid the VM the node?  Where they should run together, only while
 * its own node is one that may take guests, and it is not on its way to this one.
 */
static bool is_in_the_way(const struct vrms_sim_world *world, int other, int vm, int node)
{
	const struct vrms_sim_vm_spec *one = &world->scenario->vm[vm];
	const struct vrms_sim_vm_spec *two = &world->scenario->vm[other];
	int on = world->vm[other].on;

	if (on == node) {
		return (one->apart & two->apart) != 0;
	}
	return one->together != 0 && one->together == two->together &&
	       world->vm[other].host == on && world->vm[other].to != node &&
	       world->node[on].ring == world->node[node].ring &&
	       vrms_sim_is_live(&world->node[on]) && vrms_sim_place_is_open(world, on);
}

void vrms_sim_rules_place(struct vrms_sim_world *world, int vm, int node)
{
	const struct vrms_sim_scenario *scenario = world->scenario;
	bool broken = scenario->vm[vm].strict && !is_named(scenario, vm, node);

	for (int i = 0; i < scenario->ruled_count && scenario->vm[vm].ruled; i++) {
		int other = scenario->ruled[i];

		broken = broken || (other != vm && world->vm[other].on >= 0 &&
				    is_in_the_way(world, other, vm, node));
	}
	if (broken) {
		vrms_sim_break_rule(world, VRMS_SIM_RULE_AFFINITY, node, vm);
	}
}

void vrms_sim_rules_start(struct vrms_sim_world *world, int vm, int node)
{
	const struct vrms_sim_vm *item = &world->vm[vm];
	int ring = world->node[node].ring;

	vrms_sim_rules_place(world, vm, node);
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

static bool has_quorum(const struct vrms_sim_world *world, int node)
{
	return world->node[node].ring >= 0 && world->ring[world->node[node].ring].quorate;
}

static bool could_run(const struct vrms_sim_world *world, int vm)
{
	for (int node = 0; node < world->node_count; node++) {
		if (vrms_sim_is_live(&world->node[node]) && has_quorum(world, node) &&
		    world->node[node].paths &&
		    world->scenario->node[node].memory - world->node[node].used_memory >=
			world->scenario->vm[vm].memory &&
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
		if (!item->wanted && item->on >= 0 && !pending && has_quorum(world, item->on)) {
			vrms_sim_break_rule(world, VRMS_SIM_RULE_LEFT_UP, item->on, vm);
		}
	}
}
