/* The command status, for people and as JSON.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "lab/command.h"
#include "lab/internal.h"
#include "lab/members.h"
#include "lab/network.h"
#include "lab/node.h"
#include "lab/powerd.h"
#include "lab/requirements.h"

enum { SERVICES = 3, NAME_BYTES_MAX = 64, PARTITION_BYTES_MAX = 4096 };

/* By the kernel's name of the process. */
static const char *const services[SERVICES] = {"corosync", "pacemakerd", "libvirtd"};

struct node_view {
	enum vrms_lab_node_state state;
	struct vrms_lab_process init;
	bool is_service_running[SERVICES];
	struct vrms_lab_member member;
};

struct view {
	const struct vrms_lab *lab;
	bool has_switch;
	bool has_power_switch;
	char *partition; /* NULL: whole */
	struct node_view nodes[VRMS_LAB_NODES_MAX];
};

static void close_view(struct view *view)
{
	free(view->partition);
}

static int visit_service(void *context, pid_t pid)
{
	struct node_view *node = context;
	char path[64];
	char *name VRMS_CLEANUP(vrms_freep) = NULL;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	if (vrms_lab_process_pid_ns(pid) != node->init.pid_ns ||
	    vrms_file_read(path, NAME_BYTES_MAX, &name, NULL, NULL) < 0) {
		return 0;
	}
	name[strcspn(name, "\n")] = '\0';
	for (int i = 0; i < SERVICES; i++) {
		if (strcmp(name, services[i]) == 0) {
			node->is_service_running[i] = true;
		}
	}
	return 0;
}

static int look_at_node(const struct vrms_lab *lab, int index, struct node_view *node,
			struct vrms_error *error)
{
	int rc = vrms_lab_node_get_state(lab, index, &node->state, error);

	if (rc < 0 || node->state == VRMS_LAB_NODE_OFF) {
		return rc;
	}
	rc = vrms_lab_node_find(lab, index, &node->init, error);
	if (rc < 0) { /* switched off between the two looks */
		vrms_error_clear(error);
		node->state = VRMS_LAB_NODE_OFF;
		return 0;
	}
	return vrms_lab_process_walk(visit_service, node);
}

/* Pacemaker's view, from the first node that gives one; none is no error. */
static void look_at_members(const struct vrms_lab *lab, struct view *view)
{
	struct vrms_lab_member members[VRMS_LAB_NODES_MAX];

	for (int i = 0; i < vrms_lab_node_count(lab); i++) {
		if (view->nodes[i].state != VRMS_LAB_NODE_ON ||
		    !view->nodes[i].is_service_running[1] ||
		    vrms_lab_members_read(lab, i, members, NULL) < 0) {
			continue;
		}
		for (int k = 0; k < vrms_lab_node_count(lab); k++) {
			view->nodes[k].member = members[k];
		}
		return;
	}
}

static int look(const struct vrms_lab *lab, struct view *view, struct vrms_error *error)
{
	view->lab = lab;
	view->has_switch = vrms_lab_network_is_there(lab);
	view->has_power_switch = vrms_lab_powerd_is_running(lab);
	if (vrms_file_read(vrms_lab_path(lab, "run/partition").text, PARTITION_BYTES_MAX,
			   &view->partition, NULL, NULL) < 0) {
		view->partition = NULL;
	}
	for (int i = 0; i < vrms_lab_node_count(lab); i++) {
		int rc = look_at_node(lab, i, &view->nodes[i], error);
		if (rc < 0) {
			return rc;
		}
	}
	look_at_members(lab, view);
	return 0;
}

