/* cib.h - the inside of the importer of Pacemaker's CIB.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_CIB_H
#define VRMS_PLACEMENT_CIB_H

#include <libxml/tree.h>

#include "placement/draft.h"
#include "placement/names.h"

/* Everything that this program writes into a CIB has an id that begins like this. */
#define VRMS_CIB_PREFIX "vrms-plan-"

struct vrms_cib {
	struct vrms_draft *draft;
	struct vrms_error *error;
	xmlNode *nodes, *resources, *constraints, *tags, *status, *config, *defaults;
	struct vrms_names active; /* resources that run, or ran on a node that failed */
	const char **host;        /* [active] where */
	bool *past;               /* [active] its node has failed */
	struct vrms_names vms;    /* of the draft */
	bool symmetric;           /* resources run anywhere unless told otherwise */
	bool maintenance;         /* nothing is managed */
};

/* XML helpers; all accept NULL elements and return borrowed or kept text. */
xmlNode *vrms_cib_child(const xmlNode *parent, const char *name);
xmlNode *vrms_cib_next(const xmlNode *element, const char *name); /* sibling of that name */
/* Attribute, kept in the draft; NULL when absent. */
const char *vrms_cib_get(const struct vrms_cib *cib, const xmlNode *element, const char *name);
/* Attribute inside the document. */
const char *vrms_cib_peek(const xmlNode *element, const char *name);
bool vrms_cib_is(const xmlNode *element, const char *attribute, const char *value);
/* Value of an nvpair in any set called `sets` ("meta_attributes") below the element. */
const char *vrms_cib_nvpair(const struct vrms_cib *cib, const xmlNode *element, const char *sets,
			    const char *name);
bool vrms_cib_is_true(const char *text, bool fallback);
int vrms_cib_line(const xmlNode *element);
/* "source:line: " before the error's text. */
int vrms_cib_fail(const struct vrms_cib *cib, const xmlNode *element, int rc);

/* Score: "INFINITY" is 1000000. */
VRMS_MUST_CHECK int vrms_cib_score(const struct vrms_cib *cib, const xmlNode *element,
				   int64_t *ret_score);

/* Adds each utilization attribute of the element to amounts, as dimensions of the draft. */
VRMS_MUST_CHECK int vrms_cib_utilization(const struct vrms_cib *cib, const xmlNode *element,
					 int64_t amounts[VRMS_DIM_MAX]);

/* cib_status.c: takes in the status section. */
VRMS_MUST_CHECK int vrms_cib_read_status(struct vrms_cib *cib);

/* The node where the resource runs, or ran when its node failed; NULL: nowhere. */
const char *vrms_cib_host(const struct vrms_cib *cib, const char *resource);

/* cib_expr.c: an attribute that the node has until it is restarted; NULL: none. */
const char *vrms_cib_transient(const struct vrms_cib *cib, const xmlNode *node, const char *name);

/* cib_expr.c: does the rule of a location constraint hold for the node?
 *
 * Returns 0, or -ENOTSUP when that depends on dates, roles or resources.
 */
VRMS_MUST_CHECK int vrms_cib_rule_holds(const struct vrms_cib *cib, const xmlNode *rule,
					const xmlNode *node, bool *ret_holds);

/* cib_rules.c: location and colocation constraints become rules. */
VRMS_MUST_CHECK int vrms_cib_rules(const struct vrms_cib *cib);

#endif
