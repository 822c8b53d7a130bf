/* view.h - what Pacemaker says runs where, read from crm_mon's XML.
 *
 * Pure but for the caller's memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_VIEW_H
#define VRMS_LAB_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

enum { VRMS_LAB_VIEW_NAME_SIZE = 64 };

struct vrms_lab_resource {
	char name[VRMS_LAB_VIEW_NAME_SIZE];
	char agent[VRMS_LAB_VIEW_NAME_SIZE];   /* "ocf:vrms:VirtualMachine" */
	char role[VRMS_LAB_VIEW_NAME_SIZE];    /* "Started", "Stopped" ... */
	char pending[VRMS_LAB_VIEW_NAME_SIZE]; /* "Starting", "Migrating" ...; "" */
	char node[VRMS_LAB_VIEW_NAME_SIZE];    /* the first it runs on; "" */
	int node_count;                        /* on how many it runs */
	bool failed, blocked, managed, orphaned;
};

struct vrms_lab_view {
	struct vrms_lab_resource *resources; /* those outside groups and clones */
	size_t count;
};

/* Reads the output of crm_mon --output-as=xml.
 *
 * Returns 0, -EINVAL (not such a text) or -ENOMEM; *ret_view must be released by _done().
 */
VRMS_MUST_CHECK int vrms_lab_view_parse(const char *text, struct vrms_lab_view *ret_view,
					struct vrms_error *error);
void vrms_lab_view_done(struct vrms_lab_view *view); /* accepts a zeroed one */

/* NULL when there is no such resource. */
const struct vrms_lab_resource *vrms_lab_view_find(const struct vrms_lab_view *view,
						   const char *name);

/* Is it one of the two agents for virtual machines? */
bool vrms_lab_resource_is_vm(const struct vrms_lab_resource *resource);

/* Runs on exactly one node, has not failed and nothing is under way. */
bool vrms_lab_resource_is_settled(const struct vrms_lab_resource *resource);

#endif
