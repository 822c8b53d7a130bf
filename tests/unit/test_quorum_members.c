/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/members.h"

#include "common/random.h"
#include "tests/unit/unit.h"

static struct vrms_members_plan plan;

static void ring(struct vrms_members *members, int64_t now_ms, uint64_t sequence, unsigned bits)
{
	uint32_t nodes[8];
	unsigned count = 0;

	for (uint32_t node = 1; node <= 8; node++) {
		if ((bits >> (node - 1) & 1) != 0) {
			nodes[count++] = node;
		}
	}
	struct vrms_members_event event = {.now_ms = now_ms,
					   .kind = VRMS_MEMBERS_RING,
					   .nodes = nodes,
					   .node_count = count,
					   .ring = {.node = 1, .sequence = sequence}};

	vrms_members_step(members, &event, &plan);
}

static void tell(struct vrms_members *members, int64_t now_ms, enum vrms_members_event_kind kind,
		 uint32_t node, uint64_t boot)
{
	struct vrms_members_event event = {.now_ms = now_ms,
					   .kind = kind,
					   .node = node,
					   .boot = boot};

	vrms_members_step(members, &event, &plan);
}

static struct vrms_members *three_nodes(void)
{
	struct vrms_members *members = vrms_members_new();

	ck_assert_ptr_nonnull(members);
	ring(members, 0, 4, 0x7);
	for (uint32_t node = 1; node <= 3; node++) {
		tell(members, 10, VRMS_MEMBERS_HELLO, node, 100 + node);
	}
	ck_assert_uint_eq(plan.count, 0);
	return members;
}

static void expect(unsigned index, uint32_t node, enum vrms_reason reason)
{
	ck_assert_uint_lt(index, plan.count);
	ck_assert_uint_eq(plan.notes[index].node, node);
	ck_assert_str_eq(vrms_reason_name(plan.notes[index].reason), vrms_reason_name(reason));
}

START_TEST(a_node_that_vanishes_is_lost)
{
	struct vrms_members *members VRMS_CLEANUP(vrms_members_freep) = three_nodes();

	ring(members, 500, 8, 0x5);
	ck_assert_uint_eq(plan.count, 1);
	expect(0, 2, VRMS_REASON_MEMBER_LOST);
	ck_assert_int_eq(vrms_members_state(members, 2), VRMS_MEMBER_LOST);
	ck_assert_int_eq(vrms_members_since_ms(members, 2), 500);
}
END_TEST

START_TEST(a_node_that_said_goodbye_has_left)
{
	struct vrms_members *members VRMS_CLEANUP(vrms_members_freep) = three_nodes();

	tell(members, 400, VRMS_MEMBERS_BYE, 2, 0);
	ring(members, 500, 8, 0x5);
	expect(0, 2, VRMS_REASON_MEMBER_LEFT);
}
END_TEST

START_TEST(a_goodbye_holds_for_one_absence)
{
	struct vrms_members *members VRMS_CLEANUP(vrms_members_freep) = three_nodes();

	tell(members, 400, VRMS_MEMBERS_BYE, 2, 0);
	ring(members, 500, 8, 0x5);
	ring(members, 900, 12, 0x7);
	ring(members, 1500, 16, 0x5);
	expect(0, 2, VRMS_REASON_MEMBER_LOST);
}
END_TEST

START_TEST(back_with_the_same_boot_was_a_false_alarm)
{
	struct vrms_members *members VRMS_CLEANUP(vrms_members_freep) = three_nodes();

	ring(members, 500, 8, 0x5);
	ring(members, 900, 12, 0x7);
	expect(0, 2, VRMS_REASON_MEMBER_JOINED);
	tell(members, 950, VRMS_MEMBERS_HELLO, 2, 102);
	ck_assert_uint_eq(plan.count, 1);
	expect(0, 2, VRMS_REASON_MEMBER_BACK_SAME_BOOT);
	ck_assert_int_eq(plan.notes[0].away_ms, 400);
	tell(members, 990, VRMS_MEMBERS_HELLO, 2, 102);
	ck_assert_uint_eq(plan.count, 0); /* said once */
}
END_TEST

