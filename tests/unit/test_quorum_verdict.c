/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/verdict.h"

#include "common/random.h"
#include "tests/unit/unit.h"

static const struct vrms_verdict_config config = {.grace_ms = 2000, .silent_ms = 600};

/* A look at a target outside the membership, whose beat was read. */
static struct vrms_verdict_look look(int64_t now_ms, uint64_t sequence)
{
	return (struct vrms_verdict_look){
	    .now_ms = now_ms,
	    .beat = VRMS_BEAT_READ,
	    .sequence = sequence,
	    .boot = 77,
	    .unchanged_ms = -1,
	    .member = VRMS_VERDICT_MEMBER_OUT,
	};
}

static void expect(struct vrms_verdict *verdict, struct vrms_verdict_look seen,
		   enum vrms_verdict_answer answer, enum vrms_reason reason)
{
	enum vrms_reason got = VRMS_REASON_NONE;

	ck_assert_int_eq(vrms_verdict_step(verdict, &seen, &got), answer);
	ck_assert_str_eq(vrms_reason_name(got), vrms_reason_name(reason));
}

START_TEST(a_beat_that_this_nodes_daemon_knows_to_be_silent_needs_no_wait)
{
	struct vrms_verdict verdict;
	struct vrms_verdict_look seen = look(1000, 5);

	vrms_verdict_begin(&verdict, &config, 1000);
	seen.unchanged_ms = 600;
	expect(&verdict, seen, VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_SILENT);
}
END_TEST

START_TEST(silence_is_seen_without_a_daemon_too)
{
	struct vrms_verdict verdict;

	vrms_verdict_begin(&verdict, &config, 0);
	expect(&verdict, look(0, 5), VRMS_VERDICT_WAIT, VRMS_REASON_NONE);
	expect(&verdict, look(599, 5), VRMS_VERDICT_WAIT, VRMS_REASON_NONE);
	expect(&verdict, look(600, 5), VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_SILENT);
}
END_TEST

START_TEST(a_fresh_beat_waits_and_then_hands_over)
{
	struct vrms_verdict verdict;

	vrms_verdict_begin(&verdict, &config, 0);
	for (int64_t now_ms = 0; now_ms < 2000; now_ms += 100) {
		expect(&verdict, look(now_ms, (uint64_t)now_ms), VRMS_VERDICT_WAIT,
		       VRMS_REASON_NONE);
	}
	expect(&verdict, look(2000, 2000), VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_GRACE_OVER);
}
END_TEST

START_TEST(a_target_that_returns_alive_is_refused)
{
	struct vrms_verdict verdict;
	struct vrms_verdict_look back = look(300, 7);

	back.member = VRMS_VERDICT_MEMBER_IN;
	vrms_verdict_begin(&verdict, &config, 0);
	expect(&verdict, look(0, 5), VRMS_VERDICT_WAIT, VRMS_REASON_NONE);
	expect(&verdict, back, VRMS_VERDICT_REFUSE, VRMS_REASON_VERDICT_RETURNED);
}
END_TEST

START_TEST(membership_alone_is_no_sign_of_life)
{
	struct vrms_verdict verdict;
	struct vrms_verdict_look back = look(300, 5); /* the beat has not moved */

	back.member = VRMS_VERDICT_MEMBER_IN;
	vrms_verdict_begin(&verdict, &config, 0);
	expect(&verdict, look(0, 5), VRMS_VERDICT_WAIT, VRMS_REASON_NONE);
	expect(&verdict, back, VRMS_VERDICT_WAIT, VRMS_REASON_NONE);
	back.now_ms = 600;
	expect(&verdict, back, VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_SILENT);
}
END_TEST

START_TEST(a_member_is_fenced_for_another_reason)
{
	struct vrms_verdict verdict;
	struct vrms_verdict_look seen = look(0, 5);

	seen.member = VRMS_VERDICT_MEMBER_IN;
	vrms_verdict_begin(&verdict, &config, 0);
	expect(&verdict, seen, VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_MEMBER);
}
END_TEST

START_TEST(a_member_is_fenced_even_when_corosync_answers_late)
{
	struct vrms_verdict verdict;
	struct vrms_verdict_look seen = look(0, 5);

	seen.member = VRMS_VERDICT_MEMBER_UNKNOWN;
	vrms_verdict_begin(&verdict, &config, 0);
	expect(&verdict, seen, VRMS_VERDICT_WAIT, VRMS_REASON_NONE);
	seen = look(150, 6);
	seen.member = VRMS_VERDICT_MEMBER_IN;
	expect(&verdict, seen, VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_MEMBER);
}
END_TEST

START_TEST(an_area_that_cannot_be_read_delays_nothing)
{
	struct vrms_verdict verdict;
	struct vrms_verdict_look seen = {.now_ms = 0, .beat = VRMS_BEAT_UNREADABLE};

	vrms_verdict_begin(&verdict, &config, 0);
	expect(&verdict, seen, VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_UNREADABLE);
}
END_TEST

START_TEST(a_node_without_a_slot_is_handed_over_at_once)
{
	struct vrms_verdict verdict;
	struct vrms_verdict_look seen = {.now_ms = 0, .beat = VRMS_BEAT_ABSENT};

	vrms_verdict_begin(&verdict, &config, 0);
	expect(&verdict, seen, VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_NO_SLOT);
}
END_TEST

