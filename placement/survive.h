/* survive.h - the N+k proof: every loss of up to k nodes, one by one.
 *
 * Pure.  Losses of one and of two nodes are read from the fail-over lists;
 * larger ones are decided here, each by the lists first and by a new plan where
 * those leave somebody down.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_SURVIVE_H
#define VRMS_PLACEMENT_SURVIVE_H

#include "placement/planner.h"

enum { VRMS_SURVIVE_MAX = 4, VRMS_SURVIVE_LOSSES = 200000 };

/* One loss that somebody does not survive. */
struct vrms_loss {
	int node[VRMS_SURVIVE_MAX], count;
	int down; /* VMs */
};

struct vrms_survival {
	int survives;    /* the largest k such that no loss of up to k nodes leaves a VM down */
	int64_t checked; /* losses looked at */
	int64_t fatal;   /* of those: losses that leave a VM down */
	struct vrms_loss worst; /* the one with the most VMs down; count 0: none */
};

/* Looks at every loss of 1..k living nodes, on the cluster as the planner has it.
 *
 * lists: made with losses >= min(k, 2).
 * Returns 0, or -E2BIG when there are more than VRMS_SURVIVE_LOSSES losses of k nodes.
 */
VRMS_MUST_CHECK int vrms_survive(struct vrms_planner *planner, const struct vrms_failover *lists,
				 int k, struct vrms_outcome *scratch,
				 struct vrms_survival *ret_survival);

#endif
