/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/cluster.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "lab/internal.h"
#include "lab/iscsi.h"
#include "lab/render.h"
#include "lab/xml.h"

enum {
	ASK_TIMEOUT_MS = 30000,
	EXIT_DISCONNECTED = 102, /* CRM_EX_DISCONNECT of Pacemaker's crm/common/results.h */
	EXIT_NO_SUCH = 105,      /* CRM_EX_NOSUCH */
};

struct setting {
	const char *name, *value;
};

/* The lab differs from Pacemaker's defaults in these only. */
static const struct setting properties[] = {
    {"stonith-enabled", "true"},
    {"stonith-action", "off"},
    {"dc-deadtime", "2s"},
    {"placement-strategy", "balanced"},
    /* The load average is that of the whole machine: every node would think itself overloaded
     * and start one VM at a time. */
    {"load-threshold", "100000%"},
};

/* The controller asks for the CIB as soon as a node is lost; when the answer overtakes its own
 * updates of the CIB, it sleeps for a second.  A ring of many nodes is still synchronising when
 * Pacemaker first sends them: corosync refuses, and they go 210 ms later.  See vrmsd(8). */
static const struct setting delay = {"transition-delay", "50ms"};
static const struct setting delay_crowded = {"transition-delay", "300ms"};

/* Of each node, under the names that the VM agents' autoset_utilization_* use: a resource with a
 * utilization that its node does not declare cannot run there. */
static const struct setting capacity[] = {
    {"cpu", "64"},
    {"hv_memory", "4096"},
    {"host_memory", "4096"},
};

static const struct setting resource_defaults[] = {
    {"resource-stickiness", "100"},
    {"migration-threshold", "3"},
};

/* Why a program that ran has failed: its last line on stderr. */
static const char *last_line(char *text)
{
	char *line;

	for (size_t length = strlen(text); length > 0 && text[length - 1] == '\n'; length--) {
		text[length - 1] = '\0';
	}
	line = strrchr(text, '\n');
	return line != NULL ? line + 1 : text;
}

/* Returns the exit code or a negative errno. */
static int run_on(const struct vrms_lab *lab, int index, const struct vrms_child_spec *spec,
		  char **ret_output, struct vrms_error *error)
{
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	int rc = vrms_lab_node_run(lab, index, spec, &result, error);

	if (rc < 0) {
		return rc;
	}
	if (result.exit_code != 0) {
		vrms_error_set(error, -EIO, "%s: %s", spec->argv[0],
			       result.errors != NULL ? last_line(result.errors) : "failed");
	} else if (ret_output != NULL) {
		*ret_output = VRMS_TAKE(result.output);
	}
	return result.exit_code;
}

/* The exit code of the first node that answers, or a negative errno. */
static int run_anywhere(const struct vrms_lab *lab, const char *const *argv, const char *input,
			char **ret_output, struct vrms_error *error)
{
	const struct vrms_child_spec spec = {
	    .argv = argv,
	    .input = input,
	    .timeout_ms = ASK_TIMEOUT_MS,
	};

	for (int index = 0; index < vrms_lab_node_count(lab); index++) {
		int rc = run_on(lab, index, &spec, ret_output, error);

		if (rc == -EHOSTDOWN || rc == -ETIMEDOUT || rc == EXIT_DISCONNECTED) {
			continue;
		}
		if (rc == 0 && error != NULL) {
			vrms_error_clear(error); /* of the nodes that did not answer */
		}
		return rc;
	}
	return vrms_error_set(error, -EHOSTDOWN, "no node's pacemaker answers");
}

int vrms_lab_cluster_run(const struct vrms_lab *lab, const char *const *argv, const char *input,
			 char **ret_output, struct vrms_error *error)
{
	int rc = run_anywhere(lab, argv, input, ret_output, error);

	return rc > 0 ? -EIO : rc;
}

int vrms_lab_cluster_modify(const struct vrms_lab *lab, const char *section, const char *xml,
			    struct vrms_error *error)
{
	const char *argv[] = {"cibadmin",   "--modify", "--allow-create", "--scope", section,
			      "--xml-pipe", NULL};

	return vrms_lab_cluster_run(lab, argv, xml, NULL, error);
}

int vrms_lab_cluster_wait_idle(const struct vrms_lab *lab, int64_t timeout_ms,
			       struct vrms_error *error)
{
	const char *argv[] = {"crm_resource", "--wait", "--timeout", "10s", NULL};
	int64_t until_ms = vrms_clock_now_ms(vrms_clock_system()) + timeout_ms;
	int rc;

	do {
		rc = run_anywhere(lab, argv, NULL, NULL, error);
	} while (rc > 0 && vrms_clock_now_ms(vrms_clock_system()) < until_ms);
	return rc <= 0 ? rc : vrms_error_wrap(error, -ETIMEDOUT, "Pacemaker does not come to rest");
}

