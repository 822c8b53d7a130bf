/* sketch.h - quantiles of many measurements in little, fixed memory.
 *
 * Buckets grow with the value: 16 to each power of two, so that a quantile is
 * never too small and at most 1/16 too large.  Integers only: the same series
 * gives the same answer on every machine.  Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_SKETCH_H
#define VRMS_QUORUM_SKETCH_H

#include <stdint.h>

enum { VRMS_SKETCH_BUCKETS = 464 }; /* reaches 2^32 - 1 */

struct vrms_sketch {
	uint32_t counts[VRMS_SKETCH_BUCKETS];
	uint64_t total;
	uint32_t maximum; /* exact */
};

/* A ring of sketches: the last minutes and the last hours. */
enum { VRMS_HISTORY_MINUTES = 10, VRMS_HISTORY_HOURS = 24 };

struct vrms_history {
	struct vrms_sketch minutes[VRMS_HISTORY_MINUTES];
	struct vrms_sketch hours[VRMS_HISTORY_HOURS];
	int64_t minute; /* number of the minute that is being filled */
	int64_t hour;
};

/* Counts one measurement; 0..2^32-1 in any unit. */
void vrms_sketch_add(struct vrms_sketch *sketch, uint32_t value);

/* The value that a share of all measurements does not exceed; 0 when there is none.
 *
 * part_per_million: 0..1000000; 500000 is the median, 1000000 the maximum (exact).
 */
uint32_t vrms_sketch_quantile(const struct vrms_sketch *sketch, uint32_t part_per_million);

/* Empties the history; a zeroed one is empty too. */
void vrms_history_init(struct vrms_history *history);

/* Counts a measurement made at now_ms (monotonic, never going back), forgetting what is too old. */
void vrms_history_add(struct vrms_history *history, int64_t now_ms, uint32_t value);

/* Quantiles over the last ten minutes, and over the last 24 hours. */
uint32_t vrms_history_minutes_quantile(const struct vrms_history *history,
				       uint32_t part_per_million);
uint32_t vrms_history_hours_quantile(const struct vrms_history *history, uint32_t part_per_million);

#endif
