/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Placement beside its peers, on the same clusters in one run: Pacemaker's scheduler
 * (crm_simulate) and Ganeti's hbal, each where it is installed.
 */
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/child.h"
#include "common/file.h"
#include "placement/cib.h"
#include "placement/cib_write.h"
#include "tests/bench/placement_cluster.h"

enum { TIGHT_CLUSTERS = 10, TRIM_MOVES = 5, LOOKUPS = 200 };

static char folder[] = "/tmp/vrms-bench-placement-XXXXXX";

static double now_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* CPU that ended children used so far, in ms. */
static double children_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static void path_of(const char *name, char path[96])
{
	snprintf(path, 96, "%s/%s", folder, name);
}

/* Runs a peer; its output (to be freed) or NULL when it is not installed. */
static char *run(const char *const *argv, double *ret_cpu_ms)
{
	const struct vrms_child_spec spec = {.argv = argv, .timeout_ms = 600000};
	struct vrms_child_result result = {0};
	struct vrms_error error = {""};
	double before = children_ms();
	char *output = NULL;

	if (vrms_child_run(&spec, &result, &error) == 0) {
		output = VRMS_TAKE(result.output);
	}
	*ret_cpu_ms = children_ms() - before;
	vrms_child_result_done(&result);
	return output;
}

/* Complete lists, in a process of its own so that its memory is its own. */
static void measure_lists(int nodes, int vms, int losses, const char *goal)
{
	struct bench_cluster *cluster = bench_cluster_new(nodes, vms, 60, 1, false);
	struct vrms_model *model = bench_cluster_model(cluster);
	struct vrms_failover_config config;
	struct rusage usage;
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		double cpu = now_ms(CLOCK_PROCESS_CPUTIME_ID), wall = now_ms(CLOCK_MONOTONIC);

		vrms_failover_config_default(&config, model);
		config.losses = losses;
		struct vrms_failover *lists = vrms_failover_new(model, NULL, &config);

		cpu = now_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		wall = now_ms(CLOCK_MONOTONIC) - wall;
		printf("  %4d nodes %5d VMs  all losses of %-8s %8.0f ms CPU %8.0f ms wall", nodes,
		       vms, losses > 1 ? "1 and 2" : "1", cpu, wall);
		fflush(stdout);
		_exit(lists == NULL);
	}
	if (child > 0 && wait4(child, &status, 0, &usage) == child) {
		printf(" %6ld MiB   (goal %s)\n", usage.ru_maxrss / 1024, goal);
	}
	vrms_model_free(model);
	bench_cluster_free(cluster);
}

static void write_cib(const struct bench_cluster *cluster, const char *strategy, bool probed,
		      const struct vrms_failover *listed, char path[96])
{
	FILE *out;

	path_of("cib.xml", path);
	out = fopen(path, "w");
	if (out == NULL) {
		perror(path);
		exit(1);
	}
	bench_cluster_cib(cluster, strategy, probed, listed, out);
	fclose(out);
}

