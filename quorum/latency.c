/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/latency.h"

static void keep_least(struct vrms_latency *latency, uint32_t value_us)
{
	if (latency->least_us == 0 || value_us < latency->least_us) {
		latency->least_us = value_us > 0 ? value_us : 1;
	}
}

void vrms_latency_take(struct vrms_latency *latency, uint32_t count, uint32_t mean_us)
{
	uint64_t old_sum = (uint64_t)latency->count * latency->mean_us;
	uint64_t sum = (uint64_t)count * mean_us;

	if (count == 0) {
		return;
	}
	keep_least(latency, mean_us);
	if (count > latency->count && count <= VRMS_LATENCY_COUNT_MAX) {
		uint64_t between = sum > old_sum ? sum - old_sum : 0;

		/* Every ping rounds the average down, by up to `count` of its sum. */
		keep_least(latency, (uint32_t)(between / (count - latency->count)) + count);
	}
	latency->count = count;
	latency->mean_us = mean_us;
}

uint32_t vrms_latency_least_us(const struct vrms_latency *latency)
{
	return latency->least_us;
}
