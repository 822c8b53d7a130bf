/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "placement/state.h"

/* What lists lead to, over all single failures. */
struct future {
	double highest[VRMS_DIM_MAX];
	int down;
};

struct judge {
	const struct vrms_model *model;
	struct vrms_state *state;
	int *unit;  /* displaced */
	int *fresh; /* lists in the form of the old ones */
};

static bool is_candidate(const struct vrms_state *state, int unit, int node)
{
	return node >= 0 && node < state->model->node_count && state->open[node] &&
	       vrms_state_has_room(state, unit, node);
}

/* Where the first of its hosts that has room is. */
static int first_host(const struct judge *judge, const int *lists, int unit)
{
	int vm = judge->model->unit_vm[judge->model->unit[unit].vm_first];
	const int *list = &lists[(size_t)vm * VRMS_LIST_MAX];

	for (int i = 0; i < VRMS_LIST_MAX; i++) {
		if (is_candidate(judge->state, unit, list[i])) {
			return list[i];
		}
	}
	return VRMS_NODE_NONE;
}

static void lose_node(struct judge *judge, const int *lists, int node, struct future *future)
{
	struct vrms_state *state = judge->state;
	int count = vrms_state_fail(state, node, judge->unit, 0);

	for (int i = 0; i < count; i++) {
		int host = first_host(judge, lists, judge->unit[i]);

		if (host >= 0) {
			vrms_state_put(state, judge->unit[i], host);
		} else {
			future->down += judge->model->unit[judge->unit[i]].vm_count;
		}
	}
	for (int d = 0; d < judge->model->dim_count; d++) {
		double highest = vrms_state_highest(state, d);

		future->highest[d] = highest > future->highest[d] ? highest : future->highest[d];
	}
	for (int i = 0; i < count; i++) {
		if (state->where[judge->unit[i]] >= 0) {
			vrms_state_take(state, judge->unit[i]);
		}
	}
	vrms_state_revive(state, node);
	for (int i = 0; i < count; i++) {
		vrms_state_put(state, judge->unit[i], node);
	}
}

static void foresee(struct judge *judge, const int *lists, struct future *future)
{
	*future = (struct future){0};
	for (int n = 0; n < judge->model->node_count; n++) {
		/* Others are closed on purpose and open only by reviving: leave them alone. */
		if (judge->state->alive[n] && judge->state->open[n]) {
			lose_node(judge, lists, n, future);
		}
	}
}

static int length_of(const struct judge *judge, int vm, const int *lists)
{
	const int *list = &lists[(size_t)vm * VRMS_LIST_MAX];
	int host = judge->state->where[judge->model->vm[vm].unit], length = 0;

	for (int i = 0; i < VRMS_LIST_MAX; i++) {
		length += list[i] >= 0 && list[i] != host && judge->state->open[list[i]];
	}
	return length;
}

static bool vm_lacks(const struct judge *judge, const int *lists, struct vrms_keep_verdict *verdict)
{
	bool any = false;

	for (int v = 0; v < judge->model->vm_count; v++) {
		int now = length_of(judge, v, lists), wanted = length_of(judge, v, judge->fresh);

		any = any || lists[(size_t)v * VRMS_LIST_MAX] >= 0;
		if (now < wanted && verdict->reason == VRMS_KEEP_GOOD) {
			verdict->reason = lists[(size_t)v * VRMS_LIST_MAX] < 0 ? VRMS_KEEP_VM_NEW
									       : VRMS_KEEP_VM_SHORT;
			verdict->name = vrms_model_vm_name(judge->model, v);
		}
	}
	if (!any && verdict->reason != VRMS_KEEP_GOOD) {
		verdict->reason = VRMS_KEEP_NONE;
	}
	return verdict->reason != VRMS_KEEP_GOOD;
}

static bool is_listed(const struct vrms_model *model, const int *lists, int node)
{
	for (size_t i = 0; i < (size_t)model->vm_count * VRMS_LIST_MAX; i++) {
		if (lists[i] == node) {
			return true;
		}
	}
	return false;
}

