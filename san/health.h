/* health.h - is a LUN fit for guests: what was seen of it in, a verdict out.
 *
 * Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SAN_HEALTH_H
#define VRMS_SAN_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct vrms_lun_reading {
	const char *name;
	unsigned path_count;     /* configured */
	unsigned good_count;     /* that answered, as the LUN that is meant */
	int64_t latency_us;      /* the slowest read of the best path; -1: none was read */
	bool has_reservation;    /* shuts out whoever has no key */
	bool needs_key, has_key; /* this node's, on the LUN */
	const char *trouble;     /* of the last path that failed; NULL: none */
};

struct vrms_lun_limits {
	int64_t warn_ms; /* slower is yellow */
	int64_t fail_ms; /* slower is a failure */
	int64_t paths_min;
};

enum vrms_lun_health { VRMS_LUN_GREEN, VRMS_LUN_YELLOW, VRMS_LUN_RED };

/* RED is a failure of the resource; the text says why, also for YELLOW. */
enum vrms_lun_health vrms_lun_judge(const struct vrms_lun_reading *reading,
				    const struct vrms_lun_limits *limits, struct vrms_error *error);

/* "green", "yellow", "red": values of Pacemaker's #health- attributes. */
const char *vrms_lun_health_name(enum vrms_lun_health health);

#endif