START_TEST(back_with_another_boot_was_a_death)
{
	struct vrms_members *members VRMS_CLEANUP(vrms_members_freep) = three_nodes();

	ring(members, 500, 8, 0x5);
	tell(members, 700, VRMS_MEMBERS_FENCED, 2, 0);
	expect(0, 2, VRMS_REASON_MEMBER_FENCED);
	ring(members, 60000, 12, 0x7);
	tell(members, 61000, VRMS_MEMBERS_HELLO, 2, 555);
	expect(0, 2, VRMS_REASON_MEMBER_BACK_NEW_BOOT);
}
END_TEST

START_TEST(a_fence_of_a_member_changes_nothing)
{
	struct vrms_members *members VRMS_CLEANUP(vrms_members_freep) = three_nodes();

	tell(members, 700, VRMS_MEMBERS_FENCED, 2, 0);
	ck_assert_uint_eq(plan.count, 0);
	ck_assert_int_eq(vrms_members_state(members, 2), VRMS_MEMBER_IN);
}
END_TEST

static void count_tokens(struct vrms_members *members, int64_t now_ms, int64_t tokens_lost)
{
	struct vrms_members_event event = {.now_ms = now_ms,
					   .kind = VRMS_MEMBERS_TOKENS,
					   .tokens_lost = tokens_lost};

	vrms_members_step(members, &event, &plan);
}

START_TEST(a_new_ring_of_the_same_members_is_noted_once)
{
	struct vrms_members *members VRMS_CLEANUP(vrms_members_freep) = three_nodes();

	ring(members, 500, 8, 0x7);
	ck_assert_uint_eq(plan.count, 1);
	expect(0, 0, VRMS_REASON_RING_REFORMED);
	ring(members, 510, 8, 0x7); /* the same ring, told twice */
	ck_assert_uint_eq(plan.count, 0);
}
END_TEST

START_TEST(a_ring_that_lost_its_token_and_no_member_broke_in_vain)
{
	struct vrms_members *members VRMS_CLEANUP(vrms_members_freep) = three_nodes();

	count_tokens(members, 100, 4);
	count_tokens(members, 600, 5); /* lost, and the ring has still to form again */
	ck_assert_uint_eq(plan.count, 0);
	ring(members, 700, 8, 0x7);
	count_tokens(members, 900, 5);
	ck_assert_uint_eq(plan.count, 1);
	expect(0, 0, VRMS_REASON_RING_BROKE);
	count_tokens(members, 1400, 5); /* said once */
	ck_assert_uint_eq(plan.count, 0);
	ring(members, 2000, 12, 0x7); /* and again */
	count_tokens(members, 2100, 6);
	expect(0, 0, VRMS_REASON_RING_BROKE);
}
END_TEST

/* Two attempts to let node 2 in: the first ring is without it. */
START_TEST(a_ring_given_up_for_a_node_that_knocks_did_not_break)
{
	struct vrms_members *members VRMS_CLEANUP(vrms_members_freep) = three_nodes();

	count_tokens(members, 100, 4);
	ring(members, 500, 8, 0x5); /* node 2 dies, which costs a token */
	count_tokens(members, 900, 5);
	ck_assert_uint_eq(plan.count, 0);
	ring(members, 9000, 12, 0x5);
	expect(0, 0, VRMS_REASON_RING_REFORMED);
	count_tokens(members, 9300, 5);
	ck_assert_uint_eq(plan.count, 0);
	ring(members, 9500, 16, 0x7);
	count_tokens(members, 9800, 5);
	ck_assert_uint_eq(plan.count, 0);
	ring(members, 20000, 20, 0x7); /* but a stall afterwards did break it */
	count_tokens(members, 20300, 6);
	expect(0, 0, VRMS_REASON_RING_BROKE);
}
END_TEST

