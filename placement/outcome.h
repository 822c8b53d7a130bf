/* outcome.h - what a decision amounts to: moves, who stays down, loads before and after.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_OUTCOME_H
#define VRMS_PLACEMENT_OUTCOME_H

#include "placement/model.h"

enum vrms_move_kind {
	VRMS_MOVE_RECOVER,   /* start of a VM that lost its host or ran nowhere */
	VRMS_MOVE_ROOM,      /* live migration that makes room for others */
	VRMS_MOVE_REBALANCE, /* live migration that levels the load */
	VRMS_MOVE_DRAIN,     /* leaves a node that is to be empty */
};

struct vrms_move {
	int vm, from, to; /* from: VRMS_NODE_NONE when it was not running */
	enum vrms_move_kind kind;
	int batch; /* 0, 1 ...: moves of a batch go at once, batches one after the other */
	bool cold; /* stop and start: this VM cannot be live-migrated */
};

struct vrms_outcome {
	struct vrms_move *moves; /* in the order in which they are possible */
	int move_count;
	int *stopped; /* VMs that stay or go down, the most important first */
	int stopped_count;
	int64_t *before,
	    *after; /* [node][dim] configured demand on the node, other load included */
	double highest_before[VRMS_DIM_MAX]; /* load as share of physical capacity */
	double highest_after[VRMS_DIM_MAX];
	double bound[VRMS_DIM_MAX]; /* no plan that moves only what this one may gets below */
	bool fewest;                /* proven: no fewer moves make room for everything */
	bool ordered;               /* every move is possible in its batch; false: see drain */
};

/* Takes all memory it will ever need; NULL when there is none. */
struct vrms_outcome *vrms_outcome_new(const struct vrms_model *model);
void vrms_outcome_free(struct vrms_outcome *outcome); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_outcome *, vrms_outcome_free);

/* "recover", "make-room", "rebalance", "drain". */
const char *vrms_move_kind_name(enum vrms_move_kind kind);

#endif
