/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/crm.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <string.h>

#include "common/child.h"

enum { TIMEOUT_MS = 30000, RUNNING_ELSEWHERE_RC = 7, TEXT_BYTES = 96 };

struct vrms_sim_crm {
	json_t *answers; /* by CIB */
};

struct vrms_sim_crm *vrms_sim_crm_new(void)
{
	struct vrms_sim_crm *crm = calloc(1, sizeof(*crm));

	if (crm != NULL) {
		crm->answers = json_object();
	}
	return crm;
}

void vrms_sim_crm_free(struct vrms_sim_crm *crm)
{
	if (crm != NULL) {
		json_decref(crm->answers);
		free(crm);
	}
}

/* ---- the CIB */

struct vm_id { /* a VM as the CIB may have it, by its number: "vm:101" is no XML ID */
	char text[32];
};

static struct vm_id vm_id(int vm)
{
	struct vm_id id;

	snprintf(id.text, sizeof(id.text), "vm-%d", vm);
	return id;
}

static void set(xmlNode *element, const char *name, const char *value)
{
	xmlSetProp(element, BAD_CAST name, BAD_CAST value);
}

static xmlNode *add(xmlNode *parent, const char *name, const char *id)
{
	xmlNode *element = xmlNewChild(parent, NULL, BAD_CAST name, NULL);

	if (id != NULL) {
		set(element, "id", id);
	}
	return element;
}

static void add_pair(xmlNode *parent, const char *name, const char *value)
{
	char id[TEXT_BYTES];
	xmlChar *owner = xmlGetProp(parent, BAD_CAST "id");

	snprintf(id, sizeof(id), "%s-%s", (const char *)owner, name);
	xmlFree(owner);
	xmlNode *pair = add(parent, "nvpair", id);

	set(pair, "name", name);
	set(pair, "value", value);
}

static xmlNode *add_set(xmlNode *parent, const char *kind, const char *owner)
{
	char id[TEXT_BYTES];

	snprintf(id, sizeof(id), "%s-%s", owner, kind);
	return add(parent, kind, id);
}

static void add_utilization(xmlNode *parent, const char *owner, int64_t memory)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, memory >> 20);
	add_pair(add_set(parent, "utilization", owner), "memory", text);
}

static void add_options(xmlNode *configuration, const struct vrms_sim_settings *settings)
{
	static const char *const policies[] = {"stop", "freeze", "ignore", "suicide"};
	xmlNode *options =
	    add(add(configuration, "crm_config", NULL), "cluster_property_set", "options");

	add_pair(options, "stonith-enabled", settings->stonith ? "true" : "false");
	add_pair(options, "stonith-action",
		 settings->fence_action == VRMS_SIM_REBOOT ? "reboot" : "off");
	add_pair(options, "placement-strategy", "balanced");
	add_pair(options, "no-quorum-policy", policies[settings->no_quorum]);
}

static void add_nodes(xmlNode *configuration, const struct vrms_sim_view *view)
{
	xmlNode *nodes = add(configuration, "nodes", NULL);

	for (int i = 0; i < view->scenario->node_count; i++) {
		const struct vrms_sim_node_spec *spec = &view->scenario->node[i];
		char id[16];

		snprintf(id, sizeof(id), "%d", i + 1);
		xmlNode *node = add(nodes, "node", id);

		set(node, "uname", spec->name);
		add_utilization(node, spec->name, spec->memory);
		if (view->node[i].standby) {
			add_pair(add_set(node, "instance_attributes", spec->name), "standby", "on");
		}
	}
}

static void add_resources(xmlNode *configuration, const struct vrms_sim_view *view)
{
	xmlNode *resources = add(configuration, "resources", NULL);
	xmlNode *fence = add(resources, "primitive", "fence-device");
	char text[32];

	set(fence, "class", "stonith");
	set(fence, "type", "fence_vrms_lab");
	/* Known, so that nodes can be fenced; not started, so that it is nobody's load. */
	add_pair(add_set(fence, "meta_attributes", "fence-device"), "target-role", "Stopped");
	for (int i = 0; i < view->scenario->vm_count; i++) {
		const struct vrms_sim_vm_spec *spec = &view->scenario->vm[i];
		struct vm_id id = vm_id(i);
		xmlNode *vm = add(resources, "primitive", id.text);
		xmlNode *meta = add_set(vm, "meta_attributes", id.text);

		set(vm, "class", "ocf");
		set(vm, "provider", "vrms");
		set(vm, "type", "VirtualMachine");
		add_pair(meta, "allow-migrate", "true");
		add_pair(meta, "target-role", view->vm[i].wanted ? "Started" : "Stopped");
		snprintf(text, sizeof(text), "%" PRId64, spec->priority);
		add_pair(meta, "priority", text);
		add_utilization(vm, id.text, spec->memory);
	}
}

