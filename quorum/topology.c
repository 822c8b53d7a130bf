/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/topology.h"

#include <errno.h>
#include <libxml/parser.h>
#include <regex.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/xml.h"

struct look {
	const xmlNode *root;
	const char *node;
	const char *agent;
};

static void free_document(xmlDoc *document)
{
	xmlFreeDoc(document);
}
VRMS_DEFINE_CLEANUP(xmlDoc *, free_document);

/* The next element in the order of the document, below the root or in it; NULL at the end. */
static const xmlNode *next(const xmlNode *root, const xmlNode *at)
{
	if (at->children != NULL) {
		return at->children;
	}
	while (at != root && at->next == NULL) {
		at = at->parent;
	}
	return at == root ? NULL : at->next;
}

/* ---- whom a level is for */

static bool has_attribute(const struct look *look, const char *name, const char *value)
{
	for (const xmlNode *at = look->root; at != NULL; at = next(look->root, at)) {
		if (vrms_xml_is_named(at, "nvpair") && vrms_xml_has(at, "name", name) &&
		    vrms_xml_has(at, "value", value) &&
		    vrms_xml_is_named(at->parent, "instance_attributes") &&
		    vrms_xml_is_named(at->parent->parent, "node") &&
		    vrms_xml_has(at->parent->parent, "uname", look->node)) {
			return true;
		}
	}
	return false;
}

static bool fits(const char *pattern, const char *node)
{
	regex_t regex;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
		return false;
	}
	bool does_fit = regexec(&regex, node, 0, NULL, 0) == 0;

	regfree(&regex);
	return does_fit;
}

static bool is_for_node(const struct look *look, const xmlNode *level)
{
	const char *name = vrms_xml_get(level, "target");
	const char *pattern = vrms_xml_get(level, "target-pattern");

	if (name != NULL) {
		return strcasecmp(name, look->node) == 0;
	}
	if (pattern != NULL) {
		return fits(pattern, look->node);
	}
	return has_attribute(look, vrms_xml_get(level, "target-attribute"),
			     vrms_xml_get(level, "target-value"));
}

/* ---- what is in it */

static bool is_of_agent(const struct look *look, const xmlNode *device)
{
	const char *template = vrms_xml_get(device, "template");

	if (vrms_xml_has(device, "type", look->agent)) {
		return true;
	}
	for (const xmlNode *at = look->root; template != NULL && at != NULL;
	     at = next(look->root, at)) {
		if (vrms_xml_is_named(at, "template") && vrms_xml_has(at, "id", template)) {
			return vrms_xml_has(at, "type", look->agent);
		}
	}
	return false;
}

static bool is_opinion(const struct look *look, const char *id, size_t length)
{
	for (const xmlNode *at = look->root; at != NULL; at = next(look->root, at)) {
		const char *found =
		    vrms_xml_is_named(at, "primitive") ? vrms_xml_get(at, "id") : NULL;

		if (found != NULL && strlen(found) == length && strncmp(found, id, length) == 0) {
			return is_of_agent(look, at);
		}
	}
	return false;
}

/* Counts a level's devices, those that are no fence apart. */
static void count(const struct look *look, const xmlNode *level, int *ret_opinions, int *ret_fences)
{
	static const char between[] = ", \t\n";
	const char *at = vrms_xml_get(level, "devices");

	*ret_opinions = 0;
	*ret_fences = 0;
	for (at = at == NULL ? "" : at; *(at += strspn(at, between)) != '\0';) {
		size_t length = strcspn(at, between);

		*(is_opinion(look, at, length) ? ret_opinions : ret_fences) += 1;
		at += length;
	}
}

static int check_levels(const struct look *look, struct vrms_error *error)
{
	bool is_asked = false;

	for (const xmlNode *at = look->root; at != NULL; at = next(look->root, at)) {
		int opinions, fences;

		if (!vrms_xml_is_named(at, "fencing-level") || !is_for_node(look, at)) {
			continue;
		}
		count(look, at, &opinions, &fences);
		if (opinions > 0 && fences == 0) {
			return vrms_error_set(error, -EPERM,
					      "fencing level %s of \"%s\" has nothing behind "
					      "\"%s\": it would not be fenced",
					      vrms_xml_get(at, "index") == NULL
						  ? "?"
						  : vrms_xml_get(at, "index"),
					      look->node, vrms_xml_get(at, "devices"));
		}
		is_asked = is_asked || opinions > 0;
	}
	return is_asked ? 0
			: vrms_error_set(error, -ENOENT,
					 "no fencing level of \"%s\" has a device of type %s: "
					 "alone it would not be fenced",
					 look->node, look->agent);
}

int vrms_topology_check(const char *cib, const char *node, const char *agent,
			struct vrms_error *error)
{
	xmlDoc *document VRMS_CLEANUP(free_documentp) =
	    xmlReadMemory(cib, (int)strlen(cib), "cib", NULL,
			  XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET);

	if (document == NULL) {
		return vrms_error_set(error, -EBADMSG, "the CIB is not XML");
	}
	const struct look look = {
	    .root = xmlDocGetRootElement(document),
	    .node = node,
	    .agent = agent,
	};

	return check_levels(&look, error);
}