/* Puts the lists into the CIB that is in the file. */
static void plan_cib(const char *path, const struct vrms_model *model,
		     const struct vrms_failover *lists, bool exclusive)
{
	const struct vrms_cib_write_config config = {.exclusive = exclusive};
	char *text VRMS_CLEANUP(vrms_freep) = NULL, *planned VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_error error = {""};
	int rc = vrms_file_read(path, (size_t)1 << 30, &text, NULL, &error);

	if (rc == 0) {
		rc = vrms_cib_write(text, model, lists, &config, &planned, &error);
	}
	if (rc == 0) {
		rc = vrms_file_write(path, planned, strlen(planned), 0600, &error);
	}
	if (rc < 0) {
		fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
}

static void look_up(const struct bench_cluster *cluster)
{
	struct vrms_model *model = bench_cluster_model(cluster);
	struct vrms_planner *planner = vrms_planner_new(model);
	struct vrms_outcome *outcome = vrms_outcome_new(model);
	struct vrms_failover_config config;
	double spent = 0;

	vrms_failover_config_default(&config, model);
	struct vrms_failover *lists = vrms_planner_lists(planner, &config);

	for (int i = 0; i < LOOKUPS; i++) {
		int node = i % cluster->nodes;
		double start = now_ms(CLOCK_MONOTONIC);

		vrms_planner_decide(planner, lists, &node, 1, outcome);
		spent += now_ms(CLOCK_MONOTONIC) - start;
		vrms_planner_reset(planner);
	}
	printf("  vrms, by look-up        %9.3f ms   (goal 1 ms)\n", spent / LOOKUPS);
	vrms_failover_free(lists);
	vrms_outcome_free(outcome);
	vrms_planner_free(planner);
	vrms_model_free(model);
}

static void measure_decision(void)
{
	struct bench_cluster *cluster = bench_cluster_new(40, 1000, 60, 1, true);
	char cib[96], data[96], *output;
	double cpu;
	FILE *out;

	puts("\nOne failure decided, 40 nodes, 1000 VMs (CPU):");
	look_up(cluster);
	write_cib(cluster, "balanced", true, NULL, cib);
	output =
	    run((const char *const[]){"crm_simulate", "-x", cib, "-R", "-f", "n0", NULL}, &cpu);
	printf(output == NULL ? "  crm_simulate            not installed\n"
			      : "  crm_simulate, balanced  %9.0f ms\n",
	       cpu);
	free(output);
	path_of("cluster.data", data);
	out = fopen(data, "w");
	bench_cluster_ganeti(cluster, out);
	fclose(out);
	output =
	    run((const char *const[]){"hbal", "-t", data, "-O", "n0", "--evac-mode", NULL}, &cpu);
	printf(output == NULL ? "  hbal                    not installed\n"
			      : "  hbal, evacuation only   %9.0f ms\n",
	       cpu);
	free(output);
	unlink(cib);
	unlink(data);
	bench_cluster_free(cluster);
}

/* The whole run of the scheduler, idle and with a node lost. */
static void schedule(const char *label, const char *path)
{
	double idle, lost;
	char *output;

	output =
	    run((const char *const[]){"crm_simulate", "-x", path, "-R", "--quiet", NULL}, &idle);
	if (output == NULL) {
		printf("  %-52s not installed\n", label);
		return;
	}
	free(output);
	output = run((const char *const[]){"crm_simulate", "-x", path, "-R", "-f", "n0", "--quiet",
					   NULL},
		     &lost);
	printf("  %-52s %7.2f s idle %7.2f s after a loss\n", label, idle / 1e3, lost / 1e3);
	free(output);
	unlink(path);
}

static void measure_scheduler(int nodes, int vms)
{
	struct bench_cluster *cluster = bench_cluster_new(nodes, vms, 60, 1, false);
	struct vrms_model *model = bench_cluster_model(cluster);
	struct vrms_failover_config config;
	char path[96];

	vrms_failover_config_default(&config, model);
	struct vrms_failover *lists = vrms_failover_new(model, NULL, &config);

	printf("\nPacemaker's scheduler, %d nodes, %d VMs (CPU):\n", nodes, vms);
	write_cib(cluster, "balanced", true, NULL, path);
	schedule("balanced, all VMs probed on all nodes", path);
	write_cib(cluster, "utilization", true, NULL, path);
	plan_cib(path, model, lists, false);
	schedule("our lists, all VMs probed on all nodes", path);
	write_cib(cluster, "utilization", true, lists, path);
	plan_cib(path, model, lists, true);
	schedule("our lists, exclusive: probed on listed nodes only", path);
	write_cib(cluster, "balanced", false, NULL, path);
	schedule("balanced, probes still to be done", path);
	write_cib(cluster, "utilization", false, NULL, path);
	plan_cib(path, model, lists, true);
	schedule("our lists, exclusive, probes still to be done", path);
	vrms_failover_free(lists);
	vrms_model_free(model);
	bench_cluster_free(cluster);
}

static void measure_balance(void)
{
	int within = 0, below = 0, losses = 0;
	double worst[BENCH_DIMS] = {0};

	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct bench_cluster *cluster = bench_cluster_new(40, 1000, 60, seed, true);
		struct vrms_model *model = bench_cluster_model(cluster);
		struct vrms_planner *planner = vrms_planner_new(model);
		struct vrms_outcome *fixed = vrms_outcome_new(model);
		struct vrms_outcome *trimmed = vrms_outcome_new(model);

		for (int node = 0; node < cluster->nodes; node++, losses++) {
			bool is_within = true, is_below = true;

			vrms_planner_reset(planner);
			vrms_planner_fail(planner, &node, 1, fixed);
			vrms_planner_trim(planner, TRIM_MOVES, 2, trimmed);
			for (int d = 0; d < BENCH_DIMS; d++) {
				double gap = fixed->highest_after[d] / fixed->bound[d] - 1;

				worst[d] = gap > worst[d] ? gap : worst[d];
				is_within = is_within && gap <= 0.01;
				is_below = is_below && trimmed->highest_after[d] < fixed->bound[d];
			}
			within += is_within;
			below += is_below;
		}
		vrms_outcome_free(fixed);
		vrms_outcome_free(trimmed);
		vrms_planner_free(planner);
		vrms_model_free(model);
		bench_cluster_free(cluster);
	}
	printf("\nBalance after each of %d losses, 40 nodes, 1000 VMs, started level:\n"
	       "  survivors fixed: within 1 %% of the lower bound in both dimensions: %d; "
	       "worst gap %.2f %% memory, %.2f %% cpu\n"
	       "  up to %d survivors moved: below that bound in both dimensions: %d\n",
	       losses, within, 100 * worst[0], 100 * worst[1], TRIM_MOVES, below);
}

