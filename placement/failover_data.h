/* failover_data.h - the inside of the fail-over lists, shared by failover.c, pairs.c and ranks.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_FAILOVER_DATA_H
#define VRMS_PLACEMENT_FAILOVER_DATA_H

#include "placement/failover.h"
#include "placement/solver.h"

struct vrms_failover {
	const struct vrms_model *model;
	struct vrms_failover_config config;
	struct vrms_state *state; /* back to the base between failures */
	struct vrms_solver *solver;
	int *host;       /* [unit] in the base state */
	int *list;       /* [unit][list_length], VRMS_NODE_NONE: not there */
	int *resident;   /* units sorted by host */
	int *first;      /* [node + 1] in resident[] */
	int64_t *used;   /* [failed][node][dim] what arrives there: configured demand */
	int64_t *weight; /* likewise, for balance; the same array when they agree */
	int64_t *extra;  /* scratch of ranks.c: [node + 1][dim + 1] */
	int *displaced;  /* scratch: units of the nodes that fail now, as they were taken */
	struct vrms_case *cases;
	int case_count;
	struct vrms_detail *detail;
	int detail_count;
};

/* Row of an arrival matrix. */
static inline int64_t *vrms_arrivals(const struct vrms_failover *failover, int64_t *matrix,
				     int failed, int node)
{
	const struct vrms_model *model = failover->model;

	return &matrix[((size_t)failed * model->node_count + node) * model->dim_count];
}

static inline int *vrms_list_of(const struct vrms_failover *failover, int unit)
{
	return &failover->list[(size_t)unit * failover->config.list_length];
}

/* Adds (sign 1) or removes (-1) the unit among the arrivals on a node after its host failed. */
void vrms_failover_arrive(struct vrms_failover *failover, int unit, int node, int sign);

/* Closes a case from what the solver did: loads, shifts, who is down, details. */
void vrms_failover_record(struct vrms_failover *failover, struct vrms_case *found, bool by_list);

/* Fails nodes, with their units listed in displaced[]; returns how many. */
int vrms_failover_fail(struct vrms_failover *failover, int first, int second);

/* Takes the solver's shifts back, the units up and puts them where they were. */
void vrms_failover_restore(struct vrms_failover *failover, int first, int second, int displaced);

/* pairs.c: adjusts the first hosts for the loss of two nodes. */
void vrms_pairs_adjust(struct vrms_failover *failover);
/* pairs.c: solves every pair; fills in second hosts. */
void vrms_pairs_solve(struct vrms_failover *failover);
/* ranks.c: fills what is still empty in every list. */
void vrms_ranks_fill(struct vrms_failover *failover);

#endif
