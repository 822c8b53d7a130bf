/* input.h - scenarios, traces and folders from files.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_INPUT_H
#define VRMS_SIMULATOR_INPUT_H

#include "simulator/scenario.h"

struct vrms_sim_input {
	const char *const *paths; /* scenario files, traces, folders of the Proxmox HA simulator */
	int path_count;
	const char *const *settings; /* "section.key=value", after the files */
	int setting_count;
	bool skip_bad;
};

/* Reads and completes.  Errors name file and line. */
VRMS_MUST_CHECK int vrms_sim_input_read(const struct vrms_sim_input *input,
					struct vrms_sim_scenario *scenario,
					struct vrms_error *error);

/* proxmox.c: a folder with cmdlist, hardware_status, service_config. */
VRMS_MUST_CHECK int vrms_sim_proxmox_read(struct vrms_sim_scenario *scenario, const char *folder,
					  bool skip_bad, struct vrms_error *error);
bool vrms_sim_proxmox_is(const char *path);

#endif
