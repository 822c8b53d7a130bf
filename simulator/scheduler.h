/* scheduler.h - another opinion on each decision: a scheduler that is shown what the cluster knows.
 *
 * The port through which an installed Pacemaker's scheduler decides in the simulated world
 * (simulator/crm.h), and the model is held against it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_SCHEDULER_H
#define VRMS_SIMULATOR_SCHEDULER_H

#include "simulator/scenario.h"

enum vrms_sim_view_state {
	VRMS_SIM_VIEW_OFFLINE, /* cleanly gone, or fenced */
	VRMS_SIM_VIEW_PENDING, /* a member that has not joined yet */
	VRMS_SIM_VIEW_ONLINE,
	VRMS_SIM_VIEW_UNCLEAN, /* lost without a word */
};

struct vrms_sim_view_node {
	enum vrms_sim_view_state state;
	bool standby, stopping;
	bool stop_failed; /* a stop operation has failed there */
};

enum { VRMS_SIM_VIEW_BANS = 4 };

struct vrms_sim_view_vm {
	int host;                    /* -1: nowhere */
	bool wanted, failed;         /* failed: must be stopped where it is */
	bool starting, stopping;     /* an operation is under way */
	int ban[VRMS_SIM_VIEW_BANS]; /* nodes where it may not run; -1: free */
};

/* What the DC's CIB would say. */
struct vrms_sim_view {
	const struct vrms_sim_scenario *scenario;
	const struct vrms_sim_view_node *node; /* [scenario->node_count] */
	const struct vrms_sim_view_vm *vm;     /* [scenario->vm_count] */
	int dc;
	bool quorate;
};

struct vrms_sim_answer {
	bool *fence;    /* [node] */
	bool *stop;     /* [vm] where it is, to run elsewhere or not at all */
	int32_t *start; /* [vm] node where it is started or moved to; -1: not */
};

struct vrms_sim_scheduler {
	void *context;
	/* Fills the answer, whose arrays are the caller's and cleared.  Errors end the simulation.
	 */
	int (*decide)(void *context, const struct vrms_sim_view *view,
		      struct vrms_sim_answer *answer, struct vrms_error *error);
};

/* How often the model would have decided otherwise. */
struct vrms_sim_agreement {
	int64_t asked;
	int64_t fences, stops, starts, places; /* decisions of that kind that differ */
	char first[160];                       /* the first of them; "": none */
};

#endif
