/* child.h - run a program with a deadline and take what it says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_COMMON_CHILD_H
#define VRMS_COMMON_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct vrms_child_spec {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
	const char *const *envp; /* NULL: this process's environment */
	const char *input;       /* written to standard input; NULL: /dev/null */
	int64_t timeout_ms; /* > 0; then TERM, and KILL one second later, to its process group */
	bool passthrough;   /* stdout and stderr are ours; nothing is captured */
	size_t output_max;  /* bytes of each stream that are kept; 0: 4 MiB */
};

struct vrms_child_result {
	int exit_code; /* 0..255, or 128 + signal */
	bool timed_out;
	char *output; /* standard output, NUL-terminated and cut at output_max; NULL with
			 passthrough */
	char *errors; /* standard error, likewise */
};

void vrms_child_result_done(struct vrms_child_result *result); /* accepts a zeroed one */

/* Runs the program to its end; no process of its group is left behind on a timeout.
 *
 * Returns 0 when it ran (look at exit_code), -ENOENT when there is no such
 * program, -ETIMEDOUT when it was ended at its deadline, another -errno when it
 * could not be started.  `result` is valid (call _done) in every case.
 */
VRMS_MUST_CHECK int vrms_child_run(const struct vrms_child_spec *spec,
				   struct vrms_child_result *result, struct vrms_error *error);

/* As vrms_child_run(), and a non-zero exit is -EIO with the last line of its stderr as text. */
VRMS_MUST_CHECK int vrms_child_check(const struct vrms_child_spec *spec, struct vrms_error *error);

#endif
