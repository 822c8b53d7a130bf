/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/tuner.h"

#include <stdio.h>

#include "common/random.h"
#include "tests/unit/unit.h"

static const struct vrms_tuner_config config = {
    .configured_ms = 3650,
    .floor_ms = 200,
    .load_floor_ms = 1000,
    .warmup_ms = 120000,
    .stale_ms = 5000,
    .shorten_after_ms = 60000,
    .hysteresis_pct = 15,
    .penalty_ms = 600000,
    .loss_per_year = 0.1,
    .disturbances_per_year = 365,
    .source_bits = 1 << VRMS_TUNER_SCHEDULING | 1 << VRMS_TUNER_RING,
};

static struct vrms_tuner_need step(struct vrms_tuner *tuner, struct vrms_tuner_event event)
{
	struct vrms_tuner_need need;

	vrms_tuner_step(tuner, &event, &need);
	return need;
}

static struct vrms_tuner_need sample(struct vrms_tuner *tuner, int64_t now_ms,
				     enum vrms_tuner_source source, uint32_t value_us)
{
	return step(tuner,
		    (struct vrms_tuner_event){now_ms, VRMS_TUNER_SAMPLE, source, value_us, 0});
}

static struct vrms_tuner_need tell(struct vrms_tuner *tuner, int64_t now_ms,
				   enum vrms_tuner_event_kind kind, int64_t value_ms)
{
	return step(tuner, (struct vrms_tuner_event){now_ms, kind, 0, 0, value_ms});
}

/* One second of a quiet machine: jitter of some hundred microseconds. */
static struct vrms_tuner_need quiet_second(struct vrms_tuner *tuner, int64_t now_ms,
					   struct vrms_random *random)
{
	for (int64_t i = 0; i < 10; i++) {
		sample(tuner, now_ms + i * 100, VRMS_TUNER_SCHEDULING,
		       (uint32_t)(50 + vrms_random_below(random, 200)));
		sample(tuner, now_ms + i * 100, VRMS_TUNER_RING,
		       (uint32_t)(800 + vrms_random_below(random, 3000)));
	}
	return tell(tuner, now_ms + 999, VRMS_TUNER_TICK, 0);
}

static struct vrms_tuner_need quiet(struct vrms_tuner *tuner, int64_t *now_ms, int64_t seconds)
{
	struct vrms_random random;
	struct vrms_tuner_need need = {0};

	vrms_random_init(&random, 7);
	for (int64_t i = 0; i < seconds; i++) {
		need = quiet_second(tuner, *now_ms, &random);
		*now_ms += 1000;
	}
	return need;
}

START_TEST(nothing_is_shortened_before_it_is_warm)
{
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	int64_t now_ms = 0;
	struct vrms_tuner_need need = quiet(tuner, &now_ms, 119);

	ck_assert_int_eq(need.token_ms, 3650);
	ck_assert_int_eq(need.reason, VRMS_REASON_TUNER_WARMING_UP);
}
END_TEST

START_TEST(a_quiet_machine_comes_down_to_the_floor)
{
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	int64_t now_ms = 0;
	struct vrms_tuner_need need = quiet(tuner, &now_ms, 600);

	ck_assert_int_eq(need.token_ms, 200);
	ck_assert_int_eq(need.reason, VRMS_REASON_TUNER_FLOOR);
	ck_assert(need.predicted_loss_per_year <= config.loss_per_year);
}
END_TEST

START_TEST(one_long_stall_lengthens_at_once)
{
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	int64_t now_ms = 0;

	quiet(tuner, &now_ms, 600);
	struct vrms_tuner_need need = sample(tuner, now_ms, VRMS_TUNER_SCHEDULING, 300000);

	ck_assert(need.changed);
	ck_assert_int_ge(need.token_ms, 375);
}
END_TEST

