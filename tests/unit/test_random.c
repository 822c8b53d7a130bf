/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/random.h"

#include "tests/unit/unit.h"

START_TEST(the_series_is_that_of_the_published_definition)
{
	/* Computed by a second implementation in Python from the published definition, seed 42. */
	static const uint64_t expected[] = {UINT64_C(0x15780b2e0c2ec716),
					    UINT64_C(0x6104d9866d113a7e),
					    UINT64_C(0xae17533239e499a1),
					    UINT64_C(0xecb8ad4703b360a1),
					    UINT64_C(0xfde6dc7fe2ec5e64),
					    UINT64_C(0xc50da53101795238)};
	struct vrms_random random;

	vrms_random_init(&random, 42);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		ck_assert_uint_eq(vrms_random_next(&random), expected[i]);
	}
}
END_TEST

START_TEST(same_seed_same_series_other_seed_other_series)
{
	struct vrms_random a;
	struct vrms_random b;
	struct vrms_random c;
	int equal = 0;

	vrms_random_init(&a, 1);
	vrms_random_init(&b, 1);
	vrms_random_init(&c, 2);
	for (int i = 0; i < 1000; i++) {
		uint64_t value = vrms_random_next(&a);

		ck_assert_uint_eq(value, vrms_random_next(&b));
		equal += value == vrms_random_next(&c);
	}
	ck_assert_int_eq(equal, 0);
}
END_TEST

START_TEST(below_is_uniform_and_within_the_bound)
{
	enum { BOUND = 7, DRAWS = 70000 };
	int hits[BOUND] = {0};
	double chi_square = 0;
	struct vrms_random random;

	vrms_random_init(&random, 3);
	for (int i = 0; i < DRAWS; i++) {
		hits[vrms_random_below(&random, BOUND)]++;
	}
	for (int i = 0; i < BOUND; i++) {
		double difference = hits[i] - (double)DRAWS / BOUND;
		chi_square += difference * difference / ((double)DRAWS / BOUND);
	}
	ck_assert_double_lt(chi_square, 22.5); /* 6 degrees of freedom, p = 0.001 */
}
END_TEST

START_TEST(below_works_at_the_edges)
{
	struct vrms_random random;
	int upper_half = 0;

	vrms_random_init(&random, 4);
	for (int i = 0; i < 1000; i++) {
		ck_assert_uint_eq(vrms_random_below(&random, 1), 0);
		/* Two thirds of the range: half of the values must be rejected or wrapped. */
		uint64_t bound = UINT64_C(0xc000000000000000);
		uint64_t value = vrms_random_below(&random, bound);
		ck_assert_uint_lt(value, bound);
		upper_half += value >= bound / 2;
	}
	ck_assert_int_gt(upper_half, 420);
	ck_assert_int_lt(upper_half, 580);
}
END_TEST

START_TEST(unit_stays_in_zero_to_one)
{
	struct vrms_random random;
	double sum = 0;

	vrms_random_init(&random, 5);
	for (int i = 0; i < 10000; i++) {
		double value = vrms_random_unit(&random);

		ck_assert(value >= 0.0 && value < 1.0);
		sum += value;
	}
	ck_assert_double_eq_tol(sum / 10000, 0.5, 0.02);
}
END_TEST

UNIT_MAIN("random", the_series_is_that_of_the_published_definition,
	  same_seed_same_series_other_seed_other_series, below_is_uniform_and_within_the_bound,
	  below_works_at_the_edges, unit_stays_in_zero_to_one)
