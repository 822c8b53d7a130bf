/* balance.c - how level the load is once all VMs of a failure run again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/world.h"

#include <math.h>

static bool counts(const struct vrms_sim_node *node)
{
	return node->state == VRMS_SIM_MEMBER;
}

/* What is levelled: CPU demand where there are load traces, else memory. */
static double capacity(const struct vrms_sim_world *world, int node)
{
	return world->scenario->load_count > 0 ? (double)world->scenario->node[node].cores
					       : (double)world->scenario->node[node].memory;
}

static double weight(struct vrms_sim_world *world, int vm)
{
	return world->scenario->load_count > 0 ? vrms_sim_demand(world, vm)
					       : (double)world->scenario->vm[vm].memory;
}

static double share(struct vrms_sim_world *world, int node)
{
	double used = world->scenario->load_count > 0 ? vrms_sim_node_demand(world, node)
						      : (double)world->node[node].used_memory;

	return used / capacity(world, node);
}

/* What fits below a level on all members. */
static double room_below(struct vrms_sim_world *world, double level)
{
	double room = 0;

	for (int i = 0; i < world->node_count; i++) {
		if (counts(&world->node[i]) && share(world, i) < level) {
			room += (level - share(world, i)) * capacity(world, i);
		}
	}
	return room;
}

void vrms_sim_balance_bound(struct vrms_sim_world *world, const int32_t *vms, int count)
{
	int failure = world->vm[vms[0]].failure;
	double needed = 0, low = 0, high = 1;

	if (failure < 0) {
		return;
	}
	for (int i = 0; i < count; i++) {
		needed += weight(world, vms[i]);
	}
	for (int i = 0; i < world->node_count; i++) {
		low = counts(&world->node[i]) ? fmax(low, share(world, i)) : low;
	}
	/* Poured in like water, the displaced VMs raise nothing above what is the highest already
	 * ... */
	if (room_below(world, low) < needed) {
		/* ... or fill all members to one level. */
		for (int i = 0; i < 50; i++) {
			double middle = (low + high) / 2;

			if (room_below(world, middle) < needed) {
				low = middle;
			} else {
				high = middle;
			}
		}
	}
	world->record.failure[failure].bound = low;
}

void vrms_sim_balance_settle(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_failure *failure = &world->record.failure[index];
	double sum = 0, squares = 0, highest = 0;
	int count = 0;

	failure->settled = true;
	for (int i = 0; i < world->node_count; i++) {
		if (counts(&world->node[i])) {
			double load = share(world, i);

			sum += load;
			squares += load * load;
			highest = fmax(highest, load);
			count++;
		}
	}
	if (count == 0 || sum <= 0) {
		return;
	}
	double mean = sum / count;

	failure->max_over_mean = highest / mean;
	failure->cv = sqrt(fmax(0, squares / count - mean * mean)) / mean;
	failure->jain = sum * sum / (count * squares);
	failure->gap = failure->bound > 0 ? highest / failure->bound - 1 : 0;
}
