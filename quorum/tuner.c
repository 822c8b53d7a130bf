/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/tuner.h"

#include <assert.h>
#include <math.h>

enum {
	BLOCK_MS = 1000,
	BLOCK_COUNT = 6 * 3600,
	RECENT_MS = 600000,
	FIT_EVERY_MS = 5000,
	FALSE_LOSS_MS = 3600000,
	EARN_FACTOR = 1000,
};

static const double loss_factor = 2.0;
static const double disturbance_factor = 0.8;
static const double recent_factor = 1.25; /* 1 / disturbance_factor */
static const double year_ms = 365.25 * 86400e3;

#define NAME(name, word, use, text) word,
#define USE(name, word, use, text)  use,
static const char *const source_names[] = {VRMS_TUNER_SOURCES(NAME)};
static const enum vrms_tuner_use uses[] = {VRMS_TUNER_SOURCES(USE)};

struct source {
	struct vrms_tail *tail;
	struct vrms_history history;
	struct vrms_tail_fit fit;
	bool fitted;
	int64_t first_ms; /* -1: never measured */
	int64_t last_ms;
	uint32_t last_us;
};

struct vrms_tuner {
	struct vrms_tuner_config config;
	struct source sources[VRMS_TUNER_SOURCE_COUNT];
	bool enabled;
	bool guarded;
	int64_t born_ms; /* -1: nothing has happened yet */
	int64_t fitted_ms;
	int64_t model_ms; /* what the model asks for; -1: no model */
	int64_t links_ms; /* shortest token that outlives a dead link */
	int64_t load_until_ms;
	int64_t knock_until_ms;
	int64_t penalty_until_ms, penalty_token_ms;
	int64_t false_loss_until_ms;
	int64_t shorter_since_ms; /* -1: nothing smaller would do */
	int64_t shorter_max_ms;   /* the largest wish since then */
	int64_t started_ms, counted_ms;
	struct vrms_tuner_need need;
	struct vrms_tuner_observed observed;
};

const char *vrms_tuner_source_name(enum vrms_tuner_source source)
{
	return (unsigned)source < VRMS_TUNER_SOURCE_COUNT ? source_names[source] : "unknown";
}

struct vrms_tuner *vrms_tuner_new(const struct vrms_tuner_config *config)
{
	struct vrms_tuner *tuner VRMS_CLEANUP(vrms_tuner_freep) = calloc(1, sizeof(*tuner));

	assert(config->floor_ms > 0 && config->source_bits != 0);
	if (tuner == NULL) {
		return NULL;
	}
	tuner->config = *config;
	tuner->enabled = true;
	tuner->model_ms = -1;
	tuner->shorter_since_ms = -1;
	tuner->started_ms = -1;
	tuner->born_ms = -1;
	tuner->need.token_ms = config->configured_ms;
	tuner->need.reason = VRMS_REASON_TUNER_WARMING_UP;
	for (unsigned i = 0; i < VRMS_TUNER_SOURCE_COUNT; i++) {
		struct source *source = &tuner->sources[i];

		source->first_ms = -1;
		vrms_history_init(&source->history);
		source->tail = vrms_tail_new(BLOCK_MS, BLOCK_COUNT);
		if (source->tail == NULL) {
			return NULL;
		}
	}
	return VRMS_TAKE(tuner);
}

void vrms_tuner_free(struct vrms_tuner *tuner)
{
	if (tuner == NULL) {
		return;
	}
	for (unsigned i = 0; i < VRMS_TUNER_SOURCE_COUNT; i++) {
		vrms_tail_free(tuner->sources[i].tail);
	}
	free(tuner);
}

static bool source_is_used(const struct vrms_tuner *tuner, unsigned index)
{
	return (tuner->config.source_bits >> index & 1) != 0;
}

static double rotation_us(const struct vrms_tuner *tuner)
{
	double longest_us = 0;

	for (unsigned i = 0; i < VRMS_TUNER_SOURCE_COUNT; i++) {
		if (uses[i] == VRMS_TUNER_ROTATION && tuner->sources[i].last_us > longest_us) {
			longest_us = tuner->sources[i].last_us;
		}
	}
	return longest_us;
}

/* By how much a stall may have been longer than what was measured of it. */
static double unseen_us(const struct vrms_tuner *tuner, unsigned index)
{
	return index == VRMS_TUNER_SCHEDULING ? (double)tuner->config.sampling_us : 0;
}

