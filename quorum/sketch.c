/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/sketch.h"

#include <string.h>

enum { PARTS = 16, PARTS_LOG2 = 4, MS_PER_MINUTE = 60000, MS_PER_HOUR = 3600000 };

static unsigned bucket_of(uint32_t value)
{
	if (value < PARTS) {
		return value;
	}
	unsigned exponent = 31 - (unsigned)__builtin_clz(value);

	return (exponent - PARTS_LOG2) * PARTS + (value >> (exponent - PARTS_LOG2));
}

/* The largest value that falls into the bucket. */
static uint32_t bucket_top(unsigned bucket)
{
	if (bucket < 2 * PARTS) {
		return bucket;
	}
	unsigned shift = bucket / PARTS - 1;
	uint64_t next = (uint64_t)(bucket % PARTS + PARTS + 1) << shift;

	return (uint32_t)(next - 1);
}

void vrms_sketch_add(struct vrms_sketch *sketch, uint32_t value)
{
	sketch->counts[bucket_of(value)]++;
	sketch->total++;
	if (value > sketch->maximum) {
		sketch->maximum = value;
	}
}

/* Several sketches read as one: a history's rings. */
static uint32_t quantile_of(const struct vrms_sketch *sketches, unsigned count,
			    uint32_t part_per_million)
{
	uint64_t total = 0;
	uint32_t maximum = 0;

	for (unsigned i = 0; i < count; i++) {
		total += sketches[i].total;
		maximum = sketches[i].maximum > maximum ? sketches[i].maximum : maximum;
	}
	uint64_t wanted = (total * part_per_million + 999999) / 1000000;
	uint64_t seen = 0;

	for (unsigned bucket = 0; bucket < VRMS_SKETCH_BUCKETS && wanted < total; bucket++) {
		for (unsigned i = 0; i < count; i++) {
			seen += sketches[i].counts[bucket];
		}
		if (seen >= wanted && seen > 0) {
			uint32_t top = bucket_top(bucket);

			return top < maximum ? top : maximum;
		}
	}
	return maximum;
}

uint32_t vrms_sketch_quantile(const struct vrms_sketch *sketch, uint32_t part_per_million)
{
	return quantile_of(sketch, 1, part_per_million);
}

void vrms_history_init(struct vrms_history *history)
{
	memset(history, 0, sizeof(*history));
}

/* Moves a ring on to the period `now`, emptying every period that was passed. */
static void roll(struct vrms_sketch *ring, int64_t size, int64_t *period, int64_t now)
{
	if (now - *period >= size) {
		memset(ring, 0, sizeof(*ring) * (size_t)size);
		*period = now;
	}
	while (*period < now) {
		(*period)++;
		memset(&ring[*period % size], 0, sizeof(*ring));
	}
}

void vrms_history_add(struct vrms_history *history, int64_t now_ms, uint32_t value)
{
	roll(history->minutes, VRMS_HISTORY_MINUTES, &history->minute, now_ms / MS_PER_MINUTE);
	roll(history->hours, VRMS_HISTORY_HOURS, &history->hour, now_ms / MS_PER_HOUR);
	vrms_sketch_add(&history->minutes[history->minute % VRMS_HISTORY_MINUTES], value);
	vrms_sketch_add(&history->hours[history->hour % VRMS_HISTORY_HOURS], value);
}

uint32_t vrms_history_minutes_quantile(const struct vrms_history *history,
				       uint32_t part_per_million)
{
	return quantile_of(history->minutes, VRMS_HISTORY_MINUTES, part_per_million);
}

uint32_t vrms_history_hours_quantile(const struct vrms_history *history, uint32_t part_per_million)
{
	return quantile_of(history->hours, VRMS_HISTORY_HOURS, part_per_million);
}