static void add_location(xmlNode *constraints, const struct vrms_sim_scenario *scenario, int vm,
			 int node, const char *score)
{
	char id[TEXT_BYTES];

	snprintf(id, sizeof(id), "likes-%d-%d", vm, node);
	xmlNode *location = add(constraints, "rsc_location", id);

	set(location, "rsc", vm_id(vm).text);
	set(location, "node", scenario->node[node].name);
	set(location, "score", score);
}

static void add_colocation(xmlNode *constraints, const struct vrms_sim_scenario *scenario, int vm,
			   int other)
{
	const struct vrms_sim_vm_spec *one = &scenario->vm[vm], *two = &scenario->vm[other];
	bool apart = (one->apart & two->apart) != 0;
	char id[TEXT_BYTES];

	if (!apart && (one->together == 0 || one->together != two->together)) {
		return;
	}
	snprintf(id, sizeof(id), "with-%d-%d", vm, other);
	xmlNode *colocation = add(constraints, "rsc_colocation", id);

	set(colocation, "rsc", vm_id(vm).text);
	set(colocation, "with-rsc", vm_id(other).text);
	set(colocation, "score", apart ? "-INFINITY" : "INFINITY");
}

/* Above resource-stickiness, unless the VM is to stay where it is. */
static void add_locations(xmlNode *constraints, const struct vrms_sim_scenario *scenario, int vm)
{
	int64_t weight = scenario->vm[vm].stays ? 1 : 2000;
	char score[32];

	for (int node = 0; node < scenario->node_count; node++) {
		int64_t likes = vrms_sim_scenario_score(scenario, vm, node);

		if (likes == VRMS_SIM_FORBIDDEN) {
			add_location(constraints, scenario, vm, node, "-INFINITY");
		} else if (likes > 0) {
			snprintf(score, sizeof(score), "%" PRId64, likes * weight);
			add_location(constraints, scenario, vm, node, score);
		}
	}
}

/* A rule with a VM that is not to run would keep the others of it from running. */
static void add_rules(xmlNode *constraints, const struct vrms_sim_view *view)
{
	const struct vrms_sim_scenario *scenario = view->scenario;

	for (int i = 0; i < scenario->ruled_count; i++) {
		int vm = scenario->ruled[i];

		add_locations(constraints, scenario, vm);
		for (int j = 0; j < i && view->vm[vm].wanted; j++) {
			if (view->vm[scenario->ruled[j]].wanted) {
				add_colocation(constraints, scenario, vm, scenario->ruled[j]);
			}
		}
	}
}

static void add_constraints(xmlNode *configuration, const struct vrms_sim_view *view)
{
	xmlNode *constraints = add(configuration, "constraints", NULL);

	add_rules(constraints, view);
	for (int i = 0; i < view->scenario->vm_count * VRMS_SIM_VIEW_BANS; i++) {
		int vm = i / VRMS_SIM_VIEW_BANS, node = view->vm[vm].ban[i % VRMS_SIM_VIEW_BANS];
		char id[TEXT_BYTES];

		if (node < 0) {
			continue;
		}
		snprintf(id, sizeof(id), "ban-%d", i);
		xmlNode *location = add(constraints, "rsc_location", id);

		set(location, "rsc", vm_id(vm).text);
		set(location, "node", view->scenario->node[node].name);
		set(location, "score", "-INFINITY");
	}
}

static void add_operation(xmlNode *resource, const char *vm, const char *task, int call, int rc)
{
	static const char monitor[] = "10000", once[] = "0";
	/* 193 is "not known yet" with status -1, pending; 7 after a success, or 1, is a failure. */
	const char *status = rc == 193 ? "-1" : rc == 0 ? "0" : "4";
	bool repeats = strcmp(task, "monitor") == 0;
	char id[TEXT_BYTES], key[TEXT_BYTES], text[TEXT_BYTES];

	snprintf(id, sizeof(id), "%s_%s", vm, repeats ? "monitor" : call == 1 ? "first" : "last");
	snprintf(key, sizeof(key), "%s_%s_%s", vm, task, repeats ? monitor : once);
	xmlNode *op = add(resource, "lrm_rsc_op", id);

	set(op, "operation", task);
	set(op, "operation_key", key);
	set(op, "interval", repeats ? monitor : once);
	snprintf(text, sizeof(text), "%d", call);
	set(op, "call-id", text);
	snprintf(text, sizeof(text), "%d", rc);
	set(op, "rc-code", text);
	set(op, "op-status", status);
	set(op, "transition-key", "1:1:0:00000000-0000-0000-0000-000000000000");
	snprintf(text, sizeof(text), "%s:%d;1:1:0:00000000-0000-0000-0000-000000000000", status,
		 rc);
	set(op, "transition-magic", text);
	/* Of no parameters at all: without it Pacemaker believes that they have changed. */
	set(op, "op-digest", "f2317cad3d54cec5d7d7aa7d0bf35cf8");
	set(op, "crm_feature_set", "3.16.2");
}