/* Expected stalls per year longer than factor x token - R, all sources together. */
static double rate_per_year(const struct vrms_tuner *tuner, double factor, int64_t token_ms)
{
	double x_us = factor * (double)token_ms * 1000 - rotation_us(tuner);
	double rate = 0;

	for (unsigned i = 0; i < VRMS_TUNER_SOURCE_COUNT; i++) {
		const struct source *source = &tuner->sources[i];

		if (source->fitted) {
			double seen_us = x_us - unseen_us(tuner, i);

			rate += vrms_tail_rate_per_year(&source->fit, seen_us > 0 ? seen_us : 0);
		}
	}
	return rate;
}

static bool is_within_budget(const struct vrms_tuner *tuner, int64_t token_ms)
{
	return rate_per_year(tuner, loss_factor, token_ms) <= tuner->need.allowed_loss_per_year &&
	       rate_per_year(tuner, disturbance_factor, token_ms) <=
		   tuner->config.disturbances_per_year;
}

/* How long all that must be measured has been measured. */
static int64_t measured_ms(const struct vrms_tuner *tuner, int64_t now_ms)
{
	int64_t least_ms = INT64_MAX;

	for (unsigned i = 0; i < VRMS_TUNER_SOURCE_COUNT; i++) {
		int64_t first_ms = tuner->sources[i].first_ms;
		int64_t ms = first_ms < 0 ? 0 : now_ms - first_ms;

		if (source_is_used(tuner, i) && ms < least_ms) {
			least_ms = ms;
		}
	}
	return least_ms;
}

static double allowed_loss(const struct vrms_tuner *tuner, int64_t now_ms)
{
	const struct vrms_tuner_config *config = &tuner->config;
	double earned = year_ms / ((double)EARN_FACTOR * (double)(measured_ms(tuner, now_ms) + 1));

	if (earned > config->loss_start_per_year) {
		earned = config->loss_start_per_year;
	}
	if (tuner->guarded && config->loss_guarded_per_year > earned) {
		earned = config->loss_guarded_per_year;
	}
	return earned > config->loss_per_year ? earned : config->loss_per_year;
}

/* A fit wavers by a few percent every time: not worth a change of the whole cluster's token. */
static int64_t round_up(int64_t token_ms)
{
	int64_t grid_ms = token_ms < 400 ? 20 : token_ms < 1000 ? 50 : 100;

	return (token_ms + grid_ms - 1) / grid_ms * grid_ms;
}

