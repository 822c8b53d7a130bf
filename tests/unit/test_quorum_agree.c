/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/agree.h"

#include <string.h>

#include "common/random.h"
#include "tests/unit/unit.h"

/* A cluster in a box: a log that everybody reads in the same order, each at its own pace. */
enum { NODES = 5, LOG_MAX = 20000, CONFIGURED_MS = 4950, STEP_MS = 1000 };

struct message {
	enum vrms_agree_event_kind kind;
	uint32_t nodes[NODES];
	unsigned node_count;
	int64_t token_ms;
	enum vrms_reason reason;
	struct vrms_agree_report report;
};

struct node {
	struct vrms_agree *agree; /* NULL: no vrmsd */
	int64_t applied_ms, need_ms;
	int64_t climbed_ms; /* of the guardian that puts the value back */
	unsigned cursor;
};

struct box {
	struct node nodes[NODES];
	struct message log[LOG_MAX];
	unsigned log_count;
	int64_t now_ms;
	bool quorate;
	uint64_t seed;
	struct vrms_random random;
	int64_t worst_ratio_pct;
};

static struct box box;

static void feed(struct node *node, struct vrms_agree_event event);

static struct message *post(enum vrms_agree_event_kind kind)
{
	ck_assert_uint_lt(box.log_count, LOG_MAX);
	struct message *message = &box.log[box.log_count++];

	*message = (struct message){.kind = kind};
	return message;
}

static void post_group(void)
{
	struct message *message = post(VRMS_AGREE_GROUP);

	for (unsigned i = 0; i < NODES; i++) {
		if (box.nodes[i].agree != NULL) {
			message->nodes[message->node_count++] = i + 1;
		}
	}
}

static void check_ratio(void)
{
	int64_t low_ms = INT64_MAX, high_ms = 0;

	for (unsigned i = 0; i < NODES; i++) {
		int64_t value_ms = box.nodes[i].applied_ms;

		low_ms = value_ms < low_ms ? value_ms : low_ms;
		high_ms = value_ms > high_ms ? value_ms : high_ms;
	}
	int64_t ratio_pct = high_ms * 100 / low_ms;

	box.worst_ratio_pct = ratio_pct > box.worst_ratio_pct ? ratio_pct : box.worst_ratio_pct;
	ck_assert_msg(ratio_pct <= 400, "seed %lu: values from %ld to %ld ms", box.seed, low_ms,
		      high_ms);
}

static void execute(struct node *node, const struct vrms_agree_plan *plan)
{
	for (unsigned i = 0; i < plan->count; i++) {
		const struct vrms_agree_step *step = &plan->steps[i];
		struct message *message;

		switch (step->kind) {
		case VRMS_AGREE_SEND_REPORT:
			post(VRMS_AGREE_REPORT)->report = step->report;
			break;
		case VRMS_AGREE_SEND_PROPOSAL:
			message = post(VRMS_AGREE_PROPOSAL);
			message->token_ms = step->token_ms;
			message->reason = step->reason;
			message->report.node = (uint32_t)(node - box.nodes) + 1;
			break;
		case VRMS_AGREE_APPLY:
			ck_assert_msg(step->token_ms >= 200 && step->token_ms <= CONFIGURED_MS,
				      "seed %lu: %ld ms", box.seed, step->token_ms);
			node->applied_ms = step->token_ms;
			check_ratio();
			feed(node, (struct vrms_agree_event){.kind = VRMS_AGREE_APPLIED,
							     .token_ms = node->applied_ms});
			break;
		}
	}
}

static void feed(struct node *node, struct vrms_agree_event event)
{
	struct vrms_agree_plan plan;

	event.now_ms = box.now_ms;
	vrms_agree_step(node->agree, &event, &plan);
	execute(node, &plan);
}

static void deliver(struct node *node)
{
	const struct message *message = &box.log[node->cursor++];

	feed(node, (struct vrms_agree_event){
		       .kind = message->kind,
		       .nodes = message->nodes,
		       .node_count = message->node_count,
		       .quorate = box.quorate,
		       .token_ms = message->token_ms,
		       .reason = message->reason,
		       .report = message->report,
		   });
}

static void need(struct node *node, int64_t need_ms)
{
	node->need_ms = need_ms;
	feed(node, (struct vrms_agree_event){
		       .kind = VRMS_AGREE_OWN,
		       .report = {.need_ms = need_ms,
				  .configured_ms = CONFIGURED_MS,
				  .reason = VRMS_REASON_TUNER_BUDGET},
		   });
}

