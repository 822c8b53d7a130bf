/* bench_agents.c - what start, monitor and stop of one guest cost, ours and VirtualDomain beside
 * each other: every round runs each once, so that whatever else the machine does hits all alike.
 *
 * Runs in a node of a lab, or on any host with a libvirtd of its own and no cluster.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agents/vm_cache.h"
#include "common/parse.h"
#include "tests/bench/measure.h"

enum { ROUNDS_MAX = 1000, ROUNDS = 30 };

static const char INSTANCE[] = "bench";
static const char LIBVIRT_SOCKET[] = "/run/libvirt/libvirt-sock-ro";

enum agent { TRUE, PLAIN, VRMS, HEARTBEAT, AGENT_COUNT };

struct options {
	const char *programs[AGENT_COUNT];
	const char *config; /* the guest's XML */
	const char *name;   /* the guest's name in it */
	int64_t rounds;
	bool json;
};

/* In the order of one round: a guest is started, watched and stopped by one agent after another. */
static const struct bench_case {
	enum agent agent;
	const char *action;
	const char *label;
	bool forgets; /* the state file is removed first: the full agent has to look */
} cases[] = {
    {TRUE, "", "/bin/true", false},
    {PLAIN, "start", "plain libvirt in C: start", false},
    {PLAIN, "monitor", "plain libvirt in C: monitor", false},
    {PLAIN, "stop", "plain libvirt in C: stop", false},
    {VRMS, "start", "VirtualMachine: start", false},
    {VRMS, "monitor", "VirtualMachine: monitor", false},
    {VRMS, "monitor", "VirtualMachine: first monitor", true},
    {VRMS, "stop", "VirtualMachine: stop", false},
    {HEARTBEAT, "start", "VirtualDomain: start", false},
    {HEARTBEAT, "monitor", "VirtualDomain: monitor", false},
    {HEARTBEAT, "stop", "VirtualDomain: stop", false},
};
enum { CASE_COUNT = VRMS_COUNT_OF(cases) };

/* All rounds of one case. */
struct series {
	double wall_ms[ROUNDS_MAX], cpu_ms[ROUNDS_MAX], libvirtd_ms[ROUNDS_MAX];
	double rss_mib;
	struct bench_count count;
};

struct summary {
	double wall_ms, cpu_ms, libvirtd_ms, rss_mib;
	struct bench_count count;
};

/* --- One run ------------------------------------------------------------------------------ */

/* As Pacemaker calls an agent, without its logging and without the CIB. */
static void set_environment(const struct options *options)
{
	const char *const variables[][2] = {
	    {"OCF_ROOT", "/usr/lib/ocf"},
	    {"OCF_RA_VERSION_MAJOR", "1"},
	    {"OCF_RA_VERSION_MINOR", "1"},
	    {"OCF_RESOURCE_INSTANCE", INSTANCE},
	    {"OCF_RESKEY_config", options->config},
	    {"OCF_RESKEY_hypervisor", "qemu:///system"},
	    {"OCF_RESKEY_force_stop", "true"},
	    {"OCF_RESKEY_autoset_utilization_cpu", "false"},
	    {"OCF_RESKEY_autoset_utilization_host_memory", "false"},
	    {"OCF_RESKEY_autoset_utilization_hv_memory", "false"},
	    {"OCF_RESKEY_CRM_meta_timeout", "60000"},
	    {"OCF_RESKEY_CRM_meta_interval", "10000"},
	    {"OCF_RESKEY_crm_feature_set", "3.16.2"},
	    {"PCMK_logfacility", "none"},
	    {"HA_LOGFACILITY", "none"},
	    {"HA_logfacility", "none"},
	    {"HA_debug", "0"},
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(variables); i++) {
		(void)setenv(variables[i][0], variables[i][1], 1);
	}
}

static void fill_argv(const struct options *options, const struct bench_case *bench,
		      const char *argv[5])
{
	bool is_plain = bench->agent == PLAIN;

	argv[0] = options->programs[bench->agent];
	argv[1] = bench->action[0] != '\0' ? bench->action : NULL;
	argv[2] = is_plain ? options->name : NULL;
	argv[3] = is_plain ? options->config : NULL;
	argv[4] = NULL;
	/* resource-agents call the function <type>_<action>. */
	(void)setenv("OCF_RESOURCE_TYPE",
		     bench->agent == HEARTBEAT ? "VirtualDomain" : "VirtualMachine", 1);
	(void)setenv("OCF_RESOURCE_PROVIDER", bench->agent == HEARTBEAT ? "heartbeat" : "vrms", 1);
}

