/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/judge.h"

#include "common/random.h"
#include "tests/unit/unit.h"

/* A world on a fake clock: a target that beats, or not; storage that answers, or not. */
struct world {
	int64_t now_ms;
	int64_t dies_ms, thaws_ms;   /* no beats from.. to.. */
	int64_t rejoins_ms;          /* a member from then on */
	int64_t storage_hangs_ms;    /* nothing is read from then on */
	int64_t storage_fails_ms;    /* an error from then on */
	int64_t daemon_unchanged_ms; /* what the local daemon knows; -1: nothing */
	bool corosync_hangs;
	struct vrms_random random;
	struct vrms_testimony heard;
};

enum { NEVER = 1 << 30, GRACE_MS = 2000, INTERVAL_MS = 150 };

static int64_t fake_now(void *context)
{
	return ((struct world *)context)->now_ms;
}

static void fake_sleep(void *context, int64_t ms)
{
	((struct world *)context)->now_ms += ms;
}

static uint64_t sequence_at(const struct world *world, int64_t now_ms)
{
	int64_t beating_ms = now_ms;

	if (now_ms > world->dies_ms) {
		int64_t end_ms = now_ms < world->thaws_ms ? now_ms : world->thaws_ms;

		beating_ms -= end_ms - world->dies_ms;
	}
	return 1000 + (uint64_t)(beating_ms / INTERVAL_MS);
}

static void fake_listen(void *context, int64_t wait_ms, struct vrms_testimony *testimony)
{
	struct world *world = context;
	struct vrms_testimony *heard = &world->heard;

	ck_assert_int_ge(wait_ms, 0);
	world->now_ms += vrms_random_below(&world->random, 4) == 0
			     ? wait_ms
			     : (int64_t)vrms_random_below(&world->random, (uint64_t)wait_ms + 1);
	if (world->now_ms >= world->storage_fails_ms) {
		heard->beat = VRMS_BEAT_UNREADABLE;
		heard->beat_ms = world->now_ms;
	} else if (world->now_ms < world->storage_hangs_ms) {
		heard->beat = VRMS_BEAT_READ;
		heard->beat_ms = world->now_ms;
		heard->sequence = sequence_at(world, world->now_ms);
		heard->boot = 1;
		heard->interval_ms = INTERVAL_MS;
		heard->unchanged_ms = world->daemon_unchanged_ms;
	}
	heard->member = world->corosync_hangs                ? VRMS_VERDICT_MEMBER_UNKNOWN
			: world->now_ms >= world->rejoins_ms ? VRMS_VERDICT_MEMBER_IN
							     : VRMS_VERDICT_MEMBER_OUT;
	*testimony = *heard;
}

static struct world quiet_world(void)
{
	struct world world = {
	    .now_ms = 100000,
	    .dies_ms = NEVER,
	    .thaws_ms = NEVER,
	    .rejoins_ms = NEVER,
	    .storage_hangs_ms = NEVER,
	    .storage_fails_ms = NEVER,
	    .daemon_unchanged_ms = -1,
	    .heard = {.beat = VRMS_BEAT_PENDING, .unchanged_ms = -1},
	};

	vrms_random_init(&world.random, 5);
	return world;
}

static enum vrms_verdict_answer ask(struct world *world, enum vrms_reason *reason,
				    int64_t *ret_took_ms)
{
	const struct vrms_clock clock = {world, fake_now, fake_sleep};
	const struct vrms_witnesses witnesses = {world, fake_listen};
	const struct vrms_judge_config config = {.grace_ms = GRACE_MS,
						 .silent_count = 4,
						 .read_timeout_ms = 500};
	int64_t begin_ms = world->now_ms;
	enum vrms_verdict_answer answer =
	    vrms_judge_run(&config, begin_ms, &witnesses, &clock, reason);

	*ret_took_ms = world->now_ms - begin_ms;
	return answer;
}

static void expect(struct world *world, enum vrms_verdict_answer answer, enum vrms_reason reason,
		   int64_t least_ms, int64_t most_ms)
{
	enum vrms_reason got = VRMS_REASON_NONE;
	int64_t took_ms;

	ck_assert_int_eq(ask(world, &got, &took_ms), answer);
	ck_assert_str_eq(vrms_reason_name(got), vrms_reason_name(reason));
	ck_assert_int_ge(took_ms, least_ms);
	ck_assert_int_le(took_ms, most_ms);
}

