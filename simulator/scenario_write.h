/* scenario_write.h - a scenario as the file that vrms-sim reads.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_SCENARIO_WRITE_H
#define VRMS_SIMULATOR_SCENARIO_WRITE_H

#include <stdio.h>

#include "simulator/scenario.h"

/* Prints all that is not a default, so that the file replays the same run. */
void vrms_sim_scenario_print(FILE *out, const struct vrms_sim_scenario *scenario);

#endif
