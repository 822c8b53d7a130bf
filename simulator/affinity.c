/* affinity.c - rules about VMs and nodes: where a VM may run, which run together, which apart.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/world.h"

enum { NOT_NAMED = -1 };

/* How much the VM likes the node: the priority of its rule, or that it is not named there. */
static int64_t liking(const struct vrms_sim_scenario *scenario, int vm, int node)
{
	for (int i = 0; i < scenario->preference_count; i++) {
		const struct vrms_sim_preference *preference = &scenario->preference[i];

		if (preference->vm == vm && preference->node == node) {
			return preference->priority;
		}
	}
	return NOT_NAMED;
}

/* Is it there, or on its way? */
static bool is_at(const struct vrms_sim_vm *vm, int node)
{
	return vm->host == node || vm->to == node;
}

/* Where those who run together with it have to be looked for; -1: nowhere. */
static int home_of(const struct vrms_sim_world *world, int vm)
{
	int node = world->vm[vm].to >= 0 ? world->vm[vm].to : world->vm[vm].host;

	return node >= 0 && vrms_sim_place_is_open(world, node) ? node : -1;
}

bool vrms_sim_affinity_allows(const struct vrms_sim_world *world, int vm, int node)
{
	const struct vrms_sim_scenario *scenario = world->scenario;
	const struct vrms_sim_vm_spec *spec = &scenario->vm[vm];

	if (!spec->ruled) {
		return true;
	}
	if (spec->strict && liking(scenario, vm, node) == NOT_NAMED) {
		return false;
	}
	for (int i = 0; i < scenario->ruled_count; i++) {
		int other = scenario->ruled[i];
		const struct vrms_sim_vm_spec *rule = &scenario->vm[other];

		if (other == vm) {
			continue;
		}
		if ((rule->apart & spec->apart) != 0 && is_at(&world->vm[other], node)) {
			return false;
		}
		if (spec->together != 0 && rule->together == spec->together &&
		    home_of(world, other) >= 0 && home_of(world, other) != node) {
			return false;
		}
	}
	return true;
}

int vrms_sim_affinity_place(const struct vrms_sim_world *world, int vm)
{
	int best = -1;
	int64_t most = NOT_NAMED;

	for (int node = 0; node < world->node_count; node++) {
		int64_t likes = liking(world->scenario, vm, node);

		if (node == world->vm[vm].host || !vrms_sim_place_fits(world, vm, node) ||
		    (best >= 0 && likes < most)) {
			continue;
		}
		if (best < 0 || likes > most || world->room[node] > world->room[best] ||
		    (world->room[node] == world->room[best] &&
		     world->rank[node] < world->rank[best])) {
			best = node;
			most = likes;
		}
	}
	return best;
}

void vrms_sim_affinity_return(struct vrms_sim_world *world, int node)
{
	const struct vrms_sim_scenario *scenario = world->scenario;

	for (int i = 0; i < scenario->ruled_count; i++) {
		int vm = scenario->ruled[i];
		const struct vrms_sim_vm *item = &world->vm[vm];

		if (!scenario->vm[vm].stays && item->state == VRMS_SIM_VM_RUNNING &&
		    item->on >= 0 && !item->paused && item->host != node &&
		    liking(scenario, vm, node) > liking(scenario, vm, item->host) &&
		    vrms_sim_place_fits(world, vm, node)) {
			vrms_sim_operation_migrate(world, vm, node);
		}
	}
}
