/* walk.h - everything a point needs: its nodes and blocks, each one once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_WALK_H
#define VRMS_BACKUP_WALK_H

#include "backup/point.h"

struct vrms_walk;

/* Remembers the nodes it has seen; subtrees that points share are walked once. */
VRMS_MUST_CHECK int vrms_walk_new(struct vrms_repository *repository, struct vrms_walk **ret_walk,
				  struct vrms_error *error);
void vrms_walk_free(struct vrms_walk *walk); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_walk *, vrms_walk_free);

struct vrms_walk_step {
	struct vrms_name name;
	uint32_t generation;
	enum vrms_pack_kind kind;
};

/* Calls `seen` for each node and block of the point that is not zero.
 *
 * A non-zero return ends the walk and is returned.  A node that cannot be read
 * is passed to `lost` (with the error's text) and left out; when `lost` is
 * NULL it is an error.
 */
struct vrms_walk_calls {
	void *context;
	int (*seen)(void *context, const struct vrms_walk_step *step);
	int (*lost)(void *context, const struct vrms_walk_step *step, const char *text);
};
VRMS_MUST_CHECK int vrms_walk_point(struct vrms_walk *walk, const struct vrms_point *point,
				    const struct vrms_walk_calls *calls, struct vrms_error *error);

#endif
