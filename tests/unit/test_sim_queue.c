/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/queue.h"

#include "common/random.h"
#include "tests/unit/unit.h"

static void push(struct vrms_sim_queue *queue, int64_t at_us, int32_t subject)
{
	struct vrms_sim_event event = {.at_us = at_us, .subject = subject};

	ck_assert_int_eq(vrms_sim_queue_push(queue, &event), 0);
}

START_TEST(an_empty_queue_gives_nothing)
{
	struct vrms_sim_queue *queue VRMS_CLEANUP(vrms_sim_queue_freep) = vrms_sim_queue_new();
	struct vrms_sim_event event;

	ck_assert(!vrms_sim_queue_pop(queue, &event));
	push(queue, 5, 1);
	ck_assert(vrms_sim_queue_pop(queue, &event));
	ck_assert(!vrms_sim_queue_pop(queue, &event));
}
END_TEST

START_TEST(equal_times_come_out_as_they_went_in)
{
	struct vrms_sim_queue *queue VRMS_CLEANUP(vrms_sim_queue_freep) = vrms_sim_queue_new();
	struct vrms_sim_event event;

	push(queue, 1000000, 0);
	push(queue, 999, -1);
	push(queue, 1000000, 1);
	ck_assert(vrms_sim_queue_pop(queue, &event));
	ck_assert_int_eq(event.subject, -1);
	/* Pushed with another present than the first two. */
	push(queue, 1000000, 2);
	for (int i = 0; i < 3; i++) {
		ck_assert(vrms_sim_queue_pop(queue, &event));
		ck_assert_int_eq(event.subject, i);
	}
}
END_TEST

/* Times from microseconds to a century, pushed while others are popped, against a plain search. */
START_TEST(order_is_that_of_time_and_then_of_pushing)
{
	enum { PENDING = 300, TURNS = 20000 };
	struct vrms_sim_queue *queue VRMS_CLEANUP(vrms_sim_queue_freep) = vrms_sim_queue_new();
	struct vrms_random random;
	int64_t at[PENDING], serial[PENDING], next_serial = 0, now = 0;

	vrms_random_init(&random, 7);
	for (int turn = 0; turn < TURNS + PENDING; turn++) {
		int slot = turn;

		if (turn >= PENDING) {
			struct vrms_sim_event event;

			slot = 0;
			for (int i = 1; i < PENDING; i++) {
				if (at[i] < at[slot] ||
				    (at[i] == at[slot] && serial[i] < serial[slot])) {
					slot = i;
				}
			}
			ck_assert(vrms_sim_queue_pop(queue, &event));
			ck_assert_int_eq(event.at_us, at[slot]);
			ck_assert_uint_eq(event.stamp, (uint32_t)serial[slot]);
			now = at[slot];
		}
		uint64_t range = (uint64_t)1
				 << vrms_random_below(&random, turn % 100 == 0 ? 52 : 20);

		at[slot] = now + (int64_t)vrms_random_below(&random, range);
		serial[slot] = next_serial++;
		struct vrms_sim_event event = {.at_us = at[slot], .stamp = (uint32_t)serial[slot]};

		ck_assert_int_eq(vrms_sim_queue_push(queue, &event), 0);
	}
	ck_assert_uint_eq(vrms_sim_queue_count(queue), PENDING);
}
END_TEST

UNIT_MAIN("sim_queue", an_empty_queue_gives_nothing, equal_times_come_out_as_they_went_in,
	  order_is_that_of_time_and_then_of_pushing)
