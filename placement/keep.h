/* keep.h - are the fail-over lists that were written some time ago still good enough?
 *
 * Pure.  New lists for a cluster that has changed a little may differ in every line; to write
 * them each time would make the scheduler run for nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_KEEP_H
#define VRMS_PLACEMENT_KEEP_H

#include "placement/failover.h"

enum vrms_keep_reason {
	VRMS_KEEP_GOOD,     /* they can stay */
	VRMS_KEEP_NONE,     /* there are none */
	VRMS_KEEP_VM_NEW,   /* a VM has no list */
	VRMS_KEEP_VM_SHORT, /* a VM has fewer hosts left than it could: it moved, or one is gone */
	VRMS_KEEP_NODE_NEW, /* a node is in no list */
	VRMS_KEEP_DOWN,     /* after some failure more VMs would stay down */
	VRMS_KEEP_LOAD,     /* after some failure the highest load would be higher */
};

struct vrms_keep_verdict {
	enum vrms_keep_reason reason;
	const char *name;          /* of the VM, node or dimension; NULL: none */
	double old_load, new_load; /* LOAD: the highest after the worst single failure */
	int old_down, new_down;    /* VMs down over all single failures */
};

/* lists:     VRMS_LIST_MAX node indices for each VM, best first, VRMS_NODE_NONE behind the last.
 * fresh:     lists made for the model as it is now.
 * tolerance: 0.05: old lists may lead to loads up to 5 % higher than fresh ones.
 * Returns 0 or -ENOMEM.
 */
VRMS_MUST_CHECK int vrms_keep_judge(const struct vrms_model *model, const int *lists,
				    const struct vrms_failover *fresh, double tolerance,
				    struct vrms_keep_verdict *ret_verdict);

/* One sentence about the verdict, without a full stop. */
void vrms_keep_text(const struct vrms_keep_verdict *verdict, char *text, size_t size);

#endif
