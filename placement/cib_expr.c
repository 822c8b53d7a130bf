/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of location constraints, for what a node is (source: Pacemaker Explained, "Rules"):
 * expressions on #uname and on node attributes.  Dates, roles and values from resource parameters
 * cannot be decided once for a plan.
 */
#include <errno.h>
#include <string.h>

#include "common/parse.h"
#include "placement/cib.h"

const char *vrms_cib_transient(const struct vrms_cib *cib, const xmlNode *node, const char *name)
{
	const char *id = vrms_cib_peek(node, "id");
	xmlNode *state = vrms_cib_child(cib->status, "node_state");

	while (state != NULL && (id == NULL || !vrms_cib_is(state, "id", id))) {
		state = vrms_cib_next(state, "node_state");
	}
	return vrms_cib_nvpair(cib, vrms_cib_child(state, "transient_attributes"),
			       "instance_attributes", name);
}

/* Of the node for good, or since its start. */
static const char *attribute_of(const struct vrms_cib *cib, const xmlNode *node, const char *name)
{
	const char *value;

	if (strcmp(name, "#uname") == 0) {
		return vrms_cib_peek(node, "uname");
	}
	if (strcmp(name, "#id") == 0) {
		return vrms_cib_peek(node, "id");
	}
	value = vrms_cib_nvpair(cib, node, "instance_attributes", name);
	return value != NULL ? value : vrms_cib_transient(cib, node, name);
}

/* As strcmp(); numbers by value where they are meant. */
static int compare(const char *left, const char *right, const char *type, bool ordered)
{
	int64_t a, b;
	bool numbers = type != NULL ? strcmp(type, "string") != 0 : ordered;

	if (left == NULL || right == NULL) {
		return (left != NULL) - (right != NULL);
	}
	if (numbers && vrms_int_parse(left, INT64_MIN, INT64_MAX, &a, NULL) == 0 &&
	    vrms_int_parse(right, INT64_MIN, INT64_MAX, &b, NULL) == 0) {
		return (a > b) - (a < b);
	}
	return strcasecmp(left, right);
}

struct operation {
	const char *name;
	bool ordered;             /* needs both values */
	bool below, equal, above; /* holds for these results of a comparison */
};

static const struct operation operations[] = {
    {"eq", .equal = true},
    {"ne", .below = true, .above = true},
    {"lt", .ordered = true, .below = true},
    {"lte", .ordered = true, .below = true, .equal = true},
    {"gt", .ordered = true, .above = true},
    {"gte", .ordered = true, .equal = true, .above = true},
};

static int evaluate(const struct vrms_cib *cib, const xmlNode *expression, const xmlNode *node,
		    bool *ret_holds)
{
	const char *name = vrms_cib_peek(expression, "attribute");
	const char *operation = vrms_cib_peek(expression, "operation");
	const char *right = vrms_cib_peek(expression, "value"), *left;

	if (name == NULL || operation == NULL || strcmp(name, "#kind") == 0 ||
	    strcmp(name, "#ra-version") == 0 ||
	    (vrms_cib_peek(expression, "value-source") != NULL &&
	     !vrms_cib_is(expression, "value-source", "literal"))) {
		return -ENOTSUP;
	}
	left = attribute_of(cib, node, name);
	if (strcmp(operation, "defined") == 0 || strcmp(operation, "not_defined") == 0) {
		*ret_holds = (left != NULL) == (operation[0] == 'd');
		return 0;
	}
	for (size_t i = 0; i < VRMS_COUNT_OF(operations); i++) {
		const struct operation *at = &operations[i];

		if (strcmp(at->name, operation) == 0) {
			int order =
			    compare(left, right, vrms_cib_peek(expression, "type"), at->ordered);

			*ret_holds = (!at->ordered || (left != NULL && right != NULL)) &&
				     (order < 0    ? at->below
				      : order == 0 ? at->equal
						   : at->above);
			return 0;
		}
	}
	return -ENOTSUP;
}

int vrms_cib_rule_holds(const struct vrms_cib *cib, const xmlNode *rule, const xmlNode *node,
			bool *ret_holds)
{
	bool any = vrms_cib_is(rule, "boolean-op", "or"), result = !any;

	if (vrms_cib_peek(rule, "role") != NULL && !vrms_cib_is(rule, "role", "Started")) {
		return -ENOTSUP;
	}
	for (const xmlNode *at = rule->children; at != NULL; at = at->next) {
		const char *kind = (const char *)at->name;
		bool holds = false;
		int rc = -ENOTSUP;

		if (at->type != XML_ELEMENT_NODE) {
			continue;
		}
		if (strcmp(kind, "expression") == 0) {
			rc = evaluate(cib, at, node, &holds);
		} else if (strcmp(kind, "rule") == 0) {
			rc = vrms_cib_rule_holds(cib, at, node, &holds);
		}
		if (rc < 0) {
			return rc;
		}
		result = any ? result || holds : result && holds;
	}
	*ret_holds = result;
	return 0;
}
