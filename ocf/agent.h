/* agent.h - a resource agent is a table: parameters, actions, texts.  This runs it.
 *
 * Follows the OCF Resource Agent API 1.1 (and 1.0 where Pacemaker 2.1 still asks for it).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_OCF_AGENT_H
#define VRMS_OCF_AGENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/clock.h"
#include "ocf/exit.h"
#include "ocf/param.h"

/* What Pacemaker says about one call, besides the parameters. */
struct vrms_ocf_call {
	const char *action;         /* as called: "start", "monitor", ... */
	const char *instance;       /* OCF_RESOURCE_INSTANCE; "default" when not set */
	const char *node;           /* OCF_RESKEY_CRM_meta_on_node; "" when not set */
	const char *migrate_source; /* OCF_RESKEY_CRM_meta_migrate_source; "" when not set */
	const char *migrate_target; /* OCF_RESKEY_CRM_meta_migrate_target; "" when not set */
	int64_t interval_ms;        /* OCF_RESKEY_CRM_meta_interval */
	int64_t timeout_ms;  /* OCF_RESKEY_CRM_meta_timeout; the table's default when not set */
	int64_t deadline_ms; /* on `clock`: program start + timeout_ms */
	int check_level;     /* OCF_CHECK_LEVEL; 0 when not set */
	bool is_probe;       /* monitor (or status) with interval 0; source: ocf_is_probe */
	const struct vrms_clock *clock;
	char **argv; /* for agents that continue in another program */
	/* Any other variable of the call's environment: the part behind OCF_RESKEY_, or NULL. */
	vrms_param_lookup *lookup;
	void *lookup_context;
};

/* Milliseconds until the deadline, less `reserve_ms`; never below 0. */
int64_t vrms_ocf_call_left_ms(const struct vrms_ocf_call *call, int64_t reserve_ms);

/* One action.
 *
 * Returns 0 with *ret_exit set (VRMS_OCF_SUCCESS beforehand): states such as
 * NOT_RUNNING are results, not errors.  A non-empty error->text is then logged
 * and, when *ret_exit is a failure, printed as ocf-exit-reason.
 * Or returns a negative errno with error->text set; the exit code is that of
 * vrms_ocf_exit_from_errno().
 */
typedef int vrms_ocf_action_run(const struct vrms_ocf_call *call, const void *config,
				enum vrms_ocf_exit *ret_exit, struct vrms_error *error);

/* A row per <action> of the meta-data; two monitor depths are two rows, the first runs. */
struct vrms_ocf_action {
	const char *name;
	const char *timeout;  /* recommended, e.g. "90s" */
	const char *interval; /* NULL: none shown */
	const char *depth;    /* NULL: none shown; "0", "10" */
	const char *role;     /* NULL: none shown; "Promoted" */
	bool no_params;       /* runs without reading parameters (meta-data, usage) */
	vrms_ocf_action_run *run;
};

struct vrms_ocf_agent {
	const char *name;     /* "VirtualMachine" */
	const char *provider; /* "vrms" */
	const char *version;  /* of the agent */
	const char *shortdesc;
	const char *longdesc; /* paragraphs separated by an empty line */
	const struct vrms_param *params;
	size_t param_count;
	const struct vrms_ocf_action *actions; /* meta-data, validate-all's parameter check, usage
						  and help are the library's: listed for their
						  timeouts, .run == NULL for meta-data */
	size_t action_count;
	size_t config_size;
	/* Checks between parameters, beyond single ranges; NULL: none.  -EINVAL etc. */
	int (*check)(const void *config, struct vrms_error *error);
	/* man page: text for "EXAMPLES" and "SEE ALSO", mdoc source; NULL: none. */
	const char *man_examples;
	const char *man_see_also;
	/* Name shown in the logs; NULL: "Name(instance)" is made of name and instance. */
	const char *log_name;
};

/* main() of an agent: reads argv[1] (action) and the environment, runs, logs, returns the exit
 * code.
 *
 * argv[1] missing, "usage", "help", "--help", "-h": usage on stdout, exit 0 (missing: stderr,
 * OCF_ERR_ARGS).  Unknown action: usage on stderr, OCF_ERR_UNIMPLEMENTED.  "meta-data": the XML.
 * "--man": the mdoc page (how the build makes it).  "--version".
 * validate-all with OCF_CHECK_LEVEL=0 checks parameters only; the table's run does the rest.
 * Parameter errors of a stop or a probe obey the same exit codes: the agent decides in its run.
 */
int vrms_ocf_main(const struct vrms_ocf_agent *agent, int argc, char **argv);

/* The renderers behind it, for tests. */
void vrms_ocf_metadata_print(const struct vrms_ocf_agent *agent, FILE *out);
void vrms_ocf_usage_print(const struct vrms_ocf_agent *agent, FILE *out);
void vrms_ocf_man_print(const struct vrms_ocf_agent *agent, FILE *out);

/* Prints "ocf-exit-reason:<text>" on stderr. */
void vrms_ocf_exit_reason(const char *text);

#endif