START_TEST(a_stall_counts_as_long_as_it_may_have_been)
{
	struct vrms_tuner_config sampled = config;

	sampled.sampling_us = 20000;
	struct vrms_tuner *whole VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	struct vrms_tuner *part VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&sampled);
	int64_t now_ms = 0;

	quiet(whole, &now_ms, 600);
	now_ms = 0;
	ck_assert_int_eq(quiet(part, &now_ms, 600).token_ms, 200);
	/* (300 ms - R) / 0.8, and what the thread slept through. */
	int64_t seen_ms = sample(whole, now_ms, VRMS_TUNER_SCHEDULING, 300000).token_ms;

	ck_assert_int_eq(sample(part, now_ms, VRMS_TUNER_SCHEDULING, 300000).token_ms,
			 seen_ms + 25);
	/* A stall of the ring is measured whole. */
	ck_assert_int_eq(sample(whole, now_ms, VRMS_TUNER_RING, 400000).token_ms,
			 sample(part, now_ms, VRMS_TUNER_RING, 400000).token_ms);
}
END_TEST

START_TEST(a_long_stall_is_remembered_for_six_hours)
{
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	int64_t now_ms = 0;

	quiet(tuner, &now_ms, 600);
	sample(tuner, now_ms, VRMS_TUNER_SCHEDULING, 300000);
	ck_assert_int_ge(quiet(tuner, &now_ms, 6 * 3600 - 60).token_ms, 375);
	ck_assert_int_eq(quiet(tuner, &now_ms, 200).token_ms, 200);
}
END_TEST

START_TEST(announced_load_lengthens_until_it_is_over)
{
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	int64_t now_ms = 0;

	quiet(tuner, &now_ms, 600);
	struct vrms_tuner_need need = tell(tuner, now_ms, VRMS_TUNER_LOAD, 30000);

	ck_assert_int_eq(need.token_ms, 1000);
	ck_assert_int_eq(need.reason, VRMS_REASON_TUNER_LOAD_ANNOUNCED);
	ck_assert_int_eq(quiet(tuner, &now_ms, 29).token_ms, 1000);
	ck_assert_int_eq(quiet(tuner, &now_ms, 65).token_ms, 200);
}
END_TEST

START_TEST(switched_off_means_the_configured_value_at_once)
{
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	int64_t now_ms = 0;

	quiet(tuner, &now_ms, 600);
	struct vrms_tuner_need need = tell(tuner, now_ms, VRMS_TUNER_ENABLE, 0);

	ck_assert_int_eq(need.token_ms, 3650);
	ck_assert_int_eq(need.reason, VRMS_REASON_TUNER_OFF);
}
END_TEST

START_TEST(a_source_that_falls_silent_puts_the_configured_value_back)
{
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	int64_t now_ms = 0;

	quiet(tuner, &now_ms, 600);
	struct vrms_tuner_need need = {0};

	for (int64_t i = 0; i < 7; i++) {
		sample(tuner, now_ms, VRMS_TUNER_SCHEDULING, 100);
		need = tell(tuner, now_ms, VRMS_TUNER_TICK, 0);
		now_ms += 1000;
	}
	ck_assert_int_eq(need.token_ms, 3650);
	ck_assert_int_eq(need.reason, VRMS_REASON_TUNER_STALE);
}
END_TEST

START_TEST(a_disturbance_doubles_the_token)
{
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	int64_t now_ms = 0;

	quiet(tuner, &now_ms, 600);
	struct vrms_tuner_need need = tell(tuner, now_ms, VRMS_TUNER_DISTURBED, 200);

	ck_assert_int_eq(need.token_ms, 400);
	ck_assert_int_eq(need.reason, VRMS_REASON_TUNER_DISTURBED);
}
END_TEST

START_TEST(a_node_that_knocks_lengthens_for_a_moment_only)
{
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	int64_t now_ms = 0;

	quiet(tuner, &now_ms, 600);
	struct vrms_tuner_need need = tell(tuner, now_ms, VRMS_TUNER_KNOCK, 15000);

	ck_assert_int_eq(need.token_ms, config.load_floor_ms);
	ck_assert_int_eq(need.reason, VRMS_REASON_TUNER_KNOCK);
	ck_assert_int_eq(quiet(tuner, &now_ms, 14).token_ms, config.load_floor_ms);
	ck_assert_int_eq(quiet(tuner, &now_ms, 65).token_ms, 200);
}
END_TEST

