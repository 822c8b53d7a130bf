/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/placement_cluster.h"

#include <stdlib.h>
#include <string.h>

#include "common/random.h"

#define KEY "11111111-2222-3333-4444-555555555555"
/* MD5 of an empty parameter list, as Pacemaker writes it down. */
#define NO_PARAMETERS "f2317cad3d54cec5d7d7aa7d0bf35cf8"

static void *need(void *memory)
{
	if (memory == NULL) {
		fputs("out of memory\n", stderr);
		exit(1);
	}
	return memory;
}

static struct bench_cluster *allocate(int nodes, int vms)
{
	struct bench_cluster *cluster = need(calloc(1, sizeof(*cluster)));

	cluster->nodes = nodes;
	cluster->vms = vms;
	cluster->demand = need(calloc((size_t)vms * BENCH_DIMS, sizeof(*cluster->demand)));
	cluster->host = need(calloc((size_t)vms, sizeof(*cluster->host)));
	return cluster;
}

void bench_cluster_free(struct bench_cluster *cluster)
{
	free(cluster->demand);
	free(cluster->host);
	free(cluster);
}

static int larger_first(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (left[0] < right[0]) - (left[0] > right[0]);
}

/* Each VM, the largest first, onto the node that is emptiest then. */
static void spread(struct bench_cluster *cluster)
{
	double *load = need(calloc((size_t)cluster->nodes * BENCH_DIMS, sizeof(*load)));

	qsort(cluster->demand, (size_t)cluster->vms, BENCH_DIMS * sizeof(*cluster->demand),
	      larger_first);
	for (int v = 0; v < cluster->vms; v++) {
		int best = 0;
		double lowest = -1;

		for (int n = 0; n < cluster->nodes; n++) {
			double level = 0;

			for (int d = 0; d < BENCH_DIMS; d++) {
				double share = (load[n * BENCH_DIMS + d] +
						(double)cluster->demand[v * BENCH_DIMS + d]) /
					       (double)cluster->capacity[d];

				level = share > level ? share : level;
			}
			if (lowest < 0 || level < lowest) {
				lowest = level;
				best = n;
			}
		}
		cluster->host[v] = best;
		for (int d = 0; d < BENCH_DIMS; d++) {
			load[best * BENCH_DIMS + d] += (double)cluster->demand[v * BENCH_DIMS + d];
		}
	}
	free(load);
}

/* "Starting balanced" in both dimensions is what a rebalance leaves. */
static void make_level(struct bench_cluster *cluster)
{
	const struct vrms_rebalance_config config = {.moves_max = 4 * cluster->vms,
						     .parallel = 2,
						     .gain_min = 0.001,
						     .only_to = VRMS_NODE_NONE};
	struct vrms_model *model = bench_cluster_model(cluster);
	struct vrms_planner *planner = need(vrms_planner_new(model));
	struct vrms_outcome *outcome = need(vrms_outcome_new(model));

	vrms_planner_rebalance(planner, &config, outcome);
	for (int v = 0; v < cluster->vms; v++) {
		cluster->host[v] = vrms_planner_where(planner, v);
	}
	vrms_outcome_free(outcome);
	vrms_planner_free(planner);
	vrms_model_free(model);
}

struct bench_cluster *bench_cluster_new(int nodes, int vms, int fill_pct, uint64_t seed, bool level)
{
	static const int sizes_gib[] = {1, 2, 2, 4, 4, 4, 8, 8, 16, 32, 64};
	struct bench_cluster *cluster = allocate(nodes, vms);
	struct vrms_random random;
	int64_t total[BENCH_DIMS] = {0};

	vrms_random_init(&random, seed);
	for (int v = 0; v < vms; v++) {
		int64_t *demand = &cluster->demand[v * BENCH_DIMS];

		demand[0] = 1024 * sizes_gib[vrms_random_below(&random, VRMS_COUNT_OF(sizes_gib))];
		demand[1] = 10 + (int64_t)vrms_random_below(&random, (uint64_t)demand[0] / 16 + 40);
		total[0] += demand[0];
		total[1] += demand[1];
	}
	for (int d = 0; d < BENCH_DIMS; d++) {
		cluster->capacity[d] = total[d] * 100 / fill_pct / nodes + 1;
	}
	spread(cluster);
	if (level) {
		make_level(cluster);
	}
	return cluster;
}

