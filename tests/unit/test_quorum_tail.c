/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/sketch.h"
#include "quorum/tail.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/random.h"
#include "tests/unit/unit.h"

START_TEST(a_quantile_is_never_too_small_and_at_most_a_sixteenth_too_large)
{
	for (uint64_t exact = 0; exact < UINT32_MAX; exact = exact * 5 / 4 + 1) {
		struct vrms_sketch sketch;

		memset(&sketch, 0, sizeof(sketch));
		vrms_sketch_add(&sketch, (uint32_t)exact);
		vrms_sketch_add(&sketch, (uint32_t)exact);
		vrms_sketch_add(&sketch, UINT32_MAX);
		uint32_t median = vrms_sketch_quantile(&sketch, 500000);

		ck_assert_uint_ge(median, exact);
		ck_assert_uint_le(median, exact + exact / 16 + 1);
	}
}
END_TEST

START_TEST(an_empty_sketch_has_quantile_zero)
{
	struct vrms_sketch sketch;

	memset(&sketch, 0, sizeof(sketch));
	ck_assert_uint_eq(vrms_sketch_quantile(&sketch, 999000), 0);
}
END_TEST

START_TEST(the_largest_value_is_exact)
{
	struct vrms_sketch sketch;

	memset(&sketch, 0, sizeof(sketch));
	vrms_sketch_add(&sketch, 1234567);
	vrms_sketch_add(&sketch, 3);
	ck_assert_uint_eq(vrms_sketch_quantile(&sketch, 1000000), 1234567);
}
END_TEST

START_TEST(the_minutes_forget_what_the_hours_remember)
{
	struct vrms_history history;

	vrms_history_init(&history);
	vrms_history_add(&history, 1000, 500);
	vrms_history_add(&history, 11 * 60000, 7);
	ck_assert_uint_eq(vrms_history_minutes_quantile(&history, 1000000), 7);
	ck_assert_uint_eq(vrms_history_hours_quantile(&history, 1000000), 500);
	vrms_history_add(&history, 25LL * 3600000, 9);
	ck_assert_uint_eq(vrms_history_hours_quantile(&history, 1000000), 9);
}
END_TEST

START_TEST(sixty_blocks_are_needed_for_a_fit)
{
	struct vrms_tail *tail VRMS_CLEANUP(vrms_tail_freep) = vrms_tail_new(1000, 100);
	struct vrms_tail_fit fit;

	ck_assert_ptr_nonnull(tail);
	ck_assert_int_eq(vrms_tail_block_count(tail), 0);
	for (int64_t block = 0; block < VRMS_TAIL_BLOCKS_MIN; block++) {
		ck_assert(!vrms_tail_fit(tail, &fit));
		vrms_tail_add(tail, block * 1000, (uint32_t)(100 + block * 7 % 13));
	}
	ck_assert(vrms_tail_fit(tail, &fit));
	ck_assert_int_eq(fit.block_count, VRMS_TAIL_BLOCKS_MIN);
}
END_TEST

START_TEST(a_recent_maximum_covers_its_window_only)
{
	struct vrms_tail *tail VRMS_CLEANUP(vrms_tail_freep) = vrms_tail_new(1000, 100);

	vrms_tail_add(tail, 5000, 900);
	vrms_tail_add(tail, 20000, 30);
	ck_assert_uint_eq(vrms_tail_recent_max_us(tail, 20000, 30000), 900);
	ck_assert_uint_eq(vrms_tail_recent_max_us(tail, 20000, 10000), 30);
	vrms_tail_add(tail, 500000, 1); /* longer than the ring: all the old is gone */
	ck_assert_uint_eq(vrms_tail_recent_max_us(tail, 500000, 1000000), 1);
}
END_TEST