START_TEST(a_false_loss_puts_the_configured_value_back_for_an_hour)
{
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	struct vrms_tuner_observed observed;
	int64_t now_ms = 0;

	quiet(tuner, &now_ms, 600);
	tell(tuner, now_ms, VRMS_TUNER_FALSE_LOSS, 0);
	ck_assert_int_eq(quiet(tuner, &now_ms, 3599).token_ms, 3650);
	ck_assert_int_eq(quiet(tuner, &now_ms, 120).token_ms, 200);
	vrms_tuner_observed(tuner, &observed);
	ck_assert_int_eq(observed.false_losses, 1);
	ck_assert(observed.expected_losses > 0 && observed.expected_losses < 1e-3);
}
END_TEST

START_TEST(a_smaller_configured_value_is_the_new_ceiling)
{
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	int64_t now_ms = 0;

	quiet(tuner, &now_ms, 10);
	ck_assert_int_eq(tell(tuner, now_ms, VRMS_TUNER_CONFIGURED, 1000).token_ms, 1000);
	ck_assert_int_eq(tell(tuner, now_ms, VRMS_TUNER_CONFIGURED, 150).token_ms, 150);
	ck_assert_int_eq(tell(tuner, now_ms, VRMS_TUNER_CONFIGURED, 3000).token_ms, 3000);
}
END_TEST

/* A machine with stalls now and then. */
static struct vrms_tuner_need stalling(struct vrms_tuner *tuner, int64_t *now_ms, int64_t seconds,
				       uint64_t largest_us)
{
	struct vrms_tuner_need need = {0};
	struct vrms_random random;

	vrms_random_init(&random, 11);
	for (int64_t i = 0; i < seconds; i++) {
		uint32_t stall_us = vrms_random_below(&random, 8) == 0
					? (uint32_t)(1000 + vrms_random_below(&random, largest_us))
					: 200;

		sample(tuner, *now_ms, VRMS_TUNER_SCHEDULING, stall_us);
		sample(tuner, *now_ms, VRMS_TUNER_RING, 900);
		need = tell(tuner, *now_ms + 999, VRMS_TUNER_TICK, 0);
		*now_ms += 1000;
	}
	return need;
}

static struct vrms_tuner_need restless(struct vrms_tuner *tuner, int64_t *now_ms, int64_t seconds)
{
	return stalling(tuner, now_ms, seconds, 20000);
}

START_TEST(a_fresh_cluster_starts_on_credit_and_tightens)
{
	struct vrms_tuner_config credit = config;

	credit.warmup_ms = 45000;
	credit.shorten_after_ms = 15000;
	credit.loss_start_per_year = 12;
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&credit);
	int64_t now_ms = 0;
	struct vrms_tuner_need early = restless(tuner, &now_ms, 70);

	ck_assert_int_lt(early.token_ms, config.configured_ms); /* about a minute */
	ck_assert_double_eq_tol(early.allowed_loss_per_year, 12, 1e-9);
	ck_assert(early.predicted_loss_per_year <= early.allowed_loss_per_year);
	struct vrms_tuner_need later = restless(tuner, &now_ms, 4 * 3600);

	/* 1000 x 4 h are 167 days. */
	ck_assert_double_eq_tol(later.allowed_loss_per_year, 2.18, 0.03);
	ck_assert(later.predicted_loss_per_year <= later.allowed_loss_per_year);
}
END_TEST

START_TEST(the_estimate_knows_what_the_thread_sleeps_through)
{
	struct vrms_tuner_config sampled = config;

	sampled.sampling_us = 20000;
	struct vrms_tuner *whole VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	struct vrms_tuner *part VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&sampled);
	int64_t now_ms = 0;
	struct vrms_tuner_need seen = stalling(whole, &now_ms, 600, 60000);

	now_ms = 0;
	struct vrms_tuner_need need = stalling(part, &now_ms, 600, 60000);

	printf("token %d ms, by what was seen alone %d ms\n", (int)need.token_ms,
	       (int)seen.token_ms);

	ck_assert_int_lt(seen.token_ms, need.token_ms);
	ck_assert_int_le(need.token_ms, seen.token_ms + 20000 / 800 + 100); /* and the grid */
}
END_TEST

static struct vrms_tuner_config anxious(void)
{
	struct vrms_tuner_config anxious = config;

	anxious.warmup_ms = 45000;
	anxious.shorten_after_ms = 15000;
	anxious.loss_guarded_per_year = 8766; /* one an hour */
	anxious.disturbances_per_year = 52596;
	return anxious;
}

