/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/cib_steer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "placement/cib_edit.h"

static void set_expression(xmlNode *rule, const char *kind, const char *id, const char *operation)
{
	xmlNode *expression = vrms_cib_edit_add(rule, kind, id);

	vrms_cib_edit_set(expression, "operation", operation);
}

static void write_move(xmlNode *constraints, const struct vrms_cib_move *move, const char *until)
{
	char id[512];
	xmlNode *location, *rule;

	snprintf(id, sizeof(id), "%s%s", VRMS_CIB_MOVE_PREFIX, move->vm);
	location = vrms_cib_edit_add(constraints, "rsc_location", id);
	vrms_cib_edit_set(location, "rsc", move->vm);
	snprintf(id, sizeof(id), "%s%s-rule", VRMS_CIB_MOVE_PREFIX, move->vm);
	rule = vrms_cib_edit_add(location, "rule", id);
	vrms_cib_edit_set(rule, "score", "INFINITY");
	vrms_cib_edit_set(rule, "boolean-op", "and");
	snprintf(id, sizeof(id), "%s%s-node", VRMS_CIB_MOVE_PREFIX, move->vm);
	set_expression(rule, "expression", id, "eq");
	vrms_cib_edit_set(rule->last, "attribute", "#uname");
	vrms_cib_edit_set(rule->last, "value", move->node);
	snprintf(id, sizeof(id), "%s%s-end", VRMS_CIB_MOVE_PREFIX, move->vm);
	set_expression(rule, "date_expression", id, "lt");
	vrms_cib_edit_set(rule->last, "end", until);
}

static xmlNode *find_node(struct vrms_cib_edit *edit, const char *uname)
{
	xmlNode *node = vrms_cib_child(vrms_cib_child(edit->configuration, "nodes"), "node");

	while (node != NULL && !vrms_cib_is(node, "uname", uname)) {
		node = vrms_cib_next(node, "node");
	}
	return node;
}

/* With the ids of crm_attribute, so that it and crm_standby find the attribute again. */
static void close_node(struct vrms_cib_edit *edit, xmlNode *node)
{
	xmlNode *pair = vrms_cib_edit_find_pair(node, "instance_attributes", "standby");
	char id[256];

	if (pair != NULL && vrms_cib_is(pair, "value", "on")) {
		return;
	}
	edit->changed = true;
	if (pair == NULL) {
		xmlNode *set = vrms_cib_child(node, "instance_attributes");

		if (set == NULL) {
			snprintf(id, sizeof(id), "nodes-%s", vrms_cib_peek(node, "id"));
			set = vrms_cib_edit_add(node, "instance_attributes", id);
		}
		snprintf(id, sizeof(id), "%s-standby", vrms_cib_peek(set, "id"));
		pair = vrms_cib_edit_add(set, "nvpair", id);
		vrms_cib_edit_set(pair, "name", "standby");
	}
	vrms_cib_edit_set(pair, "value", "on");
}

static void reopen_node(struct vrms_cib_edit *edit, xmlNode *node)
{
	xmlNode *pair;

	while ((pair = vrms_cib_edit_find_pair(node, "instance_attributes", "standby")) != NULL) {
		xmlUnlinkNode(pair);
		xmlFreeNode(pair);
		edit->changed = true;
	}
}

static int write_node(struct vrms_cib_edit *edit, const char *uname,
		      void (*change)(struct vrms_cib_edit *, xmlNode *), struct vrms_error *error)
{
	xmlNode *node = uname == NULL ? NULL : find_node(edit, uname);

	if (uname != NULL && node == NULL) {
		return vrms_error_set(error, -ENOENT, "unknown node '%s'", uname);
	}
	if (node != NULL) {
		change(edit, node);
	}
	return 0;
}

static int write_moves(struct vrms_cib_edit *edit, const struct vrms_cib_steering *steering,
		       struct vrms_error *error)
{
	xmlNode *constraints = vrms_cib_edit_section(edit, "constraints", "fencing-topology");
	char *before VRMS_CLEANUP(vrms_freep) =
	    vrms_cib_edit_text_of(constraints, VRMS_CIB_MOVE_PREFIX);
	char *after VRMS_CLEANUP(vrms_freep) = NULL;

	vrms_cib_edit_remove(constraints, VRMS_CIB_MOVE_PREFIX);
	for (int i = 0; i < steering->move_count; i++) {
		write_move(constraints, &steering->moves[i], steering->until);
	}
	after = vrms_cib_edit_text_of(constraints, VRMS_CIB_MOVE_PREFIX);
	if (before == NULL || after == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	edit->changed = edit->changed || strcmp(before, after) != 0;
	return 0;
}

int vrms_cib_steer(const char *cib_text, const struct vrms_cib_steering *steering, char **ret_text,
		   struct vrms_error *error)
{
	struct vrms_cib_edit edit;
	int rc = vrms_cib_edit_open(&edit, cib_text, error);

	rc = rc < 0 ? rc : write_moves(&edit, steering, error);
	rc = rc < 0 ? rc : write_node(&edit, steering->close, close_node, error);
	rc = rc < 0 ? rc : write_node(&edit, steering->reopen, reopen_node, error);
	rc = rc < 0 ? rc : vrms_cib_edit_text(&edit, ret_text, error);
	vrms_cib_edit_done(&edit);
	return rc;
}

/* ---- what it says */

static void read_controller(const struct vrms_cib_edit *edit, struct vrms_cib_facts *facts)
{
	const char *id = vrms_cib_peek(edit->root, "dc-uuid"), *uname;
	xmlNode *node = vrms_cib_child(vrms_cib_child(edit->configuration, "nodes"), "node");

	while (id != NULL && node != NULL && !vrms_cib_is(node, "id", id)) {
		node = vrms_cib_next(node, "node");
	}
	uname = id == NULL ? NULL : vrms_cib_peek(node, "uname");
	snprintf(facts->controller, sizeof(facts->controller), "%s", uname == NULL ? "" : uname);
}

static void read_location(const xmlNode *location, struct vrms_cib_facts *facts)
{
	const char *until =
	    vrms_cib_peek(vrms_cib_child(vrms_cib_child(location, "rule"), "date_expression"),
			  "end");

	if (vrms_cib_edit_begins(location, VRMS_CIB_PREFIX)) {
		facts->has_lists = true;
		facts->has_exclusive = vrms_cib_is(location, "resource-discovery", "exclusive");
	}
	if (!vrms_cib_edit_begins(location, VRMS_CIB_MOVE_PREFIX)) {
		return;
	}
	facts->moves++;
	if (until != NULL && strcmp(until, facts->until) > 0) {
		snprintf(facts->until, sizeof(facts->until), "%s", until);
	}
}

int vrms_cib_facts_read(const char *cib_text, struct vrms_cib_facts *ret_facts,
			struct vrms_error *error)
{
	struct vrms_cib_edit edit;
	struct vrms_cib_facts facts = {0};
	int rc = vrms_cib_edit_open(&edit, cib_text, error);

	if (rc == 0) {
		xmlNode *constraints = vrms_cib_child(edit.configuration, "constraints");

		facts.has_quorum = vrms_cib_is(edit.root, "have-quorum", "1") ||
				   vrms_cib_is(edit.root, "have-quorum", "true");
		for (xmlNode *at = vrms_cib_child(constraints, "rsc_location"); at != NULL;
		     at = vrms_cib_next(at, "rsc_location")) {
			read_location(at, &facts);
		}
		read_controller(&edit, &facts);
		*ret_facts = facts;
	}
	vrms_cib_edit_done(&edit);
	return rc;
}
