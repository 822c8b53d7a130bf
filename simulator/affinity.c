/* affinity.c - rules about VMs and nodes: where a VM may run, which run together, which apart.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <limits.h>

#include "simulator/plant.h"
#include "simulator/world.h"

/* Is it there, or on its way? */
static bool is_at(const struct vrms_sim_world *world, const struct vrms_sim_vm *vm, int node)
{
	return vm->host == node || (vm->to == node && !vrms_sim_has_bug(world, VRMS_SIM_BUG_APART));
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

	if (!spec->ruled || vrms_sim_has_bug(world, VRMS_SIM_BUG_AFFINITY)) {
		return true;
	}
	if (spec->strict && vrms_sim_scenario_score(scenario, vm, node) == VRMS_SIM_FORBIDDEN) {
		return false;
	}
	for (int i = 0; i < scenario->ruled_count; i++) {
		int other = scenario->ruled[i];
		const struct vrms_sim_vm_spec *rule = &scenario->vm[other];

		if (other == vm) {
			continue;
		}
		if ((rule->apart & spec->apart) != 0 && is_at(world, &world->vm[other], node)) {
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
	int64_t most = 0;

	for (int node = 0; node < world->node_count; node++) {
		int64_t likes = vrms_sim_scenario_score(world->scenario, vm, node);

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

int vrms_sim_affinity_compare(const struct vrms_sim_world *world, int one, int other)
{
	int first = INT_MAX, order = 0;

	for (int node = 0; node < world->node_count; node++) {
		int64_t left, right;

		if (world->rank[node] > first || !vrms_sim_place_is_open(world, node)) {
			continue;
		}
		left = vrms_sim_scenario_score(world->scenario, one, node);
		right = vrms_sim_scenario_score(world->scenario, other, node);
		if (left != right) {
			first = world->rank[node];
			order = left > right ? -1 : 1;
		}
	}
	return order;
}

void vrms_sim_affinity_return(struct vrms_sim_world *world, int node)
{
	const struct vrms_sim_scenario *scenario = world->scenario;

	for (int i = 0; i < scenario->ruled_count; i++) {
		int vm = scenario->ruled[i];
		const struct vrms_sim_vm *item = &world->vm[vm];

		if (!scenario->vm[vm].stays && item->state == VRMS_SIM_VM_RUNNING &&
		    item->on >= 0 && !item->paused && item->host != node &&
		    vrms_sim_scenario_score(scenario, vm, node) >
			vrms_sim_scenario_score(scenario, vm, item->host) &&
		    vrms_sim_place_fits(world, vm, node)) {
			vrms_sim_operation_migrate(world, vm, node);
		}
	}
}