START_TEST(a_token_lost_while_members_come_or_go_belongs_to_their_change)
{
	struct vrms_members *members VRMS_CLEANUP(vrms_members_freep) = three_nodes();

	count_tokens(members, 100, 4);
	ring(members, 500, 8, 0x5);
	ring(members, 700, 12, 0x5);
	count_tokens(members, 900, 6);
	ck_assert_uint_eq(plan.count, 0);
	ring(members, 5000, 16, 0x5);
	ring(members, 5200, 20, 0x7);
	count_tokens(members, 5400, 7);
	ck_assert_uint_eq(plan.count, 0);
}
END_TEST

START_TEST(where_tokens_are_not_counted_a_ring_may_have_broken)
{
	struct vrms_members *members VRMS_CLEANUP(vrms_members_freep) = three_nodes();

	count_tokens(members, 100, -1);
	ring(members, 500, 8, 0x7);
	count_tokens(members, 600, -1);
	expect(0, 0, VRMS_REASON_RING_BROKE);
	ring(members, 900, 12, 0x7);
	count_tokens(members, 1000, 3); /* the first count has nothing to be held against */
	expect(0, 0, VRMS_REASON_RING_BROKE);
	ring(members, 1500, 16, 0x7);
	count_tokens(members, 1600, 3);
	ck_assert_uint_eq(plan.count, 0);
}
END_TEST

START_TEST(quorum_is_noted_when_it_changes)
{
	struct vrms_members *members VRMS_CLEANUP(vrms_members_freep) = three_nodes();
	struct vrms_members_event event = {.kind = VRMS_MEMBERS_QUORUM, .quorate = true};

	vrms_members_step(members, &event, &plan);
	expect(0, 0, VRMS_REASON_QUORUM_GAINED);
	vrms_members_step(members, &event, &plan);
	ck_assert_uint_eq(plan.count, 0);
	event.quorate = false;
	vrms_members_step(members, &event, &plan);
	expect(0, 0, VRMS_REASON_QUORUM_LOST);
}
END_TEST

START_TEST(a_node_never_seen_is_unknown)
{
	struct vrms_members *members VRMS_CLEANUP(vrms_members_freep) = three_nodes();

	ck_assert_int_eq(vrms_members_state(members, 8), VRMS_MEMBER_UNKNOWN);
	ck_assert_int_eq(vrms_members_state(members, 0), VRMS_MEMBER_UNKNOWN);
	ck_assert_str_eq(vrms_member_state_name(VRMS_MEMBER_OFF), "off");
}
END_TEST

/* What is known beside the core, of nodes 1 to 8. */
struct history {
	struct vrms_random random;
	uint64_t seed, sequence;
	unsigned in;                 /* bits: the ring */
	unsigned bye;                /* said goodbye since it last came or said hello */
	unsigned owes;               /* was lost and has not said since which boot it is */
	uint64_t boots[9], known[9]; /* of its life now; as last heard, 0: never */
};

static unsigned bit(uint32_t node)
{
	return 1U << (node - 1);
}

static enum vrms_reason note_of(uint32_t node)
{
	for (unsigned i = 0; i < plan.count; i++) {
		if (plan.notes[i].node == node) {
			return plan.notes[i].reason;
		}
	}
	return VRMS_REASON_NONE;
}

#define RULE(condition, words) \
	ck_assert_msg(condition, "seed %lu, node %u: " words, (unsigned long)history->seed, node)

