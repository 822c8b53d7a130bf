/* cib_import.c - Pacemaker's CIB as a scenario.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fnmatch.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "placement/import.h"
#include "simulator/cluster_import.h"
#include "simulator/settings.h"

static void free_model(struct vrms_model **model)
{
	vrms_model_free(*model);
}

static void free_document(xmlDoc **document)
{
	xmlFreeDoc(*document);
}

/* Of the names that Pacemaker's agents give memory, the first that is there; -1: none. */
static int memory_dim(const struct vrms_model *model)
{
	static const char *const names[] = {"hv_memory", "host_memory", "memory"};
	int dim = -1;

	for (size_t i = 0; dim < 0 && i < VRMS_COUNT_OF(names); i++) {
		dim = vrms_model_find_dim(model, names[i]);
	}
	return dim;
}

static int add_nodes(struct vrms_sim_scenario *scenario, const struct vrms_model *model,
		     struct vrms_error *error)
{
	int memory = memory_dim(model), cores = vrms_model_find_dim(model, "cpu");

	for (int i = 0; i < vrms_model_node_count(model); i++) {
		int node =
		    vrms_sim_scenario_add_node(scenario, vrms_model_node_name(model, i), error);

		if (node < 0) {
			return node;
		}
		if (memory >= 0) {
			scenario->node[node].memory = vrms_model_capacity(model, i, memory) << 20;
		}
		if (cores >= 0) {
			scenario->node[node].cores = vrms_model_capacity(model, i, cores);
		}
		scenario->node[node].off = vrms_model_node_state(model, i) == VRMS_NODE_OFFLINE;
	}
	scenario->settings.nodes = scenario->node_count;
	return 0;
}

static int add_vms(struct vrms_sim_scenario *scenario, const struct vrms_model *model,
		   struct vrms_error *error)
{
	int memory = memory_dim(model), cores = vrms_model_find_dim(model, "cpu");

	for (int i = 0; i < vrms_model_vm_count(model); i++) {
		int vm = vrms_sim_scenario_add_vm(scenario, vrms_model_vm_name(model, i), error);
		int host = vrms_model_vm_host(model, i);

		if (vm < 0) {
			return vm;
		}
		if (memory >= 0) {
			scenario->vm[vm].memory = vrms_model_vm_demand(model, i, memory) << 20;
		}
		if (cores >= 0) {
			scenario->vm[vm].cores = vrms_model_vm_demand(model, i, cores);
		}
		scenario->vm[vm].priority = vrms_model_vm_priority(model, i);
		scenario->vm[vm].host = host;
		scenario->vm[vm].stopped = host < 0;
	}
	scenario->settings.vms = scenario->vm_count;
	return 0;
}

static bool is(const xmlNode *element, const char *name)
{
	return element->type == XML_ELEMENT_NODE && strcmp((const char *)element->name, name) == 0;
}

/* Walks the whole tree; `visit` is given every element. */
static int walk(xmlNode *element, int (*visit)(void *context, xmlNode *element), void *context)
{
	int rc = 0;

	for (; element != NULL && rc == 0; element = element->next) {
		if (element->type == XML_ELEMENT_NODE) {
			rc = visit(context, element);
			rc = rc < 0 ? rc : walk(element->children, visit, context);
		}
	}
	return rc;
}

static void get(xmlNode *element, const char *name, char *text, size_t size)
{
	xmlChar *value = xmlGetProp(element, BAD_CAST name);

	snprintf(text, size, "%s", value == NULL ? "" : (const char *)value);
	xmlFree(value);
}

/* Is the element inside one of that name? */
static bool is_inside(const xmlNode *element, const char *name)
{
	for (; element != NULL; element = element->parent) {
		if (is(element, name)) {
			return true;
		}
	}
	return false;
}

/* Properties and resource defaults, by the section in which they stand. */
static const struct {
	const char *inside, *name, *setting;
} properties[] = {
    {"crm_config", "stonith-enabled", "pacemaker.stonith"},
    {"crm_config", "stonith-action", "pacemaker.stonith_action"},
    {"crm_config", "no-quorum-policy", "pacemaker.no_quorum_policy"},
    {"crm_config", "batch-limit", "pacemaker.batch_limit"},
    {"crm_config", "migration-limit", "pacemaker.migration_limit"},
    {"crm_config", "node-action-limit", "pacemaker.node_action_limit"},
    {"crm_config", "load-threshold", "pacemaker.load_threshold"},
    {"crm_config", "transition-delay", "pacemaker.transition_delay"},
    {"crm_config", "start-failure-is-fatal", "pacemaker.start_failure_is_fatal"},
    {"rsc_defaults", "migration-threshold", "pacemaker.migration_threshold"},
    {"rsc_defaults", "failure-timeout", "pacemaker.failure_timeout"},
};