START_TEST(a_power_cut_is_seen_after_four_intervals_without_a_daemon)
{
	struct world world = quiet_world();

	world.dies_ms = 99000;
	expect(&world, VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_SILENT, 4 * INTERVAL_MS, 700);
}
END_TEST

START_TEST(a_power_cut_is_seen_at_once_with_a_daemon)
{
	struct world world = quiet_world();

	world.dies_ms = 99000;
	world.daemon_unchanged_ms = 900;
	expect(&world, VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_SILENT, 0, 50);
}
END_TEST

START_TEST(a_network_cut_with_the_storage_alive_takes_the_grace)
{
	struct world world = quiet_world();

	expect(&world, VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_GRACE_OVER, GRACE_MS, GRACE_MS);
}
END_TEST

START_TEST(a_node_that_stalled_and_returned_is_not_fenced)
{
	struct world world = quiet_world();

	world.dies_ms = 99400;
	world.thaws_ms = 100300;
	world.rejoins_ms = 100800;
	expect(&world, VRMS_VERDICT_REFUSE, VRMS_REASON_VERDICT_RETURNED, 800, 900);
}
END_TEST

START_TEST(hanging_storage_delays_by_the_read_timeout)
{
	struct world world = quiet_world();

	world.storage_hangs_ms = 0;
	expect(&world, VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_UNREADABLE, 500, 551);
}
END_TEST

START_TEST(failing_storage_delays_nothing)
{
	struct world world = quiet_world();

	world.storage_fails_ms = 0;
	expect(&world, VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_UNREADABLE, 0, 50);
}
END_TEST

START_TEST(a_member_is_fenced_at_once)
{
	struct world world = quiet_world();

	world.rejoins_ms = 0;
	expect(&world, VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_MEMBER, 0, 50);
}
END_TEST

static int64_t random_time(struct vrms_random *random)
{
	return vrms_random_below(random, 2) == 0 ? NEVER
						 : 98000 + (int64_t)vrms_random_below(random, 5000);
}

START_TEST(whatever_happens_a_fence_is_delayed_by_the_grace_at_most)
{
	unsigned refused = 0, waited = 0;

	for (uint64_t seed = 1; seed <= 20000; seed++) {
		struct world world = quiet_world();
		enum vrms_reason reason;
		int64_t took_ms;

		vrms_random_init(&world.random, seed);
		world.dies_ms = random_time(&world.random);
		world.thaws_ms = world.dies_ms + (int64_t)vrms_random_below(&world.random, 3000);
		world.rejoins_ms = random_time(&world.random);
		world.storage_hangs_ms = random_time(&world.random);
		world.storage_fails_ms = random_time(&world.random);
		world.corosync_hangs = vrms_random_below(&world.random, 4) == 0;
		enum vrms_verdict_answer answer = ask(&world, &reason, &took_ms);

		ck_assert_msg(took_ms <= GRACE_MS, "seed %lu: took %ld ms", seed, took_ms);
		if (answer == VRMS_VERDICT_REFUSE) {
			refused++;
			ck_assert_msg(world.now_ms >= world.rejoins_ms && !world.corosync_hangs,
				      "seed %lu: refused, but it is no member", seed);
		}
		waited += took_ms == GRACE_MS;
	}
	ck_assert_uint_gt(refused, 100);
	ck_assert_uint_gt(waited, 100);
}
END_TEST

UNIT_MAIN("quorum_judge", a_power_cut_is_seen_after_four_intervals_without_a_daemon,
	  a_power_cut_is_seen_at_once_with_a_daemon,
	  a_network_cut_with_the_storage_alive_takes_the_grace,
	  a_node_that_stalled_and_returned_is_not_fenced,
	  hanging_storage_delays_by_the_read_timeout, failing_storage_delays_nothing,
	  a_member_is_fenced_at_once, whatever_happens_a_fence_is_delayed_by_the_grace_at_most)
