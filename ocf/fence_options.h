/* fence_options.h - the options of one call of a fence agent, from stdin or from argv.
 *
 * Internal to ocf/.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_OCF_FENCE_OPTIONS_H
#define VRMS_OCF_FENCE_OPTIONS_H

#include <stdio.h>

#include "ocf/fence.h"

enum { VRMS_FENCE_OPTIONS_MAX = 128 };

/* The options that every fence agent has. */
struct vrms_fence_standard {
	const char *action;
	const char *plug;
	const char *debug_file;
	bool verbose;
	bool version;
	bool help;
	int64_t delay_ms;
	int64_t power_timeout_ms;
	int64_t power_wait_ms;
	int64_t retry_on;
};

/* One table of parameters after the other: the library's, then the agent's. */
struct vrms_fence_tables {
	struct {
		const struct vrms_param *params;
		size_t count;
	} tables[2];
};

struct vrms_fence_option {
	const char *name; /* of the parameter, never an obsolete one unless unknown */
	const char *value;
	bool is_known;
};

struct vrms_fence_options {
	struct vrms_fence_option options[VRMS_FENCE_OPTIONS_MAX];
	size_t count;
	char *text; /* what stdin said; the options point into it */
};

/* Rows of the parameters above; the field of nodename is not there, it stands in for plug. */
struct vrms_fence_tables vrms_fence_tables_of(const struct vrms_fence_agent *agent);

void vrms_fence_options_done(struct vrms_fence_options *options);

/* Reads "name=value" lines until the end of `in`; empty lines and comments (#) are skipped.
 * Unknown names are kept, marked.  Errors: -EINVAL (a line without "="), -E2BIG, read errors.
 */
VRMS_MUST_CHECK int vrms_fence_options_read_lines(const struct vrms_fence_agent *agent, FILE *in,
						  struct vrms_fence_options *options,
						  struct vrms_error *error);

/* Reads the command line with getopt_long(3), which says on stderr itself what it does not know.
 * Errors: -EINVAL, -E2BIG.
 */
VRMS_MUST_CHECK int vrms_fence_options_read_argv(const struct vrms_fence_agent *agent, int argc,
						 char **argv, struct vrms_fence_options *options,
						 struct vrms_error *error);

/* A vrms_param_lookup; the last of several values holds. */
const char *vrms_fence_options_lookup(void *context, const char *name);

/* The long option of a row, "power-timeout" for power_timeout. */
void vrms_fence_long_option_print(const struct vrms_param *param, char *buffer, size_t size);

#endif
