/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/crowd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RING_PART = 4, RING_SLICE_NS = 100000 };

/* Of sched_setattr(2), which this C library does not declare. */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

void vrms_lab_crowd_split(const cpu_set_t *all, enum vrms_lab_share share, cpu_set_t *ret_share)
{
	int count = CPU_COUNT(all);
	int ring_count = count < RING_PART ? 1 : count / RING_PART;
	int seen = 0;

	if (share == VRMS_LAB_SHARE_ALL || count < 2) {
		*ret_share = *all;
		return;
	}
	CPU_ZERO(ret_share);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, all)) {
			continue;
		}
		bool is_ring = seen++ >= count - ring_count;

		if (is_ring == (share == VRMS_LAB_SHARE_RING)) {
			CPU_SET(cpu, ret_share);
		}
	}
}

static void take_processors(enum vrms_lab_share share)
{
	cpu_set_t all, mine;

	if (sched_getaffinity(0, sizeof(all), &all) == 0) {
		vrms_lab_crowd_split(&all, share, &mine);
		if (sched_setaffinity(0, sizeof(mine), &mine) == 0) {
			return;
		}
	}
	dprintf(STDERR_FILENO, "processors: %s\n", strerror(errno));
}

/* A session's processes share one place among the sessions, and nice counts inside of it only:
 * the session itself must be nice.  A kernel that does not group by session has no such file. */
static void be_nice(int nice)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", nice);
	int fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		return;
	}
	if (write(fd, text, (size_t)length) < 0) {
		dprintf(STDERR_FILENO, "autogroup: %s\n", strerror(errno));
	}
	close(fd);
}

/* Corosyncs that spin at the same time shall not hold one another up for the usual slices of
 * milliseconds.  Kernels before 6.12 take no notice. */
static void take_short_turns(void)
{
	struct attributes attributes = {.size = sizeof(attributes),
					.policy = SCHED_OTHER,
					.runtime = RING_SLICE_NS};

	if (syscall(SYS_sched_setattr, 0, &attributes, 0) < 0) {
		dprintf(STDERR_FILENO, "slices: %s\n", strerror(errno));
	}
}

void vrms_lab_crowd_join(enum vrms_lab_share share, int nice)
{
	be_nice(nice);
	take_processors(share);
	if (share == VRMS_LAB_SHARE_RING) {
		take_short_turns();
	}
}
