/* retention.h - which points of one VM a prune keeps.
 *
 * Pure.  Order is the sequence number; clocks only sort points into hours,
 * days, weeks, months and years.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_RETENTION_H
#define VRMS_BACKUP_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vrms_keep {
	VRMS_KEEP_LAST,
	VRMS_KEEP_HOURLY,
	VRMS_KEEP_DAILY,
	VRMS_KEEP_WEEKLY, /* ISO 8601 weeks */
	VRMS_KEEP_MONTHLY,
	VRMS_KEEP_YEARLY,
	VRMS_KEEP_COUNT,
};

struct vrms_retention {
	uint32_t keep[VRMS_KEEP_COUNT]; /* how many periods; 0: the rule is not used */
};

struct vrms_retention_point {
	uint64_t sequence; /* higher is newer */
	int64_t time_s;    /* since 1970, UTC, as the host that took it believed */
	uint32_t reasons;  /* out: bit i is set when rule i keeps it; 0: goes */
};

const char *vrms_keep_name(enum vrms_keep rule); /* "last", "hourly", ... */

/* Sets the reasons of every point.  A period is kept by its newest point.  With no rule at all
 * everything is kept as VRMS_KEEP_LAST; the newest point is always kept.
 *
 * utc_offset_s: local time is UTC plus this.
 * points:       sorted by sequence, rising.
 */
void vrms_retention_apply(const struct vrms_retention *retention, int64_t utc_offset_s,
			  struct vrms_retention_point *points, size_t count);

#endif
