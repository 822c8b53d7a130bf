/* names.h - find the index of a name: a fixed hash table over borrowed strings.
 *
 * Pure.  Memory is taken once, in _init().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_NAMES_H
#define VRMS_PLACEMENT_NAMES_H

#include <stdint.h>

#include "common/cleanup.h"

struct vrms_names {
	const char **name; /* by index */
	int count, limit;
	int *slot; /* hash table of indices, -1: free */
	uint32_t slot_mask;
};

/* Returns 0 or -ENOMEM.  limit: how many names at most. */
VRMS_MUST_CHECK int vrms_names_init(struct vrms_names *names, int limit);
void vrms_names_done(struct vrms_names *names); /* accepts a zeroed one */

/* Index of the name or -ENOENT. */
int vrms_names_find(const struct vrms_names *names, const char *name);

/* Adds a name that is not there yet and lives as long as the table; count must be below limit.
 * Returns its index: the count before.
 */
int vrms_names_add(struct vrms_names *names, const char *name);

#endif
