/* node_health_sample.h - one reading of each source of trouble on this node.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_NODE_HEALTH_SAMPLE_H
#define VRMS_AGENTS_NODE_HEALTH_SAMPLE_H

#include "agents/node_health_core.h"
#include "common/clock.h"

struct vrms_health_sources {
	const char *proc_root;     /* "/proc" */
	const char *sys_root;      /* "/sys" */
	const char *san_device;    /* NULL: none */
	int64_t failover_need_mib; /* 0: not asked */
	const struct vrms_clock *clock;
	int64_t deadline_ms;
};

/* Reads the source of one signal: its value, or its counter.
 *
 * Returns 0, -ENOENT (this node has no such source), or another -errno; the text says what of.
 * A read of the SAN that hangs is left behind in its thread: leave by _exit().
 */
VRMS_MUST_CHECK int vrms_health_read(const struct vrms_health_sources *sources,
				     enum vrms_health_signal signal, double *ret_value,
				     struct vrms_error *error);

/* What this node can carry: processors that are on, and memory in MiB. */
VRMS_MUST_CHECK int vrms_health_capacity(const struct vrms_health_sources *sources,
					 int64_t *ret_cpu_count, int64_t *ret_memory_mib,
					 struct vrms_error *error);

#endif