/* The shortest token within the budget: the rates fall as the token grows. */
static int64_t solve(const struct vrms_tuner *tuner)
{
	int64_t low = tuner->config.floor_ms;
	int64_t high = tuner->config.configured_ms;

	while (low < high) {
		int64_t middle = low + (high - low) / 2;

		if (is_within_budget(tuner, middle)) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	if (low == tuner->config.floor_ms) {
		return low;
	}
	low = round_up(low);
	return low < tuner->config.configured_ms ? low : tuner->config.configured_ms;
}

static void fit(struct vrms_tuner *tuner, int64_t now_ms)
{
	bool all = true;

	for (unsigned i = 0; i < VRMS_TUNER_SOURCE_COUNT; i++) {
		struct source *source = &tuner->sources[i];

		source->fitted =
		    uses[i] == VRMS_TUNER_MODELLED && vrms_tail_fit(source->tail, &source->fit);
		all = all && (source->fitted || !source_is_used(tuner, i));
	}
	tuner->need.allowed_loss_per_year = allowed_loss(tuner, now_ms);
	tuner->model_ms = all ? solve(tuner) : -1;
	tuner->fitted_ms = now_ms;
}

/* Is every source measured, and for long enough? */
static enum vrms_reason find_gap(const struct vrms_tuner *tuner, int64_t now_ms)
{
	for (unsigned i = 0; i < VRMS_TUNER_SOURCE_COUNT; i++) {
		const struct source *source = &tuner->sources[i];

		if (!source_is_used(tuner, i)) {
			continue;
		}
		if (source->first_ms < 0 || now_ms - source->first_ms < tuner->config.warmup_ms) {
			return VRMS_REASON_TUNER_WARMING_UP;
		}
		if (now_ms - source->last_ms > tuner->config.stale_ms) {
			return VRMS_REASON_TUNER_STALE;
		}
	}
	return tuner->model_ms < 0 ? VRMS_REASON_TUNER_WARMING_UP : VRMS_REASON_NONE;
}

static int64_t recent_need_ms(const struct vrms_tuner *tuner, int64_t now_ms)
{
	double longest_us = 0;

	for (unsigned i = 0; i < VRMS_TUNER_SOURCE_COUNT; i++) {
		if (uses[i] == VRMS_TUNER_ROTATION) {
			continue;
		}
		double value_us =
		    (double)vrms_tail_recent_max_us(tuner->sources[i].tail, now_ms, RECENT_MS) +
		    unseen_us(tuner, i);

		longest_us = value_us > longest_us ? value_us : longest_us;
	}
	return (int64_t)ceil(recent_factor * (longest_us + rotation_us(tuner)) / 1000);
}

/* A wish with its reason; the longer of two wins. */
struct wish {
	int64_t token_ms;
	enum vrms_reason reason;
};

static void want(struct wish *wish, int64_t token_ms, enum vrms_reason reason)
{
	if (token_ms > wish->token_ms) {
		wish->token_ms = token_ms;
		wish->reason = reason;
	}
}

static struct wish find_wish(const struct vrms_tuner *tuner, int64_t now_ms)
{
	int64_t configured_ms = tuner->config.configured_ms;
	struct wish wish = {tuner->config.floor_ms, VRMS_REASON_TUNER_FLOOR};
	enum vrms_reason gap = find_gap(tuner, now_ms);

	if (!tuner->enabled) {
		return (struct wish){configured_ms, VRMS_REASON_TUNER_OFF};
	}
	if (gap != VRMS_REASON_NONE) {
		return (struct wish){configured_ms, gap};
	}
	if (now_ms < tuner->false_loss_until_ms) {
		return (struct wish){configured_ms, VRMS_REASON_TUNER_FALSE_LOSS};
	}
	want(&wish, tuner->model_ms, VRMS_REASON_TUNER_BUDGET);
	want(&wish, recent_need_ms(tuner, now_ms), VRMS_REASON_TUNER_RECENT_STALL);
	want(&wish, tuner->links_ms, VRMS_REASON_TUNER_LINKS);
	if (now_ms < tuner->load_until_ms) {
		want(&wish, tuner->config.load_floor_ms, VRMS_REASON_TUNER_LOAD_ANNOUNCED);
	}
	if (now_ms < tuner->knock_until_ms) {
		want(&wish, tuner->config.load_floor_ms, VRMS_REASON_TUNER_KNOCK);
	}
	if (now_ms < tuner->penalty_until_ms) {
		want(&wish, tuner->penalty_token_ms, VRMS_REASON_TUNER_DISTURBED);
	}
	if (wish.token_ms >= configured_ms) {
		wish = (struct wish){configured_ms, VRMS_REASON_TUNER_CONFIGURED};
	}
	return wish;
}

/* Longer at once; shorter only after it would have been enough for a while. */
static void move(struct vrms_tuner *tuner, const struct wish *wish, int64_t now_ms)
{
	struct vrms_tuner_need *need = &tuner->need;
	if (need->token_ms > tuner->config.configured_ms) { /* the admin made it smaller */
		need->token_ms = tuner->config.configured_ms;
		need->changed = true;
	}
	int64_t line_ms = need->token_ms * (100 - tuner->config.hysteresis_pct) / 100;
	bool at_limit = wish->token_ms == tuner->config.floor_ms && need->token_ms > wish->token_ms;

	if (wish->token_ms >= need->token_ms) {
		need->changed = need->changed || wish->token_ms != need->token_ms;
		need->token_ms = wish->token_ms;
		need->reason = wish->reason;
		tuner->shorter_since_ms = -1;
		return;
	}
	if (wish->token_ms > line_ms && !at_limit) {
		tuner->shorter_since_ms = -1;
		return;
	}
	if (tuner->shorter_since_ms < 0) {
		tuner->shorter_since_ms = now_ms;
		tuner->shorter_max_ms = 0;
	}
	if (wish->token_ms > tuner->shorter_max_ms) {
		tuner->shorter_max_ms = wish->token_ms;
	}
	if (now_ms - tuner->shorter_since_ms >= tuner->config.shorten_after_ms) {
		need->token_ms = tuner->shorter_max_ms;
		need->reason = wish->reason;
		need->changed = true;
		tuner->shorter_since_ms = -1;
	}
}

static void absorb_sample(struct vrms_tuner *tuner, const struct vrms_tuner_event *event)
{
	struct source *source = &tuner->sources[event->source];

	assert((unsigned)event->source < VRMS_TUNER_SOURCE_COUNT);
	if (event->now_ms - tuner->born_ms < tuner->config.settle_ms) {
		return;
	}
	if (source->first_ms < 0 || event->now_ms - source->last_ms > tuner->config.stale_ms) {
		source->first_ms = event->now_ms; /* after a gap it must prove itself again */
	}
	source->last_ms = event->now_ms;
	source->last_us = event->value_us;
	vrms_tail_add(source->tail, event->now_ms, event->value_us);
	vrms_history_add(&source->history, event->now_ms, event->value_us);
}

static void absorb_disturbance(struct vrms_tuner *tuner, const struct vrms_tuner_event *event)
{
	tuner->observed.disturbances++;
	tuner->penalty_token_ms = 2 * event->value_ms;
	tuner->penalty_until_ms = event->now_ms + tuner->config.penalty_ms;
}

static void absorb(struct vrms_tuner *tuner, const struct vrms_tuner_event *event)
{
	switch (event->kind) {
	case VRMS_TUNER_SAMPLE:
		absorb_sample(tuner, event);
		break;
	case VRMS_TUNER_LOAD:
		if (event->value_ms == 0) {
			tuner->load_until_ms = 0;
		} else if (tuner->load_until_ms < event->now_ms + event->value_ms) {
			tuner->load_until_ms = event->now_ms + event->value_ms;
		}
		break;
	case VRMS_TUNER_CONFIGURED:
		tuner->config.configured_ms = event->value_ms;
		tuner->fitted_ms = 0;
		break;
	case VRMS_TUNER_ENABLE:
		tuner->enabled = event->value_ms != 0;
		break;
	case VRMS_TUNER_GUARD:
		tuner->guarded = event->value_ms != 0;
		tuner->fitted_ms = 0;
		break;
	case VRMS_TUNER_LINKS:
		tuner->links_ms = event->value_ms;
		break;
	case VRMS_TUNER_KNOCK:
		tuner->knock_until_ms = event->now_ms + event->value_ms;
		break;
	case VRMS_TUNER_DISTURBED:
		absorb_disturbance(tuner, event);
		break;
	case VRMS_TUNER_FALSE_LOSS:
		tuner->observed.false_losses++;
		tuner->false_loss_until_ms = event->now_ms + FALSE_LOSS_MS;
		break;
	case VRMS_TUNER_TICK:
		break;
	}
}

/* Adds up what the model expects, so that it can be held against what happens. */
static void count(struct vrms_tuner *tuner, int64_t now_ms)
{
	double passed_ms = (double)(now_ms - tuner->counted_ms);

	if (tuner->started_ms < 0) {
		tuner->started_ms = now_ms;
		passed_ms = 0;
	}
	tuner->counted_ms = now_ms;
	tuner->observed.watched_ms = now_ms - tuner->started_ms;
	if (tuner->model_ms >= 0) {
		struct vrms_tuner_need *need = &tuner->need;

		need->predicted_loss_per_year = rate_per_year(tuner, loss_factor, need->token_ms);
		need->predicted_disturbances_per_year =
		    rate_per_year(tuner, disturbance_factor, need->token_ms);
		tuner->observed.expected_losses +=
		    need->predicted_loss_per_year * passed_ms / year_ms;
		tuner->observed.expected_disturbances +=
		    need->predicted_disturbances_per_year * passed_ms / year_ms;
	} else {
		tuner->need.predicted_loss_per_year = -1;
		tuner->need.predicted_disturbances_per_year = -1;
	}
}

/* A sample alone changes the need only when it is long: the common one costs next to nothing. */
static bool needs_thought(const struct vrms_tuner *tuner, const struct vrms_tuner_event *event)
{
	double longest_us =
	    (double)event->value_us + unseen_us(tuner, event->source) + rotation_us(tuner);

	return event->kind != VRMS_TUNER_SAMPLE ||
	       longest_us * recent_factor > (double)tuner->need.token_ms * 1000;
}

void vrms_tuner_step(struct vrms_tuner *tuner, const struct vrms_tuner_event *event,
		     struct vrms_tuner_need *need)
{
	tuner->need.changed = false;
	if (tuner->born_ms < 0) {
		tuner->born_ms = event->now_ms;
	}
	absorb(tuner, event);
	if (needs_thought(tuner, event)) {
		if (event->now_ms - tuner->fitted_ms >= FIT_EVERY_MS || tuner->fitted_ms == 0) {
			fit(tuner, event->now_ms);
		}
		struct wish wish = find_wish(tuner, event->now_ms);

		move(tuner, &wish, event->now_ms);
		count(tuner, event->now_ms);
	}
	*need = tuner->need;
}

const struct vrms_tail_fit *vrms_tuner_fit(const struct vrms_tuner *tuner,
					   enum vrms_tuner_source source)
{
	assert((unsigned)source < VRMS_TUNER_SOURCE_COUNT);
	return tuner->sources[source].fitted ? &tuner->sources[source].fit : NULL;
}

const struct vrms_history *vrms_tuner_history(const struct vrms_tuner *tuner,
					      enum vrms_tuner_source source)
{
	assert((unsigned)source < VRMS_TUNER_SOURCE_COUNT);
	return &tuner->sources[source].history;
}

void vrms_tuner_observed(const struct vrms_tuner *tuner, struct vrms_tuner_observed *ret_observed)
{
	*ret_observed = tuner->observed;
}
