/* load.c - CPU demand of VMs over time, and how level it is over the hosts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <math.h>

#include "simulator/world.h"

double vrms_sim_demand(struct vrms_sim_world *world, int vm)
{
	const struct vrms_sim_scenario *scenario = world->scenario;
	double cores = (double)scenario->vm[vm].cores;

	if (scenario->load_count == 0 || scenario->load_first[vm] == scenario->load_first[vm + 1]) {
		return cores * world->settings->vm_load_pct / 100;
	}
	int64_t *at = &world->vm[vm].load_at;

	*at = *at < scenario->load_first[vm] ? scenario->load_first[vm] : *at;
	while (*at + 1 < scenario->load_first[vm + 1] &&
	       scenario->load[*at + 1].from_us <= world->now_us) {
		(*at)++;
	}
	return cores * (double)scenario->load[*at].pct / 100;
}

double vrms_sim_node_demand(struct vrms_sim_world *world, int node)
{
	double sum = 0;

	if (world->scenario->load_count == 0) {
		return (double)world->node[node].used_cores * world->settings->vm_load_pct / 100;
	}
	for (int vm = world->node[node].residents.head; vm >= 0; vm = world->vm[vm].next) {
		sum += vrms_sim_demand(world, vm);
	}
	return sum;
}

/* All members at one moment. */
static void look(struct vrms_sim_world *world)
{
	struct vrms_sim_load_record *record = &world->record.load;
	double sum = 0, squares = 0, highest = 0;
	int count = 0;

	for (int i = 0; i < world->node_count; i++) {
		if (world->node[i].state != VRMS_SIM_MEMBER) {
			continue;
		}
		double share =
		    vrms_sim_node_demand(world, i) / (double)world->scenario->node[i].cores;

		sum += share;
		squares += share * share;
		highest = fmax(highest, share);
		record->overloaded += share > 1 ? 1 : 0;
		count++;
	}
	if (count == 0) {
		return;
	}
	double mean = sum / count;

	record->looks++;
	record->nodes += count;
	if (sum <= 0) { /* nothing is as level as can be */
		record->max_over_mean += 1;
		record->jain += 1;
		return;
	}
	record->mean += mean;
	record->max_over_mean += highest / mean;
	record->cv += sqrt(fmax(0, squares / count - mean * mean)) / mean;
	record->jain += sum * sum / (count * squares);
	record->peak = fmax(record->peak, highest);
}

void vrms_sim_load_look(struct vrms_sim_world *world)
{
	look(world);
	if (world->now_us + world->settings->load_step_us <= world->scenario->load_end_us) {
		vrms_sim_schedule(world, world->now_us + world->settings->load_step_us,
				  VRMS_SIM_EVENT_LOAD, 0, 0);
	}
}
