/* report.h - what a simulation found, for programs and for people.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_REPORT_H
#define VRMS_SIMULATOR_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "simulator/sim.h"

/* All figures as one object; its keys are in vrms-sim(1).  NULL when out of memory.
 *
 * wall_s: duration of the run; negative: null, as outputs of one seed shall not differ.
 */
json_t *vrms_sim_report_json(const struct vrms_sim_scenario *scenario,
			     struct vrms_sim_result *result, double wall_s);

/* Prints the figures as text. */
void vrms_sim_report_text(FILE *out, const struct vrms_sim_scenario *scenario,
			  const struct vrms_sim_result *result, const json_t *figures);

/* Writes one page that needs nothing else.  -errno. */
VRMS_MUST_CHECK int vrms_sim_report_html(const char *path, const struct vrms_sim_scenario *scenario,
					 const struct vrms_sim_result *result,
					 const json_t *figures, struct vrms_error *error);

struct vrms_sim_assertion {
	char path[128];
	char operator[3];
	double limit;
	double value; /* set by _check */
	bool holds;   /* likewise */
};

/* Reads "detect.p99_ms < 1000".  -EINVAL. */
VRMS_MUST_CHECK int vrms_sim_assertion_parse(const char *text, struct vrms_sim_assertion *assertion,
					     struct vrms_error *error);

/* Compares.  -ENOENT: there is no such figure. */
VRMS_MUST_CHECK int vrms_sim_assertion_check(struct vrms_sim_assertion *assertion,
					     const json_t *figures, struct vrms_error *error);

/* Writes the assertions as a JUnit report.  -errno. */
VRMS_MUST_CHECK int vrms_sim_junit_write(const char *path,
					 const struct vrms_sim_assertion *assertions, int count,
					 struct vrms_error *error);

#endif
