/* report.h - a plan as tables or as JSON.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_CLI_REPORT_H
#define VRMS_CLI_REPORT_H

#include <jansson.h>

#include "placement/import.h"
#include "placement/survive.h"

/* What was done to the live CIB. */
enum vrms_report_change {
	VRMS_REPORT_NOT_ASKED,
	VRMS_REPORT_UNCHANGED, /* it said so already */
	VRMS_REPORT_WOULD_CHANGE,
	VRMS_REPORT_CHANGED,
};

/* Everything a command found out; what is NULL or 0 was not asked for. */
struct vrms_report {
	const struct vrms_model *model;
	struct vrms_planner *planner;          /* the cluster after all of it */
	const struct vrms_outcome *outcome;    /* moves, in order */
	const struct vrms_outcome *trim;       /* later moves that level, or NULL */
	const struct vrms_failover *lists;     /* or NULL */
	const struct vrms_survival *survival;  /* or NULL */
	int survive;                           /* asked for */
	const struct vrms_import_notes *notes; /* what the plan does not take into account */
	bool holds;                            /* what was asked for */
	enum vrms_report_change change;
	char *patch; /* for WOULD_CHANGE: as `cibadmin --patch` takes it; the command's own */
};

void vrms_report_print(const struct vrms_report *report);

/* Writes one JSON object to standard output.  Returns 0 or -ENOMEM. */
VRMS_MUST_CHECK int vrms_report_json(const struct vrms_report *report, struct vrms_error *error);

#endif