START_TEST(the_rate_falls_as_the_stall_grows)
{
	struct vrms_tail *tail VRMS_CLEANUP(vrms_tail_freep) = vrms_tail_new(1000, 3600);
	struct vrms_random random;
	struct vrms_tail_fit fit;

	vrms_random_init(&random, 1);
	for (int64_t block = 0; block < 3600; block++) {
		vrms_tail_add(tail, block * 1000, (uint32_t)vrms_random_below(&random, 5000));
	}
	ck_assert(vrms_tail_fit(tail, &fit));
	double last = INFINITY;

	for (double x_us = 0; x_us < 1e7; x_us += 1000) {
		double rate = vrms_tail_rate_per_year(&fit, x_us);

		ck_assert(rate <= last && rate >= 0);
		last = rate;
	}
}
END_TEST

/* A draw from a generalised Pareto distribution by inversion. */
static double draw(struct vrms_random *random, double scale, double shape)
{
	double u = 1 - vrms_random_unit(random);

	return shape == 0 ? -scale * log(u) : scale * (pow(u, -shape) - 1) / shape;
}

/* Extrapolates six hours to a thousand, and compares with the law that made the six hours. */
static void compare_with_law(double shape, double least_ratio, double most_ratio)
{
	double sum_log_ratio = 0;
	enum { RUNS = 40 };

	for (uint64_t seed = 0; seed < RUNS; seed++) {
		struct vrms_tail *tail VRMS_CLEANUP(vrms_tail_freep) = vrms_tail_new(1000, 21600);
		struct vrms_random random;
		struct vrms_tail_fit fit;

		vrms_random_init(&random, seed);
		for (int64_t block = 0; block < 21600; block++) {
			double value_us = 200 + draw(&random, 1000, shape);

			vrms_tail_add(tail, block * 1000, (uint32_t)value_us);
		}
		ck_assert(vrms_tail_fit(tail, &fit));
		/* The stall that comes once in a thousand hours by the law itself. */
		double blocks = 3600e3;
		double level_us = 200 + (shape == 0 ? 1000 * log(blocks)
						    : 1000 * (pow(blocks, shape) - 1) / shape);
		double law_per_year = fit.blocks_per_year / blocks;

		sum_log_ratio += log(vrms_tail_rate_per_year(&fit, level_us) / law_per_year);
	}
	double ratio = exp(sum_log_ratio / RUNS);

	printf("shape %.2f: predicted / true rate of the thousand-hour stall: %.2f\n", shape,
	       ratio);
	ck_assert_msg(ratio >= least_ratio && ratio <= most_ratio, "shape %f: ratio %f", shape,
		      ratio);
}

START_TEST(the_extrapolation_errs_on_the_long_side_by_less_than_thirty)
{
	compare_with_law(0, 1, 30);
	compare_with_law(0.15, 1, 30);
	compare_with_law(0.3, 1, 30);
}
END_TEST

START_TEST(a_constant_series_still_gets_a_tail)
{
	struct vrms_tail *tail VRMS_CLEANUP(vrms_tail_freep) = vrms_tail_new(1000, 100);
	struct vrms_tail_fit fit;

	for (int64_t block = 0; block < 100; block++) {
		vrms_tail_add(tail, block * 1000, 4000);
	}
	ck_assert(vrms_tail_fit(tail, &fit));
	ck_assert(fit.scale_us >= 200);
	ck_assert(vrms_tail_rate_per_year(&fit, 5000) > vrms_tail_rate_per_year(&fit, 50000));
}
END_TEST

UNIT_MAIN("quorum_tail", a_quantile_is_never_too_small_and_at_most_a_sixteenth_too_large,
	  an_empty_sketch_has_quantile_zero, the_largest_value_is_exact,
	  the_minutes_forget_what_the_hours_remember, sixty_blocks_are_needed_for_a_fit,
	  a_recent_maximum_covers_its_window_only, the_rate_falls_as_the_stall_grows,
	  the_extrapolation_errs_on_the_long_side_by_less_than_thirty,
	  a_constant_series_still_gets_a_tail)
