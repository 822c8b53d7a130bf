/* node_health_memory.h - what the agent remembers from one monitor to the next: a JSON file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_NODE_HEALTH_MEMORY_H
#define VRMS_AGENTS_NODE_HEALTH_MEMORY_H

#include "agents/node_health_core.h"

struct vrms_health_memory {
	struct vrms_health_state states[VRMS_HEALTH_COUNT];
	/* What Pacemaker was told, and when (clock's ms); -1: nothing. */
	int told[VRMS_HEALTH_COUNT];
	int64_t told_ms[VRMS_HEALTH_COUNT];
	int64_t told_cpu_count, told_memory_mib; /* 0: nothing */
};

void vrms_health_memory_init(struct vrms_health_memory *memory);

/* -ENOENT: no such file; -EPROTO: not such a file. */
VRMS_MUST_CHECK int vrms_health_memory_read(const char *path, struct vrms_health_memory *ret_memory,
					    struct vrms_error *error);
VRMS_MUST_CHECK int vrms_health_memory_write(const char *path,
					     const struct vrms_health_memory *memory,
					     struct vrms_error *error);

#endif