/* VMs of the lost node that the scheduler finds no host for. */
static int pacemaker_down(const struct bench_cluster *cluster, int node)
{
	char path[96], name[16], *output;
	double cpu;
	int down = 0;

	write_cib(cluster, "balanced", true, NULL, path);
	snprintf(name, sizeof(name), "n%d", node);
	output = run((const char *const[]){"crm_simulate", "-x", path, "-R", "-f", name,
					   "--output-as", "xml", NULL},
		     &cpu);
	unlink(path);
	if (output == NULL) {
		return -1;
	}
	xmlDoc *document =
	    xmlReadMemory(output, (int)strlen(output), "crm_simulate", NULL, XML_PARSE_NOERROR);
	xmlNode *actions = vrms_cib_child(xmlDocGetRootElement(document), "actions");

	for (xmlNode *at = vrms_cib_child(actions, "rsc_action"); at != NULL;
	     at = vrms_cib_next(at, "rsc_action")) {
		down += vrms_cib_is(at, "action", "stop");
	}
	xmlFreeDoc(document);
	free(output);
	return down;
}

/* Instances that hbal leaves on the lost node. */
static int hbal_down(const struct bench_cluster *cluster, int node)
{
	char data[96], saved[96], final[112], name[16], end[24], *output;
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_error error = {""};
	double cpu;
	int down = 0;
	FILE *out;

	path_of("cluster.data", data);
	path_of("saved", saved);
	snprintf(final, sizeof(final), "%s.balanced", saved);
	snprintf(name, sizeof(name), "n%d", node);
	snprintf(end, sizeof(end), "|n%d||ext|", node);
	out = fopen(data, "w");
	bench_cluster_ganeti(cluster, out);
	fclose(out);
	output = run((const char *const[]){"hbal", "-t", data, "-O", name, "-q", "-S", saved, NULL},
		     &cpu);
	unlink(data);
	if (output == NULL || vrms_file_read(final, 1 << 24, &text, NULL, &error) < 0) {
		down = -1;
	}
	for (const char *at = text; at != NULL && (at = strstr(at, end)) != NULL; at++) {
		down++;
	}
	free(output);
	unlink(final);
	snprintf(final, sizeof(final), "%s.original", saved);
	unlink(final);
	return down;
}

static void measure_tight(void)
{
	int down = 0, shifts = 0, proven = 0, pacemaker = 0, hbal = 0;
	double spent = 0;

	for (uint64_t seed = 1; seed <= TIGHT_CLUSTERS; seed++) {
		struct bench_cluster *cluster = bench_cluster_tight(seed);
		struct vrms_model *model = bench_cluster_model(cluster);
		struct vrms_planner *planner = vrms_planner_new(model);
		struct vrms_outcome *outcome = vrms_outcome_new(model);
		int node = 0, theirs = pacemaker_down(cluster, node);
		double start = now_ms(CLOCK_PROCESS_CPUTIME_ID);

		vrms_planner_fail(planner, &node, 1, outcome);
		spent += now_ms(CLOCK_PROCESS_CPUTIME_ID) - start;
		down += outcome->stopped_count;
		proven += outcome->fewest;
		for (int i = 0; i < outcome->move_count; i++) {
			shifts += outcome->moves[i].kind == VRMS_MOVE_ROOM;
		}
		pacemaker = theirs < 0 ? -1 : pacemaker + theirs;
		theirs = hbal_down(cluster, node);
		hbal = theirs < 0 ? -1 : hbal + theirs;
		vrms_outcome_free(outcome);
		vrms_planner_free(planner);
		vrms_model_free(model);
		bench_cluster_free(cluster);
	}
	printf("\nTen tight clusters (10 nodes of 128, VMs of 2 to 48, 95 %% after one loss):\n"
	       "  vrms         %3d VMs down, %d live migrations make room (proven fewest in %d), "
	       "%.1f ms each\n"
	       "  Pacemaker    %3d VMs down%s\n"
	       "  hbal         %3d VMs down%s\n",
	       down, shifts, proven, spent / TIGHT_CLUSTERS, pacemaker,
	       pacemaker < 0 ? " (not installed)" : "", hbal, hbal < 0 ? " (not installed)" : "");
}

int main(int argc, char **argv)
{
	bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;

	if (mkdtemp(folder) == NULL || setenv("CIB_shadow_dir", folder, 1) != 0 ||
	    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) != 0) {
		perror(folder);
		return 1;
	}
	puts("Complete fail-over lists:");
	fflush(stdout);
	measure_lists(64, 2000, 2, "1 s");
	measure_lists(200, 5000, 1, "0.3 s");
	measure_lists(1000, 50000, 1, "10 s, 1 GiB");
	measure_balance();
	measure_tight();
	measure_decision();
	fflush(stdout);
	if (!quick) {
		measure_scheduler(8, 1000);
		fflush(stdout);
		measure_scheduler(32, 1000);
	}
	return rmdir(folder) == 0 ? 0 : 1;
}
