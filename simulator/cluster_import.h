/* cluster_import.h - a real cluster as a scenario: Pacemaker's CIB and corosync.conf.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_CLUSTER_IMPORT_H
#define VRMS_SIMULATOR_CLUSTER_IMPORT_H

#include "placement/model.h"
#include "simulator/scenario.h"

/* Nodes, VMs and where they run, capacities, constraints, properties, fence devices.
 *
 * Capacity is the utilization attribute hv_memory, host_memory or memory (MiB), and cpu.
 * Fence devices of one kind and level become one: what they do to their own target.
 * Errors name file and line, or the object.
 */
VRMS_MUST_CHECK int vrms_sim_cib_import(struct vrms_sim_scenario *scenario, const char *path,
					struct vrms_error *error);

/* The rules of a model that has been read from a CIB; nodes and VMs are the scenario's, in the same
 * order.  stickiness: the resource-stickiness of the VMs.
 */
VRMS_MUST_CHECK int vrms_sim_cib_rules(struct vrms_sim_scenario *scenario,
				       const struct vrms_model *model, int64_t stickiness,
				       struct vrms_error *error);

/* Totem and votequorum, and the number of links.  Keys that the simulator does not know are
 * ignored. */
VRMS_MUST_CHECK int vrms_sim_corosync_import(struct vrms_sim_scenario *scenario, const char *path,
					     struct vrms_error *error);

#endif
