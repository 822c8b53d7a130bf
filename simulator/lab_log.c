/* lab_log.c - the steps of a failure in what "vrms-lab logs" prints.
 *
 * Each line begins with its source in 16 columns, then the program's own time stamp.  Words:
 * corosync 3.1 (totemsrp.c) and Pacemaker 2.1 (controld_te_actions.c, controld_execd.c,
 * fenced_remote.c), as in lab/timeline.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <string.h>

#include "simulator/calibrate.h"
#include "simulator/line.h"

enum { SOURCE_COLUMNS = 17, DAY_MS = 86400000, LATEST_MS = 120000 };

struct marker {
	enum vrms_sim_trial_step step;
	unsigned trial_bits;      /* of which faults it tells */
	const char *first, *also; /* the second behind the first */
	bool of_vm;               /* the word behind the first is a VM, with its operation's key */
};

enum {
	HOST = 1 << VRMS_SIM_TRIAL_POWER | 1 << VRMS_SIM_TRIAL_FREEZE,
	KILL = 1 << VRMS_SIM_TRIAL_KILL
};

static const struct marker markers[] = {
    {VRMS_SIM_TRIAL_MEMBERSHIP, HOST, "A new membership (", " left:", false},
    {VRMS_SIM_TRIAL_DECIDED, HOST, "Requesting peer fencing (", " targeting ", false},
    {VRMS_SIM_TRIAL_FENCED, HOST, "(finalize_op)", ": OK (complete)", false},
    {VRMS_SIM_TRIAL_NOTICED, KILL, "Result of asyncmon operation for ", ": ", true},
    {VRMS_SIM_TRIAL_NOTICED, KILL, "Result of monitor operation for ", ": not running", true},
    {VRMS_SIM_TRIAL_DECIDED, KILL, "Initiating stop operation ", " on ", true},
    {VRMS_SIM_TRIAL_STARTED, HOST | KILL, "Initiating start operation ", " on ", true},
    {VRMS_SIM_TRIAL_RUNNING, HOST | KILL, "Result of start operation for ", ": ok", true},
};

/* "Nov 23 05:59:32.905": milliseconds of the day, or -1. */
static int64_t read_time(const char *text)
{
	int hour, minute, second, ms = 0;

	if (sscanf(text, "%*3[A-Za-z] %*2d %2d:%2d:%2d.%3d", &hour, &minute, &second, &ms) < 4) {
		return -1;
	}
	return ((hour * 60 + minute) * INT64_C(60) + second) * 1000 + ms;
}

/* "vm12_start_0" or "vm12": 12; else 0. */
static int read_vm(const char *text)
{
	int number = 0;

	return sscanf(text, "vm%d", &number) == 1 ? number : 0;
}

static const struct marker *find_marker(const char *line, int trial, const char **ret_rest)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(markers); i++) {
		const char *at = strstr(line, markers[i].first);

		if (at != NULL && (markers[i].trial_bits >> trial & 1) != 0 &&
		    strstr(at + strlen(markers[i].first), markers[i].also) != NULL) {
			*ret_rest = at + strlen(markers[i].first);
			return &markers[i];
		}
	}
	return NULL;
}

static int take_line(const char *line, const struct vrms_sim_lab_fault *fault,
		     struct vrms_sim_samples *samples)
{
	const char *rest;
	const struct marker *marker = find_marker(line, fault->trial, &rest);
	int64_t at_ms = marker == NULL ? -1 : read_time(line);
	struct vrms_sim_sample sample = {.round = fault->round,
					 .trial = fault->trial,
					 .load = fault->load};

	if (at_ms < 0) {
		return 0;
	}
	sample.step = (int)marker->step;
	sample.vm = marker->of_vm ? read_vm(rest) : 0;
	at_ms -= fault->at_ms;
	at_ms += at_ms < -DAY_MS / 2 ? DAY_MS : 0; /* past midnight */
	sample.ms = (double)at_ms;
	if (at_ms < 0 || at_ms > LATEST_MS || (marker->of_vm && sample.vm == 0) ||
	    (fault->trial == VRMS_SIM_TRIAL_KILL && read_vm(fault->victim) != sample.vm)) {
		return 0;
	}
	return vrms_sim_samples_add(samples, &sample);
}

int vrms_sim_lab_log_parse(const char *text, const struct vrms_sim_lab_fault *fault,
			   struct vrms_sim_samples *samples)
{
	struct vrms_sim_lines lines = {.next = text};
	int rc = 0;

	while (rc == 0 && vrms_sim_lines_next(&lines)) {
		if (strlen(lines.text) > SOURCE_COLUMNS) {
			rc = take_line(lines.text + SOURCE_COLUMNS, fault, samples);
		}
	}
	return rc;
}