static void check_ring(struct history *history, struct vrms_members *members, unsigned bits)
{
	unsigned gone = history->in & ~bits, come = bits & ~history->in;

	for (uint32_t node = 1; node <= 8; node++) {
		enum vrms_reason reason = note_of(node);
		bool has_left = (history->bye & bit(node)) != 0;

		RULE((vrms_members_state(members, node) == VRMS_MEMBER_IN) ==
			 ((bits & bit(node)) != 0),
		     "a member is who is in the ring");
		RULE((reason == VRMS_REASON_MEMBER_JOINED) == ((come & bit(node)) != 0),
		     "who comes has joined");
		RULE((reason == VRMS_REASON_MEMBER_LEFT) == ((gone & bit(node)) != 0 && has_left),
		     "who goes after a goodbye has left");
		RULE((reason == VRMS_REASON_MEMBER_LOST) == ((gone & bit(node)) != 0 && !has_left),
		     "who goes without one is lost");
	}
	history->owes |= gone & ~history->bye;
	history->bye &= ~come;
	history->in = bits;
}

static void check_hello(struct history *history, uint32_t node)
{
	bool is_awaited =
	    (history->in & history->owes & bit(node)) != 0 && history->known[node] != 0;
	bool is_same = history->known[node] == history->boots[node];

	RULE((note_of(node) == VRMS_REASON_MEMBER_BACK_SAME_BOOT) == (is_awaited && is_same),
	     "a false alarm is a lost node back with its boot, said once");
	RULE((note_of(node) == VRMS_REASON_MEMBER_BACK_NEW_BOOT) == (is_awaited && !is_same),
	     "a death is a lost node back with another boot, said once");
	history->owes &= is_awaited ? ~bit(node) : ~0U;
	history->bye &= ~bit(node);
	history->known[node] = history->boots[node];
}

static void random_step(struct history *history, struct vrms_members *members, int64_t now_ms)
{
	uint32_t node = 1 + (uint32_t)vrms_random_below(&history->random, 8);
	uint64_t dice = vrms_random_below(&history->random, 10);

	if (dice < 4) {
		unsigned bits = dice < 3 ? history->in ^ bit(node)
					 : (unsigned)vrms_random_below(&history->random, 256);

		ring(members, now_ms, history->sequence += 4, bits);
		check_ring(history, members, bits);
	} else if (dice < 7) {
		history->boots[node] += vrms_random_below(&history->random, 2);
		tell(members, now_ms, VRMS_MEMBERS_HELLO, node, history->boots[node]);
		check_hello(history, node);
	} else if (dice < 8) {
		tell(members, now_ms, VRMS_MEMBERS_BYE, node, 0);
		history->bye |= bit(node);
	} else {
		tell(members, now_ms, VRMS_MEMBERS_FENCED, node, 0);
		RULE((vrms_members_state(members, node) == VRMS_MEMBER_OFF) ==
			 ((history->in & bit(node)) == 0),
		     "off is who was fenced and is no member");
	}
}

START_TEST(random_histories_keep_the_rules)
{
	for (uint64_t seed = 1; seed <= 100; seed++) {
		struct vrms_members *members VRMS_CLEANUP(vrms_members_freep) = vrms_members_new();
		struct history history = {.seed = seed, .boots = {1, 1, 1, 1, 1, 1, 1, 1, 1}};

		ck_assert_ptr_nonnull(members);
		vrms_random_init(&history.random, seed);
		for (int i = 1; i <= 500; i++) {
			random_step(&history, members, i * INT64_C(100));
		}
	}
}
END_TEST

UNIT_MAIN("quorum_members", a_node_that_vanishes_is_lost, a_node_that_said_goodbye_has_left,
	  back_with_the_same_boot_was_a_false_alarm, back_with_another_boot_was_a_death,
	  a_new_ring_of_the_same_members_is_noted_once,
	  a_ring_that_lost_its_token_and_no_member_broke_in_vain,
	  a_ring_given_up_for_a_node_that_knocks_did_not_break,
	  a_token_lost_while_members_come_or_go_belongs_to_their_change,
	  where_tokens_are_not_counted_a_ring_may_have_broken, quorum_is_noted_when_it_changes,
	  a_node_never_seen_is_unknown, a_goodbye_holds_for_one_absence,
	  a_fence_of_a_member_changes_nothing, random_histories_keep_the_rules)
