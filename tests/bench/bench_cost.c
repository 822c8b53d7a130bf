/* bench_cost - runs one program to its end and prints what it cost: seconds, seconds of CPU, of
 * those also of another process beside it, MiB of its largest process.
 * usage: bench_cost PIDFILE|- LOG PROGRAM [ARGUMENT]...
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/parse.h"
#include "tests/bench/measure.h"

enum { ARGUMENTS_MAX = 64, PID_BYTES_MAX = 64 };

extern char **environ;

static int read_pid(const char *path, pid_t *ret_pid, struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int64_t pid = 0;
	size_t size;
	int rc;

	*ret_pid = 0;
	if (strcmp(path, "-") == 0) {
		return 0;
	}
	rc = vrms_file_read(path, PID_BYTES_MAX, &text, &size, error);
	if (rc == 0) {
		text[strcspn(text, "\n")] = '\0';
		rc = vrms_int_parse(text, 1, INT32_MAX, &pid, error);
	}
	*ret_pid = (pid_t)pid;
	return rc;
}

int main(int argc, char **argv)
{
	/* exec: the shell only opens the log, it is not measured. */
	const char *arguments[ARGUMENTS_MAX] = {"/bin/sh", "-c",
						"log=$1; shift; exec \"$@\" >\"$log\" 2>&1", "sh"};
	struct vrms_error error = {0};
	struct bench_cost cost;
	double other_ms = 0;
	pid_t other;
	int rc;

	if (argc < 4 || argc > ARGUMENTS_MAX - 3) {
		fprintf(stderr, "usage: bench_cost PIDFILE|- LOG PROGRAM [ARGUMENT]...\n");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		arguments[i + 2] = argv[i];
	}
	rc = read_pid(argv[1], &other, &error);
	if (rc == 0) {
		other_ms = other > 0 ? bench_cpu_ms_of(other) : 0;
		rc = bench_run(arguments, environ, &cost, &error);
	}
	if (rc < 0) {
		fprintf(stderr, "bench_cost: %s\n", error.text);
		return 1;
	}
	other_ms = other > 0 ? bench_cpu_ms_of(other) - other_ms : 0;
	printf("%.3f %.3f %.3f %.0f\n", cost.wall_ms / 1e3, (cost.cpu_ms + other_ms) / 1e3,
	       other_ms / 1e3, cost.rss_mib);
	return cost.exit_code;
}