static void print_table(const struct view *view)
{
	printf("lab %s in %s: network %s%s%s%s, power switch %s\n", vrms_lab_name(view->lab),
	       vrms_lab_dir(view->lab), view->has_switch ? "up" : "down",
	       view->partition != NULL ? ", split " : "",
	       view->partition != NULL ? view->partition : "", "",
	       view->has_power_switch ? "running" : "not running");
	printf("%-8s %-7s %-8s %-9s %s\n", "NODE", "POWER", "PID", "CLUSTER", "RUNNING");
	for (int i = 0; i < vrms_lab_node_count(view->lab); i++) {
		const struct node_view *node = &view->nodes[i];
		char pid[16] = "-";

		if (node->state != VRMS_LAB_NODE_OFF) {
			snprintf(pid, sizeof(pid), "%d", (int)node->init.pid);
		}
		printf("%-8s %-7s %-8s %-9s", vrms_lab_node_name(view->lab, i),
		       vrms_lab_node_state_name(node->state), pid,
		       vrms_lab_member_name(&node->member));
		for (int k = 0; k < SERVICES; k++) {
			printf("%s%s", node->is_service_running[k] ? " " : "",
			       node->is_service_running[k] ? services[k] : "");
		}
		printf("%s\n", node->member.is_dc ? " (DC)" : "");
	}
}

static json_t *describe_node(const struct view *view, int index)
{
	const struct node_view *node = &view->nodes[index];
	json_t *running = json_array();
	char addresses[VRMS_LAB_NETWORKS][24];

	for (int i = 0; i < SERVICES; i++) {
		if (node->is_service_running[i]) {
			json_array_append_new(running, json_string(services[i]));
		}
	}
	for (int i = 0; i < VRMS_LAB_NETWORKS; i++) {
		snprintf(addresses[i], sizeof(addresses[i]), "10.77.%d.%d", i, index + 1);
	}
	return json_pack("{s:s, s:s, s:i, s:[s,s], s:s, s:b, s:b, s:o}", "name",
			 vrms_lab_node_name(view->lab, index), "power",
			 vrms_lab_node_state_name(node->state), "pid",
			 node->state != VRMS_LAB_NODE_OFF ? (int)node->init.pid : 0, "addresses",
			 addresses[0], addresses[1], "cluster", vrms_lab_member_name(&node->member),
			 "online", node->member.is_online && !node->member.is_pending, "dc",
			 node->member.is_dc, "running", running);
}

static int print_json(const struct view *view, struct vrms_error *error)
{
	json_t *nodes = json_array();

	for (int i = 0; i < vrms_lab_node_count(view->lab); i++) {
		json_array_append_new(nodes, describe_node(view, i));
	}
	json_t *json VRMS_CLEANUP(json_decrefp) =
	    json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:s?, s:o}", "name", vrms_lab_name(view->lab),
		      "dir", vrms_lab_dir(view->lab), "san", vrms_lab_san_path(view->lab),
		      "libvirt", vrms_lab_has_libvirt(view->lab), "network", view->has_switch,
		      "power_switch", view->has_power_switch, "partition", view->partition, "nodes",
		      nodes);
	if (json == NULL || json_dumpf(json, stdout, JSON_INDENT(2)) < 0) {
		return vrms_error_errno(error, -ENOMEM, "status");
	}
	puts("");
	return 0;
}

struct status_settings {
	bool as_json;
};

static int set_status_option(void *settings, const char *name, const char *value,
			     struct vrms_error *error)
{
	(void)name;
	(void)value;
	(void)error;
	((struct status_settings *)settings)->as_json = true;
	return 0;
}

static const struct vrms_lab_option status_options[] = {
    {0, "json", NULL, "for programs"},
};

static int run_status(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		      struct vrms_error *error)
{
	const struct status_settings *status = settings;
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;
	struct view view VRMS_CLEANUP(close_view) = {.partition = NULL};

	(void)argc;
	(void)argv;
	int rc = vrms_lab_requirements_root(error);
	rc = rc < 0 ? rc : vrms_lab_open(&context->place, &lab, error);
	rc = rc < 0 ? rc : look(lab, &view, error);
	if (rc == 0 && status->as_json) {
		rc = print_json(&view, error);
	} else if (rc == 0) {
		print_table(&view);
	}
	return rc < 0 ? VRMS_LAB_EXIT_FAILED : VRMS_LAB_EXIT_OK;
}

const struct vrms_lab_command *vrms_lab_status_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "status",
	    .arguments = "",
	    .summary = "Show the nodes: power, cluster membership, what runs",
	    .options = status_options,
	    .option_count = VRMS_COUNT_OF(status_options),
	    .run = run_status,
	    .set_option = set_status_option,
	    .settings_size = sizeof(struct status_settings),
	};

	return &command;
}
