/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/tuner.h"

#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "tests/unit/unit.h"

/* A series that was recorded: what does the model say of the second half, knowing the first? */
enum { SAMPLES_MAX = 20000, STEP_MS = 100 };

static uint32_t samples[SAMPLES_MAX];
static int64_t sample_count;

static void load(void)
{
	const char *folder = getenv("srcdir");
	char path[512];
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	char *state;
	struct vrms_error error;

	snprintf(path, sizeof(path), "%s/tests/scenario/series/scheduling_shared_host.txt",
		 folder == NULL ? "." : folder);
	ck_assert_msg(vrms_file_read(path, 1 << 20, &text, NULL, &error) == 0, "%s", error.text);
	sample_count = 0;
	for (char *line = strtok_r(text, "\n", &state); line != NULL;
	     line = strtok_r(NULL, "\n", &state)) {
		if (line[0] != '#' && sample_count < SAMPLES_MAX) {
			samples[sample_count++] = (uint32_t)strtoul(line, NULL, 10);
		}
	}
	ck_assert_int_ge(sample_count, 6000);
}

/* Seconds of the given half in which a stall was longer than x_us. */
static int64_t count_seconds(int64_t from, int64_t to, double x_us)
{
	int64_t count = 0;

	for (int64_t second = from; second < to; second++) {
		bool is_over = false;

		for (int64_t i = 0; i < 1000 / STEP_MS; i++) {
			is_over = is_over || samples[second * 1000 / STEP_MS + i] > x_us;
		}
		count += is_over;
	}
	return count;
}

START_TEST(the_first_half_predicts_the_second)
{
	struct vrms_tail *tail VRMS_CLEANUP(vrms_tail_freep) = vrms_tail_new(1000, 21600);
	struct vrms_tail_fit fit;
	int64_t seconds;

	load();
	seconds = sample_count * STEP_MS / 1000;
	for (int64_t i = 0; i < sample_count / 2; i++) {
		vrms_tail_add(tail, i * STEP_MS, samples[i]);
	}
	ck_assert(vrms_tail_fit(tail, &fit));
	printf("fit: u %.0f us, sigma %.0f us, xi %.2f\n", fit.threshold_us, fit.scale_us,
	       fit.shape);
	for (double x_us = 50000; x_us <= 400000; x_us *= 1.5) {
		int64_t observed = count_seconds(seconds / 2, seconds, x_us);
		double predicted = vrms_tail_rate_per_year(&fit, x_us) / fit.blocks_per_year *
				   (double)(seconds - seconds / 2);

		printf("stall > %3.0f ms: predicted in %ld seconds, %.2f observed %ld\n",
		       x_us / 1000, seconds / 2, predicted, observed);
		/* Honest: not too few predicted.  The slack is for counting statistics. */
		ck_assert_msg((double)observed <= 2 * predicted + 5, "%.0f ms: %f predicted, %ld",
			      x_us / 1000, predicted, observed);
	}
}
END_TEST

/* The tuner at work on the series: what would its tokens have cost? */
static int64_t replay(double losses_per_year, double disturbances_per_year)
{
	const struct vrms_tuner_config config = {
	    .configured_ms = 3650,
	    .floor_ms = 200,
	    .load_floor_ms = 1000,
	    .warmup_ms = 60000,
	    .stale_ms = 5000,
	    .shorten_after_ms = 20000,
	    .hysteresis_pct = 15,
	    .penalty_ms = 600000,
	    .loss_per_year = losses_per_year,
	    .disturbances_per_year = disturbances_per_year,
	    .source_bits = 1 << VRMS_TUNER_SCHEDULING,
	};
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = vrms_tuner_new(&config);
	struct vrms_tuner_need need = {.token_ms = config.configured_ms};
	struct vrms_tuner_observed observed;
	int64_t losses = 0, disturbances = 0, token_ms_sum = 0;

	for (int64_t i = 0; i < sample_count; i++) {
		struct vrms_tuner_event event = {.now_ms = i * STEP_MS, .value_us = samples[i]};

		/* The token that was in force when the stall came. */
		losses += samples[i] > need.token_ms * 2000;
		disturbances += samples[i] > need.token_ms * 800;
		token_ms_sum += need.token_ms;
		vrms_tuner_step(tuner, &event, &need);
		if (i % 10 == 9) {
			event.kind = VRMS_TUNER_TICK;
			vrms_tuner_step(tuner, &event, &need);
		}
	}
	vrms_tuner_observed(tuner, &observed);
	printf("budget %.1f losses, %.0f disturbances a year: mean token %ld ms; losses %ld "
	       "(expected %.3f), disturbances %ld (expected %.1f)\n",
	       losses_per_year, disturbances_per_year, token_ms_sum / sample_count, losses,
	       observed.expected_losses, disturbances, observed.expected_disturbances);
	ck_assert_int_eq(losses, 0);
	ck_assert_msg((double)disturbances <= 3 + 3 * observed.expected_disturbances,
		      "%ld disturbances, %f expected", disturbances,
		      observed.expected_disturbances);
	return need.token_ms;
}

START_TEST(tokens_chosen_on_the_series_lose_nobody)
{
	load();
	replay(0.1, 365);
	replay(8766, 52596); /* one an hour, one in ten minutes: what a demo can bear */
}
END_TEST

START_TEST(a_heavy_tail_gets_a_long_token)
{
	load();
	/* What a host may have at most: ten years, and one disturbance an hour. */
	ck_assert_int_eq(replay(0.1, 8766), 3650);
	/* Under the second opinion, 30 days. */
	ck_assert_int_ge(replay(12.2, 8766), 1500);
	/* Without what makes it heavy: the same series, an eightieth of each stall. */
	for (int64_t i = 0; i < sample_count; i++) {
		samples[i] /= 80;
	}
	ck_assert_int_eq(replay(12.2, 8766), 200);
}
END_TEST

UNIT_MAIN("quorum_series", the_first_half_predicts_the_second,
	  tokens_chosen_on_the_series_lose_nobody, a_heavy_tail_gets_a_long_token)
