/* What the daemon measures of the ring.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>
#include <time.h>

#include "quorum/daemon.h"

enum {
	PROBE_MS_MAX = 60000,
	BELIEVE_AFTER_MS = 1000,
	SETTLE_MS = 5000,
	KEEP_MOVING_MS_MIN = 50,
	KEEP_MOVING_MS_MAX = 500,
	CHANGE_MS = 250, /* for a change to be in force on all nodes */
};

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void feed(struct vrms_daemon *daemon, enum vrms_tuner_source source, uint32_t value_us)
{
	vrms_daemon_feed_tuner(daemon, (struct vrms_tuner_event){.kind = VRMS_TUNER_SAMPLE,
								 .source = source,
								 .value_us = value_us});
}

_Static_assert(VRMS_DAEMON_PENDING_MAX *VRMS_RINGWATCH_PERIOD_MS >
		   5 * (3000 + 650 * (VRMS_RINGWATCH_NODES_MAX - 2)) / 2,
	       "no sample would ever be believed under the default token of a large cluster");

/* A ring that breaks is late before it is broken; whether it broke shows later. */
static bool is_believable(const struct vrms_daemon *daemon,
			  const struct vrms_ringwatch_sample *sample, int64_t now_ms)
{
	int64_t patience_ms = 5 * daemon->applied_ms / 2;

	patience_ms = patience_ms > BELIEVE_AFTER_MS ? patience_ms : BELIEVE_AFTER_MS;
	return now_ms - sample->began_ms >= patience_ms;
}

static void believe(struct vrms_daemon *daemon, const struct vrms_ringwatch_sample *sample)
{
	int64_t limit_us = daemon->applied_ms * 1000;
	uint32_t overdue_us = vrms_ringwatch_overdue_us(sample);

	if (sample->began_ms - daemon->ring_ms < SETTLE_MS) {
		return; /* the services of a new ring are still telling each other their state */
	}
	/* A token away for longer than its time is a broken ring, which is told of otherwise. */
	if (overdue_us < limit_us) {
		feed(daemon, VRMS_TUNER_RING, overdue_us);
	}
	if (sample->took_us < limit_us) {
		feed(daemon, VRMS_TUNER_ANSWER, sample->took_us);
	}
	if (sample->rotation_us > 0) {
		feed(daemon, VRMS_TUNER_LINK, sample->rotation_us);
	}
}

/* The representative's timer still runs with the longer time: up to 0.2 of the token before. */
void vrms_daemon_token_changes(struct vrms_daemon *daemon, int64_t from_ms)
{
	int64_t until_ms = vrms_daemon_now_ms() + from_ms / 4 + CHANGE_MS;

	daemon->holds_until_ms =
	    until_ms > daemon->holds_until_ms ? until_ms : daemon->holds_until_ms;
}

void vrms_daemon_take_ring(struct vrms_daemon *daemon)
{
	struct vrms_ringwatch_sample sample;
	int64_t now_ms = vrms_daemon_now_ms();
	unsigned kept = 0;

	while (daemon->ringwatch != NULL && vrms_ringwatch_take(daemon->ringwatch, &sample)) {
		if (sample.began_ms >= daemon->ring_ms) {
			vrms_daemon_feed_members(
			    daemon, (struct vrms_members_event){.kind = VRMS_MEMBERS_TOKENS,
								.tokens_lost = sample.tokens_lost});
		}
		if (sample.began_ms < daemon->holds_until_ms) {
			continue;
		}
		/* The oldest goes when there are too many: a frozen daemon. */
		if (daemon->pending_count == VRMS_DAEMON_PENDING_MAX) {
			memmove(&daemon->pending[0], &daemon->pending[1],
				--daemon->pending_count * sizeof(sample));
		}
		daemon->pending[daemon->pending_count++] = sample;
	}
	for (unsigned i = 0; i < daemon->pending_count; i++) {
		if (is_believable(daemon, &daemon->pending[i], now_ms)) {
			believe(daemon, &daemon->pending[i]);
		} else {
			daemon->pending[kept++] = daemon->pending[i];
		}
	}
	daemon->pending_count = kept;
}