static void send_members(struct node *node)
{
	static const uint32_t all[NODES] = {1, 2, 3, 4, 5};

	feed(node, (struct vrms_agree_event){.kind = VRMS_AGREE_MEMBERS,
					     .nodes = all,
					     .node_count = NODES,
					     .quorate = box.quorate});
}

static void start(struct node *node)
{
	struct vrms_agree_config config = {.self = (uint32_t)(node - box.nodes) + 1,
					   .step_timeout_ms = STEP_MS};

	node->agree = vrms_agree_new(&config);
	ck_assert_ptr_nonnull(node->agree);
	node->cursor = box.log_count;
	send_members(node);
	feed(node,
	     (struct vrms_agree_event){.kind = VRMS_AGREE_APPLIED, .token_ms = node->applied_ms});
	need(node, CONFIGURED_MS);
	post_group();
}

static void crash(struct node *node)
{
	vrms_agree_free(node->agree);
	node->agree = NULL;
	node->climbed_ms = box.now_ms - STEP_MS;
	post_group();
}

static void open_box(uint64_t seed)
{
	memset(&box, 0, sizeof(box));
	box.seed = seed;
	box.quorate = true;
	vrms_random_init(&box.random, seed);
	for (unsigned i = 0; i < NODES; i++) {
		box.nodes[i].applied_ms = CONFIGURED_MS;
	}
	for (unsigned i = 0; i < NODES; i++) {
		start(&box.nodes[i]);
	}
}

static void close_box(void)
{
	for (unsigned i = 0; i < NODES; i++) {
		vrms_agree_free(box.nodes[i].agree);
	}
}

/* The guardian of a node whose daemon died climbs by itself, one rung a step time. */
static void guard(struct node *node)
{
	if (node->applied_ms != CONFIGURED_MS && box.now_ms - node->climbed_ms >= STEP_MS) {
		node->applied_ms =
		    vrms_agree_rung_ms(node->applied_ms, node->applied_ms, CONFIGURED_MS);
		node->climbed_ms = box.now_ms;
		check_ratio();
	}
}

/* Lets time pass; every node reads on, now and then lagging behind by up to `lag` messages. */
static void pass(int64_t ms, unsigned lag)
{
	int64_t end_ms = box.now_ms + ms;

	for (; box.now_ms < end_ms; box.now_ms += 50) {
		for (unsigned i = 0; i < NODES; i++) {
			struct node *node = &box.nodes[i];

			if (node->agree == NULL) {
				guard(node);
				continue;
			}
			unsigned stay = (unsigned)vrms_random_below(&box.random, lag + 1);

			while (node->cursor + stay < box.log_count) {
				deliver(node);
			}
			feed(node, (struct vrms_agree_event){.kind = VRMS_AGREE_TICK});
		}
	}
}

static void all_have(int64_t token_ms)
{
	for (unsigned i = 0; i < NODES; i++) {
		ck_assert_msg(box.nodes[i].applied_ms == token_ms,
			      "seed %lu: node %u has %ld ms, not %ld", box.seed, i + 1,
			      box.nodes[i].applied_ms, token_ms);
	}
}

START_TEST(a_rung_doubles_or_halves_at_most)
{
	ck_assert_int_eq(vrms_agree_rung_ms(3000, 3000, 200), 1500);
	ck_assert_int_eq(vrms_agree_rung_ms(300, 300, 200), 200);
	ck_assert_int_eq(vrms_agree_rung_ms(300, 300, 3000), 600);
	ck_assert_int_eq(vrms_agree_rung_ms(300, 600, 200), 300);
	ck_assert_int_eq(vrms_agree_rung_ms(300, 3650, 200), 600); /* a stranger has joined */
}
END_TEST

START_TEST(the_slowest_node_wins)
{
	open_box(1);
	for (unsigned i = 0; i < NODES; i++) {
		need(&box.nodes[i], 200 + 100 * (int64_t)i);
	}
	pass(2000, 0);
	all_have(600);
	close_box();
}
END_TEST

START_TEST(a_longer_need_is_met_within_a_few_messages)
{
	open_box(2);
	for (unsigned i = 0; i < NODES; i++) {
		need(&box.nodes[i], 300);
	}
	pass(3000, 0);
	all_have(300);
	need(&box.nodes[3], CONFIGURED_MS);
	pass(1000, 0);
	all_have(CONFIGURED_MS);
	close_box();
}
END_TEST

START_TEST(one_node_without_vrmsd_keeps_all_at_the_configured_value)
{
	open_box(3);
	for (unsigned i = 0; i < NODES; i++) {
		need(&box.nodes[i], 300);
	}
	pass(3000, 0);
	crash(&box.nodes[2]);
	pass(10000, 0);
	all_have(CONFIGURED_MS);
	start(&box.nodes[2]);
	need(&box.nodes[2], 300);
	pass(3000, 0);
	all_have(300);
	close_box();
}
END_TEST

