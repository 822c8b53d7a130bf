/* command.h - the commands of vrms-sim: one row each.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_COMMAND_H
#define VRMS_SIMULATOR_COMMAND_H

#include "common/error.h"
#include "simulator/scenario.h"

enum {
	VRMS_SIM_EXIT_OK = 0,
	VRMS_SIM_EXIT_FAILED = 1,
	VRMS_SIM_EXIT_USAGE = 2,
	VRMS_SIM_EXIT_BROKEN = 3, /* an assertion, or a rule */
};

enum { VRMS_SIM_LIST_MAX = 64 };

/* What the options of all commands fill. */
struct vrms_sim_arguments {
	const char *paths[VRMS_SIM_LIST_MAX];
	int path_count;
	const char *settings[VRMS_SIM_LIST_MAX]; /* --set, and --seed, --nodes, --vms as such */
	int setting_count;
	char *own_text[VRMS_SIM_LIST_MAX]; /* of settings: those that are not the command line's */
	int own_text_count;
	const char *assertions[VRMS_SIM_LIST_MAX];
	int assertion_count;
	const char *grids[VRMS_SIM_LIST_MAX];
	int grid_count;
	const char *json, *html, *junit, *seeds, *svg, *output, *bug; /* NULL: not given */
	const char *policy, *from_cib, *corosync_conf;
	const char *rounds, *samples, *fit; /* likewise */
	bool exact, skip_bad, quiet, lab, timing;
};

struct vrms_sim_command {
	const char *name, *arguments, *summary;
	const char *options; /* long options that it takes, separated by blanks */
	int (*run)(const struct vrms_sim_arguments *arguments, struct vrms_error *error);
};

/* Each returns an exit status; with VRMS_SIM_EXIT_FAILED or _USAGE the text is in error. */
int vrms_sim_command_run(const struct vrms_sim_arguments *arguments, struct vrms_error *error);
int vrms_sim_command_scenario(const struct vrms_sim_arguments *arguments, struct vrms_error *error);
int vrms_sim_command_settings(const struct vrms_sim_arguments *arguments, struct vrms_error *error);
int vrms_sim_command_fuzz(const struct vrms_sim_arguments *arguments, struct vrms_error *error);
int vrms_sim_command_calibrate(const struct vrms_sim_arguments *arguments,
			       struct vrms_error *error);
int vrms_sim_command_sweep(const struct vrms_sim_arguments *arguments, struct vrms_error *error);

/* The number of a planted bug, 0 when none is asked for.  -ENOENT, -ENOTSUP (not in this build). */
VRMS_MUST_CHECK int vrms_sim_arguments_bug(const struct vrms_sim_arguments *arguments,
					   struct vrms_error *error);

/* Reads what the arguments name. */
VRMS_MUST_CHECK int vrms_sim_arguments_read(const struct vrms_sim_arguments *arguments,
					    struct vrms_sim_scenario *scenario,
					    struct vrms_error *error);

#endif
