/* tail.h - how often will a stall be longer than x? An extreme-value model of the rare large ones.
 *
 * Pure.  The model, in full:
 *
 * - Time is cut into blocks (1 s); of each block only its largest measurement is
 *   kept, for the last `block_count` blocks.  Stalls come in bursts: a block's
 *   maximum counts a burst once, and makes the memory fixed.
 * - Peaks over threshold: the threshold u is exceeded by the largest
 *   VRMS_TAIL_PEAKS block maxima (fewer in a short series: a tenth of it).  By the theorem of
 *   Pickands (1975), Balkema and de Haan (1974) the excesses over a high
 *   threshold follow a generalised Pareto distribution with scale sigma and shape xi.
 * - sigma and xi come from probability-weighted moments (Hosking and Wallis
 *   1987): closed formulas, good for small samples and xi < 0.5.
 * - xi decides everything when hours are extrapolated to years, and few peaks
 *   say little about it.  So it is (a) shrunk towards a prior of 0.15 that weighs as much as
 *   30 peaks, as hydrologists do for floods, and (b) raised by one
 *   standard error: an estimate that errs, errs towards a longer token.
 *   xi below 0 (a bounded tail) is taken as 0: machines know no upper bound.
 * - Blocks that repeat one value (a quantised clock) give sigma 0; a least
 *   scale of u/20 stands for what the clock could not resolve.
 *
 * What it cannot know: a cause that has never acted in the time observed.  The
 * floor, the reaction to recent stalls and the announced load are for that.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_TAIL_H
#define VRMS_QUORUM_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"

enum { VRMS_TAIL_PEAKS = 64, VRMS_TAIL_BLOCKS_MIN = 45 };

struct vrms_tail; /* opaque */

struct vrms_tail_fit {
	double threshold_us; /* u */
	double scale_us;     /* sigma > 0 */
	double shape;        /* xi >= 0 */
	double blocks_per_year;
	double exceed_share; /* share of the blocks above u, 0..1 */
	int64_t block_count; /* how many blocks the fit rests on */
};

/* block_ms: > 0; block_count: how many blocks are remembered, >= VRMS_TAIL_BLOCKS_MIN.
 * NULL only when out of memory; 4 bytes a block.
 */
struct vrms_tail *vrms_tail_new(int64_t block_ms, int64_t block_count);
void vrms_tail_free(struct vrms_tail *tail); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_tail *, vrms_tail_free);

/* Takes in a measurement made at now_ms (monotonic).  Blocks without one count as 0. */
void vrms_tail_add(struct vrms_tail *tail, int64_t now_ms, uint32_t value_us);

/* Blocks since the first measurement, at most block_count. */
int64_t vrms_tail_block_count(const struct vrms_tail *tail);

/* The largest measurement of the last `window_ms` milliseconds before now_ms; 0 when none. */
uint32_t vrms_tail_recent_max_us(const struct vrms_tail *tail, int64_t now_ms, int64_t window_ms);

/* Fits the model; false when there are fewer than VRMS_TAIL_BLOCKS_MIN blocks. */
bool vrms_tail_fit(const struct vrms_tail *tail, struct vrms_tail_fit *ret_fit);

/* Expected number of blocks per year with a stall longer than x_us;
 * 0 when that is too small for a double. */
double vrms_tail_rate_per_year(const struct vrms_tail_fit *fit, double x_us);

#endif