void vrms_daemon_forget_ring(struct vrms_daemon *daemon)
{
	struct vrms_ringwatch_sample sample;

	while (daemon->ringwatch != NULL && vrms_ringwatch_take(daemon->ringwatch, &sample)) {
	}
	daemon->pending_count = 0;
}

/* A false loss is harmless where the agent that would refuse the fence sees this node's beats. */
void vrms_daemon_check_guard(struct vrms_daemon *daemon)
{
	bool is_guarded = daemon->settings->second_opinion && daemon->beater != NULL &&
			  daemon->beats.is_open && !daemon->beats.is_contested &&
			  !daemon->beats_are_late;

	if (is_guarded == daemon->is_guarded) {
		return;
	}
	daemon->is_guarded = is_guarded;
	vrms_daemon_record(daemon, "guard", json_pack("{s:b}", "on", is_guarded));
	vrms_daemon_feed_tuner(daemon, (struct vrms_tuner_event){.kind = VRMS_TUNER_GUARD,
								 .value_ms = is_guarded});
}

void vrms_daemon_probe(struct vrms_daemon *daemon)
{
	struct vrms_message probe = {.kind = VRMS_MESSAGE_PROBE,
				     .values = {now_us(), (int64_t)daemon->ring.sequence}};

	if (daemon->cluster != NULL) {
		(void)vrms_cluster_send_now(daemon->cluster, &probe);
	}
}

/* The span of the values in force, with the configured one for who has not said his. */
static void find_span(const struct vrms_daemon *daemon, int64_t *ret_low_ms, int64_t *ret_high_ms)
{
	int64_t low_ms = daemon->applied_ms;
	int64_t high_ms = daemon->applied_ms;

	for (unsigned i = 0; i < daemon->report_count; i++) {
		int64_t value_ms = daemon->reports[i].applied_ms;

		low_ms = value_ms > 0 && value_ms < low_ms ? value_ms : low_ms;
		high_ms = value_ms > high_ms ? value_ms : high_ms;
	}
	if (daemon->report_count < daemon->ring_count && daemon->configured_ms > high_ms) {
		high_ms = daemon->configured_ms;
	}
	*ret_low_ms = low_ms;
	*ret_high_ms = high_ms;
}

static bool is_first_of_group(const struct vrms_daemon *daemon)
{
	uint32_t self = vrms_cluster_self(daemon->cluster);

	for (unsigned i = 0; i < daemon->group_count; i++) {
		if (daemon->group_nodes[i] < self) {
			return false;
		}
	}
	return true;
}

/* An idle ring's representative holds the token for 0.2 of its own time-out; that must stay well
 * below the shortest one in force (quorum/agree.h).  A message ends the holding. */
int64_t vrms_daemon_probe_wait_ms(const struct vrms_daemon *daemon)
{
	int64_t node_count = daemon->ring_count > 0 ? daemon->ring_count : 1;
	int64_t wait_ms = daemon->settings->probe_interval_ms * node_count;
	int64_t low_ms, high_ms;

	wait_ms = wait_ms < PROBE_MS_MAX ? wait_ms : PROBE_MS_MAX;
	if (daemon->cluster == NULL) {
		return wait_ms;
	}
	find_span(daemon, &low_ms, &high_ms);
	if (high_ms <= 2 * low_ms || !is_first_of_group(daemon)) {
		return wait_ms;
	}
	wait_ms = low_ms / 3;
	wait_ms = wait_ms > KEEP_MOVING_MS_MIN ? wait_ms : KEEP_MOVING_MS_MIN;
	return wait_ms < KEEP_MOVING_MS_MAX ? wait_ms : KEEP_MOVING_MS_MAX;
}
