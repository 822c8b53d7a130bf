/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pacemaker's own scheduler puts every displaced VM where the lists say.
 *
 * Clusters are written as CIBs, read back, planned, and given to crm_simulate
 * with each node lost in turn.
 */
#include <errno.h>
#include <libxml/parser.h>
#include <unistd.h>

#include "common/child.h"
#include "common/file.h"
#include "placement/cib.h"
#include "placement/cib_write.h"
#include "placement/import.h"
#include "tests/unit/placement_cluster.h"
#include "tests/unit/unit.h"

enum { CLUSTERS = 6, CIB_BYTES = 1 << 20 };

/* MD5 of an empty parameter list, as Pacemaker writes it down: "defined as it was then". */
#define NO_PARAMETERS "f2317cad3d54cec5d7d7aa7d0bf35cf8"
#define KEY           "11111111-2222-3333-4444-555555555555"

static char folder[] = "/tmp/vrms-test-cib-XXXXXX";

static void write_nodes(const struct cluster *cluster, FILE *out)
{
	fputs("<cib crm_feature_set=\"3.16.1\" validate-with=\"pacemaker-3.9\" epoch=\"1\" "
	      "num_updates=\"1\" admin_epoch=\"0\" have-quorum=\"1\" dc-uuid=\"1\">"
	      "<configuration><crm_config/><nodes>",
	      out);
	for (int n = 0; n < cluster->node_count; n++) {
		fprintf(
		    out,
		    "<node id=\"%d\" uname=\"n%d\"><utilization id=\"n%d-u\">"
		    "<nvpair id=\"n%d-m\" name=\"memory\" value=\"%lld\"/></utilization></node>",
		    n + 1, n, n, n, (long long)cluster->capacity[n][0]);
	}
	fputs("</nodes><resources>"
	      "<primitive id=\"fence\" class=\"stonith\" type=\"fence_ipmilan\"/>",
	      out);
	for (int v = 0; v < cluster->vm_count; v++) {
		fprintf(out,
			"<primitive id=\"vm%d\" class=\"ocf\" provider=\"vrms\" "
			"type=\"VirtualMachine\"><meta_attributes id=\"vm%d-meta\">"
			"<nvpair id=\"vm%d-live\" name=\"allow-migrate\" value=\"true\"/>"
			"</meta_attributes><utilization id=\"vm%d-u\"><nvpair id=\"vm%d-m\" "
			"name=\"memory\" value=\"%lld\"/></utilization></primitive>",
			v, v, v, v, v, (long long)cluster->demand[v][0]);
	}
	fputs("</resources><constraints/></configuration><status>", out);
}

static void write_history(FILE *out, const char *resource, int node, int call, bool runs)
{
	fprintf(out,
		"<lrm_resource id=\"%s\" class=\"%s\"%s type=\"%s\"><lrm_rsc_op id=\"%s_last_0\" "
		"operation_key=\"%s_%s_0\" operation=\"%s\" crm_feature_set=\"3.16.1\" "
		"transition-key=\"1:1:%d:" KEY "\" transition-magic=\"0:%d;1:1:%d:" KEY
		"\" on_node=\"n%d\" call-id=\"%d\" rc-code=\"%d\" op-status=\"0\" "
		"interval=\"0\" op-digest=\"" NO_PARAMETERS "\"/></lrm_resource>",
		resource, strcmp(resource, "fence") == 0 ? "stonith" : "ocf",
		strcmp(resource, "fence") == 0 ? "" : " provider=\"vrms\"",
		strcmp(resource, "fence") == 0 ? "fence_ipmilan" : "VirtualMachine", resource,
		resource, runs ? "start" : "monitor", runs ? "start" : "monitor", runs ? 0 : 7,
		runs ? 0 : 7, runs ? 0 : 7, node, call, runs ? 0 : 7);
}

