/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/placement_peers.h"

#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/child.h"
#include "common/file.h"
#include "placement/cib.h"

#define HAIL "/usr/lib/ganeti/iallocators/hail"

static char folder[] = "/tmp/vrms-bench-placement-XXXXXX";

int bench_peer_open(void)
{
	if (mkdtemp(folder) == NULL || setenv("CIB_shadow_dir", folder, 1) != 0 ||
	    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) != 0) {
		perror(folder);
		return -1;
	}
	return 0;
}

int bench_peer_close(void)
{
	return rmdir(folder);
}

/* CPU that ended children used so far, in ms. */
static double children_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

char *bench_peer_run(const char *const *argv, double *ret_cpu_ms)
{
	const struct vrms_child_spec spec = {.argv = argv,
					     .timeout_ms = 600000,
					     .output_max = (size_t)1 << 28};
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

static FILE *open_file(const char *name, char path[96])
{
	FILE *out;

	snprintf(path, 96, "%s/%s", folder, name);
	out = fopen(path, "w");
	if (out == NULL) {
		perror(path);
		exit(1);
	}
	return out;
}

void bench_peer_cib(const struct bench_cluster *cluster, const char *strategy, bool probed,
		    const struct vrms_failover *listed, char path[96])
{
	FILE *out = open_file("cib.xml", path);

	bench_cluster_cib(cluster, strategy, probed, listed, out);
	fclose(out);
}

/* "n7", "vm12": the number; -1 when it is none of them or too large. */
static int number_of(const char *name, const char *prefix, int count)
{
	size_t length = strlen(prefix);
	long number;

	if (name == NULL || strncmp(name, prefix, length) != 0) {
		return -1;
	}
	number = strtol(name + length, NULL, 10);
	return number >= 0 && number < count ? (int)number : -1;
}

/* Everything stays but what was on the lost node, which is nowhere yet. */
static void begin(const struct bench_cluster *cluster, int lost, int *host)
{
	for (int v = 0; v < cluster->vms; v++) {
		host[v] = cluster->host[v] == lost ? -1 : cluster->host[v];
	}
}

static int count_down(const struct bench_cluster *cluster, const int *host)
{
	int down = 0;

	for (int v = 0; v < cluster->vms; v++) {
		down += host[v] < 0;
	}
	return down;
}

int bench_peer_pacemaker(const struct bench_cluster *cluster, int lost, int *host, double *ret_ms)
{
	char path[96], name[16], *output;

	bench_peer_cib(cluster, "balanced", true, NULL, path);
	snprintf(name, sizeof(name), "n%d", lost);
	output = bench_peer_run((const char *const[]){"crm_simulate", "-x", path, "-R", "-f", name,
						      "--output-as", "xml", NULL},
				ret_ms);
	unlink(path);
	if (output == NULL) {
		return -1;
	}
	xmlDoc *document =
	    xmlReadMemory(output, (int)strlen(output), "crm_simulate", NULL, XML_PARSE_NOERROR);
	xmlNode *actions = vrms_cib_child(xmlDocGetRootElement(document), "actions");

	begin(cluster, lost, host);
	for (xmlNode *at = vrms_cib_child(actions, "rsc_action"); at != NULL;
	     at = vrms_cib_next(at, "rsc_action")) {
		int vm = number_of(vrms_cib_peek(at, "resource"), "vm", cluster->vms);
		const char *to = vrms_cib_peek(at, "dest");

		if (vm >= 0) {
			host[vm] = number_of(to, "n", cluster->nodes);
		}
	}
	xmlFreeDoc(document);
	free(output);
	return count_down(cluster, host);
}

/* hbal saves the cluster that it ends with: "vm12|memory|...|n7||ext|..." */
static void read_saved(const struct bench_cluster *cluster, char *text, int lost, int *host)
{
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		int vm = number_of(line, "vm", cluster->vms), node;
		const char *at = line;

		for (int i = 0; i < 6 && at != NULL; i++) {
			at = strchr(at, '|');
			at = at == NULL ? NULL : at + 1;
		}
		node = number_of(at, "n", cluster->nodes);
		if (vm >= 0) {
			host[vm] = node == lost ? -1 : node;
		}
	}
}

static int run_hbal(const struct bench_cluster *cluster, int lost, int *host, bool evacuates,
		    double *ret_ms)
{
	char data[96], saved[96], final[112], name[16], *output;
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_error error = {""};
	FILE *out = open_file("cluster.data", data);

	bench_cluster_ganeti(cluster, out);
	fclose(out);
	snprintf(saved, sizeof(saved), "%s/saved", folder);
	snprintf(name, sizeof(name), "n%d", lost);
	output =
	    bench_peer_run((const char *const[]){"hbal", "-t", data, "-O", name, "-q", "-S", saved,
						 evacuates ? "--evac-mode" : NULL, NULL},
			   ret_ms);
	unlink(data);
	snprintf(final, sizeof(final), "%s.balanced", saved);
	begin(cluster, lost, host);
	if (output != NULL && vrms_file_read(final, 1 << 24, &text, NULL, &error) == 0) {
		read_saved(cluster, text, lost, host);
	}
	unlink(final);
	snprintf(final, sizeof(final), "%s.original", saved);
	unlink(final);
	if (output == NULL || text == NULL) {
		free(output);
		return -1;
	}
	free(output);
	return count_down(cluster, host);
}

int bench_peer_hbal(const struct bench_cluster *cluster, int lost, int *host, double *ret_ms)
{
	return run_hbal(cluster, lost, host, false, ret_ms);
}

int bench_peer_hbal_evacuates(const struct bench_cluster *cluster, int lost, int *host,
			      double *ret_ms)
{
	return run_hbal(cluster, lost, host, true, ret_ms);
}

/* Its answer begins with ["vm12","group",["n7"]] for each that it moved. */
static void read_hail(const struct bench_cluster *cluster, const char *text, int *host)
{
	static const char middle[] = "\",\"group\",[\"";

	for (const char *at = strstr(text, "[\"vm"); at != NULL; at = strstr(at + 1, "[\"vm")) {
		int vm = number_of(at + 2, "vm", cluster->vms);
		const char *node = strstr(at, middle);

		if (vm >= 0 && node != NULL && node - at < 24) {
			host[vm] = number_of(node + sizeof(middle) - 1, "n", cluster->nodes);
		}
	}
}

int bench_peer_hail(const struct bench_cluster *cluster, int lost, int *host, double *ret_ms)
{
	char request[96], *output;
	FILE *out = open_file("request.json", request);

	bench_cluster_hail(cluster, lost, out);
	fclose(out);
	output = bench_peer_run((const char *const[]){HAIL, request, NULL}, ret_ms);
	unlink(request);
	if (output == NULL || output[0] == '\0') {
		free(output);
		return -1;
	}
	begin(cluster, lost, host);
	read_hail(cluster, output, host);
	free(output);
	return count_down(cluster, host);
}
