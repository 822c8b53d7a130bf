/* planner.h - decisions about a cluster, one after the other, each on what the last one left.
 *
 * Pure.  A planner holds the cluster as it would be after the decisions taken
 * so far; nothing happens anywhere else.  Same model and same calls: same answers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_PLANNER_H
#define VRMS_PLACEMENT_PLANNER_H

#include "placement/failover.h"
#include "placement/outcome.h"

struct vrms_planner; /* opaque */

/* Begins with the cluster as the model says.  NULL when out of memory. */
struct vrms_planner *vrms_planner_new(const struct vrms_model *model);
void vrms_planner_free(struct vrms_planner *planner); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_planner *, vrms_planner_free);

/* Back to the cluster as the model says. */
void vrms_planner_reset(struct vrms_planner *planner);

/* Search limits of all decisions; by default 40000 steps and 32 moves that make room. */
void vrms_planner_set_effort(struct vrms_planner *planner, int64_t steps, int shifts_max);

/* Loses the nodes (count may be 0) and finds hosts for every VM that runs nowhere.
 * What already failed stays failed; naming it again changes nothing.
 */
void vrms_planner_fail(struct vrms_planner *planner, const int *nodes, int count,
		       struct vrms_outcome *outcome);

/* Finds hosts for these VMs, which run nowhere; the others that run nowhere are left alone. */
void vrms_planner_place(struct vrms_planner *planner, const int *vms, int count,
			struct vrms_outcome *outcome);

struct vrms_rebalance_config {
	int moves_max;
	int parallel;    /* migrations at once per node */
	double gain_min; /* what a move of mean cost must gain, see rebalance.c; 0.2 is good */
	int only_to;     /* fill up this node only; VRMS_NODE_NONE: level all */
};

/* Levels the load by live migrations, the most useful first; mends broken rules and overloads
 * before.  Every single step lowers one measure of unevenness that depends on nothing but
 * where VMs are and what they need, so no sequence of rebalances ever comes back to a state.
 */
void vrms_planner_rebalance(struct vrms_planner *planner,
			    const struct vrms_rebalance_config *config,
			    struct vrms_outcome *outcome);

/* Lowers the highest load of every dimension, measured by what each is now, with at most so many
 * live migrations: the node that is worst off gets relief first.  For the hour after a failure;
 * unlike rebalance it asks nothing about cost.
 */
void vrms_planner_trim(struct vrms_planner *planner, int moves_max, int parallel,
		       struct vrms_outcome *outcome);

/* Empties a node, which takes nothing new from then on.  VMs that cannot be live-migrated
 * come last, as cold moves.  parallel: migrations at once per node, > 0.
 */
void vrms_planner_drain(struct vrms_planner *planner, int node, int parallel,
			struct vrms_outcome *outcome);

/* Lets a node take VMs again that drain, standby or failure had closed. */
void vrms_planner_open(struct vrms_planner *planner, int node);

/* Fail-over lists for the cluster as the planner has it now; NULL when out of memory. */
struct vrms_failover *vrms_planner_lists(const struct vrms_planner *planner,
					 const struct vrms_failover_config *config);

/* One failure decided by look-up: every VM of the nodes goes to the first surviving host of its
 * list that has room, or to where the prepared case sends it; no search.  The planner is left
 * with the result.  Returns how many VMs found no host that way (they are in stopped[]).
 */
int vrms_planner_decide(struct vrms_planner *planner, const struct vrms_failover *lists,
			const int *nodes, int count, struct vrms_outcome *outcome);

/* Where a VM is now: node or VRMS_NODE_NONE. */
int vrms_planner_where(const struct vrms_planner *planner, int vm);

/* Is the node alive, does it take VMs? */
bool vrms_planner_is_alive(const struct vrms_planner *planner, int node);

/* Broken hard rules as things are, and nodes above capacity: calls `tell` for each.
 * name: of the rule or node.  Returns how many.
 */
int vrms_planner_broken(const struct vrms_planner *planner,
			void (*tell)(void *context, const char *what, const char *name),
			void *context);

#endif