/* The cluster as "cibadmin -Q" would show it, every VM probed everywhere; to be freed. */
static char *cib_of(const struct cluster *cluster)
{
	char *text = NULL, name[16];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	write_nodes(cluster, out);
	for (int n = 0; n < cluster->node_count; n++) {
		fprintf(out,
			"<node_state id=\"%d\" uname=\"n%d\" in_ccm=\"true\" crmd=\"online\" "
			"join=\"member\" expected=\"member\"><lrm id=\"%d\"><lrm_resources>",
			n + 1, n, n + 1);
		write_history(out, "fence", n, 5, n == cluster->node_count - 1);
		for (int v = 0; v < cluster->vm_count; v++) {
			snprintf(name, sizeof(name), "vm%d", v);
			write_history(out, name, n, 10 + v, cluster->host[v] == n);
		}
		fputs("</lrm_resources></lrm></node_state>", out);
	}
	fputs("</status></cib>", out);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static struct vrms_model *model_of(const char *cib)
{
	struct vrms_model *model = NULL;
	struct vrms_error error = {""};

	ck_assert_msg(vrms_import_text(cib, "cib", NULL, &model, &error) == 0, "%s", error.text);
	return model;
}

static void plan_into(char **cib, const struct vrms_model *model, struct vrms_failover *lists)
{
	const struct vrms_cib_write_config config = {.exclusive = false};
	struct vrms_error error = {""};
	char *planned = NULL;

	ck_assert_msg(vrms_cib_write(*cib, model, lists, &config, &planned, &error) == 0, "%s",
		      error.text);
	ck_assert_ptr_nonnull(planned);
	free(*cib);
	*cib = planned;
}

/* Where the scheduler sends each VM of the lost node: dest[vm], -1: it does not say. */
static void simulate(const char *path, const char *node, int dest[CLUSTER_VMS], int *ret_others)
{
	const struct vrms_child_spec spec = {
	    .argv = (const char *const[]){"crm_simulate", "-x", path, "-R", "-f", node,
					  "--output-as", "xml", NULL},
	    .timeout_ms = 60000,
	};
	struct vrms_child_result result = {0};
	struct vrms_error error = {""};

	memset(dest, 0xff, CLUSTER_VMS * sizeof(*dest));
	*ret_others = 0;
	ck_assert_msg(vrms_child_run(&spec, &result, &error) == 0, "%s", error.text);
	ck_assert_msg(result.exit_code == 0, "%s", result.errors);
	xmlDoc *document = xmlReadMemory(result.output, (int)strlen(result.output), "crm_simulate",
					 NULL, XML_PARSE_NOERROR);
	xmlNode *actions = vrms_cib_child(xmlDocGetRootElement(document), "actions");

	for (xmlNode *at = vrms_cib_child(actions, "rsc_action"); at != NULL;
	     at = vrms_cib_next(at, "rsc_action")) {
		int vm, to;
		const char *place = vrms_cib_peek(at, "dest");

		if (sscanf(vrms_cib_peek(at, "resource"), "vm%d", &vm) != 1) {
			continue;
		}
		if (!vrms_cib_is(at, "source", node)) {
			++*ret_others;
		} else if (place != NULL && sscanf(place, "n%d", &to) == 1) {
			dest[vm] = to;
		}
	}
	xmlFreeDoc(document);
	vrms_child_result_done(&result);
}

static void compare(const struct cluster *cluster, const char *cib,
		    const struct vrms_failover *lists)
{
	char path[64], node[16];
	struct vrms_error error = {""};
	int dest[CLUSTER_VMS], others;

	snprintf(path, sizeof(path), "%s/cib.xml", folder);
	ck_assert_int_eq(vrms_file_write(path, cib, strlen(cib), 0600, &error), 0);
	for (int n = 0; n < cluster->node_count; n++) {
		if (!vrms_failover_case(lists, n)->by_list) {
			continue;
		}
		snprintf(node, sizeof(node), "n%d", n);
		simulate(path, node, dest, &others);
		ck_assert_int_eq(others, 0);
		for (int v = 0; v < cluster->vm_count; v++) {
			int count;
			const int *list = vrms_failover_list(lists, v, &count);

			if (cluster->host[v] == n) {
				ck_assert_msg(dest[v] == list[0],
					      "loss of n%d: vm%d goes to n%d, planned n%d", n, v,
					      dest[v], list[0]);
			}
		}
	}
	ck_assert_int_eq(unlink(path), 0);
}

/* Plain clusters of unequal VMs, about 60 % full. */
static void make_cluster(struct cluster *cluster, uint64_t seed)
{
	struct vrms_random random;
	struct vrms_error error = {""};
	int64_t total = 0;

	vrms_random_init(&random, seed);
	*cluster = (struct cluster){.node_count = 3 + cluster_pick(&random, 4),
				    .vm_count = 12 + cluster_pick(&random, 20),
				    .dim_count = 1};
	for (int v = 0; v < cluster->vm_count; v++) {
		cluster->host[v] = VRMS_NODE_NONE;
		cluster->demand[v][0] = 1 + cluster_pick(&random, 32);
		total += cluster->demand[v][0];
	}
	for (int n = 0; n < cluster->node_count; n++) {
		cluster->rack[n] = n;
		cluster->capacity[n][0] = total * 100 / 60 / cluster->node_count + 8;
	}
	ck_assert_int_eq(cluster_build(cluster, &error), 0);
	cluster_settle(cluster);
}

START_TEST(the_scheduler_follows_the_lists)
{
	struct cluster cluster;

	for (uint64_t seed = 1; seed <= CLUSTERS; seed++) {
		struct vrms_failover_config config;

		make_cluster(&cluster, seed);
		char *cib VRMS_CLEANUP(vrms_freep) = cib_of(&cluster);
		struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = model_of(cib);

		for (int v = 0; v < cluster.vm_count; v++) {
			ck_assert_int_eq(vrms_model_vm_host(model, v), cluster.host[v]);
		}
		vrms_failover_config_default(&config, model);
		struct vrms_failover *lists = vrms_failover_new(model, NULL, &config);

		plan_into(&cib, model, lists);
		compare(&cluster, cib, lists);
		vrms_failover_free(lists);
		cluster_done(&cluster);
	}
}
END_TEST

START_TEST(writing_twice_changes_nothing_and_clear_takes_all_out)
{
	struct cluster cluster;
	struct vrms_failover_config config;
	struct vrms_error error = {""};
	char *again = NULL;

	make_cluster(&cluster, 1);
	char *cib VRMS_CLEANUP(vrms_freep) = cib_of(&cluster);
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = model_of(cib);

	vrms_failover_config_default(&config, model);
	struct vrms_failover *lists = vrms_failover_new(model, NULL, &config);

	plan_into(&cib, model, lists);
	ck_assert_ptr_nonnull(strstr(cib, "<tag id=\"" VRMS_CIB_PREFIX "tag\""));
	ck_assert_int_eq(vrms_cib_write(cib, model, lists, &(struct vrms_cib_write_config){0},
					&again, &error),
			 0);
	ck_assert_ptr_null(again);
	/* What was planned does not become a rule of the next plan. */
	struct vrms_model *reread VRMS_CLEANUP(vrms_model_freep) = model_of(cib);

	ck_assert_int_eq(vrms_model_vm_count(reread), cluster.vm_count);
	ck_assert_int_eq(vrms_cib_write(cib, model, NULL,
					&(struct vrms_cib_write_config){.clear = true}, &again,
					&error),
			 0);
	ck_assert_ptr_nonnull(again);
	ck_assert_ptr_null(strstr(again, VRMS_CIB_PREFIX "n"));
	ck_assert_ptr_null(strstr(again, "<obj_ref"));
	free(again);
	vrms_failover_free(lists);
	cluster_done(&cluster);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {the_scheduler_follows_the_lists,
				      writing_twice_changes_nothing_and_clear_takes_all_out};
	int status;

	if (access("/usr/sbin/crm_simulate", X_OK) != 0) {
		puts("skipped: no crm_simulate here (Debian package: pacemaker)");
		return 77;
	}
	/* crm_simulate works on copies of the CIB that belong into no cluster's folder. */
	if (mkdtemp(folder) == NULL || setenv("CIB_shadow_dir", folder, 1) != 0 ||
	    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) != 0) {
		return EXIT_FAILURE;
	}
	status = unit_run("placement_cib", tests, VRMS_COUNT_OF(tests));
	return rmdir(folder) == 0 ? status : EXIT_FAILURE;
}
