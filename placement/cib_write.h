/* cib_write.h - the fail-over lists in Pacemaker's own language.
 *
 * One location constraint per host and rank, with a resource set of the VMs that
 * have it there, all with ids that begin with VRMS_CIB_PREFIX and listed in one
 * tag.  Ranks score 80, 70, 60 ...: less than resource-stickiness, so that nothing
 * running moves because of them, and less than any preference of weight.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_CIB_WRITE_H
#define VRMS_PLACEMENT_CIB_WRITE_H

#include "placement/planner.h"

enum { VRMS_CIB_SCORE_STEP = 10 }; /* between ranks */

struct vrms_cib_write_config {
	/* VMs are probed and may run on their host and the hosts of their list only: the
	 * scheduler's time and the size of the CIB grow with VMs times hosts that are looked
	 * at (resource-discovery="exclusive").
	 */
	bool exclusive;
	bool clear; /* only take out what was written before */
};

/* Makes the CIB say what the lists say; what is there already and right stays untouched.
 *
 * Also sets placement-strategy to "utilization", and resource-stickiness to 1000 where
 * rsc_defaults says nothing.  -EINVAL: a VM that runs would move, because its stickiness is not
 * above a score and what location constraints add to it.
 * lists: NULL with config->clear.
 * ret_text: the CIB with the changes, to be freed; NULL when nothing has to change.
 */
VRMS_MUST_CHECK int vrms_cib_write(const char *cib_text, const struct vrms_model *model,
				   const struct vrms_failover *lists,
				   const struct vrms_cib_write_config *config, char **ret_text,
				   struct vrms_error *error);

/* Reads the lists that a CIB has, to be judged by vrms_keep_judge().
 *
 * lists: VRMS_LIST_MAX nodes for each VM of the model; VRMS_NODE_NONE behind the last.
 * Returns 0 or -EINVAL (not a CIB).
 */
VRMS_MUST_CHECK int vrms_cib_read_lists(const char *cib_text, const struct vrms_model *model,
					int *lists, struct vrms_error *error);

#endif