/* Operations of the VMs; the last VM's win. */
static const struct {
	const char *operation, *attribute, *setting;
} operations[] = {
    {"monitor", "interval", "pacemaker.monitor_interval"},
    {"start", "timeout", "pacemaker.start_timeout"},
    {"stop", "timeout", "pacemaker.stop_timeout"},
};

struct import {
	struct vrms_sim_scenario *scenario;
	const char *path;
	int64_t stickiness;
	struct vrms_error *error;
};

static int assign(const struct import *import, const xmlNode *element, const char *setting,
		  const char *value)
{
	char text[160];
	int rc;

	/* -1 and INFINITY are "no limit", which is 0 here; "demote" concerns clones only. */
	if (strcmp(value, "-1") == 0 || strcasecmp(value, "INFINITY") == 0) {
		value = "0";
	} else if (strcmp(value, "demote") == 0) {
		value = "stop";
	} else if (strcmp(value, "poweroff") == 0) {
		value = "off";
	}
	snprintf(text, sizeof(text), "%s=%.80s", setting, value);
	rc = vrms_sim_settings_assign(&import->scenario->settings, text, import->error);
	return rc < 0 ? vrms_error_wrap(import->error, rc, "%s:%ld", import->path,
					xmlGetLineNo(element))
		      : 0;
}

static int visit_property(struct import *import, xmlNode *element)
{
	char name[64], value[96];

	get(element, "name", name, sizeof(name));
	get(element, "value", value, sizeof(value));
	if (strcmp(name, "resource-stickiness") == 0 && is_inside(element, "rsc_defaults")) {
		import->stickiness =
		    strcasecmp(value, "INFINITY") == 0 ? INT64_MAX : strtoll(value, NULL, 10);
		return 0;
	}
	for (size_t i = 0; i < VRMS_COUNT_OF(properties); i++) {
		if (strcmp(properties[i].name, name) == 0 &&
		    is_inside(element, properties[i].inside)) {
			return assign(import, element, properties[i].setting, value);
		}
	}
	return 0;
}

static int visit_operation(const struct import *import, xmlNode *element)
{
	char name[64], value[96], owner[64];
	xmlNode *primitive = element->parent == NULL ? NULL : element->parent->parent;

	get(element, "name", name, sizeof(name));
	owner[0] = '\0';
	if (primitive != NULL) {
		get(primitive, "id", owner, sizeof(owner));
	}
	for (size_t i = 0; i < VRMS_COUNT_OF(operations); i++) {
		get(element, operations[i].attribute, value, sizeof(value));
		if (strcmp(operations[i].operation, name) == 0 && value[0] != '\0' &&
		    strcmp(value, "0") != 0 && vrms_sim_scenario_vm(import->scenario, owner) >= 0) {
			return assign(import, element, operations[i].setting, value);
		}
	}
	return 0;
}

/* Agents by what they need; the last row takes the rest. */
static const struct {
	const char *pattern;
	enum vrms_sim_device_kind kind;
} agents[] = {
    {"fence_vrms_verdict", VRMS_SIM_DEVICE_VERDICT},
    {"fence_ipmi*", VRMS_SIM_DEVICE_IPMI},
    {"fence_ilo*", VRMS_SIM_DEVICE_IPMI},
    {"fence_idrac*", VRMS_SIM_DEVICE_IPMI},
    {"fence_drac*", VRMS_SIM_DEVICE_IPMI},
    {"fence_imm*", VRMS_SIM_DEVICE_IPMI},
    {"fence_redfish*", VRMS_SIM_DEVICE_IPMI},
    {"external/ipmi", VRMS_SIM_DEVICE_IPMI},
    {"fence_scsi*", VRMS_SIM_DEVICE_SCSI},
    {"fence_mpath*", VRMS_SIM_DEVICE_SCSI},
    {"fence_vrms_scsi*", VRMS_SIM_DEVICE_SCSI},
    {"fence_sbd*", VRMS_SIM_DEVICE_SBD},
    {"external/sbd", VRMS_SIM_DEVICE_SBD},
    {"*", VRMS_SIM_DEVICE_PDU},
};

static enum vrms_sim_device_kind kind_of(const char *type)
{
	size_t row = 0;

	while (fnmatch(agents[row].pattern, type, 0) != 0) {
		row++;
	}
	return agents[row].kind;
}

struct level {
	const char *device;
	int64_t level; /* 0: in none */
};

