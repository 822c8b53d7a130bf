/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/latency.h"

#include "tests/unit/unit.h"

/* knet's own bookkeeping: an average that is rounded down at every ping. */
struct knet {
	uint32_t count, mean_us;
};

static void ping(struct knet *knet, unsigned times, uint32_t value_us)
{
	for (unsigned i = 0; i < times; i++) {
		uint64_t sum = (uint64_t)knet->mean_us * knet->count + value_us;

		knet->count++;
		knet->mean_us = (uint32_t)(sum / knet->count);
	}
}

static void look(struct vrms_latency *latency, const struct knet *knet)
{
	vrms_latency_take(latency, knet->count, knet->mean_us);
}

START_TEST(a_link_never_used_has_no_latency)
{
	struct vrms_latency latency = {0};

	vrms_latency_take(&latency, 0, 0);
	ck_assert_uint_eq(vrms_latency_least_us(&latency), 0);
}
END_TEST

/* As measured between two nodes of a lab that were booting: 1.7 s for the first ping. */
START_TEST(the_first_pings_to_a_host_that_boots_are_forgotten)
{
	struct vrms_latency latency = {0};
	struct knet knet = {0};

	ping(&knet, 1, 1699528);
	look(&latency, &knet);
	ck_assert_uint_eq(vrms_latency_least_us(&latency), 1699528);
	ping(&knet, 6, 400);
	look(&latency, &knet);
	ck_assert_uint_gt(knet.mean_us, 200000);
	ck_assert_uint_ge(vrms_latency_least_us(&latency), 400);
	ck_assert_uint_le(vrms_latency_least_us(&latency), 420);
}
END_TEST

START_TEST(rounding_never_makes_a_link_faster_than_it_is)
{
	struct vrms_latency latency = {0};
	struct knet knet = {0};

	for (unsigned round = 0; round < 400; round++) {
		ping(&knet, 1 + round % 11, 300 + round % 5);
		look(&latency, &knet);
		ck_assert_uint_ge(vrms_latency_least_us(&latency),
				  290); /* the average's own loss */
		ck_assert_uint_le(vrms_latency_least_us(&latency), 305);
	}
}
END_TEST

START_TEST(a_disturbance_does_not_count_and_a_shorter_way_does)
{
	struct vrms_latency latency = {0};
	struct knet knet = {0};

	ping(&knet, 10, 500);
	look(&latency, &knet);
	ping(&knet, 10, 90000);
	look(&latency, &knet);
	ck_assert_uint_eq(vrms_latency_least_us(&latency), 500);
	ping(&knet, 10, 200);
	look(&latency, &knet);
	ck_assert_uint_le(vrms_latency_least_us(&latency), 240);
}
END_TEST

/* knet forgets its counts; and it stops counting, while it goes on averaging. */
START_TEST(a_count_that_starts_anew_or_stands_still_is_no_difference)
{
	struct vrms_latency latency = {0};

	vrms_latency_take(&latency, 100, 700);
	vrms_latency_take(&latency, 3, 2000);
	ck_assert_uint_eq(vrms_latency_least_us(&latency), 700);
	vrms_latency_take(&latency, 2048, 650);
	vrms_latency_take(&latency, 2048, 600);
	ck_assert_uint_eq(vrms_latency_least_us(&latency), 600);
}
END_TEST

UNIT_MAIN("quorum_latency", a_link_never_used_has_no_latency,
	  the_first_pings_to_a_host_that_boots_are_forgotten,
	  rounding_never_makes_a_link_faster_than_it_is,
	  a_disturbance_does_not_count_and_a_shorter_way_does,
	  a_count_that_starts_anew_or_stands_still_is_no_difference)