static void add_history(xmlNode *resources, const struct vrms_sim_view *view, int vm)
{
	const struct vrms_sim_view_vm *shown = &view->vm[vm];
	struct vm_id id = vm_id(vm);
	const char *name = id.text;
	xmlNode *resource = add(resources, "lrm_resource", name);

	set(resource, "class", "ocf");
	set(resource, "provider", "vrms");
	set(resource, "type", "VirtualMachine");
	add_operation(resource, name, "start", 1, shown->starting ? 193 : 0);
	if (shown->stopping) {
		add_operation(resource, name, "stop", 3, 193);
	} else if (shown->failed && view->node[shown->host].stop_failed) {
		add_operation(resource, name, "stop", 3, 1);
	} else if (shown->failed) {
		add_operation(resource, name, "monitor", 2, RUNNING_ELSEWHERE_RC);
	}
}

static void add_node_state(xmlNode *status, const struct vrms_sim_view *view, int node)
{
	static const struct {
		const char *in_ccm, *crmd, *join, *expected;
	} words[] = {
	    [VRMS_SIM_VIEW_OFFLINE] = {"false", "offline", "down", "down"},
	    [VRMS_SIM_VIEW_PENDING] = {"true", "online", "down", "down"},
	    [VRMS_SIM_VIEW_ONLINE] = {"true", "online", "member", "member"},
	    [VRMS_SIM_VIEW_UNCLEAN] = {"false", "offline", "down", "member"},
	};
	enum vrms_sim_view_state state = view->node[node].state;
	char id[16];

	snprintf(id, sizeof(id), "%d", node + 1);
	xmlNode *element = add(status, "node_state", id);

	set(element, "uname", view->scenario->node[node].name);
	set(element, "in_ccm", words[state].in_ccm);
	set(element, "crmd", words[state].crmd);
	set(element, "join", words[state].join);
	set(element, "expected", view->node[node].stopping ? "down" : words[state].expected);

	xmlNode *resources = add(add(element, "lrm", id), "lrm_resources", NULL);

	for (int vm = 0; vm < view->scenario->vm_count; vm++) {
		if (view->vm[vm].host == node && state != VRMS_SIM_VIEW_OFFLINE) {
			add_history(resources, view, vm);
		}
	}
	if (view->node[node].stopping) {
		add_pair(add_set(add(element, "transient_attributes", id), "instance_attributes",
				 "transient"),
			 "shutdown", "1");
	}
}

static char *make_cib(const struct vrms_sim_view *view)
{
	xmlDoc *document = xmlNewDoc(BAD_CAST "1.0");
	xmlNode *cib = xmlNewNode(NULL, BAD_CAST "cib");
	xmlChar *text = NULL;
	char dc[16];
	int size;

	xmlDocSetRootElement(document, cib);
	set(cib, "crm_feature_set", "3.16.2");
	set(cib, "validate-with", "pacemaker-3.9");
	set(cib, "admin_epoch", "0");
	set(cib, "epoch", "1");
	set(cib, "num_updates", "0");
	set(cib, "have-quorum", view->quorate ? "1" : "0");
	snprintf(dc, sizeof(dc), "%d", view->dc + 1);
	set(cib, "dc-uuid", dc);

	xmlNode *configuration = add(cib, "configuration", NULL);

	add_options(configuration, &view->scenario->settings);
	add_nodes(configuration, view);
	add_resources(configuration, view);
	add_constraints(configuration, view);
	add_pair(add_set(add(configuration, "rsc_defaults", NULL), "meta_attributes", "defaults"),
		 "resource-stickiness", "1000");

	xmlNode *status = add(cib, "status", NULL);

	for (int i = 0; i < view->scenario->node_count; i++) {
		add_node_state(status, view, i);
	}
	xmlDocDumpMemory(document, &text, &size);
	xmlFreeDoc(document);
	return (char *)text;
}

/* ---- the answer */

static char *property(xmlNode *element, const char *name)
{
	return (char *)xmlGetProp(element, BAD_CAST name);
}

