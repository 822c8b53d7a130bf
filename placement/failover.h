/* failover.h - for every VM the hosts it goes to, in order, worked out before anything fails.
 *
 * Pure.  The first host of a list decides where the VM goes when its host is
 * lost; it is chosen for that loss together with all other VMs of the host.
 * The second one only matters when the first is lost as well, which makes it
 * free to be chosen for just that pair.  Firsts are then adjusted so that no
 * two hosts send too much to the same third.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_FAILOVER_H
#define VRMS_PLACEMENT_FAILOVER_H

#include "placement/model.h"

enum { VRMS_LIST_MAX = 8 };

struct vrms_failover_config {
	int losses;      /* plan for the loss of 1 node, or of 1 and of any 2 */
	int list_length; /* hosts per VM, 3..VRMS_LIST_MAX (fewer when there are fewer) */
	int shifts_max;  /* at most so many live migrations to make room after a failure */
	int64_t steps;   /* search effort per failure; 0: no making room */
	int details;     /* room for so many moves and stopped VMs over all failures */
};

/* Good values: losses 2 up to 100 nodes and else 1, lists of 3, 32 shifts, 40000 steps. */
void vrms_failover_config_default(struct vrms_failover_config *config,
				  const struct vrms_model *model);

/* One move or one VM left down, as part of the answer to one failure. */
struct vrms_detail {
	int unit;
	int from; /* VRMS_NODE_NONE: it was not running */
	int to;   /* VRMS_NODE_NONE: stays down */
};

/* What happens when these nodes are lost. */
struct vrms_case {
	int node[2];  /* node[1] is VRMS_NODE_NONE for a single loss */
	bool by_list; /* every VM goes to the first surviving host of its list, nothing else needed
		       */
	bool fewest;  /* proven: no fewer shifts would do */
	bool cut;     /* details did not fit into the room for them */
	int shifts;   /* live migrations that make room */
	int down;     /* VMs that stay down */
	int detail_first, detail_count; /* when not by_list: shifts in order, then stopped ones */
	double highest[VRMS_DIM_MAX];   /* load afterwards, share of physical capacity */
	double bound[VRMS_DIM_MAX];     /* the lowest it could be with nothing else moved */
};

struct vrms_failover; /* opaque */
struct vrms_state;

/* Works out all lists for the cluster as it is in `state` (NULL: as the model says).
 *
 * Takes all its memory here: about 8 * nodes^2 * dimensions bytes and 200 a VM.
 * Returns NULL when out of memory.
 */
struct vrms_failover *vrms_failover_new(const struct vrms_model *model,
					const struct vrms_state *state,
					const struct vrms_failover_config *config);
void vrms_failover_free(struct vrms_failover *failover); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_failover *, vrms_failover_free);

/* The VM's hosts, best first; *ret_count may be 0 (pinned, or no other host may run it). */
const int *vrms_failover_list(const struct vrms_failover *failover, int vm, int *ret_count);

/* All cases: single losses in order of nodes, then pairs. */
int vrms_failover_case_count(const struct vrms_failover *failover);
const struct vrms_case *vrms_failover_case(const struct vrms_failover *failover, int index);

/* The case of these nodes in any order (second VRMS_NODE_NONE: one), or NULL: not planned. */
const struct vrms_case *vrms_failover_find(const struct vrms_failover *failover, int first,
					   int second);
const struct vrms_detail *vrms_failover_details(const struct vrms_failover *failover,
						const struct vrms_case *found);

/* The VMs that a detail is about: the index-th, or -ENOENT after the last. */
int vrms_failover_detail_vm(const struct vrms_failover *failover, const struct vrms_detail *detail,
			    int index);

#endif
