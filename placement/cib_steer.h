/* cib_steer.h - moves in Pacemaker's own language: where VMs are told to go, and nodes closed.
 *
 * A move is a location constraint of infinite score with an id that begins with
 * VRMS_CIB_MOVE_PREFIX and a date after which Pacemaker ignores it: when whoever
 * asked for it dies, nothing stays pinned.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_CIB_STEER_H
#define VRMS_PLACEMENT_CIB_STEER_H

#include "placement/outcome.h"

#define VRMS_CIB_MOVE_PREFIX "vrms-move-"

struct vrms_cib_move {
	const char *vm, *node;
};

/* What the CIB shall say. */
struct vrms_cib_steering {
	const struct vrms_cib_move *moves; /* all there are to be; those of before are taken out */
	int move_count;
	const char *until;  /* ISO 8601 with zone: when the moves end by themselves */
	const char *close;  /* node that goes into standby, or NULL */
	const char *reopen; /* node that leaves it, or NULL */
};

/* ret_text: the CIB with the changes, to be freed; NULL when it says so already.
 *
 * Returns 0, -EINVAL (not a CIB), -ENOENT (no such node) or -ENOMEM.
 */
VRMS_MUST_CHECK int vrms_cib_steer(const char *cib_text, const struct vrms_cib_steering *steering,
				   char **ret_text, struct vrms_error *error);

/* What a CIB says about itself, besides its nodes and resources. */
struct vrms_cib_facts {
	bool has_quorum;
	bool has_lists;      /* lists of vrms_cib_write() are in it */
	bool has_exclusive;  /* written with `exclusive` */
	int moves;           /* move constraints in it */
	char until[32];      /* when the last of them ends; "" when there are none */
	char controller[64]; /* uname of the designated controller; "" when there is none */
};

/* Returns 0 or -EINVAL (not a CIB). */
VRMS_MUST_CHECK int vrms_cib_facts_read(const char *cib_text, struct vrms_cib_facts *ret_facts,
					struct vrms_error *error);

/* Would each VM stay where the outcome moves it, once the moves are out of the CIB again?
 *
 * Returns 0, or -EINVAL: one's stickiness does not hold it there (Pacemaker's default is 0).
 */
VRMS_MUST_CHECK int vrms_cib_check_moves(const char *cib_text, const struct vrms_model *model,
					 const struct vrms_outcome *outcome,
					 struct vrms_error *error);

#endif