START_TEST(a_beat_that_said_goodbye_proves_nothing)
{
	struct vrms_verdict verdict;
	struct vrms_verdict_look seen = look(0, 5);

	seen.is_stopped = true;
	vrms_verdict_begin(&verdict, &config, 0);
	expect(&verdict, seen, VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_SILENT);
}
END_TEST

START_TEST(a_new_boot_id_ends_the_wait)
{
	struct vrms_verdict verdict;
	struct vrms_verdict_look seen = look(100, 1);

	vrms_verdict_begin(&verdict, &config, 0);
	expect(&verdict, look(0, 5), VRMS_VERDICT_WAIT, VRMS_REASON_NONE);
	seen.boot = 78;
	expect(&verdict, seen, VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_REBOOTED);
}
END_TEST

START_TEST(no_grace_means_no_wait)
{
	struct vrms_verdict_config at_once = {.grace_ms = 0, .silent_ms = 600};
	struct vrms_verdict verdict;

	vrms_verdict_begin(&verdict, &at_once, 50);
	expect(&verdict, look(50, 5), VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_GRACE_OVER);
}
END_TEST

/* What the world can show, at random; and the rules that hold for any of it. */
static struct vrms_verdict_look random_look(struct vrms_random *random, int64_t now_ms,
					    uint64_t *sequence, uint64_t *boot)
{
	*sequence += vrms_random_below(random, 3) == 0 ? 0 : 1;
	*boot += vrms_random_below(random, 200) == 0 ? 1 : 0;
	return (struct vrms_verdict_look){
	    .now_ms = now_ms,
	    .beat =
		vrms_random_below(random, 60) == 0 ? vrms_random_below(random, 4) : VRMS_BEAT_READ,
	    .sequence = *sequence,
	    .boot = *boot,
	    .is_stopped = vrms_random_below(random, 300) == 0,
	    .unchanged_ms = (int64_t)vrms_random_below(random, 300) - 1,
	    .member = vrms_random_below(random, 8) == 0 ? vrms_random_below(random, 3)
							: VRMS_VERDICT_MEMBER_OUT,
	};
}

static int one_history(uint64_t seed)
{
	struct vrms_random random;
	struct vrms_verdict verdict;
	uint64_t sequence = 1, boot = 1, first_boot = 0;
	bool was_outside = false, has_moved = false;
	uint64_t last_sequence = 0;

	vrms_random_init(&random, seed);
	int64_t begin_ms = (int64_t)vrms_random_below(&random, 1000000);
	int64_t now_ms = begin_ms;

	vrms_verdict_begin(&verdict, &config, begin_ms);
	for (;;) {
		struct vrms_verdict_look seen = random_look(&random, now_ms, &sequence, &boot);
		enum vrms_reason reason = VRMS_REASON_NONE;
		enum vrms_verdict_answer answer = vrms_verdict_step(&verdict, &seen, &reason);

		if (seen.beat == VRMS_BEAT_READ) {
			has_moved =
			    has_moved || (first_boot != 0 && last_sequence != seen.sequence);
			first_boot = first_boot == 0 ? boot : first_boot;
			last_sequence = seen.sequence;
		}
		was_outside = was_outside || seen.member == VRMS_VERDICT_MEMBER_OUT;
		if (answer == VRMS_VERDICT_REFUSE) {
			ck_assert_msg(was_outside && seen.member == VRMS_VERDICT_MEMBER_IN,
				      "seed %lu: refused, but it did not return", seed);
			ck_assert_msg(has_moved && boot == first_boot,
				      "seed %lu: refused without a sign of life", seed);
			ck_assert_msg(now_ms < begin_ms + config.grace_ms,
				      "seed %lu: refused after the grace", seed);
			return 1;
		}
		if (answer == VRMS_VERDICT_DONE) {
			return 0;
		}
		ck_assert_msg(now_ms < begin_ms + config.grace_ms, "seed %lu: waits too long",
			      seed);
		now_ms += 1 + (int64_t)vrms_random_below(&random, 200);
	}
}

START_TEST(random_histories_keep_the_rules)
{
	int refused = 0;

	for (uint64_t seed = 1; seed <= 20000; seed++) {
		refused += one_history(seed);
	}
	ck_assert_int_gt(refused, 1000); /* the rules were put to the test */
}
END_TEST

UNIT_MAIN("quorum_verdict", a_beat_that_this_nodes_daemon_knows_to_be_silent_needs_no_wait,
	  silence_is_seen_without_a_daemon_too, a_fresh_beat_waits_and_then_hands_over,
	  a_target_that_returns_alive_is_refused, membership_alone_is_no_sign_of_life,
	  a_member_is_fenced_for_another_reason, a_member_is_fenced_even_when_corosync_answers_late,
	  an_area_that_cannot_be_read_delays_nothing, a_node_without_a_slot_is_handed_over_at_once,
	  a_beat_that_said_goodbye_proves_nothing, a_new_boot_id_ends_the_wait,
	  no_grace_means_no_wait, random_histories_keep_the_rules)
