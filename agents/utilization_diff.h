/* utilization_diff.h - what has to change in a resource's XML so that it holds the wanted
 * utilization.
 *
 * Works on XML trees only; the CIB is the program's business.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_UTILIZATION_DIFF_H
#define VRMS_AGENTS_UTILIZATION_DIFF_H

#include <libxml/tree.h>

#include "agents/utilization.h"

struct vrms_utilization_diff {
	/* <primitive id=...><utilization id=...><nvpair .../>... to be merged into the resources
	 * section; NULL: nothing to set.  Freed by _done(). */
	xmlNode *update;
	/* <nvpair id=.../> to be deleted; NULL: none for this attribute.  Freed by _done(). */
	xmlNode *removals[VRMS_UTILIZATION_COUNT];
};

/* Compares.
 *
 * primitive: the resource's element in the CIB.
 * ret_diff:  call _done() on it; untouched on failure.
 * An attribute that is in one of several <utilization> sets is changed where it
 * is; a new one goes into the first set, or into a new set "<id>-utilization".
 * Errors: -EBADMSG (not the element of this resource), -ENOMEM.
 */
VRMS_MUST_CHECK int vrms_utilization_compare(const struct vrms_utilization *wanted,
					     const xmlNode *primitive,
					     struct vrms_utilization_diff *ret_diff,
					     struct vrms_error *error);

bool vrms_utilization_diff_is_empty(const struct vrms_utilization_diff *diff);

void vrms_utilization_diff_done(struct vrms_utilization_diff *diff);

#endif