START_TEST(the_next_node_leads_when_the_leader_is_gone)
{
	open_box(4);
	pass(500, 0);
	crash(&box.nodes[0]);
	pass(3000, 0);
	for (unsigned i = 1; i < NODES; i++) {
		need(&box.nodes[i], 300);
	}
	start(&box.nodes[0]);
	need(&box.nodes[0], 250);
	pass(3000, 0);
	all_have(300);
	close_box();
}
END_TEST

START_TEST(without_quorum_every_node_climbs_to_its_configured_value)
{
	open_box(5);
	for (unsigned i = 0; i < NODES; i++) {
		need(&box.nodes[i], 300);
	}
	pass(3000, 0);
	box.quorate = false;
	for (unsigned i = 0; i < NODES; i++) {
		send_members(&box.nodes[i]);
	}
	pass(6000, 0);
	all_have(CONFIGURED_MS);
	close_box();
}
END_TEST

START_TEST(who_leaves_takes_all_to_the_configured_value_first)
{
	open_box(8);
	for (unsigned i = 0; i < NODES; i++) {
		need(&box.nodes[i], 300);
	}
	pass(3000, 0);
	feed(&box.nodes[1], (struct vrms_agree_event){.kind = VRMS_AGREE_LEAVING});
	need(&box.nodes[1], 250); /* its measurements no longer count */
	pass(1000, 0);
	all_have(CONFIGURED_MS);
	close_box();
}
END_TEST

START_TEST(a_change_of_the_group_that_is_over_at_once_changes_nothing)
{
	open_box(6);
	for (unsigned i = 0; i < NODES; i++) {
		need(&box.nodes[i], 300);
	}
	pass(3000, 0);
	struct message *message = post(VRMS_AGREE_GROUP);

	message->node_count = 2;
	message->nodes[0] = 1;
	message->nodes[1] = 2;
	pass(400, 0);
	all_have(300);
	post_group();
	pass(2000, 0);
	all_have(300);
	close_box();
}
END_TEST

START_TEST(a_proposal_from_a_node_that_does_not_lead_is_ignored)
{
	open_box(7);
	pass(500, 0);
	struct message *message = post(VRMS_AGREE_PROPOSAL);

	message->token_ms = 2500;
	message->report.node = 3;
	pass(500, 0);
	ck_assert_int_eq(box.worst_ratio_pct, 0); /* nothing was applied */
	all_have(CONFIGURED_MS);
	close_box();
}
END_TEST

static void disturb(void)
{
	struct node *node = &box.nodes[vrms_random_below(&box.random, NODES)];
	uint64_t dice = vrms_random_below(&box.random, 10);

	if (node->agree == NULL) {
		if (dice < 3 && node->applied_ms == CONFIGURED_MS) {
			start(node);
		}
	} else if (dice == 0) {
		crash(node);
	} else if (dice < 8) {
		need(node, 200 + (int64_t)vrms_random_below(&box.random, CONFIGURED_MS - 199));
	}
}

static void settle_and_check(void)
{
	int64_t target_ms = 0;

	pass(20000, 0);
	for (unsigned i = 0; i < NODES; i++) {
		int64_t need_ms = box.nodes[i].agree == NULL ? CONFIGURED_MS : box.nodes[i].need_ms;

		target_ms = need_ms > target_ms ? need_ms : target_ms;
	}
	all_have(target_ms);
}

START_TEST(random_histories_keep_the_rules)
{
	int64_t worst_pct = 0;

	for (uint64_t seed = 1; seed <= 60; seed++) {
		open_box(seed);
		for (int i = 0; i < 60; i++) {
			disturb();
			pass((int64_t)vrms_random_below(&box.random, 1500), 4);
		}
		settle_and_check();
		worst_pct = box.worst_ratio_pct > worst_pct ? box.worst_ratio_pct : worst_pct;
		close_box();
	}
	ck_assert_int_gt(worst_pct, 150); /* nodes did differ */
}
END_TEST

UNIT_MAIN("quorum_agree", a_rung_doubles_or_halves_at_most, the_slowest_node_wins,
	  a_longer_need_is_met_within_a_few_messages,
	  one_node_without_vrmsd_keeps_all_at_the_configured_value,
	  the_next_node_leads_when_the_leader_is_gone,
	  without_quorum_every_node_climbs_to_its_configured_value,
	  who_leaves_takes_all_to_the_configured_value_first,
	  a_change_of_the_group_that_is_over_at_once_changes_nothing,
	  a_proposal_from_a_node_that_does_not_lead_is_ignored, random_histories_keep_the_rules)
