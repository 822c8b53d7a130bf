/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/cib_write.h"

#include <errno.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"
#include "placement/cib.h"

enum { SCORE_STEP = 10, STICKINESS = 1000 };

struct writer {
	xmlNode *configuration;
	const struct vrms_model *model;
	const struct vrms_failover *lists;
	const struct vrms_cib_write_config *config;
	struct vrms_error *error;
	bool changed;
};

static bool is_ours(const xmlNode *element)
{
	const char *id = vrms_cib_peek(element, "id");

	return id != NULL && strncmp(id, VRMS_CIB_PREFIX, strlen(VRMS_CIB_PREFIX)) == 0;
}

static void set(xmlNode *element, const char *name, const char *value)
{
	xmlSetProp(element, (const xmlChar *)name, (const xmlChar *)value);
}

static xmlNode *add(xmlNode *parent, const char *name, const char *id)
{
	xmlNode *element = xmlNewChild(parent, NULL, (const xmlChar *)name, NULL);

	set(element, "id", id);
	return element;
}

/* The section, made when it is missing; the schema wants the sections in a fixed order. */
static xmlNode *section(struct writer *writer, const char *name, const char *before)
{
	xmlNode *found = vrms_cib_child(writer->configuration, name);
	xmlNode *next = before == NULL ? NULL : vrms_cib_child(writer->configuration, before);

	if (found != NULL) {
		return found;
	}
	found = xmlNewNode(NULL, (const xmlChar *)name);
	return next != NULL ? xmlAddPrevSibling(next, found)
			    : xmlAddChild(writer->configuration, found);
}

/* The elements that we want, as one comparable text; detached copies go into `into`. */
static char *text_of(xmlNode *first)
{
	xmlBuffer *buffer = xmlBufferCreate();
	char *text = NULL;

	for (xmlNode *at = first; buffer != NULL && at != NULL; at = at->next) {
		if (at->type == XML_ELEMENT_NODE && is_ours(at)) {
			xmlNodeDump(buffer, at->doc, at, 0, 0);
		}
	}
	if (buffer != NULL) {
		text = strdup((const char *)xmlBufferContent(buffer));
		xmlBufferFree(buffer);
	}
	return text;
}

static void remove_ours(xmlNode *parent)
{
	for (xmlNode *at = parent == NULL ? NULL : parent->children, *next; at != NULL; at = next) {
		next = at->next;
		if (at->type == XML_ELEMENT_NODE && is_ours(at)) {
			xmlUnlinkNode(at);
			xmlFreeNode(at);
		}
	}
}

/* Rank of the node in the VM's list, 0 = first; -1 when it is not there. */
static int rank_of(const struct writer *writer, int vm, int node, int *ret_count)
{
	const int *list = vrms_failover_list(writer->lists, vm, ret_count);

	for (int i = 0; i < *ret_count; i++) {
		if (list[i] == node) {
			return i;
		}
	}
	return -1;
}

/* One constraint: all VMs that have the node at this rank (rank -1: that run there now). */
static void write_location(struct writer *writer, xmlNode *constraints, int node, int rank)
{
	const char *name = vrms_model_node_name(writer->model, node);
	xmlNode *location = NULL, *members = NULL;
	char id[256], score[16];

	for (int vm = 0; vm < vrms_model_vm_count(writer->model); vm++) {
		int count, found = rank_of(writer, vm, node, &count);
		bool here = vrms_model_vm_host(writer->model, vm) == node;

		if (count == 0 || (rank < 0 ? !here : found != rank)) {
			continue;
		}
		if (location == NULL) {
			snprintf(id, sizeof(id), "%s%s-%s%d", VRMS_CIB_PREFIX, name,
				 rank < 0 ? "host" : "rank", rank + 1);
			snprintf(score, sizeof(score), "%d",
				 rank < 0 ? 0 : SCORE_STEP * (VRMS_LIST_MAX - rank));
			location = add(constraints, "rsc_location", id);
			set(location, "node", name);
			set(location, "score", score);
			if (writer->config->exclusive) {
				set(location, "resource-discovery", "exclusive");
			}
			snprintf(id, sizeof(id), "%s%s-%s%d-vms", VRMS_CIB_PREFIX, name,
				 rank < 0 ? "host" : "rank", rank + 1);
			members = add(location, "resource_set", id);
		}
		add(members, "resource_ref", vrms_model_vm_name(writer->model, vm));
	}
}

static void write_locations(struct writer *writer, xmlNode *constraints)
{
	for (int n = 0; n < vrms_model_node_count(writer->model); n++) {
		/* In exclusive mode the host itself has to be named too. */
		for (int rank = writer->config->exclusive ? -1 : 0; rank < VRMS_LIST_MAX; rank++) {
			write_location(writer, constraints, n, rank);
		}
	}
}

static void write_tag(struct writer *writer, xmlNode *constraints)
{
	xmlNode *tag = NULL;

	for (xmlNode *at = vrms_cib_child(constraints, "rsc_location"); at != NULL;
	     at = vrms_cib_next(at, "rsc_location")) {
		if (!is_ours(at)) {
			continue;
		}
		if (tag == NULL) {
			tag = add(section(writer, "tags", "alerts"), "tag", VRMS_CIB_PREFIX "tag");
		}
		add(tag, "obj_ref", vrms_cib_peek(at, "id"));
	}
}