static int forget(struct vrms_error *error)
{
	char path[PATH_MAX];

	int rc = vrms_vm_cache_path(NULL, INSTANCE, "state", path, sizeof(path));
	return rc < 0 ? rc : vrms_vm_cache_remove(path, error);
}

static int measure(const struct options *options, const struct bench_case *bench, pid_t libvirtd,
		   struct series *series, size_t round, struct vrms_error *error)
{
	const char *argv[5];
	struct bench_cost cost;

	int rc = bench->forgets ? forget(error) : 0;
	if (rc < 0) {
		return rc;
	}
	fill_argv(options, bench, argv);
	double before_ms = bench_cpu_ms_of(libvirtd);
	rc = bench_run(argv, environ, &cost, error);
	if (rc < 0) {
		return rc;
	}
	if (cost.exit_code != 0) {
		return vrms_error_set(error, -EIO, "%s ended with %d", bench->label,
				      cost.exit_code);
	}
	series->wall_ms[round] = cost.wall_ms;
	series->cpu_ms[round] = cost.cpu_ms;
	series->libvirtd_ms[round] = bench_cpu_ms_of(libvirtd) - before_ms;
	series->rss_mib = cost.rss_mib > series->rss_mib ? cost.rss_mib : series->rss_mib;
	return 0;
}

static int count(const struct options *options, const struct bench_case *bench,
		 struct series *series, struct vrms_error *error)
{
	const char *argv[5];

	int rc = bench->forgets ? forget(error) : 0;
	if (rc < 0) {
		return rc;
	}
	fill_argv(options, bench, argv);
	rc = bench_count(argv, environ, &series->count, error);
	return rc < 0 ? vrms_error_wrap(error, rc, "%s", bench->label) : 0;
}

static int run_all(const struct options *options, struct series *series, struct vrms_error *error)
{
	pid_t libvirtd = bench_listener(LIBVIRT_SOCKET);
	int rc = 0;

	if (libvirtd == 0) {
		return vrms_error_set(error, -ENOENT, "%s: no libvirtd listens there",
				      LIBVIRT_SOCKET);
	}
	set_environment(options);
	for (size_t i = 0; i < CASE_COUNT && rc == 0; i++) {
		rc = count(options, &cases[i], &series[i], error);
	}
	for (int64_t round = 0; round < options->rounds && rc == 0; round++) {
		for (size_t i = 0; i < CASE_COUNT && rc == 0; i++) {
			rc =
			    measure(options, &cases[i], libvirtd, &series[i], (size_t)round, error);
		}
	}
	return rc;
}

/* --- The report ------------------------------------------------------------------------------ */

static void summarize(struct series *series, size_t rounds, struct summary *summary)
{
	for (size_t i = 0; i < CASE_COUNT; i++) {
		summary[i] = (struct summary){
		    .wall_ms = bench_median(series[i].wall_ms, rounds),
		    .cpu_ms = bench_median(series[i].cpu_ms, rounds),
		    .libvirtd_ms = bench_median(series[i].libvirtd_ms, rounds),
		    .rss_mib = series[i].rss_mib,
		    .count = series[i].count,
		};
	}
}

static const struct summary *find(const struct summary *summary, enum agent agent,
				  const char *action)
{
	for (size_t i = 0; i < CASE_COUNT; i++) {
		if (cases[i].agent == agent && strcmp(cases[i].action, action) == 0) {
			return &summary[i];
		}
	}
	return NULL;
}

static const char *const actions[] = {"monitor", "start", "stop"};

/* What is asked of each action: a ratio to VirtualDomain's CPU, or CPU beyond plain libvirt's. */
static void print_verdicts(const struct summary *summary)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(actions); i++) {
		const struct summary *ours = find(summary, VRMS, actions[i]);
		const struct summary *theirs = find(summary, HEARTBEAT, actions[i]);
		bool is_monitor = i == 0;
		double ratio = theirs->cpu_ms / ours->cpu_ms;
		printf("%-8s VirtualDomain / VirtualMachine: CPU %.1f, wall %.1f", actions[i],
		       ratio, theirs->wall_ms / ours->wall_ms);
		if (is_monitor) {
			printf("; asked: CPU at least 5, no process, under 20 MiB: %s\n",
			       ratio >= 5 && ours->count.processes == 0 && ours->rss_mib < 20
				   ? "reached"
				   : "NOT REACHED");
		} else {
			printf("; asked: at most 30 ms of CPU: %s\n",
			       ours->cpu_ms <= 30 ? "reached" : "NOT REACHED");
		}
	}
}