struct bench_cluster *bench_cluster_tight(uint64_t seed)
{
	enum { NODES = 10, CAPACITY = 128, VMS_MAX = 1000 };
	struct bench_cluster *cluster = allocate(NODES, VMS_MAX);
	struct vrms_random random;
	int64_t left = (NODES - 1) * CAPACITY * 95 / 100;

	vrms_random_init(&random, seed);
	cluster->capacity[0] = CAPACITY;
	cluster->capacity[1] = INT32_MAX;
	for (cluster->vms = 0; left >= 2; cluster->vms++) {
		int64_t size = 2 + (int64_t)vrms_random_below(&random, 47);

		size = size < left ? size : left;
		cluster->demand[cluster->vms * BENCH_DIMS] = size;
		cluster->demand[cluster->vms * BENCH_DIMS + 1] = 1;
		left -= size;
	}
	spread(cluster);
	return cluster;
}

struct vrms_model *bench_cluster_model(const struct bench_cluster *cluster)
{
	struct vrms_model_limits limits = {.nodes = cluster->nodes,
					   .vms = cluster->vms,
					   .name_bytes = 16 * ((size_t)cluster->nodes +
							       (size_t)cluster->vms + 2)};
	struct vrms_model *model = need(vrms_model_new(&limits));
	struct vrms_error error = {""};
	char name[16];
	int rc = vrms_model_add_dim(model, "memory", 1000, &error);

