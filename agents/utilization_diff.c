/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/utilization_diff.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ID_BYTES_MAX = 512 };

static void free_textp(xmlChar **text)
{
	xmlFree(*text);
}

/* Compares an attribute; a missing one equals nothing. */
static bool has_attribute(const xmlNode *node, const char *name, const char *value)
{
	xmlChar *text VRMS_CLEANUP(free_textp) = xmlGetProp(node, BAD_CAST name);

	return text != NULL && strcmp((const char *)text, value) == 0;
}

static bool is_element(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static const xmlNode *first_set(const xmlNode *primitive)
{
	for (const xmlNode *node = primitive->children; node != NULL; node = node->next) {
		if (is_element(node, "utilization")) {
			return node;
		}
	}
	return NULL;
}

/* The nvpair of this name in any of the sets; NULL: there is none. */
static const xmlNode *find_pair(const xmlNode *primitive, const char *name)
{
	for (const xmlNode *set = primitive->children; set != NULL; set = set->next) {
		if (!is_element(set, "utilization")) {
			continue;
		}
		for (const xmlNode *pair = set->children; pair != NULL; pair = pair->next) {
			if (is_element(pair, "nvpair") && has_attribute(pair, "name", name)) {
				return pair;
			}
		}
	}
	return NULL;
}

/* Copies an id, or makes one from the parts when there is no node. */
static int set_id(xmlNode *copy, const xmlNode *node, const char *resource, const char *suffix)
{
	char made[ID_BYTES_MAX];
	xmlChar *text VRMS_CLEANUP(free_textp) = NULL;

	if (node != NULL) {
		text = xmlGetProp(node, BAD_CAST "id");
		if (text == NULL) {
			return -EBADMSG;
		}
	} else if ((size_t)snprintf(made, sizeof(made), "%s-%s", resource, suffix) >=
		   sizeof(made)) {
		return -EBADMSG;
	}
	const xmlChar *id = text != NULL ? text : BAD_CAST made;
	return xmlNewProp(copy, BAD_CAST "id", id) == NULL ? -ENOMEM : 0;
}

/* The copy of this set in the update, made when it is not there yet. */
static int provide_set(xmlNode *update, const xmlNode *set, const char *resource, xmlNode **ret_set)
{
	xmlNode *copy = xmlNewNode(NULL, BAD_CAST "utilization");
	int rc = copy == NULL ? -ENOMEM : set_id(copy, set, resource, "utilization");

	if (rc < 0) {
		xmlFreeNode(copy);
		return rc;
	}
	xmlChar *id VRMS_CLEANUP(free_textp) = xmlGetProp(copy, BAD_CAST "id");
	for (xmlNode *old = update->children; old != NULL; old = old->next) {
		if (has_attribute(old, "id", (const char *)id)) {
			xmlFreeNode(copy);
			*ret_set = old;
			return 0;
		}
	}
	*ret_set = xmlAddChild(update, copy);
	return 0;
}

static int add_pair(xmlNode *update, const xmlNode *primitive, const xmlNode *pair,
		    const char *name, const char *value)
{
	xmlChar *resource VRMS_CLEANUP(free_textp) = xmlGetProp(primitive, BAD_CAST "id");
	char suffix[64];
	xmlNode *set;

	if (resource == NULL) {
		return -EBADMSG;
	}
	int rc = provide_set(update, pair != NULL ? pair->parent : first_set(primitive),
			     (const char *)resource, &set);
	if (rc < 0) {
		return rc;
	}
	xmlNode *copy = xmlNewChild(set, NULL, BAD_CAST "nvpair", NULL);
	if (copy == NULL) {
		return -ENOMEM;
	}
	(void)snprintf(suffix, sizeof(suffix), "utilization-%s", name);
	rc = set_id(copy, pair, (const char *)resource, suffix);
	if (rc == 0 && (xmlNewProp(copy, BAD_CAST "name", BAD_CAST name) == NULL ||
			xmlNewProp(copy, BAD_CAST "value", BAD_CAST value) == NULL)) {
		rc = -ENOMEM;
	}
	return rc;
}

static int compare_set(struct vrms_utilization_diff *diff, const xmlNode *primitive,
		       const char *name, uint64_t number)
{
	char value[32];
	const xmlNode *pair = find_pair(primitive, name);

	(void)snprintf(value, sizeof(value), "%" PRIu64, number);
	if (pair != NULL && has_attribute(pair, "value", value)) {
		return 0;
	}
	if (diff->update == NULL) {
		diff->update = xmlNewNode(NULL, BAD_CAST "primitive");
		int rc =
		    diff->update == NULL ? -ENOMEM : set_id(diff->update, primitive, NULL, NULL);
		if (rc < 0) {
			return rc;
		}
	}
	return add_pair(diff->update, primitive, pair, name, value);
}

static int compare_unset(xmlNode **removal, const xmlNode *primitive, const char *name)
{
	const xmlNode *pair = find_pair(primitive, name);

	if (pair == NULL) {
		return 0;
	}
	*removal = xmlNewNode(NULL, BAD_CAST "nvpair");
	return *removal == NULL ? -ENOMEM : set_id(*removal, pair, NULL, NULL);
}

int vrms_utilization_compare(const struct vrms_utilization *wanted, const xmlNode *primitive,
			     struct vrms_utilization_diff *ret_diff, struct vrms_error *error)
{
	struct vrms_utilization_diff diff = {0};
	int rc = 0;

	if (!is_element(primitive, "primitive") ||
	    !has_attribute(primitive, "id", wanted->resource)) {
		return vrms_error_set(error, -EBADMSG, "%s: the CIB gave another element",
				      wanted->resource);
	}
	for (int i = 0; i < VRMS_UTILIZATION_COUNT && rc == 0; i++) {
		const char *name = vrms_utilization_name((enum vrms_utilization_what)i);
		if (wanted->items[i].wish == VRMS_UTILIZATION_SET) {
			rc = compare_set(&diff, primitive, name, wanted->items[i].value);
		} else if (wanted->items[i].wish == VRMS_UTILIZATION_UNSET) {
			rc = compare_unset(&diff.removals[i], primitive, name);
		}
	}
	if (rc < 0) {
		vrms_utilization_diff_done(&diff);
		return vrms_error_errno(error, rc, "utilization of %s", wanted->resource);
	}
	*ret_diff = diff;
	return 0;
}

bool vrms_utilization_diff_is_empty(const struct vrms_utilization_diff *diff)
{
	bool is_empty = diff->update == NULL;

	for (int i = 0; i < VRMS_UTILIZATION_COUNT; i++) {
		is_empty = is_empty && diff->removals[i] == NULL;
	}
	return is_empty;
}

void vrms_utilization_diff_done(struct vrms_utilization_diff *diff)
{
	xmlFreeNode(diff->update); /* both accept NULL */
	for (int i = 0; i < VRMS_UTILIZATION_COUNT; i++) {
		xmlFreeNode(diff->removals[i]);
	}
	*diff = (struct vrms_utilization_diff){0};
}
