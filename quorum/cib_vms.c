/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/cib_vms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/parse.h"
#include "common/xml.h"

#define LAST_FAILURE "_last_failure_0"

/* What all resources are looked at with. */
struct look {
	const xmlNode *cib;
	const xmlNode *history; /* <lrm_resources> of the node; NULL: it has none */
	const xmlNode **next;   /* where in it the next resource is likely to be */
	bool is_maintenance;    /* of the node or the cluster */
	void (*take)(void *context, const struct vrms_cib_vm *vm);
	void *context;
};

static const xmlNode *child(const xmlNode *parent, const char *name)
{
	for (const xmlNode *at = parent == NULL ? NULL : parent->children; at != NULL;
	     at = at->next) {
		if (vrms_xml_is_named(at, name)) {
			return at;
		}
	}
	return NULL;
}

static const xmlNode *child_with(const xmlNode *parent, const char *name, const char *attribute,
				 const char *value)
{
	for (const xmlNode *at = parent == NULL ? NULL : parent->children; at != NULL;
	     at = at->next) {
		if (vrms_xml_is_named(at, name) && vrms_xml_has(at, attribute, value)) {
			return at;
		}
	}
	return NULL;
}

/* The value in the first set of that kind that has it. */
static const char *value_in(const xmlNode *parent, const char *set_name, const char *name)
{
	for (const xmlNode *set = parent == NULL ? NULL : parent->children; set != NULL;
	     set = set->next) {
		if (!vrms_xml_is_named(set, set_name) || child(set, "rule") != NULL) {
			continue;
		}
		const xmlNode *pair = child_with(set, "nvpair", "name", name);

		if (pair != NULL) {
			return vrms_xml_get(pair, "value");
		}
	}
	return NULL;
}

static const xmlNode *template_of(const struct look *look, const xmlNode *primitive)
{
	const char *name = vrms_xml_get(primitive, "template");

	return name == NULL ? NULL
			    : child_with(child(child(look->cib, "configuration"), "resources"),
					 "template", "id", name);
}

static const char *param_of(const struct look *look, const xmlNode *primitive, const char *name)
{
	const char *value = value_in(primitive, "instance_attributes", name);

	return value != NULL ? value
			     : value_in(template_of(look, primitive), "instance_attributes", name);
}

/* Its own, its template's, its group's, the defaults': as Pacemaker inherits them. */
static const char *meta_of(const struct look *look, const xmlNode *primitive, const char *name)
{
	const char *value = value_in(primitive, "meta_attributes", name);

	value =
	    value != NULL ? value : value_in(template_of(look, primitive), "meta_attributes", name);
	for (const xmlNode *at = primitive->parent;
	     value == NULL && at != NULL && !vrms_xml_is_named(at, "resources"); at = at->parent) {
		value = value_in(at, "meta_attributes", name);
	}
	return value != NULL ? value
			     : value_in(child(child(look->cib, "configuration"), "rsc_defaults"),
					"meta_attributes", name);
}

static bool is_true(const char *text, bool fallback)
{
	bool value = fallback;

	return text != NULL && vrms_bool_parse(text, &value, NULL) == 0 ? value : fallback;
}

static bool is_managed(const struct look *look, const xmlNode *primitive)
{
	const char *role = meta_of(look, primitive, "target-role");

	return !look->is_maintenance && is_true(meta_of(look, primitive, "is-managed"), true) &&
	       !is_true(meta_of(look, primitive, "maintenance"), false) &&
	       (role == NULL || strcasecmp(role, "Stopped") != 0);
}

static bool is_one_of(const char *text, const char *const *names)
{
	while (*names != NULL && strcmp(text, *names) != 0) {
		names++;
	}
	return *names != NULL;
}

/* Does a finished operation leave the resource running?  rc: OCF exit code. */
static bool leaves_running(const char *operation, long rc)
{
	static const char *const starts[] = {"start", "migrate_from", NULL};
	static const char *const ends[] = {"stop", "migrate_to", NULL};

	if (is_one_of(operation, starts)) {
		return rc == 0;
	}
	if (is_one_of(operation, ends)) {
		/* One that failed is Pacemaker's to deal with: the resource is no longer meant. */
		return false;
	}
	return rc != 7; /* a monitor or a reported failure: 7 is "not running" */
}

