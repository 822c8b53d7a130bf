/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/tail.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const double shape_prior = 0.15;
static const double shape_prior_peaks = 30;
static const double shape_max = 0.5; /* beyond, the moments do not exist */
static const double year_ms = 365.25 * 86400e3;

struct vrms_tail {
	int64_t block_ms;
	int64_t block_count;
	int64_t first_block; /* -1: nothing measured yet */
	int64_t last_block;
	uint32_t maxima[]; /* ring: block b is at b % block_count */
};

struct vrms_tail *vrms_tail_new(int64_t block_ms, int64_t block_count)
{
	assert(block_ms > 0 && block_count >= VRMS_TAIL_BLOCKS_MIN);
	struct vrms_tail *tail =
	    calloc(1, sizeof(*tail) + (size_t)block_count * sizeof(tail->maxima[0]));

	if (tail != NULL) {
		tail->block_ms = block_ms;
		tail->block_count = block_count;
		tail->first_block = -1;
	}
	return tail;
}

void vrms_tail_free(struct vrms_tail *tail)
{
	free(tail);
}

static void roll(struct vrms_tail *tail, int64_t block)
{
	if (tail->first_block < 0) {
		tail->first_block = block;
		tail->last_block = block;
	}
	if (block - tail->last_block >= tail->block_count) {
		memset(tail->maxima, 0, (size_t)tail->block_count * sizeof(tail->maxima[0]));
		tail->last_block = block;
	}
	while (tail->last_block < block) {
		tail->last_block++;
		tail->maxima[tail->last_block % tail->block_count] = 0;
	}
}

void vrms_tail_add(struct vrms_tail *tail, int64_t now_ms, uint32_t value_us)
{
	int64_t block = now_ms / tail->block_ms;

	roll(tail, block);
	uint32_t *maximum = &tail->maxima[tail->last_block % tail->block_count];

	if (value_us > *maximum) {
		*maximum = value_us;
	}
}

int64_t vrms_tail_block_count(const struct vrms_tail *tail)
{
	if (tail->first_block < 0) {
		return 0;
	}
	int64_t count = tail->last_block - tail->first_block + 1;

	return count < tail->block_count ? count : tail->block_count;
}

uint32_t vrms_tail_recent_max_us(const struct vrms_tail *tail, int64_t now_ms, int64_t window_ms)
{
	int64_t count = vrms_tail_block_count(tail);
	int64_t oldest = (now_ms - window_ms) / tail->block_ms;
	uint32_t maximum = 0;

	for (int64_t i = 0; i < count && tail->last_block - i >= oldest; i++) {
		uint32_t value = tail->maxima[(tail->last_block - i) % tail->block_count];

		maximum = value > maximum ? value : maximum;
	}
	return maximum;
}

/* The largest block maxima, in rising order; peaks[0] becomes the threshold. */
struct peaks {
	int64_t count;
	uint32_t values[VRMS_TAIL_PEAKS + 1];
};

static void keep_peak(struct peaks *peaks, int64_t count_max, uint32_t value)
{
	int64_t at = 0;

	if (peaks->count == count_max) {
		if (value <= peaks->values[0]) {
			return;
		}
		memmove(&peaks->values[0], &peaks->values[1],
			(size_t)(count_max - 1) * sizeof(value));
		peaks->count--;
	}
	while (at < peaks->count && peaks->values[at] < value) {
		at++;
	}
	memmove(&peaks->values[at + 1], &peaks->values[at],
		(size_t)(peaks->count - at) * sizeof(value));
	peaks->values[at] = value;
	peaks->count++;
}

static void find_peaks(const struct vrms_tail *tail, int64_t block_count, struct peaks *peaks)
{
	int64_t wanted = block_count / 10;

	wanted = wanted < VRMS_TAIL_PEAKS ? wanted : VRMS_TAIL_PEAKS;
	peaks->count = 0;
	for (int64_t i = 0; i < block_count; i++) {
		keep_peak(peaks, wanted + 1,
			  tail->maxima[(tail->last_block - i) % tail->block_count]);
	}
}

/* Hosking and Wallis (1987), section 2, with plotting position (i - 0.35) / n. */
static void fit_moments(const struct peaks *peaks, double *ret_scale, double *ret_shape)
{
	double count = (double)(peaks->count - 1);
	double mean = 0, weighted = 0;

	for (int64_t i = 1; i < peaks->count; i++) {
		double excess = (double)peaks->values[i] - (double)peaks->values[0];

		mean += excess / count;
		weighted += excess * (1 - ((double)i - 0.35) / count) / count;
	}
	double spread = mean - 2 * weighted;

	if (spread <= 0 || mean <= 0) {
		*ret_scale = mean;
		*ret_shape = 0;
		return;
	}
	*ret_shape = 2 - mean / spread;
	*ret_scale = 2 * mean * weighted / spread;
}

static double cautious_shape(double shape, double count)
{
	double weight = count + shape_prior_peaks;
	double shrunk = (count * shape + shape_prior_peaks * shape_prior) / weight;
	/* Standard error of the maximum-likelihood estimate: (1 + xi) / sqrt(n). */
	double raised = shrunk + (1 + shrunk) / sqrt(weight);

	return raised < 0 ? 0 : raised > shape_max ? shape_max : raised;
}

bool vrms_tail_fit(const struct vrms_tail *tail, struct vrms_tail_fit *ret_fit)
{
	int64_t block_count = vrms_tail_block_count(tail);
	struct peaks peaks;
	double shape;

	if (block_count < VRMS_TAIL_BLOCKS_MIN) {
		return false;
	}
	find_peaks(tail, block_count, &peaks);
	fit_moments(&peaks, &ret_fit->scale_us, &shape);
	ret_fit->threshold_us = peaks.values[0];
	/* The mean excess is scale / (1 - shape): with the shape changed, the scale follows, so
	 * that the fit keeps the mean that was measured. */
	double mean = shape < 1 ? ret_fit->scale_us / (1 - shape) : ret_fit->scale_us;

	ret_fit->shape = cautious_shape(shape, (double)(peaks.count - 1));
	ret_fit->scale_us = mean * (1 - ret_fit->shape);
	double scale_min = 1 + ret_fit->threshold_us / 20;

	if (ret_fit->scale_us < scale_min) {
		ret_fit->scale_us = scale_min;
	}
	ret_fit->block_count = block_count;
	ret_fit->exceed_share = (double)(peaks.count - 1) / (double)block_count;
	ret_fit->blocks_per_year = year_ms / (double)tail->block_ms;
	return true;
}

double vrms_tail_rate_per_year(const struct vrms_tail_fit *fit, double x_us)
{
	double per_year = fit->blocks_per_year * fit->exceed_share;
	double excess = (x_us - fit->threshold_us) / fit->scale_us;

	if (excess <= 0) {
		return per_year; /* at least this often; below u the model says nothing more */
	}
	if (fit->shape < 1e-6) {
		return per_year * exp(-excess);
	}
	return per_year * pow(1 + fit->shape * excess, -1 / fit->shape);
}