static bool node_lacks(const struct judge *judge, const int *lists,
		       struct vrms_keep_verdict *verdict)
{
	for (int n = 0; n < judge->model->node_count; n++) {
		if (is_listed(judge->model, judge->fresh, n) &&
		    !is_listed(judge->model, lists, n)) {
			verdict->reason = VRMS_KEEP_NODE_NEW;
			verdict->name = vrms_model_node_name(judge->model, n);
			return true;
		}
	}
	return false;
}

static void compare(struct judge *judge, const int *lists, double tolerance,
		    struct vrms_keep_verdict *verdict)
{
	struct future old, fresh;

	foresee(judge, lists, &old);
	foresee(judge, judge->fresh, &fresh);
	verdict->old_down = old.down;
	verdict->new_down = fresh.down;
	if (old.down > fresh.down) {
		verdict->reason = VRMS_KEEP_DOWN;
		return;
	}
	for (int d = 0; d < judge->model->dim_count; d++) {
		if (old.highest[d] > fresh.highest[d] * (1 + tolerance)) {
			verdict->reason = VRMS_KEEP_LOAD;
			verdict->name = vrms_model_dim_name(judge->model, d);
			verdict->old_load = old.highest[d];
			verdict->new_load = fresh.highest[d];
			return;
		}
	}
}

static void copy_lists(struct judge *judge, const struct vrms_failover *fresh)
{
	for (int v = 0; v < judge->model->vm_count; v++) {
		int count;
		const int *list = vrms_failover_list(fresh, v, &count);

		for (int i = 0; i < VRMS_LIST_MAX; i++) {
			judge->fresh[(size_t)v * VRMS_LIST_MAX + i] =
			    i < count ? list[i] : VRMS_NODE_NONE;
		}
	}
}

int vrms_keep_judge(const struct vrms_model *model, const int *lists,
		    const struct vrms_failover *fresh, double tolerance,
		    struct vrms_keep_verdict *ret_verdict)
{
	size_t cells = (size_t)model->vm_count * VRMS_LIST_MAX + 1;
	struct judge judge = {.model = model,
			      .state = vrms_state_new(model),
			      .unit = calloc((size_t)model->unit_count + 1, sizeof(int)),
			      .fresh = calloc(cells, sizeof(int))};
	struct vrms_keep_verdict verdict = {.reason = VRMS_KEEP_GOOD};
	int rc = -ENOMEM;

	if (judge.state != NULL && judge.unit != NULL && judge.fresh != NULL) {
		copy_lists(&judge, fresh);
		if (!vm_lacks(&judge, lists, &verdict) && !node_lacks(&judge, lists, &verdict)) {
			compare(&judge, lists, tolerance, &verdict);
		}
		*ret_verdict = verdict;
		rc = 0;
	}
	vrms_state_free(judge.state);
	free(judge.unit);
	free(judge.fresh);
	return rc;
}

void vrms_keep_text(const struct vrms_keep_verdict *verdict, char *text, size_t size)
{
	const char *name = verdict->name != NULL ? verdict->name : "";

	switch (verdict->reason) {
	case VRMS_KEEP_GOOD:
		snprintf(text, size, "the lists are good");
		return;
	case VRMS_KEEP_NONE:
		snprintf(text, size, "there are no lists yet");
		return;
	case VRMS_KEEP_VM_NEW:
		snprintf(text, size, "vm '%s' has no list", name);
		return;
	case VRMS_KEEP_VM_SHORT:
		snprintf(text, size, "vm '%s' has fewer hosts left than it could", name);
		return;
	case VRMS_KEEP_NODE_NEW:
		snprintf(text, size, "node '%s' is in no list", name);
		return;
	case VRMS_KEEP_DOWN:
		snprintf(text, size, "after single failures %d VMs would stay down instead of %d",
			 verdict->old_down, verdict->new_down);
		return;
	case VRMS_KEEP_LOAD:
		snprintf(text, size,
			 "%s would be at %.0f %% after the worst single failure instead of %.0f %%",
			 name, 100 * verdict->old_load, 100 * verdict->new_load);
		return;
	}
}