	rc = rc < 0 ? rc : vrms_model_add_dim(model, "cpu", 1000, &error);
	for (int n = 0; n < cluster->nodes && rc >= 0; n++) {
		struct vrms_node_spec spec = {.name = name};

		snprintf(name, sizeof(name), "n%d", n);
		memcpy(spec.capacity, cluster->capacity, sizeof(cluster->capacity));
		rc = vrms_model_add_node(model, &spec, &error);
	}
	for (int v = 0; v < cluster->vms && rc >= 0; v++) {
		struct vrms_vm_spec spec = {.name = name, .host = cluster->host[v]};

		snprintf(name, sizeof(name), "vm%d", v);
		memcpy(spec.demand, &cluster->demand[v * BENCH_DIMS], sizeof(cluster->capacity));
		rc = vrms_model_add_vm(model, &spec, &error);
	}
	rc = rc < 0 ? rc : vrms_model_seal(model, &error);
	if (rc < 0) {
		fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
	return model;
}

static void write_amounts(FILE *out, const char *name, int index, const int64_t *amounts)
{
	fprintf(out,
		"<utilization id=\"%s%d-u\"><nvpair id=\"%s%d-m\" name=\"memory\" value=\"%lld\"/>"
		"<nvpair id=\"%s%d-c\" name=\"cpu\" value=\"%lld\"/></utilization>",
		name, index, name, index, (long long)amounts[0], name, index,
		(long long)amounts[1]);
}

static void write_history(FILE *out, const char *type, const char *name, int node, bool runs)
{
	const char *action = runs ? "start" : "monitor";
	int rc = runs ? 0 : 7;

	fprintf(out,
		"<lrm_resource id=\"%s\" %s><lrm_rsc_op id=\"%s_last_0\" operation_key=\"%s_%s_0\" "
		"operation=\"%s\" crm_feature_set=\"3.16.1\" transition-key=\"1:1:%d:" KEY
		"\" transition-magic=\"0:%d;1:1:%d:" KEY "\" on_node=\"n%d\" call-id=\"10\" "
		"rc-code=\"%d\" op-status=\"0\" interval=\"0\" last-rc-change=\"1700000000\" "
		"exec-time=\"10\" queue-time=\"0\" op-digest=\"" NO_PARAMETERS "\"/>"
		"</lrm_resource>",
		name, type, name, name, action, action, rc, rc, rc, node, rc);
}

static bool is_looked_at(const struct bench_cluster *cluster, int vm, int node, bool probed,
			 const struct vrms_failover *listed)
{
	int count;
	const int *list;

	if (cluster->host[vm] == node || (probed && listed == NULL)) {
		return true;
	}
	if (!probed) {
		return false;
	}
	list = vrms_failover_list(listed, vm, &count);
	for (int i = 0; i < count; i++) {
		if (list[i] == node) {
			return true;
		}
	}
	return false;
}

void bench_cluster_cib(const struct bench_cluster *cluster, const char *strategy, bool probed,
		       const struct vrms_failover *listed, FILE *out)
{
	char name[16];

	fprintf(out,
		"<cib crm_feature_set=\"3.16.1\" validate-with=\"pacemaker-3.9\" epoch=\"1\" "
		"num_updates=\"1\" admin_epoch=\"0\" have-quorum=\"1\" dc-uuid=\"1\">"
		"<configuration><crm_config><cluster_property_set id=\"p\"><nvpair id=\"ps\" "
		"name=\"placement-strategy\" value=\"%s\"/></cluster_property_set></crm_config>"
		"<nodes>",
		strategy);
	for (int n = 0; n < cluster->nodes; n++) {
		fprintf(out, "<node id=\"%d\" uname=\"n%d\">", n + 1, n);
		write_amounts(out, "n", n, cluster->capacity);
		fputs("</node>\n", out);
	}
	fputs("</nodes><resources><primitive id=\"fence\" class=\"stonith\" "
	      "type=\"fence_ipmilan\"/>\n",
	      out);
	for (int v = 0; v < cluster->vms; v++) {
		fprintf(out,
			"<primitive id=\"vm%d\" class=\"ocf\" provider=\"vrms\" "
			"type=\"VirtualMachine\"><meta_attributes id=\"vm%d-meta\"><nvpair "
			"id=\"vm%d-l\" name=\"allow-migrate\" value=\"true\"/></meta_attributes>",
			v, v, v);
		write_amounts(out, "vm", v, &cluster->demand[v * BENCH_DIMS]);
		fputs("</primitive>\n", out);
	}
	fputs("</resources><constraints/><rsc_defaults><meta_attributes id=\"d\"><nvpair "
	      "id=\"ds\" name=\"resource-stickiness\" value=\"1000\"/></meta_attributes>"
	      "</rsc_defaults></configuration><status>\n",
	      out);
	for (int n = 0; n < cluster->nodes; n++) {
		fprintf(out,
			"<node_state id=\"%d\" uname=\"n%d\" in_ccm=\"true\" crmd=\"online\" "
			"join=\"member\" expected=\"member\"><lrm id=\"%d\"><lrm_resources>",
			n + 1, n, n + 1);
		write_history(out, "class=\"stonith\" type=\"fence_ipmilan\"", "fence", n,
			      n == cluster->nodes - 1);
		for (int v = 0; v < cluster->vms; v++) {
			snprintf(name, sizeof(name), "vm%d", v);
			if (is_looked_at(cluster, v, n, probed, listed)) {
				write_history(
				    out, "class=\"ocf\" provider=\"vrms\" type=\"VirtualMachine\"",
				    name, n, cluster->host[v] == n);
			}
		}
		fputs("</lrm_resources></lrm></node_state>\n", out);
	}
	fputs("</status></cib>\n", out);
}

void bench_cluster_ganeti(const struct bench_cluster *cluster, FILE *out)
{
	fputs("group|uuid|preferred||\n\n", out);
	for (int n = 0; n < cluster->nodes; n++) {
		int64_t left = cluster->capacity[0];

		for (int v = 0; v < cluster->vms; v++) {
			left -= cluster->host[v] == n ? cluster->demand[v * BENCH_DIMS] : 0;
		}
		fprintf(out, "n%d|%lld|0|%lld|9999999|9999999|%lld|N|uuid|1\n", n,
			(long long)cluster->capacity[0], (long long)left,
			(long long)(cluster->capacity[1] > 1000000 ? 1000000
								   : cluster->capacity[1]));
	}
	fputc('\n', out);
	for (int v = 0; v < cluster->vms; v++) {
		fprintf(out, "vm%d|%lld|0|%lld|running|Y|n%d||ext||1\n", v,
			(long long)cluster->demand[v * BENCH_DIMS],
			(long long)cluster->demand[v * BENCH_DIMS + 1], cluster->host[v]);
	}
	fputs("\n\n|1,1,0,0,1,1|1,1,0,0,1,1;999999999,999999,999999999,16,8,12|ext|1.0|32.0\n",
	      out);
}

/* Limits of what an instance may be; all of ours are within. */
#define HAIL_LIMITS                                                                            \
	"{\"minmax\":[{\"min\":{\"memory-size\":1,\"cpu-count\":1,\"disk-size\":0,"            \
	"\"disk-count\":0,\"nic-count\":0,\"spindle-use\":1},\"max\":{"                        \
	"\"memory-size\":999999999,\"cpu-count\":999999,\"disk-size\":999999,"                 \
	"\"disk-count\":16,\"nic-count\":8,\"spindle-use\":12}}],\"std\":{\"memory-size\":1,"  \
	"\"cpu-count\":1,\"disk-size\":0,\"disk-count\":0,\"nic-count\":0,\"spindle-use\":1}," \
	"\"disk-templates\":[\"ext\"],\"vcpu-ratio\":1.0,\"spindle-ratio\":32.0}"

static void hail_nodes(const struct bench_cluster *cluster, int lost, FILE *out)
{
	for (int n = 0; n < cluster->nodes; n++) {
		int64_t left = cluster->capacity[0];

		for (int v = 0; v < cluster->vms; v++) {
			left -= cluster->host[v] == n ? cluster->demand[v * BENCH_DIMS] : 0;
		}
		fprintf(out,
			"%s\"n%d\":{\"group\":\"uuid\",\"offline\":%s,\"drained\":false,"
			"\"vm_capable\":true,\"master_candidate\":true,\"total_memory\":%lld,"
			"\"reserved_memory\":0,\"free_memory\":%lld,\"total_disk\":9999999,"
			"\"free_disk\":9999999,\"total_cpus\":%lld,\"reserved_cpus\":0,"
			"\"total_spindles\":0,\"free_spindles\":0,\"tags\":[],\"ndparams\":{"
			"\"spindle_count\":1,\"exclusive_storage\":false,\"cpu_speed\":1.0}}",
			n > 0 ? "," : "", n, n == lost ? "true" : "false",
			(long long)cluster->capacity[0], (long long)left,
			(long long)(cluster->capacity[1] > 1000000 ? 1000000
								   : cluster->capacity[1]));
	}
}

static void hail_request(const struct bench_cluster *cluster, int lost, FILE *out)
{
	const char *comma = "";

	fputs("},\"request\":{\"type\":\"node-evacuate\",\"evac_mode\":\"primary-only\","
	      "\"instances\":[",
	      out);
	for (int v = 0; v < cluster->vms; v++) {
		if (cluster->host[v] == lost) {
			fprintf(out, "%s\"vm%d\"", comma, v);
			comma = ",";
		}
	}
	fputs("]}}", out);
}

void bench_cluster_hail(const struct bench_cluster *cluster, int lost, FILE *out)
{
	fputs("{\"version\":2,\"cluster_name\":\"bench\",\"cluster_tags\":[],"
	      "\"enabled_hypervisors\":[\"kvm\"],\"ipolicy\":" HAIL_LIMITS
	      ",\"nodegroups\":{\"uuid\":{\"name\":\"group\",\"alloc_policy\":\"preferred\","
	      "\"tags\":[],\"networks\":[],\"ipolicy\":" HAIL_LIMITS "}},\"nodes\":{",
	      out);
	hail_nodes(cluster, lost, out);
	fputs("},\"instances\":{", out);
	for (int v = 0; v < cluster->vms; v++) {
		fprintf(out,
			"%s\"vm%d\":{\"disk_space_total\":0,\"memory\":%lld,\"vcpus\":%lld,"
			"\"disk_template\":\"ext\",\"nodes\":[\"n%d\"],\"tags\":[],"
			"\"spindle_use\":1,\"admin_state\":\"up\",\"admin_state_source\":\"admin\","
			"\"disks\":[],\"os\":\"none\",\"nics\":[],\"hypervisor\":\"kvm\","
			"\"auto_balance\":true,\"forthcoming\":false}",
			v > 0 ? "," : "", v, (long long)cluster->demand[v * BENCH_DIMS],
			(long long)cluster->demand[v * BENCH_DIMS + 1], cluster->host[v]);
	}
	hail_request(cluster, lost, out);
}
