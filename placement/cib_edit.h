/* cib_edit.h - changing a CIB: the XML helpers of what writes into one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_CIB_EDIT_H
#define VRMS_PLACEMENT_CIB_EDIT_H

#include "placement/cib.h"

/* A CIB that is being changed. */
struct vrms_cib_edit {
	xmlDoc *document;
	xmlNode *root, *configuration;
	bool changed;
};

/* Returns 0 or -EINVAL (not a CIB); call _done in both cases. */
VRMS_MUST_CHECK int vrms_cib_edit_open(struct vrms_cib_edit *edit, const char *text,
				       struct vrms_error *error);
void vrms_cib_edit_done(struct vrms_cib_edit *edit);

/* *ret_text: the CIB with its epoch raised by one, as Pacemaker does for each change; NULL when
 * nothing has changed.  Returns 0 or -ENOMEM.
 */
VRMS_MUST_CHECK int vrms_cib_edit_text(struct vrms_cib_edit *edit, char **ret_text,
				       struct vrms_error *error);

/* Does the element's id begin so? */
bool vrms_cib_edit_begins(const xmlNode *element, const char *prefix);

void vrms_cib_edit_set(xmlNode *element, const char *name, const char *value);
xmlNode *vrms_cib_edit_add(xmlNode *parent, const char *name, const char *id);

/* The section of the configuration, made when it is missing; the schema wants them in order. */
xmlNode *vrms_cib_edit_section(struct vrms_cib_edit *edit, const char *name, const char *before);

/* The nvpair of that name in any set called `sets` below the parent, or NULL. */
xmlNode *vrms_cib_edit_find_pair(xmlNode *parent, const char *sets, const char *name);

/* The elements below parent whose ids begin so, as one text to compare; NULL: out of memory. */
char *vrms_cib_edit_text_of(xmlNode *parent, const char *prefix);

/* Takes them out; returns how many there were. */
int vrms_cib_edit_remove(xmlNode *parent, const char *prefix);

/* Adds a set with one pair. */
void vrms_cib_edit_add_pair(xmlNode *parent, const char *sets, const char *id, const char *name,
			    const char *value);

/* cib_stick.c: would these lists move a VM that runs?  -EINVAL names the first. */
struct vrms_failover;
VRMS_MUST_CHECK int vrms_cib_check_stickiness(const struct vrms_cib_edit *edit,
					      const struct vrms_model *model,
					      const struct vrms_failover *lists,
					      struct vrms_error *error);

#endif
