/* scenario_rules.c - what a scenario keeps of rules about VMs and nodes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdlib.h>

#include "simulator/scenario.h"

int vrms_sim_scenario_add_preference(struct vrms_sim_scenario *scenario,
				     const struct vrms_sim_preference *preference)
{
	struct vrms_sim_preference *grown =
	    reallocarray(scenario->preference, (size_t)scenario->preference_count + 1,
			 sizeof(*grown));

	if (grown == NULL) {
		return -ENOMEM;
	}
	scenario->preference = grown;
	grown[scenario->preference_count++] = *preference;
	return 0;
}

int vrms_sim_scenario_add_ruled(struct vrms_sim_scenario *scenario, int vm)
{
	int32_t *grown;

	if (scenario->vm[vm].ruled) {
		return 0;
	}
	grown = reallocarray(scenario->ruled, (size_t)scenario->ruled_count + 1, sizeof(*grown));
	if (grown == NULL) {
		return -ENOMEM;
	}
	scenario->ruled = grown;
	scenario->vm[vm].ruled = true;
	grown[scenario->ruled_count++] = vm;
	return 0;
}
