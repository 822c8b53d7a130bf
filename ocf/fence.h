/* fence.h - a fence agent is a table too.  This runs it.
 *
 * Options come as "name=value" lines on standard input when there are no arguments
 * (Pacemaker), or as getopt options (an admin).  Source: ClusterLabs FenceAgentAPI.md.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_OCF_FENCE_H
#define VRMS_OCF_FENCE_H

#include <stdbool.h>
#include <stdio.h>

#include "common/clock.h"
#include "ocf/exit.h"
#include "ocf/param.h"

struct vrms_fence_call {
	const char
	    *action; /* after aliases: "off", "on", "reboot", "status", "monitor", "list", ... */
	const char *plug;    /* plug, port or nodename, in this order; NULL when none was given */
	int64_t deadline_ms; /* on `clock`: begin of this request + power_timeout; 0 when none */
	const struct vrms_clock *clock;
	bool verbose;
};

/* Returns a vrms_fence_exit, or a negative errno (becomes FAILED).  error->text goes to stderr. */
typedef int vrms_fence_run(const struct vrms_fence_call *call, const void *config,
			   struct vrms_error *error);

struct vrms_fence_action {
	const char *name;
	vrms_fence_run *run; /* NULL for metadata, validate-all without further checks */
	bool needs_plug;
	bool automatic;      /* <action name="on" automatic="1"/>: unfencing at node start */
	bool on_target;      /* on_target="1" */
	const char *success; /* printed after it; NULL: what fence-agents print ("Success: ...") */
};

struct vrms_fence_agent {
	const char *name; /* "fence_vrms_lab" */
	const char *version;
	const char *shortdesc;
	const char *longdesc;
	const char *vendor_url;
	/* Only the agent's own parameters.  The library's are action, plug (port, nodename),
	 * verbose, debug_file, version, help, delay, power_timeout, power_wait, retry_on.
	 */
	const struct vrms_param *params;
	size_t param_count;
	const struct vrms_fence_action *actions;
	size_t action_count;        /* off and on without reboot: the library makes the reboot */
	const char *default_action; /* "reboot", or "off" */
	bool provides_unfencing;
	size_t config_size;
	const char *man_examples;
	const char *man_see_also;
};

/* main() of a fence agent; also "--man".  Unknown stdin options are ignored with a log line
 * (Pacemaker passes its own), unknown getopt options are an error. */
int vrms_fence_main(const struct vrms_fence_agent *agent, int argc, char **argv);

void vrms_fence_metadata_print(const struct vrms_fence_agent *agent, FILE *out);
void vrms_fence_man_print(const struct vrms_fence_agent *agent, FILE *out);

#endif
