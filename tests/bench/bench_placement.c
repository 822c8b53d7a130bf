/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Placement beside its peers, on the same clusters in one run; see placement_peers.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "placement/cib_write.h"
#include "tests/bench/placement_cluster.h"
#include "tests/bench/placement_peers.h"

enum { TIGHT_CLUSTERS = 10, TRIM_MOVES = 5, LOOKUPS = 200 };

static double now_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
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

/* How far the highest load is above the lower bound, in percent, in the worse dimension. */
static double gap_of(const struct bench_cluster *cluster, const int *host, const double *bound)
{
	double worst = 0;

	for (int d = 0; d < BENCH_DIMS; d++) {
		for (int n = 0; n < cluster->nodes; n++) {
			double used = 0, gap;

			for (int v = 0; v < cluster->vms; v++) {
				used +=
				    host[v] == n ? (double)cluster->demand[v * BENCH_DIMS + d] : 0;
			}
			gap = used / (double)cluster->capacity[d] / bound[d] - 1;
			worst = gap > worst ? gap : worst;
		}
	}
	return 100 * worst;
}

struct row {
	const char *name;
	int (*answer)(const struct bench_cluster *cluster, int lost, int *host, double *ret_ms);
	bool slow; /* more than a minute for 1000 VMs: not with --quick */
};

static const struct row peers[] = {
    {"Pacemaker's crm_simulate, balanced", bench_peer_pacemaker},
    {"Ganeti's hbal, evacuation only", bench_peer_hbal_evacuates},
    {"Ganeti's hbal, all it can", bench_peer_hbal, .slow = true},
    {"Ganeti's hail", bench_peer_hail},
};

/* Where VMs are by a plan of ours, survivors fixed. */
static void our_answer(const struct bench_cluster *cluster, const struct vrms_outcome *outcome,
		       int *host)
{
	memcpy(host, cluster->host, (size_t)cluster->vms * sizeof(*host));
	for (int i = 0; i < outcome->move_count; i++) {
		host[outcome->moves[i].vm] = outcome->moves[i].to;
	}
}

static void show_row(const char *name, const struct bench_cluster *cluster, const int *host,
		     const double *bound, double ms)
{
	int moved = 0;

	for (int v = 0; v < cluster->vms; v++) {
		moved += cluster->host[v] != 0 && host[v] != cluster->host[v];
	}
	printf("  %-38s %10.3f ms  %6.2f %% above the bound  %4d survivors moved\n", name, ms,
	       gap_of(cluster, host, bound), moved);
}

static void measure_decision(bool quick)
{
	struct bench_cluster *cluster = bench_cluster_new(40, 1000, 60, 1, true);
	struct vrms_model *model = bench_cluster_model(cluster);
	struct vrms_planner *planner = vrms_planner_new(model);
	struct vrms_outcome *outcome = vrms_outcome_new(model);
	int *host = calloc((size_t)cluster->vms, sizeof(*host)), lost = 0;
	double ms;

	puts("\nOne failure decided, 40 nodes, 1000 VMs, started level (CPU; highest load):");
	look_up(cluster);
	ms = now_ms(CLOCK_PROCESS_CPUTIME_ID);
	vrms_planner_fail(planner, &lost, 1, outcome);
	ms = now_ms(CLOCK_PROCESS_CPUTIME_ID) - ms;
	our_answer(cluster, outcome, host);
	show_row("vrms, worked out anew", cluster, host, outcome->bound, ms);
	for (size_t i = 0; i < VRMS_COUNT_OF(peers); i++) {
		if (quick && peers[i].slow) {
			continue;
		}
		if (peers[i].answer(cluster, lost, host, &ms) < 0) {
			printf("  %-38s not installed\n", peers[i].name);
		} else {
			show_row(peers[i].name, cluster, host, outcome->bound, ms);
		}
		fflush(stdout);
	}
	free(host);
	vrms_outcome_free(outcome);
	vrms_planner_free(planner);
	vrms_model_free(model);
	bench_cluster_free(cluster);
}