START_TEST(under_the_second_opinion_the_token_may_be_shorter)
{
	const struct vrms_tuner_config both = anxious();
	struct vrms_tuner *alone VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&both);
	struct vrms_tuner *guarded VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&both);
	int64_t now_ms = 0, guarded_now_ms = 0;

	tell(guarded, 0, VRMS_TUNER_GUARD, 1);
	struct vrms_tuner_need without = stalling(alone, &now_ms, 600, 90000);
	struct vrms_tuner_need with = stalling(guarded, &guarded_now_ms, 600, 90000);

	ck_assert_int_lt(with.token_ms, without.token_ms);
	ck_assert_double_eq_tol(with.allowed_loss_per_year, 8766, 1e-6);
	ck_assert(with.predicted_loss_per_year <= 8766);
	/* The beats stop: at once as without. */
	struct vrms_tuner_need lost = tell(guarded, now_ms, VRMS_TUNER_GUARD, 0);

	ck_assert(lost.changed);
	ck_assert_int_ge(lost.token_ms, without.token_ms * 9 / 10);
	ck_assert_double_eq_tol(lost.allowed_loss_per_year, 0.1, 1e-9);
}
END_TEST

START_TEST(what_a_booting_host_measures_does_not_count)
{
	struct vrms_tuner_config patient = config;

	patient.settle_ms = 15000;
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&patient);
	int64_t now_ms = 15000;

	for (int64_t i = 0; i < 15; i++) {
		sample(tuner, i * 1000, VRMS_TUNER_SCHEDULING, 400000);
		sample(tuner, i * 1000, VRMS_TUNER_RING, 900000);
	}
	ck_assert_int_eq(quiet(tuner, &now_ms, 600).token_ms, 200);
	ck_assert_uint_lt(
	    vrms_history_hours_quantile(vrms_tuner_history(tuner, VRMS_TUNER_SCHEDULING), 1000000),
	    1000);
}
END_TEST

START_TEST(slow_answers_are_evidence_and_no_model)
{
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	struct vrms_random random;
	int64_t now_ms = 0;

	vrms_random_init(&random, 3);
	for (int64_t i = 0; i < 600; i++) { /* a heavy tail, but never beyond 100 ms */
		uint32_t value_us = 100000 / (uint32_t)(1 + vrms_random_below(&random, 100));

		sample(tuner, i * 1000, VRMS_TUNER_ANSWER, value_us);
	}
	ck_assert_int_eq(quiet(tuner, &now_ms, 600).token_ms, 200);
	ck_assert_ptr_null(vrms_tuner_fit(tuner, VRMS_TUNER_ANSWER));
	ck_assert_int_ge(sample(tuner, now_ms, VRMS_TUNER_ANSWER, 300000).token_ms, 375);
}
END_TEST

START_TEST(a_long_way_round_is_added_to_every_stall)
{
	struct vrms_tuner *near VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	struct vrms_tuner *far VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	int64_t now_ms = 0, far_now_ms = 0;

	sample(far, 0, VRMS_TUNER_LINK, 120000); /* three nodes, 40 ms apart */
	restless(near, &now_ms, 120);
	restless(far, &far_now_ms, 120);
	int64_t near_ms = restless(near, &now_ms, 120).token_ms;
	int64_t far_ms = restless(far, &far_now_ms, 120).token_ms;

	ck_assert_int_ge(far_ms, near_ms + 120 / 2);
	ck_assert_int_le(far_ms, near_ms + 120 * 10 / 8 + 100); /* 100: the grid */
}
END_TEST

START_TEST(the_token_outlives_a_dead_link)
{
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	int64_t now_ms = 0;

	tell(tuner, 0, VRMS_TUNER_LINKS, 1369);
	struct vrms_tuner_need need = quiet(tuner, &now_ms, 600);

	ck_assert_int_eq(need.token_ms, 1369);
	ck_assert_int_eq(need.reason, VRMS_REASON_TUNER_LINKS);
}
END_TEST

START_TEST(the_links_latency_counts_although_it_need_not_be_there)
{
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	int64_t now_ms = 0;

	quiet(tuner, &now_ms, 600);
	ck_assert_int_ge(sample(tuner, now_ms, VRMS_TUNER_LINK, 300000).token_ms, 375);
}
END_TEST