static void print_table(const struct summary *summary, int64_t rounds)
{
	printf("median of %lld runs, each round running all of them once\n\n", (long long)rounds);
	printf("%-30s %8s %8s %9s %8s %9s %7s %5s\n", "", "wall ms", "CPU ms", "libvirtd",
	       "RSS MiB", "processes", "threads", "execs");
	for (size_t i = 0; i < CASE_COUNT; i++) {
		const struct summary *row = &summary[i];
		printf("%-30s %8.2f %8.2f %9.2f %8.1f %9d %7d %5d\n", cases[i].label, row->wall_ms,
		       row->cpu_ms, row->libvirtd_ms, row->rss_mib, row->count.processes,
		       row->count.threads, row->count.execs);
	}
	putchar('\n');
	print_verdicts(summary);
}

static int print_json(const struct summary *summary, int64_t rounds, struct vrms_error *error)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < CASE_COUNT; i++) {
		const struct summary *row = &summary[i];
		(void)json_array_append_new(
		    rows, json_pack("{ss ss sf sf sf sf si si si}", "what", cases[i].label,
				    "action", cases[i].action, "wall_ms", row->wall_ms, "cpu_ms",
				    row->cpu_ms, "libvirtd_cpu_ms", row->libvirtd_ms, "rss_mib",
				    row->rss_mib, "processes", row->count.processes, "threads",
				    row->count.threads, "execs", row->count.execs));
	}
	json_t *root = json_pack("{sI so}", "rounds", (json_int_t)rounds, "rows", rows);
	int rc = json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(5));
	json_decref(root);
	putchar('\n');
	return rc < 0 ? vrms_error_set(error, -EIO, "writing JSON failed") : 0;
}

/* --- The command -------------------------------------------------------------------------------
 */

static int usage(void)
{
	fputs("usage: bench_agents --config XML --name NAME --plain PROGRAM --vrms AGENT\n"
	      "                    [--heartbeat AGENT] [--rounds N] [--json]\n",
	      stderr);
	return 2;
}

static int parse_options(int argc, char **argv, struct options *options, struct vrms_error *error)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"name", required_argument, NULL, 'n'},
					      {"plain", required_argument, NULL, 'p'},
					      {"vrms", required_argument, NULL, 'v'},
					      {"heartbeat", required_argument, NULL, 'h'},
					      {"rounds", required_argument, NULL, 'r'},
					      {"json", no_argument, NULL, 'j'},
					      {NULL, 0, NULL, 0}};
	int rc = 0;

	for (int c; rc == 0 && (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
		switch (c) {
		case 'c':
			options->config = optarg;
			break;
		case 'n':
			options->name = optarg;
			break;
		case 'p':
			options->programs[PLAIN] = optarg;
			break;
		case 'v':
			options->programs[VRMS] = optarg;
			break;
		case 'h':
			options->programs[HEARTBEAT] = optarg;
			break;
		case 'r':
			rc = vrms_int_parse(optarg, 1, ROUNDS_MAX, &options->rounds, error);
			break;
		case 'j':
			options->json = true;
			break;
		default:
			rc = -EINVAL;
		}
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct options options = {
	    .programs = {[TRUE] = "/bin/true",
			 [HEARTBEAT] = "/usr/lib/ocf/resource.d/heartbeat/VirtualDomain"},
	    .rounds = ROUNDS};
	struct vrms_error error = {{0}};
	struct summary summary[CASE_COUNT];

	if (parse_options(argc, argv, &options, &error) < 0 || options.config == NULL ||
	    options.name == NULL || options.programs[PLAIN] == NULL ||
	    options.programs[VRMS] == NULL) {
		return usage();
	}
	struct series *series VRMS_CLEANUP(vrms_freep) = calloc(CASE_COUNT, sizeof(*series));
	if (series == NULL) {
		return 1;
	}
	int rc = run_all(&options, series, &error);
	if (rc == 0) {
		summarize(series, (size_t)options.rounds, summary);
		if (options.json) {
			rc = print_json(summary, options.rounds, &error);
		} else {
			print_table(summary, options.rounds);
		}
	}
	if (rc < 0) {
		fprintf(stderr, "bench_agents: %s\n", error.text);
		return 1;
	}
	return 0;
}
