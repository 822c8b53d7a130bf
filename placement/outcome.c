/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/outcome.h"

#include "placement/model_data.h"

struct vrms_outcome *vrms_outcome_new(const struct vrms_model *model)
{
	struct vrms_outcome *outcome VRMS_CLEANUP(vrms_outcome_freep) = calloc(1, sizeof(*outcome));
	size_t vms = (size_t)model->vm_count + 1;
	size_t cells = (size_t)(model->node_count + 1) * VRMS_DIM_MAX;

	if (outcome == NULL) {
		return NULL;
	}
	/* A VM moves at most twice: to make room, and when its new host fails in turn. */
	outcome->moves = calloc(2 * vms, sizeof(*outcome->moves));
	outcome->stopped = calloc(vms, sizeof(*outcome->stopped));
	outcome->before = calloc(cells, sizeof(*outcome->before));
	outcome->after = calloc(cells, sizeof(*outcome->after));
	if (outcome->moves == NULL || outcome->stopped == NULL || outcome->before == NULL ||
	    outcome->after == NULL) {
		return NULL;
	}
	return VRMS_TAKE(outcome);
}

void vrms_outcome_free(struct vrms_outcome *outcome)
{
	if (outcome == NULL) {
		return;
	}
	free(outcome->moves);
	free(outcome->stopped);
	free(outcome->before);
	free(outcome->after);
	free(outcome);
}

const char *vrms_move_kind_name(enum vrms_move_kind kind)
{
	static const char *const names[] = {
	    [VRMS_MOVE_RECOVER] = "recover",
	    [VRMS_MOVE_ROOM] = "make-room",
	    [VRMS_MOVE_REBALANCE] = "rebalance",
	    [VRMS_MOVE_DRAIN] = "drain",
	};

	return names[kind];
}