static void judge_history(const xmlNode *resource, struct vrms_cib_vm *vm, bool *ret_is_running)
{
	static const char *const moves[] = {"migrate_to", "migrate_from", NULL};
	static const char *const changes[] = {"start",  "stop",    "migrate_to", "migrate_from",
					      "reload", "promote", "demote",     NULL};

	vm->call = -1;
	*ret_is_running = false;
	for (const xmlNode *at = resource->children; at != NULL; at = at->next) {
		const char *id = vrms_xml_get(at, "id");
		const char *operation = vrms_xml_get(at, "operation");
		const char *call = vrms_xml_get(at, "call-id");
		const char *rc = vrms_xml_get(at, "rc-code");

		if (!vrms_xml_is_named(at, "lrm_rsc_op") || id == NULL || operation == NULL ||
		    strstr(id, LAST_FAILURE) != NULL) {
			continue;
		}
		if (vrms_xml_has(at, "op-status", "-1")) {
			vm->resource.is_busy |= is_one_of(operation, changes);
			vm->resource.is_moving |= is_one_of(operation, moves);
			continue;
		}
		long number = call == NULL ? -1 : strtol(call, NULL, 10);

		if (number > vm->call) {
			vm->call = number;
			*ret_is_running =
			    leaves_running(operation, rc == NULL ? 1 : strtol(rc, NULL, 10));
		}
	}
}

/* Resources and their histories stand in the same order, nearly always: a thousand of them are
 * looked up at each change of the CIB. */
static const xmlNode *history_of(const struct look *look, const char *id)
{
	const xmlNode *begin = *look->next;
	const xmlNode *at = begin;

	while (at != NULL && !vrms_xml_has(at, "id", id)) {
		at = at->next;
	}
	if (at == NULL) {
		at = look->history == NULL ? NULL : look->history->children;
		while (at != begin && !vrms_xml_has(at, "id", id)) {
			at = at->next;
		}
		at = at == begin ? NULL : at;
	}
	if (at != NULL) {
		*look->next = at->next;
	}
	return at;
}

static void copy(char *to, size_t bytes, const char *text)
{
	snprintf(to, bytes, "%s", text == NULL ? "" : text);
}

static void look_at_primitive(const struct look *look, const xmlNode *primitive)
{
	static const char *const types[] = {"VirtualMachine", "VirtualDomain", NULL};
	const xmlNode *template = template_of(look, primitive);
	const xmlNode *agent = vrms_xml_get(primitive, "type") != NULL ? primitive : template;
	const char *type = agent == NULL ? NULL : vrms_xml_get(agent, "type");
	const char *policy = param_of(look, primitive, "on_io_error");
	const char *id = vrms_xml_get(primitive, "id");
	struct vrms_cib_vm vm = {0};
	bool is_running = false;

	if (id == NULL || type == NULL || !is_one_of(type, types) ||
	    strlen(id) >= sizeof(vm.resource.id)) {
		return;
	}
	copy(vm.resource.id, sizeof(vm.resource.id), id);
	copy(vm.resource.type, sizeof(vm.resource.type), type);
	copy(vm.resource.provider, sizeof(vm.resource.provider), vrms_xml_get(agent, "provider"));
	copy(vm.config, sizeof(vm.config), param_of(look, primitive, "config"));
	vm.resource.io_policy =
	    policy == NULL || strcmp(policy, "fail") == 0 ? VRMS_VM_IO_FAIL : VRMS_VM_IO_AGENT;
	const xmlNode *history = history_of(look, id);

	if (history != NULL) {
		judge_history(history, &vm, &is_running);
	}
	vm.resource.is_meant = is_running && is_managed(look, primitive);
	look->take(look->context, &vm);
}

/* Groups and clones hold primitives. */
static void look_into(const struct look *look, const xmlNode *parent)
{
	for (const xmlNode *at = parent == NULL ? NULL : parent->children; at != NULL;
	     at = at->next) {
		if (vrms_xml_is_named(at, "primitive")) {
			look_at_primitive(look, at);
		} else if (vrms_xml_is_named(at, "group") || vrms_xml_is_named(at, "clone") ||
			   vrms_xml_is_named(at, "master")) {
			look_into(look, at);
		}
	}
}

void vrms_cib_vms_each(const xmlNode *cib, const char *node,
		       void (*take)(void *context, const struct vrms_cib_vm *vm), void *context)
{
	const xmlNode *configuration = child(cib, "configuration");
	const xmlNode *host = child_with(child(configuration, "nodes"), "node", "uname", node);
	const xmlNode *state = child_with(child(cib, "status"), "node_state", "uname", node);
	const xmlNode *next = NULL;
	const struct look look = {
	    .cib = cib,
	    .history = child(child(state, "lrm"), "lrm_resources"),
	    .next = &next,
	    .is_maintenance = is_true(value_in(child(configuration, "crm_config"),
					       "cluster_property_set", "maintenance-mode"),
				      false) ||
			      is_true(value_in(host, "instance_attributes", "maintenance"), false),
	    .take = take,
	    .context = context,
	};

	look_into(&look, child(configuration, "resources"));
}