/* The whole run of the scheduler, idle and with a node lost. */
static void schedule(const char *label, const char *path)
{
	double idle, lost;
	char *output;

	output =
	    bench_peer_run((const char *const[]){"crm_simulate", "-x", path, "-R", "--quiet", NULL},
			   &idle);
	if (output == NULL) {
		printf("  %-52s not installed\n", label);
		return;
	}
	free(output);
	output = bench_peer_run((const char *const[]){"crm_simulate", "-x", path, "-R", "-f", "n0",
						      "--quiet", NULL},
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
	bench_peer_cib(cluster, "balanced", true, NULL, path);
	schedule("balanced, all VMs probed on all nodes", path);
	bench_peer_cib(cluster, "utilization", true, NULL, path);
	plan_cib(path, model, lists, false);
	schedule("our lists, all VMs probed on all nodes", path);
	bench_peer_cib(cluster, "utilization", true, lists, path);
	plan_cib(path, model, lists, true);
	schedule("our lists, exclusive: probed on listed nodes only", path);
	bench_peer_cib(cluster, "balanced", false, NULL, path);
	schedule("balanced, probes still to be done", path);
	bench_peer_cib(cluster, "utilization", false, NULL, path);
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

static void measure_tight(void)
{
	int down = 0, shifts = 0, proven = 0, theirs[VRMS_COUNT_OF(peers)] = {0}, node = 0;
	double spent = 0, ms;

	for (uint64_t seed = 1; seed <= TIGHT_CLUSTERS; seed++) {
		struct bench_cluster *cluster = bench_cluster_tight(seed);
		struct vrms_model *model = bench_cluster_model(cluster);
		struct vrms_planner *planner = vrms_planner_new(model);
		struct vrms_outcome *outcome = vrms_outcome_new(model);
		int *host = calloc((size_t)cluster->vms, sizeof(*host));
		double start = now_ms(CLOCK_PROCESS_CPUTIME_ID);

		vrms_planner_fail(planner, &node, 1, outcome);
		spent += now_ms(CLOCK_PROCESS_CPUTIME_ID) - start;
		down += outcome->stopped_count;
		proven += outcome->fewest;
		for (int i = 0; i < outcome->move_count; i++) {
			shifts += outcome->moves[i].kind == VRMS_MOVE_ROOM;
		}
		for (size_t p = 0; p < VRMS_COUNT_OF(peers); p++) {
			int left = peers[p].answer(cluster, node, host, &ms);

			theirs[p] = left < 0 ? -1000 : theirs[p] + left;
		}
		free(host);
		vrms_outcome_free(outcome);
		vrms_planner_free(planner);
		vrms_model_free(model);
		bench_cluster_free(cluster);
	}
	printf("\nTen tight clusters (10 nodes of 128, VMs of 2 to 48, 95 %% after one loss):\n"
	       "  %-38s %3d VMs down, %d live migrations make room (proven fewest in %d), "
	       "%.1f ms each\n",
	       "vrms", down, shifts, proven, spent / TIGHT_CLUSTERS);
	for (size_t p = 0; p < VRMS_COUNT_OF(peers); p++) {
		printf(theirs[p] < 0 ? "  %-38s not installed\n" : "  %-38s %3d VMs down\n",
		       peers[p].name, theirs[p]);
	}
}

int main(int argc, char **argv)
{
	bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;

	if (bench_peer_open() < 0) {
		return 1;
	}
	puts("Complete fail-over lists:");
	fflush(stdout);
	measure_lists(64, 2000, 2, "1 s");
	measure_lists(200, 5000, 1, "0.3 s");
	measure_lists(1000, 50000, 1, "10 s, 1 GiB");
	measure_balance();
	measure_tight();
	measure_decision(quick);
	fflush(stdout);
	if (!quick) {
		measure_scheduler(8, 1000);
		fflush(stdout);
		measure_scheduler(32, 1000);
	}
	return bench_peer_close() == 0 ? 0 : 1;
}
