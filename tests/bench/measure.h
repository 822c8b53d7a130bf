/* measure.h - what one run of a program costs: time, CPU, memory, processes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_TESTS_BENCH_MEASURE_H
#define VRMS_TESTS_BENCH_MEASURE_H

#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"

struct bench_cost {
	double wall_ms;
	double cpu_ms;  /* of the program and of every process it waited for */
	double rss_mib; /* of the largest of them */
	int exit_code;
};

/* Runs a program to its end with its output thrown away. */
VRMS_MUST_CHECK int bench_run(const char *const *argv, char *const *environment,
			      struct bench_cost *ret_cost, struct vrms_error *error);

struct bench_count {
	int processes; /* made by the program and its descendants: fork, vfork, clone */
	int threads;
	int execs; /* successful ones, the program's own first one included */
};

/* Runs a program to its end under ptrace(2) and counts.  Slow: times of such a run mean nothing. */
VRMS_MUST_CHECK int bench_count(const char *const *argv, char *const *environment,
				struct bench_count *ret_count, struct vrms_error *error);

/* CPU that a process has used so far, ended threads included, in ms; 0 when it cannot be read. */
double bench_cpu_ms_of(pid_t pid);

/* The process that listens on a unix socket; 0 when nobody does. */
pid_t bench_listener(const char *socket_path);

/* Sorts and returns the middle; count > 0. */
double bench_median(double *values, size_t count);

#endif
