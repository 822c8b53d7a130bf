/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/members.h"

#include <errno.h>
#include <libxml/parser.h>
#include <string.h>

#include "lab/setup.h"

enum { ASK_TIMEOUT_MS = 15000 };

VRMS_DEFINE_CLEANUP(xmlDoc *, xmlFreeDoc);

static bool is_true(xmlNode *node, const char *attribute)
{
	xmlChar *value = xmlGetProp(node, BAD_CAST attribute);
	bool is_set = value != NULL && strcmp((const char *)value, "true") == 0;

	xmlFree(value);
	return is_set;
}

static void read_member(xmlNode *node, int node_count,
			struct vrms_lab_member members[VRMS_LAB_NODES_MAX])
{
	xmlChar *name = xmlGetProp(node, BAD_CAST "name");
	int index = 0;

	if (name != NULL &&
	    vrms_lab_node_name_parse((const char *)name, node_count, &index, NULL) == 0) {
		members[index] = (struct vrms_lab_member){
		    .is_known = true,
		    .is_online = is_true(node, "online"),
		    .is_pending = is_true(node, "pending"),
		    .is_standby = is_true(node, "standby"),
		    .is_unclean = is_true(node, "unclean"),
		    .is_dc = is_true(node, "is_dc"),
		};
	}
	xmlFree(name);
}

static xmlNode *find_child(xmlNode *parent, const char *name)
{
	for (xmlNode *node = parent->children; node != NULL; node = node->next) {
		if (node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0) {
			return node;
		}
	}
	return NULL;
}

int vrms_lab_members_parse(const char *xml, int node_count,
			   struct vrms_lab_member members[VRMS_LAB_NODES_MAX],
			   struct vrms_error *error)
{
	xmlDoc *document VRMS_CLEANUP(xmlFreeDocp) =
	    xmlReadMemory(xml, (int)strlen(xml), NULL, NULL,
			  XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlNode *root = document != NULL ? xmlDocGetRootElement(document) : NULL;
	xmlNode *nodes = root != NULL ? find_child(root, "nodes") : NULL;

	if (nodes == NULL) {
		return vrms_error_set(error, -EINVAL, "crm_mon: no list of nodes in its answer");
	}
	memset(members, 0, VRMS_LAB_NODES_MAX * sizeof(members[0]));
	for (xmlNode *node = nodes->children; node != NULL; node = node->next) {
		if (node->type == XML_ELEMENT_NODE) {
			read_member(node, node_count, members);
		}
	}
	return 0;
}

int vrms_lab_members_read(const struct vrms_lab *lab, int index,
			  struct vrms_lab_member members[VRMS_LAB_NODES_MAX],
			  struct vrms_error *error)
{
	static const char *const argv[] = {"crm_mon", "--one-shot", "--output-as=xml", NULL};
	struct vrms_child_spec spec = {.argv = argv, .timeout_ms = ASK_TIMEOUT_MS};
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	int rc = vrms_lab_node_run(lab, index, &spec, &result, error);

	if (rc < 0) {
		return rc;
	}
	/* While Pacemaker starts, crm_mon succeeds with an answer that has no nodes in it. */
	if (result.exit_code != 0 ||
	    vrms_lab_members_parse(result.output, vrms_lab_node_count(lab), members, NULL) < 0) {
		return vrms_error_set(error, -ENOTCONN, "pacemaker does not answer on %s",
				      vrms_lab_node_name(lab, index));
	}
	return 0;
}

const char *vrms_lab_member_name(const struct vrms_lab_member *member)
{
	if (!member->is_known) {
		return "unknown";
	}
	if (member->is_unclean) {
		return "unclean";
	}
	if (member->is_pending) {
		return "pending";
	}
	if (member->is_standby) {
		return "standby";
	}
	return member->is_online ? "online" : "offline";
}
