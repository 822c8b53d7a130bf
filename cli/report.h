/* report.h - a plan as tables or as JSON.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_CLI_REPORT_H
#define VRMS_CLI_REPORT_H

#include <jansson.h>

#include "placement/survive.h"

/* Everything a command found out; what is NULL or 0 was not asked for. */
struct vrms_report {
	const struct vrms_model *model;
	struct vrms_planner *planner;         /* the cluster after all of it */
	const struct vrms_outcome *outcome;   /* moves, in order */
	const struct vrms_outcome *trim;      /* later moves that level, or NULL */
	const struct vrms_failover *lists;    /* or NULL */
	const struct vrms_survival *survival; /* or NULL */
	int survive;                          /* asked for */
	bool holds;                           /* what was asked for */
};

void vrms_report_print(const struct vrms_report *report);

/* Writes one JSON object to standard output.  Returns 0 or -ENOMEM. */
VRMS_MUST_CHECK int vrms_report_json(const struct vrms_report *report, struct vrms_error *error);

#endif