/* One action of a transition as ["fence", NODE], ["stop", VM] or ["start", VM, NODE]. */
static void take_action(xmlNode *action, json_t *list)
{
	char *task = property(action, "action"), *vm = property(action, "resource"),
	     *node = property(action, "node"), *target = property(action, "dest"),
	     *fence = property(action, "task");

	if (fence != NULL && node != NULL && strncmp(fence, "Fence", 5) == 0) {
		json_array_append_new(list, json_pack("[s, s]", "fence", node));
	} else if (task != NULL && vm != NULL) {
		bool starts = strcasecmp(task, "start") == 0;
		bool moves = strcasecmp(task, "move") == 0 || strcasecmp(task, "migrate") == 0;
		bool again = strcasecmp(task, "recover") == 0 || strcasecmp(task, "restart") == 0;
		const char *where = target != NULL ? target : node;

		if (!starts && strcasecmp(task, "leave") != 0) {
			json_array_append_new(list, json_pack("[s, s]", "stop", vm));
		}
		if ((starts || moves || again) && where != NULL) {
			json_array_append_new(list, json_pack("[s, s, s]", "start", vm, where));
		}
	}
	xmlFree(task);
	xmlFree(vm);
	xmlFree(node);
	xmlFree(target);
	xmlFree(fence);
}

static void walk(xmlNode *element, json_t *list)
{
	for (; element != NULL; element = element->next) {
		if (element->type != XML_ELEMENT_NODE) {
			continue;
		}
		if (strcmp((const char *)element->name, "node_action") == 0 ||
		    strcmp((const char *)element->name, "rsc_action") == 0) {
			take_action(element, list);
		}
		walk(element->children, list);
	}
}

static int ask(const char *cib, json_t **ret_list, struct vrms_error *error)
{
	static const char *const argv[] = {"crm_simulate", "--xml-pipe", "--run", "--output-as=xml",
					   NULL};
	struct vrms_child_spec spec = {.argv = argv, .input = cib, .timeout_ms = TIMEOUT_MS};
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	int rc = vrms_child_run(&spec, &result, error);

	if (rc == -ENOENT) {
		return vrms_error_set(
		    error, rc, "there is no crm_simulate; Debian has it in pacemaker-cli-utils");
	}
	if (rc < 0) {
		return rc;
	}
	xmlDoc *document =
	    result.exit_code != 0
		? NULL
		: xmlReadMemory(result.output, (int)strlen(result.output), "crm_simulate", NULL,
				XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (document == NULL) {
		return vrms_error_set(error, -EIO, "crm_simulate: exit status %d: %.*s",
				      result.exit_code,
				      (int)strcspn(result.errors == NULL ? "" : result.errors,
						   "\n"),
				      result.errors == NULL ? "" : result.errors);
	}
	*ret_list = json_array();
	walk(xmlDocGetRootElement(document), *ret_list);
	xmlFreeDoc(document);
	return 0;
}

static void fill(const json_t *list, const struct vrms_sim_view *view,
		 struct vrms_sim_answer *answer)
{
	size_t index;
	json_t *row;

	json_array_foreach((json_t *)list, index, row)
	{
		const char *what = json_string_value(json_array_get(row, 0));
		const char *subject = json_string_value(json_array_get(row, 1));
		const char *where = json_string_value(json_array_get(row, 2));
		int vm = -1;

		(void)sscanf(subject, "vm-%d", &vm);
		vm = vm < view->scenario->vm_count ? vm : -1;
		if (strcmp(what, "fence") == 0) {
			int node = vrms_sim_scenario_node(view->scenario, subject);

			if (node >= 0) {
				answer->fence[node] = true;
			}
		} else if (vm >= 0 && strcmp(what, "stop") == 0) {
			answer->stop[vm] = true;
		} else if (vm >= 0 && where != NULL) {
			answer->start[vm] = vrms_sim_scenario_node(view->scenario, where);
		}
	}
}

static int decide(void *context, const struct vrms_sim_view *view, struct vrms_sim_answer *answer,
		  struct vrms_error *error)
{
	struct vrms_sim_crm *crm = context;
	char *cib = make_cib(view);
	json_t *known = cib == NULL ? NULL : json_object_get(crm->answers, cib);
	int rc = cib == NULL ? -ENOMEM : 0;

	if (rc == 0 && known == NULL) {
		rc = ask(cib, &known, error);
		if (rc == 0 && json_object_set_new(crm->answers, cib, known) < 0) {
			rc = -ENOMEM;
		}
	}
	if (rc == 0) {
		fill(known, view, answer);
	}
	xmlFree(cib);
	return rc;
}

struct vrms_sim_scheduler vrms_sim_crm_scheduler(struct vrms_sim_crm *crm)
{
	return (struct vrms_sim_scheduler){.context = crm, .decide = decide};
}
