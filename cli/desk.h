/* desk.h - what plan, drain, undrain, rebalance and place share: options, the cluster, the proof.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_CLI_DESK_H
#define VRMS_CLI_DESK_H

#include <getopt.h>

#include "cli/command.h"
#include "cli/report.h"
#include "placement/cib_steer.h"
#include "placement/import.h"

enum { VRMS_DESK_TRIES = 10 }; /* when others keep changing the CIB */

/* All the commands' options; which of them a command takes is in its table. */
struct vrms_desk_options {
	const char *command;
	const char *state, *fill;
	const char **fail; /* argv's own texts */
	int fail_count;
	int64_t survive, moves, parallel; /* -1: not given */
	int64_t timeout_ms;               /* for one batch of moves */
	const char *write;                /* file for the CIB with the plan in it */
	bool json, exclusive, clear, apply, keep, dry_run;
	char **names; /* the arguments that are no options */
	int name_count;
};

/* What a command works with. */
struct vrms_desk {
	char *text; /* the live CIB; NULL with a file */
	struct vrms_cib_facts facts;
	struct vrms_import_notes notes;
	struct vrms_model *model;
	struct vrms_planner *planner;
	struct vrms_outcome *outcome, *trim;
	struct vrms_failover *lists;
	struct vrms_survival survival;
	int *indices; /* nodes or VMs named on the command line */
};

VRMS_MUST_CHECK int vrms_desk_read_options(struct vrms_desk_options *options, int argc, char **argv,
					   const struct option *known, struct vrms_error *error);

/* The cluster from the file of --state, or the live one; call _close in every case. */
VRMS_MUST_CHECK int vrms_desk_open(struct vrms_desk *desk, const struct vrms_desk_options *options,
				   struct vrms_error *error);
void vrms_desk_close(struct vrms_desk *desk);
void vrms_desk_options_done(struct vrms_desk_options *options);

/* Turns names into desk->indices; `find` is one of vrms_model_find_*(). */
VRMS_MUST_CHECK int vrms_desk_find(struct vrms_desk *desk, const char *what,
				   const char *const *names, int count,
				   int (*find)(const struct vrms_model *, const char *),
				   struct vrms_error *error);

/* Lists for the cluster as the desk's planner has it; k: losses they shall be made for. */
VRMS_MUST_CHECK int vrms_desk_list(struct vrms_desk *desk, int k, struct vrms_error *error);

/* Lists and proof for the cluster as it is after what was planned so far. */
VRMS_MUST_CHECK int vrms_desk_prove(struct vrms_desk *desk, const struct vrms_desk_options *options,
				    struct vrms_report *report, struct vrms_error *error);

/* As tables, or as JSON with --json. */
VRMS_MUST_CHECK int vrms_desk_show(const struct vrms_desk_options *options,
				   const struct vrms_report *report, struct vrms_error *error);

/* Turns a return code and a verdict into an exit status. */
int vrms_desk_conclude(const struct vrms_desk_options *options, int rc, bool holds,
		       const struct vrms_error *error);

/* Puts the desk's lists into the live CIB, or with --clear all that is ours out of it.
 *
 * ret_after: the CIB to be, to be freed; NULL when it says so already.
 */
VRMS_MUST_CHECK int vrms_desk_edit(const struct vrms_desk *desk,
				   const struct vrms_desk_options *options, char **ret_after,
				   struct vrms_error *error);

#endif