int vrms_lab_cluster_view(const struct vrms_lab *lab, struct vrms_lab_view *ret_view,
			  struct vrms_error *error)
{
	char *output VRMS_CLEANUP(vrms_freep) = NULL;
	const char *argv[] = {"crm_mon", "--one-shot", "--output-as=xml", NULL};
	int rc = vrms_lab_cluster_run(lab, argv, NULL, &output, error);

	return rc < 0 ? rc : vrms_lab_view_parse(output, ret_view, error);
}

static void add_settings(struct vrms_xml_text *xml, const char *set, const char *prefix,
			 const struct setting *settings, size_t count)
{
	vrms_xml_text_begin(xml, set, "id", prefix, NULL);
	for (size_t i = 0; i < count; i++) {
		char id[128];

		snprintf(id, sizeof(id), "%s-%s", prefix, settings[i].name);
		vrms_xml_text_empty(xml, "nvpair", "id", id, "name", settings[i].name, "value",
				    settings[i].value, NULL);
	}
	vrms_xml_text_end(xml);
}

static void add_properties(struct vrms_xml_text *xml, const struct vrms_lab *lab)
{
	struct setting all[VRMS_COUNT_OF(properties) + 1];
	bool is_crowded = vrms_lab_is_crowded(&lab->setup);

	memcpy(all, properties, sizeof(properties));
	all[VRMS_COUNT_OF(properties)] = is_crowded ? delay_crowded : delay;
	add_settings(xml, "cluster_property_set", "cib-bootstrap-options", all, VRMS_COUNT_OF(all));
}

enum { HOSTS_SIZE = VRMS_LAB_NODES_MAX * VRMS_LAB_NODE_NAME_SIZE };

static void list_hosts(const struct vrms_lab *lab, char hosts[HOSTS_SIZE])
{
	size_t length = 0;

	hosts[0] = '\0';
	for (int i = 0; i < vrms_lab_node_count(lab); i++) {
		length += (size_t)snprintf(hosts + length, HOSTS_SIZE - length, "%s%s",
					   i > 0 ? " " : "", vrms_lab_node_name(lab, i));
	}
}

static void add_fence(struct vrms_xml_text *xml, const struct vrms_lab *lab)
{
	char hosts[HOSTS_SIZE];

	list_hosts(lab, hosts);
	const struct setting params[] = {{"pcmk_host_list", hosts}};

	vrms_xml_text_begin(xml, "primitive", "id", "fence", "class", "stonith", "type",
			    "fence_vrms_lab", NULL);
	add_settings(xml, "instance_attributes", "fence-params", params, VRMS_COUNT_OF(params));
	vrms_xml_text_begin(xml, "operations", NULL);
	vrms_xml_text_empty(xml, "op", "id", "fence-monitor", "name", "monitor", "interval", "60s",
			    "timeout", "20s", NULL);
	vrms_xml_text_end(xml);
	vrms_xml_text_end(xml);
}

/* The second opinion; a refusal is an answer, not a failure to be tried again. */
static void add_verdict(struct vrms_xml_text *xml, const struct vrms_lab *lab)
{
	char hosts[HOSTS_SIZE];
	const struct setting params[] = {
	    {"pcmk_host_list", hosts}, /* else each fence waits for its status on every node */
	    {"device", VRMS_LAB_BEAT_AREA},
	    {"cluster", vrms_lab_name(lab)},
	    {"pcmk_off_retries", "1"},
	    {"pcmk_reboot_retries", "1"},
	};

	list_hosts(lab, hosts);
	vrms_xml_text_begin(xml, "primitive", "id", "verdict", "class", "stonith", "type",
			    "fence_vrms_verdict", NULL);
	add_settings(xml, "instance_attributes", "verdict-params", params, VRMS_COUNT_OF(params));
	vrms_xml_text_end(xml);
}

/* Cuts a node off from its LUNs at once; its power goes behind that, in nobody's way. */
static void add_san(struct vrms_xml_text *xml, const struct vrms_lab *lab)
{
	char luns[VRMS_LAB_LUNS_TEXT_SIZE], hosts[HOSTS_SIZE];
	const struct setting params[] = {
	    {"luns", luns},
	    {"pcmk_host_list", hosts}, /* else each fence waits for the agent's list first */
	    {"portal_timeout", "2s"},
	    {"settle", "100ms"},
	    {"behind", "fence_vrms_lab -o off -n $VRMS_FENCE_NODE"},
	};
	const struct setting meta[] = {{"provides", "unfencing"}};

	list_hosts(lab, hosts);
	vrms_lab_iscsi_luns_print(lab, luns);
	vrms_xml_text_begin(xml, "primitive", "id", "san", "class", "stonith", "type",
			    "fence_vrms_scsi", NULL);
	add_settings(xml, "instance_attributes", "san-params", params, VRMS_COUNT_OF(params));
	add_settings(xml, "meta_attributes", "san-meta", meta, VRMS_COUNT_OF(meta));
	vrms_xml_text_end(xml);
}