/* The rules, whatever comes.  Breaking one prints the seed. */
struct history {
	struct vrms_random random;
	struct vrms_tuner_need last;
	int64_t now_ms, smaller_since_ms;
	unsigned shortened;
};

static void random_event(struct history *history, struct vrms_tuner *tuner, uint64_t seed)
{
	uint64_t dice = vrms_random_below(&history->random, 1000);
	struct vrms_tuner_event event = {.now_ms = history->now_ms, .kind = VRMS_TUNER_SAMPLE};

	event.source = vrms_random_below(&history->random, 2);
	event.value_us = (uint32_t)(50 + vrms_random_below(&history->random, 400));
	if (dice < 1 && vrms_random_below(&history->random, 20) == 0) {
		event.value_us *= (uint32_t)(1 + vrms_random_below(&history->random, 600));
	} else if (dice < 4) {
		event.kind = VRMS_TUNER_LOAD;
		event.value_ms = (int64_t)vrms_random_below(&history->random, 60000);
	} else if (dice < 5 && vrms_random_below(&history->random, 10) == 0) {
		event.kind = VRMS_TUNER_DISTURBED;
		event.value_ms = history->last.token_ms;
	} else if (dice < 5 && vrms_random_below(&history->random, 10) == 0) {
		event.kind = VRMS_TUNER_KNOCK;
		event.value_ms = (int64_t)vrms_random_below(&history->random, 30000);
	} else if (dice < 104) {
		event.kind = VRMS_TUNER_TICK;
	}
	struct vrms_tuner_need need = step(tuner, event);

	ck_assert_msg(need.token_ms >= config.floor_ms && need.token_ms <= config.configured_ms,
		      "seed %lu: outside floor and ceiling", seed);
	ck_assert_msg(need.changed == (need.token_ms != history->last.token_ms),
		      "seed %lu: a change that is none", seed);
	ck_assert_msg(event.kind != VRMS_TUNER_SAMPLE ||
			  event.value_us * 5 / 4000 <= need.token_ms ||
			  need.token_ms == config.configured_ms,
		      "seed %lu: a stall of %u us, token %ld ms", seed, event.value_us,
		      need.token_ms);
	if (need.changed && need.token_ms < history->last.token_ms) {
		ck_assert_msg(history->now_ms - history->smaller_since_ms >=
				  config.shorten_after_ms,
			      "seed %lu: shortened too soon", seed);
		history->shortened++;
	}
	if (need.changed) {
		history->smaller_since_ms = history->now_ms;
	}
	history->last = need;
	history->now_ms += 20 + (int64_t)vrms_random_below(&history->random, 160);
}

START_TEST(random_histories_keep_the_rules)
{
	unsigned shortened = 0;

	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
		struct history history = {.last.token_ms = config.configured_ms};

		vrms_random_init(&history.random, seed);
		for (int i = 0; i < 15000; i++) {
			random_event(&history, tuner, seed);
		}
		shortened += history.shortened;
	}
	ck_assert_uint_gt(shortened, 20); /* the rules were put to the test */
}
END_TEST

UNIT_MAIN("quorum_tuner", nothing_is_shortened_before_it_is_warm,
	  a_quiet_machine_comes_down_to_the_floor, one_long_stall_lengthens_at_once,
	  a_stall_counts_as_long_as_it_may_have_been, a_long_stall_is_remembered_for_six_hours,
	  announced_load_lengthens_until_it_is_over,
	  switched_off_means_the_configured_value_at_once,
	  a_source_that_falls_silent_puts_the_configured_value_back,
	  a_disturbance_doubles_the_token, a_node_that_knocks_lengthens_for_a_moment_only,
	  a_false_loss_puts_the_configured_value_back_for_an_hour,
	  a_smaller_configured_value_is_the_new_ceiling,
	  a_fresh_cluster_starts_on_credit_and_tightens,
	  the_estimate_knows_what_the_thread_sleeps_through, the_token_outlives_a_dead_link,
	  the_links_latency_counts_although_it_need_not_be_there,
	  under_the_second_opinion_the_token_may_be_shorter,
	  what_a_booting_host_measures_does_not_count, slow_answers_are_evidence_and_no_model,
	  a_long_way_round_is_added_to_every_stall, random_histories_keep_the_rules)
