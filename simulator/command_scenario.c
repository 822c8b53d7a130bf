/* command_scenario.c - vrms-sim scenario: a real cluster as a scenario file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdio.h>

#include "simulator/cluster_import.h"
#include "simulator/command.h"
#include "simulator/scenario_write.h"

static int import(const struct vrms_sim_arguments *arguments, struct vrms_sim_scenario *scenario,
		  struct vrms_error *error)
{
	int rc = arguments->from_cib == NULL
		     ? 0
		     : vrms_sim_cib_import(scenario, arguments->from_cib, error);

	if (rc == 0 && arguments->corosync_conf != NULL) {
		rc = vrms_sim_corosync_import(scenario, arguments->corosync_conf, error);
	}
	for (int i = 0; i < arguments->setting_count && rc == 0; i++) {
		rc = vrms_sim_scenario_assign(scenario, arguments->settings[i], error);
	}
	return rc < 0 ? rc : vrms_sim_scenario_complete(scenario, error);
}

int vrms_sim_command_scenario(const struct vrms_sim_arguments *arguments, struct vrms_error *error)
{
	struct vrms_sim_scenario scenario;
	FILE *out = stdout;
	int status = VRMS_SIM_EXIT_FAILED;

	if (arguments->from_cib == NULL && arguments->corosync_conf == NULL) {
		vrms_error_set(error, -EINVAL, "scenario needs --from-cib or --corosync-conf");
		return VRMS_SIM_EXIT_USAGE;
	}
	vrms_sim_scenario_init(&scenario);
	if (import(arguments, &scenario, error) == 0) {
		out = arguments->output == NULL ? stdout : fopen(arguments->output, "we");
		if (out == NULL) {
			vrms_error_errno(error, -errno, "%s", arguments->output);
		} else {
			vrms_sim_scenario_print(out, &scenario);
			status = VRMS_SIM_EXIT_OK;
		}
	}
	if (out != NULL && out != stdout && fclose(out) != 0) {
		vrms_error_errno(error, -errno, "%s", arguments->output);
		status = VRMS_SIM_EXIT_FAILED;
	}
	vrms_sim_scenario_done(&scenario);
	return status;
}