/* Is the device named in a fencing level? */
static int visit_level(void *context, xmlNode *element)
{
	struct level *wanted = context;
	char devices[512], *rest = devices, *name;

	if (!is(element, "fencing-level")) {
		return 0;
	}
	get(element, "devices", devices, sizeof(devices));
	while ((name = strsep(&rest, ",")) != NULL) {
		if (strcmp(name, wanted->device) == 0 && wanted->level == 0) {
			char index[16];

			get(element, "index", index, sizeof(index));
			wanted->level = strtol(index, NULL, 10);
		}
	}
	return 0;
}

static const struct {
	const char *name, *key;
} device_parameters[] = {
    {"pcmk_delay_base", "delay"},
    {"pcmk_delay_max", "delay_random"},
    {"pcmk_reboot_timeout", "timeout"},
    {"pcmk_off_timeout", "timeout"},
};

static int read_parameters(const struct import *import, xmlNode *primitive,
			   struct vrms_sim_device *device)
{
	size_t count;
	const struct vrms_sim_setting *table = vrms_sim_device_table(&count);
	int rc = 0;

	for (xmlNode *set = primitive->children; set != NULL; set = set->next) {
		for (xmlNode *pair = is(set, "instance_attributes") ? set->children : NULL;
		     pair != NULL && rc == 0; pair = pair->next) {
			char name[64], value[96];

			if (!is(pair, "nvpair")) {
				continue;
			}
			get(pair, "name", name, sizeof(name));
			get(pair, "value", value, sizeof(value));
			for (size_t i = 0; rc == 0 && i < VRMS_COUNT_OF(device_parameters); i++) {
				if (strcmp(device_parameters[i].name, name) == 0) {
					rc = vrms_sim_setting_store(
					    vrms_sim_setting_find(table, count, NULL,
								  device_parameters[i].key),
					    device, value, import->error);
				}
			}
		}
	}
	return rc;
}

static int visit_device(const struct import *import, xmlNode *element)
{
	struct vrms_sim_scenario *scenario = import->scenario;
	struct vrms_sim_device device = {0};
	char id[64], type[64];
	struct level level = {id, 0};
	size_t count;
	const struct vrms_sim_setting *table = vrms_sim_device_table(&count);
	int rc;

	get(element, "id", id, sizeof(id));
	get(element, "type", type, sizeof(type));
	vrms_sim_settings_default(table, count, &device);
	device.kind = (int)kind_of(type);
	(void)walk(xmlDocGetRootElement(element->doc), visit_level, &level);
	device.level = level.level > 0 ? level.level : 1;
	rc = read_parameters(import, element, &device);
	if (rc < 0) {
		return vrms_error_wrap(import->error, rc, "%s:%ld", import->path,
				       xmlGetLineNo(element));
	}
	if (device.kind == VRMS_SIM_DEVICE_VERDICT) {
		scenario->settings.vrmsd = true;
	}
	for (int i = 0; i < scenario->device_count; i++) {
		if (scenario->device[i].kind == device.kind &&
		    scenario->device[i].level == device.level) {
			return 0; /* another target's */
		}
	}
	if (scenario->device_count == VRMS_SIM_DEVICES_MAX) {
		return vrms_error_set(import->error, -ENOSPC, "%s: more than %d kinds of devices",
				      import->path, VRMS_SIM_DEVICES_MAX);
	}
	snprintf(device.name, sizeof(device.name), "%s", id);
	scenario->device[scenario->device_count++] = device;
	return 0;
}

static int visit(void *context, xmlNode *element)
{
	struct import *import = context;
	char class[32];

	if (is(element, "nvpair")) {
		return visit_property(import, element);
	}
	if (is(element, "op")) {
		return visit_operation(import, element);
	}
	if (is(element, "primitive")) {
		get(element, "class", class, sizeof(class));
		return strcmp(class, "stonith") == 0 ? visit_device(import, element) : 0;
	}
	return 0;
}

int vrms_sim_cib_import(struct vrms_sim_scenario *scenario, const char *path,
			struct vrms_error *error)
{
	struct vrms_model *model VRMS_CLEANUP(free_model) = NULL;
	xmlDoc *document VRMS_CLEANUP(free_document) = NULL;
	struct import import = {.scenario = scenario, .path = path, .error = error};
	int rc = vrms_import_file(path, NULL, &model, error);

	rc = rc < 0 ? rc : add_nodes(scenario, model, error);
	rc = rc < 0 ? rc : add_vms(scenario, model, error);
	if (rc < 0) {
		return rc;
	}
	document =
	    xmlReadFile(path, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (document == NULL) {
		return vrms_error_set(error, -EINVAL, "%s: not a CIB", path);
	}
	rc = walk(xmlDocGetRootElement(document), visit, &import);
	rc = rc < 0 ? rc : vrms_sim_cib_rules(scenario, model, import.stickiness, error);
	return rc;
}