static void add_level(struct vrms_xml_text *xml, const char *node, int level, const char *devices)
{
	char id[64], index[8];

	snprintf(id, sizeof(id), "level-%s-%d", node, level);
	snprintf(index, sizeof(index), "%d", level);
	vrms_xml_text_empty(xml, "fencing-level", "id", id, "target", node, "index", index,
			    "devices", devices, NULL);
}

static void add_topology(struct vrms_xml_text *xml, const struct vrms_lab *lab)
{
	const char *power = vrms_lab_has_vrmsd(lab) ? "verdict,fence" : "fence";
	bool has_iscsi = vrms_lab_has_iscsi(lab);

	if (!has_iscsi && !vrms_lab_has_vrmsd(lab)) {
		return;
	}
	vrms_xml_text_begin(xml, "fencing-topology", NULL);
	for (int i = 0; i < vrms_lab_node_count(lab); i++) {
		const char *node = vrms_lab_node_name(lab, i);

		if (has_iscsi) {
			add_level(xml, node, 1, vrms_lab_has_vrmsd(lab) ? "verdict,san" : "san");
		}
		add_level(xml, node, has_iscsi ? 2 : 1, power);
	}
	vrms_xml_text_end(xml);
}

static void add_nodes(struct vrms_xml_text *xml, const struct vrms_lab *lab)
{
	vrms_xml_text_begin(xml, "nodes", NULL);
	for (int i = 0; i < vrms_lab_node_count(lab); i++) {
		char id[16], prefix[64];

		snprintf(id, sizeof(id), "%d", i + 1);
		snprintf(prefix, sizeof(prefix), "%s-capacity", vrms_lab_node_name(lab, i));
		vrms_xml_text_begin(xml, "node", "id", id, "uname", vrms_lab_node_name(lab, i),
				    NULL);
		add_settings(xml, "utilization", prefix, capacity, VRMS_COUNT_OF(capacity));
		vrms_xml_text_end(xml);
	}
	vrms_xml_text_end(xml);
}

/* Behind a second opinion both devices are clones.  In a level of two devices Pacemaker's fencer
 * goes on to the second only when a node has answered that holds it verified, and does not look
 * again when that answer comes after the first device is through: with a device on one node only
 * and a verdict of milliseconds a fence can hang until its time-out. */
static void add_power(struct vrms_xml_text *xml, const struct vrms_lab *lab)
{
	if (!vrms_lab_has_vrmsd(lab)) {
		add_fence(xml, lab);
		return;
	}
	vrms_xml_text_begin(xml, "clone", "id", "fences", NULL);
	add_fence(xml, lab);
	vrms_xml_text_end(xml);
	vrms_xml_text_begin(xml, "clone", "id", "verdicts", NULL);
	add_verdict(xml, lab);
	vrms_xml_text_end(xml);
}

static char *configuration_xml(const struct vrms_lab *lab)
{
	struct vrms_xml_text xml;

	vrms_xml_text_init(&xml);
	vrms_xml_text_begin(&xml, "configuration", NULL);
	vrms_xml_text_begin(&xml, "crm_config", NULL);
	add_properties(&xml, lab);
	vrms_xml_text_end(&xml);
	add_nodes(&xml, lab);
	vrms_xml_text_begin(&xml, "resources", NULL);
	add_power(&xml, lab);
	if (vrms_lab_has_iscsi(lab)) {
		add_san(&xml, lab);
	}
	vrms_xml_text_end(&xml);
	add_topology(&xml, lab);
	vrms_xml_text_begin(&xml, "rsc_defaults", NULL);
	add_settings(&xml, "meta_attributes", "rsc-options", resource_defaults,
		     VRMS_COUNT_OF(resource_defaults));
	vrms_xml_text_end(&xml);
	vrms_xml_text_end(&xml);
	return vrms_xml_text_done(&xml);
}

int vrms_lab_cluster_configure(const struct vrms_lab *lab, struct vrms_error *error)
{
	const char *query[] = {"cibadmin", "--query", "--xpath", "//primitive[@class='stonith']",
			       NULL};
	int rc = run_anywhere(lab, query, NULL, NULL, error);

	if (rc <= 0) {
		return rc;
	}
	if (rc != EXIT_NO_SUCH) {
		return -EIO;
	}
	vrms_error_clear(error);

	char *xml VRMS_CLEANUP(vrms_freep) = configuration_xml(lab);
	if (xml == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	return vrms_lab_cluster_modify(lab, "configuration", xml, error);
}