/* Replaces our constraints and tag when they are not what they should be. */
static int write_lists(struct writer *writer)
{
	xmlNode *constraints = section(writer, "constraints", "fencing-topology");
	char *before VRMS_CLEANUP(vrms_freep) = text_of(constraints->children);
	char *after VRMS_CLEANUP(vrms_freep) = NULL;

	remove_ours(constraints);
	remove_ours(vrms_cib_child(writer->configuration, "tags"));
	if (!writer->config->clear) {
		write_locations(writer, constraints);
		write_tag(writer, constraints);
	}
	after = text_of(constraints->children);
	if (before == NULL || after == NULL) {
		return vrms_error_set(writer->error, -ENOMEM, "out of memory");
	}
	writer->changed = writer->changed || strcmp(before, after) != 0;
	return 0;
}

static xmlNode *find_pair(xmlNode *sets_parent, const char *sets, const char *name)
{
	for (xmlNode *at = vrms_cib_child(sets_parent, sets); at != NULL;
	     at = vrms_cib_next(at, sets)) {
		for (xmlNode *pair = vrms_cib_child(at, "nvpair"); pair != NULL;
		     pair = vrms_cib_next(pair, "nvpair")) {
			if (vrms_cib_is(pair, "name", name)) {
				return pair;
			}
		}
	}
	return NULL;
}

static void add_pair(xmlNode *parent, const char *sets, const char *id, const char *name,
		     const char *value)
{
	char pair_id[128];
	xmlNode *into = add(parent, sets, id), *pair;

	snprintf(pair_id, sizeof(pair_id), "%s-%s", id, name);
	pair = add(into, "nvpair", pair_id);
	set(pair, "name", name);
	set(pair, "value", value);
}

static void write_strategy(struct writer *writer)
{
	xmlNode *config = section(writer, "crm_config", "nodes");
	xmlNode *pair = find_pair(config, "cluster_property_set", "placement-strategy");

	if (pair == NULL) {
		add_pair(config, "cluster_property_set", VRMS_CIB_PREFIX "properties",
			 "placement-strategy", "utilization");
	} else if (!vrms_cib_is(pair, "value", "utilization")) {
		set(pair, "value", "utilization");
	} else {
		return;
	}
	writer->changed = true;
}

static int write_stickiness(struct writer *writer)
{
	xmlNode *defaults = section(writer, "rsc_defaults", NULL);
	xmlNode *pair = find_pair(defaults, "meta_attributes", "resource-stickiness");
	const char *value = vrms_cib_peek(pair, "value");
	int64_t stickiness;

	if (pair == NULL) {
		char text[16];

		snprintf(text, sizeof(text), "%d", STICKINESS);
		add_pair(defaults, "meta_attributes", VRMS_CIB_PREFIX "defaults",
			 "resource-stickiness", text);
		writer->changed = true;
		return 0;
	}
	if (value != NULL && strcmp(value, "INFINITY") != 0 &&
	    (vrms_int_parse(value, INT32_MIN, INT32_MAX, &stickiness, NULL) < 0 ||
	     stickiness <= SCORE_STEP * VRMS_LIST_MAX)) {
		return vrms_error_set(writer->error, -EINVAL,
				      "resource-stickiness of %s: must be above %d, or running "
				      "VMs would move to their fail-over hosts",
				      value, SCORE_STEP * VRMS_LIST_MAX);
	}
	return 0;
}

static int write_all(struct writer *writer)
{
	int rc = writer->config->clear ? 0 : write_stickiness(writer);

	if (rc == 0 && !writer->config->clear) {
		write_strategy(writer);
	}
	return rc < 0 ? rc : write_lists(writer);
}

int vrms_cib_write(const char *cib_text, const struct vrms_model *model,
		   const struct vrms_failover *lists, const struct vrms_cib_write_config *config,
		   char **ret_text, struct vrms_error *error)
{
	struct writer writer = {.model = model, .lists = lists, .config = config, .error = error};
	xmlDoc *document = xmlReadMemory(cib_text, (int)strlen(cib_text), "cib", NULL,
					 XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET |
					     XML_PARSE_HUGE);
	xmlChar *text = NULL;
	int rc = -EINVAL, size;

	writer.configuration = vrms_cib_child(xmlDocGetRootElement(document), "configuration");
	if (writer.configuration == NULL) {
		vrms_error_set(error, rc, "not a CIB");
	} else {
		rc = write_all(&writer);
	}
	if (rc == 0 && writer.changed) {
		xmlDocDumpMemory(document, &text, &size);
		rc = text == NULL ? vrms_error_set(error, -ENOMEM, "out of memory") : 0;
	}
	if (rc == 0) {
		*ret_text = text == NULL ? NULL : strdup((const char *)text);
		rc = text != NULL && *ret_text == NULL ? -ENOMEM : 0;
	}
	xmlFree(text);
	xmlFreeDoc(document);
	return rc;
}
