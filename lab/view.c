/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/view.h"

#include <errno.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <string.h>

#include "lab/xml.h"

/* Copies an attribute; a missing one becomes "". */
static void get(const xmlNode *element, const char *key, char *to)
{
	xmlChar *value = xmlGetProp(element, (const xmlChar *)key);

	snprintf(to, VRMS_LAB_VIEW_NAME_SIZE, "%s", value != NULL ? (const char *)value : "");
	xmlFree(value);
}

static bool get_bool(const xmlNode *element, const char *key)
{
	char text[VRMS_LAB_VIEW_NAME_SIZE];

	get(element, key, text);
	return strcmp(text, "true") == 0;
}

static bool is(const xmlNode *element, const char *name)
{
	return element->type == XML_ELEMENT_NODE && strcmp((const char *)element->name, name) == 0;
}

static void read_resource(const xmlNode *element, struct vrms_lab_resource *resource)
{
	get(element, "id", resource->name);
	get(element, "resource_agent", resource->agent);
	get(element, "role", resource->role);
	get(element, "pending", resource->pending);
	resource->failed = get_bool(element, "failed");
	resource->blocked = get_bool(element, "blocked");
	resource->managed = get_bool(element, "managed");
	resource->orphaned = get_bool(element, "orphaned");
	for (const xmlNode *node = element->children; node != NULL; node = node->next) {
		if (is(node, "node") && resource->node_count++ == 0) {
			get(node, "name", resource->node);
		}
	}
}

static int read_resources(const xmlNode *list, struct vrms_lab_view *view)
{
	for (const xmlNode *element = list->children; element != NULL; element = element->next) {
		struct vrms_lab_resource *grown;

		if (!is(element, "resource")) {
			continue;
		}
		grown = realloc(view->resources, (view->count + 1) * sizeof(*grown));
		if (grown == NULL) {
			return -ENOMEM;
		}
		view->resources = grown;
		memset(&grown[view->count], 0, sizeof(*grown));
		read_resource(element, &grown[view->count++]);
	}
	return 0;
}

int vrms_lab_view_parse(const char *text, struct vrms_lab_view *ret_view, struct vrms_error *error)
{
	struct vrms_lab_view view = {0};
	xmlDoc *document VRMS_CLEANUP(vrms_xml_docp) =
	    xmlReadMemory(text, (int)strlen(text), "crm_mon", NULL,
			  XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	const xmlNode *root = document != NULL ? xmlDocGetRootElement(document) : NULL;
	bool found = false;

	if (root == NULL || !is(root, "pacemaker-result")) {
		return vrms_error_set(error, -EINVAL,
				      "crm_mon: its answer is not a cluster's state");
	}
	for (const xmlNode *part = root->children; part != NULL; part = part->next) {
		found = found || is(part, "summary");
		if (is(part, "resources") && read_resources(part, &view) < 0) {
			vrms_lab_view_done(&view);
			return vrms_error_set(error, -ENOMEM, "out of memory");
		}
	}
	if (!found) {
		return vrms_error_set(error, -EINVAL, "crm_mon: its answer has no summary");
	}
	*ret_view = view;
	return 0;
}

void vrms_lab_view_done(struct vrms_lab_view *view)
{
	free(view->resources);
	memset(view, 0, sizeof(*view));
}

const struct vrms_lab_resource *vrms_lab_view_find(const struct vrms_lab_view *view,
						   const char *name)
{
	for (size_t i = 0; i < view->count; i++) {
		if (strcmp(view->resources[i].name, name) == 0) {
			return &view->resources[i];
		}
	}
	return NULL;
}

bool vrms_lab_resource_is_vm(const struct vrms_lab_resource *resource)
{
	return strcmp(resource->agent, "ocf:vrms:VirtualMachine") == 0 ||
	       strcmp(resource->agent, "ocf:heartbeat:VirtualDomain") == 0 ||
	       strcmp(resource->agent, "ocf::heartbeat:VirtualDomain") == 0;
}

bool vrms_lab_resource_is_settled(const struct vrms_lab_resource *resource)
{
	return strcmp(resource->role, "Started") == 0 && resource->pending[0] == '\0' &&
	       !resource->failed && resource->node_count == 1;
}
