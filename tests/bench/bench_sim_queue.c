/* bench_sim_queue.c - events a second through the bare queue: one popped, one pushed later.
 *
 * Times are processor time of one core.  Increments are exponential, so that
 * with 10^4 pending the queue sees every distance from now.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/queue.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "common/random.h"

enum { DISTANCES = 1 << 16 };

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int measure(int pending, long turns, const int64_t *distance)
{
	struct vrms_sim_queue *queue VRMS_CLEANUP(vrms_sim_queue_freep) = vrms_sim_queue_new();
	struct vrms_sim_event event = {0};

	for (int i = 0; i < pending; i++) {
		event.at_us = distance[i % DISTANCES];
		if (queue == NULL || vrms_sim_queue_push(queue, &event) < 0) {
			return 1;
		}
	}
	double begin_s = cpu_s();

	for (long i = 0; i < turns; i++) {
		if (!vrms_sim_queue_pop(queue, &event)) {
			return 1;
		}
		event.at_us += distance[i % DISTANCES];
		if (vrms_sim_queue_push(queue, &event) < 0) {
			return 1;
		}
	}
	printf("%8d pending  %6.1f M events/s\n", pending,
	       (double)turns / (cpu_s() - begin_s) / 1e6);
	return 0;
}

int main(void)
{
	static int64_t distance[DISTANCES];
	struct vrms_random random;

	vrms_random_init(&random, 1);
	for (int i = 0; i < DISTANCES; i++) {
		distance[i] = (int64_t)(-log1p(-vrms_random_unit(&random)) * 1e6);
	}
	return measure(100, 10000000, distance) + measure(10000, 10000000, distance) +
	       measure(1000000, 5000000, distance);
}
