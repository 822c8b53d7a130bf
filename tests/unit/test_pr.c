/* test_pr.c - the decisions about persistent reservations, against a made-up LUN.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "common/cleanup.h"
#include "common/random.h"
#include "san/pr.h"
#include "tests/unit/unit.h"

enum {
	CLUSTER = 0xc0,
	NODE1 = 0xa1,
	GUESTS1 = 0xb1,
	NODE2 = 0xa2,
	GUESTS2 = 0xb2,
	STRANGER = 0xee
};

static const uint64_t known[] = {NODE1, GUESTS1, NODE2, GUESTS2};

enum { NEXUS_MAX = 64, NOBODY = -1 };

/* The target: which nexus has which key, and who holds what (SPC-4, 5.13). */
struct lun {
	uint64_t key_of[NEXUS_MAX]; /* 0: not registered */
	int holder;                 /* nexus */
	unsigned type;
	bool has_abort, has_aptpl, has_pr;
	bool lets_all_write; /* broken: never refuses */
	int next_nexus;
	int sessions[3]; /* nexus of each party's session */
	unsigned path;
	uint64_t removed; /* bit per key byte: keys ever preempted */
	bool taken_by_force;
};

static struct lun good_lun(void)
{
	return (struct lun){.holder = NOBODY,
			    .has_abort = true,
			    .has_aptpl = true,
			    .has_pr = true,
			    .sessions = {NOBODY, NOBODY, NOBODY}};
}

static int register_nexus(struct lun *lun, uint64_t key)
{
	lun->key_of[lun->next_nexus] = key;
	return lun->next_nexus++;
}

static void reserve(struct lun *lun, int nexus, unsigned type)
{
	lun->holder = nexus;
	lun->type = type;
}

static void unregister(struct lun *lun, int nexus)
{
	lun->key_of[nexus] = 0;
	if (lun->holder == nexus) {
		lun->holder = NOBODY;
	}
}

static struct vrms_pr_view view_of(const struct lun *lun)
{
	struct vrms_pr_view view = {.key_count = 0};

	for (int i = 0; i < lun->next_nexus; i++) {
		if (lun->key_of[i] != 0) {
			view.keys[view.key_count++] = lun->key_of[i];
		}
	}
	view.is_reserved = lun->holder != NOBODY;
	view.holder = view.is_reserved ? lun->key_of[lun->holder] : 0;
	view.type = view.is_reserved ? lun->type : 0;
	return view;
}

static bool may_write(const struct lun *lun, int nexus)
{
	return lun->lets_all_write || lun->holder == NOBODY || lun->key_of[nexus] != 0;
}

static bool key_may_write(const struct lun *lun, uint64_t key)
{
	const struct vrms_pr_view view = view_of(lun);

	return lun->holder == NOBODY || vrms_pr_view_has(&view, key);
}

static int session_of(struct lun *lun, enum vrms_pr_party party)
{
	if (lun->sessions[party] == NOBODY) {
		lun->sessions[party] = register_nexus(lun, 0);
		ck_assert_int_lt(lun->next_nexus, NEXUS_MAX);
	}
	return lun->sessions[party];
}

static enum vrms_pr_answer preempt(struct lun *lun, int nexus, const struct vrms_pr_step *step)
{
	bool is_found = false;

	if (step->abort && !lun->has_abort) {
		return VRMS_PR_UNKNOWN;
	}
	if (lun->key_of[nexus] != step->key || step->key == 0) {
		return VRMS_PR_CONFLICT;
	}
	for (int i = 0; i < lun->next_nexus; i++) {
		if (lun->key_of[i] != step->subject || i == nexus) {
			continue;
		}
		is_found = true;
		lun->key_of[i] = 0;
		lun->holder = lun->holder == i ? nexus : lun->holder;
	}
	lun->removed |= UINT64_C(1) << (step->subject & 0x3f);
	lun->taken_by_force = lun->taken_by_force || step->subject == STRANGER;
	return is_found ? VRMS_PR_GOOD : VRMS_PR_CONFLICT;
}

static enum vrms_pr_answer perform(struct lun *lun, const struct vrms_pr_step *step)
{
	int nexus = session_of(lun, step->party);

	switch (step->kind) {
	case VRMS_PR_REGISTER:
		if (!lun->has_pr || (step->aptpl && !lun->has_aptpl)) {
			return VRMS_PR_UNKNOWN;
		}
		lun->key_of[nexus] = step->key;
		return VRMS_PR_GOOD;
	case VRMS_PR_RESERVE:
		if (lun->key_of[nexus] != step->key || lun->holder != NOBODY) {
			return VRMS_PR_CONFLICT;
		}
		reserve(lun, nexus, VRMS_PR_WERO);
		return VRMS_PR_GOOD;
	case VRMS_PR_PREEMPT:
		return preempt(lun, nexus, step);
	case VRMS_PR_UNREGISTER:
		unregister(lun, nexus);
		return VRMS_PR_GOOD;
	case VRMS_PR_PROBE:
		return may_write(lun, nexus) ? VRMS_PR_GOOD : VRMS_PR_CONFLICT;
	default:
		return VRMS_PR_GOOD;
	}
}

static struct vrms_pr_job job_of(enum vrms_pr_goal goal)
{
	return (struct vrms_pr_job){.goal = goal,
				    .cluster_key = CLUSTER,
				    .subjects = {NODE1, GUESTS1},
				    .known = known,
				    .known_count = 4,
				    .path_count = 2};
}

/* One step; the trouble is what happens instead of the command. */
static void step_once(struct vrms_pr_job *job, struct lun *lun, enum vrms_pr_answer trouble)
{
	struct vrms_pr_step step;

	vrms_pr_next(job, &step);
	if (lun->path != job->path) {
		memset(lun->sessions, 0xff, sizeof(lun->sessions)); /* NOBODY */
		lun->path = job->path;
	}
	if (trouble != VRMS_PR_GOOD) {
		vrms_pr_answered(job, trouble);
	} else if (step.kind == VRMS_PR_READ && lun->has_pr) {
		struct vrms_pr_view view = view_of(lun);

		vrms_pr_seen(job, &view);
	} else {
		vrms_pr_answered(job,
				 step.kind == VRMS_PR_READ ? VRMS_PR_UNKNOWN : perform(lun, &step));
	}
}

static enum vrms_pr_reason finish(struct vrms_pr_job *job, struct lun *lun)
{
	for (int i = 0; i < 200 && !job->is_finished; i++) {
		step_once(job, lun, VRMS_PR_GOOD);
	}
	ck_assert(job->is_finished);
	return job->reason;
}

static enum vrms_pr_reason run(struct lun *lun, enum vrms_pr_goal goal)
{
	struct vrms_pr_job job = job_of(goal);

	memset(lun->sessions, 0xff, sizeof(lun->sessions));
	lun->path = 0;
	return finish(&job, lun);
}

/* Two nodes are in, with a guest each. */
static struct lun cluster_lun(void)
{
	struct lun lun = good_lun();

	ck_assert_int_eq(run(&lun, VRMS_PR_ON), VRMS_PR_REASON_NONE);
	register_nexus(&lun, GUESTS1);
	register_nexus(&lun, NODE2);
	register_nexus(&lun, GUESTS2);
	return lun;
}

START_TEST(off_removes_the_keys_of_node_and_guests_and_leaves_the_others)
{
	struct lun lun = cluster_lun();

	ck_assert_int_eq(run(&lun, VRMS_PR_OFF), VRMS_PR_REASON_NONE);
	ck_assert(!key_may_write(&lun, NODE1));
	ck_assert(!key_may_write(&lun, GUESTS1));
	ck_assert(key_may_write(&lun, NODE2));
	ck_assert(key_may_write(&lun, GUESTS2));
}
END_TEST

START_TEST(off_of_a_key_that_is_gone_succeeds)
{
	struct lun lun = cluster_lun();

	ck_assert_int_eq(run(&lun, VRMS_PR_OFF), VRMS_PR_REASON_NONE);
	ck_assert_int_eq(run(&lun, VRMS_PR_OFF), VRMS_PR_REASON_NONE);
	ck_assert(key_may_write(&lun, NODE2));
}
END_TEST

START_TEST(off_of_a_lun_that_lost_its_reservation_reserves_it)
{
	struct lun lun = good_lun();

	ck_assert_int_eq(run(&lun, VRMS_PR_OFF), VRMS_PR_REASON_NONE);
	ck_assert(!key_may_write(&lun, NODE1));
}
END_TEST

START_TEST(a_target_without_abort_or_aptpl_is_fenced_on_by_plain_preempt_and_a_wait)
{
	struct lun lun = cluster_lun();
	struct vrms_pr_job job = job_of(VRMS_PR_OFF);
	struct vrms_pr_step step;
	bool has_settled = false;

	lun.has_abort = lun.has_aptpl = false;
	memset(lun.sessions, 0xff, sizeof(lun.sessions));
	while (!job.is_finished) {
		vrms_pr_next(&job, &step);
		has_settled = has_settled || step.kind == VRMS_PR_SETTLE;
		ck_assert(step.kind != VRMS_PR_PROBE || has_settled);
		step_once(&job, &lun, VRMS_PR_GOOD);
	}
	ck_assert_int_eq(job.reason, VRMS_PR_REASON_NONE);
	ck_assert(has_settled);
	ck_assert(!key_may_write(&lun, GUESTS1));
}
END_TEST

/* Runs the job to its end; true when it waited before the last write that had to be refused. */
static bool waits_before_its_proof(struct vrms_pr_job *job, struct lun *lun)
{
	struct vrms_pr_step step;
	bool has_settled = false, had_settled_at_proof = false;

	for (int i = 0; i < 200 && !job->is_finished; i++) {
		vrms_pr_next(job, &step);
		has_settled = has_settled || step.kind == VRMS_PR_SETTLE;
		had_settled_at_proof =
		    step.kind == VRMS_PR_PROBE ? has_settled : had_settled_at_proof;
		step_once(job, lun, VRMS_PR_GOOD);
	}
	ck_assert_int_eq(job->reason, VRMS_PR_REASON_NONE);
	return had_settled_at_proof;
}

START_TEST(a_target_with_abort_is_asked_for_it_and_not_waited_for)
{
	struct lun lun = cluster_lun();
	struct vrms_pr_job job = job_of(VRMS_PR_OFF);
	struct vrms_pr_step step;
	unsigned abort_count = 0;

	memset(lun.sessions, 0xff, sizeof(lun.sessions));
	while (!job.is_finished) {
		vrms_pr_next(&job, &step);
		ck_assert_int_ne(step.kind, VRMS_PR_SETTLE);
		if (step.kind == VRMS_PR_PREEMPT) {
			ck_assert(step.abort);
			ck_assert_str_eq(vrms_pr_step_name(&step), "PREEMPT AND ABORT");
			abort_count++;
		}
		step_once(&job, &lun, VRMS_PR_GOOD);
	}
	ck_assert_int_eq(job.reason, VRMS_PR_REASON_NONE);
	ck_assert_uint_eq(abort_count, 2); /* the node's, the guests' */
}
END_TEST

START_TEST(a_preempt_whose_answer_is_lost_may_have_left_writes_under_way)
{
	for (int has_abort = 0; has_abort <= 1; has_abort++) {
		struct lun lun = cluster_lun();
		struct vrms_pr_job job = job_of(VRMS_PR_OFF);
		struct vrms_pr_step step;

		lun.has_abort = has_abort != 0;
		job.subjects[1] = 0;
		memset(lun.sessions, 0xff, sizeof(lun.sessions));
		for (;;) {
			vrms_pr_next(&job, &step);
			if (step.kind == VRMS_PR_PREEMPT && step.abort == lun.has_abort) {
				break;
			}
			step_once(&job, &lun, VRMS_PR_GOOD);
		}
		ck_assert_int_eq(perform(&lun, &step), VRMS_PR_GOOD);
		vrms_pr_answered(&job, VRMS_PR_LOST);
		ck_assert(!key_may_write(&lun, NODE1));
		ck_assert(waits_before_its_proof(&job, &lun));
	}
}
END_TEST

START_TEST(a_key_that_somebody_else_has_just_removed_may_have_left_writes_under_way)
{
	struct lun lun = cluster_lun();
	struct vrms_pr_job job = job_of(VRMS_PR_OFF);

	ck_assert_int_eq(run(&lun, VRMS_PR_OFF), VRMS_PR_REASON_NONE);
	memset(lun.sessions, 0xff, sizeof(lun.sessions));
	ck_assert(waits_before_its_proof(&job, &lun));
}
END_TEST

START_TEST(a_strangers_reservation_is_named_and_not_taken)
{
	static const unsigned types[] = {1, 3, 5, 6};

	for (int goal = VRMS_PR_OFF; goal <= VRMS_PR_RELEASE; goal++) {
		for (size_t i = 0; i < VRMS_COUNT_OF(types); i++) {
			struct lun lun = good_lun();

			register_nexus(&lun, NODE1);
			reserve(&lun, register_nexus(&lun, STRANGER), types[i]);
			ck_assert_int_eq(run(&lun, goal), VRMS_PR_REASON_STRANGER);
			ck_assert_uint_eq(lun.key_of[lun.holder], STRANGER);
			ck_assert_uint_eq(lun.removed, 0);
		}
	}
}
END_TEST

START_TEST(beside_a_key_of_nobody_nothing_is_proved_unless_the_admin_knows_it)
{
	struct lun lun = cluster_lun();
	struct vrms_pr_job job = job_of(VRMS_PR_OFF);

	register_nexus(&lun, STRANGER);
	ck_assert_int_eq(run(&lun, VRMS_PR_OFF), VRMS_PR_REASON_FOREIGN);
	ck_assert(!key_may_write(&lun, NODE1)); /* its own key went all the same */
	ck_assert(key_may_write(&lun, STRANGER));
	ck_assert_int_eq(run(&lun, VRMS_PR_ON), VRMS_PR_REASON_NONE);
	ck_assert_int_eq(run(&lun, VRMS_PR_RELEASE), VRMS_PR_REASON_NONE);

	memset(lun.sessions, 0xff, sizeof(lun.sessions));
	job.lets_foreign_be = true;
	ck_assert_int_eq(finish(&job, &lun), VRMS_PR_REASON_NONE);
	ck_assert(key_may_write(&lun, STRANGER));

	memset(lun.sessions, 0xff, sizeof(lun.sessions));
	job = job_of(VRMS_PR_OFF);
	job.families[0] = (struct vrms_pr_family){.mask = ~UINT64_C(0xf), .value = 0xe0};
	ck_assert_int_eq(finish(&job, &lun), VRMS_PR_REASON_NONE);
}
END_TEST

START_TEST(a_reservation_of_ours_that_shuts_out_too_much_or_too_little_is_refused)
{
	struct lun lun = good_lun();

	reserve(&lun, register_nexus(&lun, NODE2), 3);
	ck_assert_int_eq(run(&lun, VRMS_PR_OFF), VRMS_PR_REASON_TYPE);
}
END_TEST

START_TEST(a_victim_that_holds_the_reservation_loses_it_to_the_cluster)
{
	struct lun lun = good_lun();

	reserve(&lun, register_nexus(&lun, NODE1), VRMS_PR_WERO); /* as fence_scsi does */
	register_nexus(&lun, NODE2);
	ck_assert_int_eq(run(&lun, VRMS_PR_OFF), VRMS_PR_REASON_NONE);
	ck_assert_int_ne(lun.holder, NOBODY);
	ck_assert_uint_eq(lun.key_of[lun.holder], CLUSTER);
	ck_assert(!key_may_write(&lun, NODE1));
	ck_assert(key_may_write(&lun, NODE2));
}
END_TEST

START_TEST(a_target_that_refuses_nothing_fences_nobody)
{
	struct lun lun = cluster_lun();

	lun.lets_all_write = true;
	ck_assert_int_eq(run(&lun, VRMS_PR_OFF), VRMS_PR_REASON_NOT_REFUSED);
}
END_TEST

START_TEST(a_target_without_reservations_is_named)
{
	struct lun lun = good_lun();

	lun.has_pr = false;
	ck_assert_int_eq(run(&lun, VRMS_PR_OFF), VRMS_PR_REASON_UNSUPPORTED);
	ck_assert_int_eq(run(&lun, VRMS_PR_ON), VRMS_PR_REASON_UNSUPPORTED);
}
END_TEST

START_TEST(a_victim_that_registers_again_and_again_is_not_fenced)
{
	struct lun lun = cluster_lun();
	struct vrms_pr_job job = job_of(VRMS_PR_OFF);

	memset(lun.sessions, 0xff, sizeof(lun.sessions));
	for (int i = 0; i < 500 && !job.is_finished; i++) {
		lun.key_of[0] = lun.key_of[0] == 0 ? NODE1 : lun.key_of[0];
		lun.next_nexus = lun.next_nexus < 1 ? 1 : lun.next_nexus;
		for (int nexus = 0; nexus < lun.next_nexus; nexus++) {
			if (lun.key_of[nexus] == 0 && nexus != lun.sessions[0]) {
				lun.key_of[nexus] = NODE1;
			}
		}
		step_once(&job, &lun, VRMS_PR_GOOD);
	}
	ck_assert(job.is_finished);
	ck_assert_int_ne(job.reason, VRMS_PR_REASON_NONE);
}
END_TEST

START_TEST(on_removes_the_keys_that_dead_guests_left_but_not_those_of_living_ones)
{
	struct lun lun = good_lun();

	register_nexus(&lun, GUESTS1);
	ck_assert_int_eq(run(&lun, VRMS_PR_ON), VRMS_PR_REASON_NONE);
	ck_assert(key_may_write(&lun, NODE1));
	ck_assert(!key_may_write(&lun, GUESTS1));

	lun = cluster_lun();
	ck_assert_int_eq(run(&lun, VRMS_PR_ON), VRMS_PR_REASON_NONE);
	ck_assert(key_may_write(&lun, GUESTS1));
}
END_TEST

START_TEST(release_leaves_the_reservation_to_the_others)
{
	struct lun lun = cluster_lun();

	ck_assert_int_eq(run(&lun, VRMS_PR_RELEASE), VRMS_PR_REASON_NONE);
	ck_assert(!key_may_write(&lun, NODE1));
	ck_assert(key_may_write(&lun, NODE2));
	ck_assert_int_ne(lun.holder, NOBODY);
}
END_TEST

/* READ KEYS returns so many of them, and no more. */
START_TEST(coming_and_going_leaves_no_keys_behind)
{
	struct lun lun = good_lun();

	for (int i = 0; i < 8; i++) {
		ck_assert_int_eq(run(&lun, VRMS_PR_ON), VRMS_PR_REASON_NONE);
		ck_assert_int_eq(run(&lun, i % 2 == 0 ? VRMS_PR_RELEASE : VRMS_PR_OFF),
				 VRMS_PR_REASON_NONE);
		ck_assert_int_ne(lun.holder, NOBODY);
	}
	ck_assert_uint_le(view_of(&lun).key_count, 2);
}
END_TEST

START_TEST(unit_attentions_are_retried_and_not_for_ever)
{
	struct lun lun = cluster_lun();
	struct vrms_pr_job job = job_of(VRMS_PR_OFF);

	memset(lun.sessions, 0xff, sizeof(lun.sessions));
	for (int i = 0; !job.is_finished; i++) {
		step_once(&job, &lun, i % 3 == 2 ? VRMS_PR_GOOD : VRMS_PR_AGAIN);
	}
	ck_assert_int_eq(job.reason, VRMS_PR_REASON_NONE);

	job = job_of(VRMS_PR_OFF);
	for (int i = 0; i < 100 && !job.is_finished; i++) {
		step_once(&job, &lun, VRMS_PR_AGAIN);
	}
	ck_assert_int_eq(job.reason, VRMS_PR_REASON_ATTENTION);
}
END_TEST

START_TEST(a_lost_path_is_followed_by_the_next_and_the_last_by_failure)
{
	struct lun lun = cluster_lun();
	struct vrms_pr_job job = job_of(VRMS_PR_OFF);

	memset(lun.sessions, 0xff, sizeof(lun.sessions));
	step_once(&job, &lun, VRMS_PR_GOOD);
	step_once(&job, &lun, VRMS_PR_GOOD);
	step_once(&job, &lun, VRMS_PR_LOST);
	ck_assert_uint_eq(job.path, 1);
	ck_assert_int_eq(finish(&job, &lun), VRMS_PR_REASON_NONE);
	ck_assert(!key_may_write(&lun, NODE1));

	job = job_of(VRMS_PR_OFF);
	step_once(&job, &lun, VRMS_PR_LOST);
	step_once(&job, &lun, VRMS_PR_LOST);
	ck_assert_int_eq(job.reason, VRMS_PR_REASON_UNREACHABLE);
}
END_TEST

/* ---- random histories: any beginning, any trouble, others at work on the LUN meanwhile */

static uint64_t any_key(struct vrms_random *random)
{
	static const uint64_t keys[] = {CLUSTER, NODE1, GUESTS1, NODE2, GUESTS2, STRANGER};

	return keys[vrms_random_below(random, VRMS_COUNT_OF(keys))];
}

static struct lun any_lun(struct vrms_random *random)
{
	static const unsigned types[] = {1, 3, 5, 5, 5, 5, 6};
	struct lun lun = good_lun();
	int count = (int)vrms_random_below(random, 8);

	lun.has_abort = vrms_random_below(random, 2) == 0;
	lun.has_aptpl = vrms_random_below(random, 2) == 0;
	lun.lets_all_write = vrms_random_below(random, 20) == 0;
	for (int i = 0; i < count; i++) {
		register_nexus(&lun, any_key(random));
	}
	if (count > 0 && vrms_random_below(random, 4) != 0) {
		reserve(&lun, (int)vrms_random_below(random, (uint64_t)count),
			types[vrms_random_below(random, VRMS_COUNT_OF(types))]);
	}
	return lun;
}

/* Anything may be said of a command that was not carried out, but no refusal of a write that would
 * have been done: that is the one word the proof is made of. */
static enum vrms_pr_answer any_trouble(struct vrms_random *random, struct vrms_pr_job *job)
{
	struct vrms_pr_step step;

	static const enum vrms_pr_answer troubles[] = {VRMS_PR_AGAIN, VRMS_PR_LOST, VRMS_PR_OTHER,
						       VRMS_PR_CONFLICT};
	uint64_t draw = vrms_random_below(random, 40);

	vrms_pr_next(job, &step);
	if (step.kind == VRMS_PR_PROBE && draw < VRMS_COUNT_OF(troubles) &&
	    troubles[draw] == VRMS_PR_CONFLICT) {
		return VRMS_PR_GOOD;
	}
	return draw < VRMS_COUNT_OF(troubles) ? troubles[draw] : VRMS_PR_GOOD;
}

/* The victim or its guests register again, but not after the job's last look. */
static void others_act(struct vrms_random *random, struct lun *lun, const struct vrms_pr_job *job)
{
	struct vrms_pr_step step;

	vrms_pr_next((struct vrms_pr_job *)job, &step);
	if (step.kind == VRMS_PR_READ && vrms_random_below(random, 10) == 0 &&
	    lun->next_nexus < NEXUS_MAX / 2) {
		register_nexus(lun, vrms_random_below(random, 2) == 0 ? NODE1 : GUESTS1);
	}
}

static void check_rules(uint64_t seed, const struct vrms_pr_job *job, const struct lun *lun,
			const struct lun *before)
{
	bool is_done = job->reason == VRMS_PR_REASON_NONE;
	bool was_reserved = before->holder != NOBODY;

	ck_assert_msg(!lun->taken_by_force, "seed %lu: a stranger's key was preempted", seed);
	ck_assert_msg((lun->removed & (UINT64_C(1) << (NODE2 & 0x3f))) == 0 &&
			  (lun->removed & (UINT64_C(1) << (GUESTS2 & 0x3f))) == 0,
		      "seed %lu: keys of another node were preempted", seed);
	ck_assert_msg(!was_reserved || lun->holder != NOBODY || job->goal == VRMS_PR_ON,
		      "seed %lu: the reservation is gone", seed);
	if (is_done && job->goal == VRMS_PR_OFF) {
		ck_assert_msg(job->lets_foreign_be || !key_may_write(lun, STRANGER),
			      "seed %lu: done beside a key of nobody", seed);
		ck_assert_msg(!lun->lets_all_write && !key_may_write(lun, NODE1) &&
				  !key_may_write(lun, GUESTS1),
			      "seed %lu: done, and the victim can write", seed);
	}
	if (is_done && job->goal == VRMS_PR_ON) {
		ck_assert_msg(key_may_write(lun, NODE1) && lun->holder != NOBODY,
			      "seed %lu: on, and the node cannot write", seed);
	}
}

START_TEST(random_histories_keep_the_rules)
{
	unsigned done_count = 0;

	for (uint64_t seed = 1; seed <= 20000; seed++) {
		struct vrms_random random;

		vrms_random_init(&random, seed);
		struct lun lun = any_lun(&random);
		const struct lun before = lun;
		struct vrms_pr_job job = job_of((enum vrms_pr_goal)vrms_random_below(&random, 3));
		int steps = 0;

		job.lets_foreign_be = vrms_random_below(&random, 2) == 0;

		while (!job.is_finished && steps++ < 1000) {
			others_act(&random, &lun, &job);
			step_once(&job, &lun, any_trouble(&random, &job));
		}
		ck_assert_msg(job.is_finished, "seed %lu: never ends", seed);
		check_rules(seed, &job, &lun, &before);
		done_count += job.reason == VRMS_PR_REASON_NONE;
	}
	ck_assert_uint_gt(done_count, 5000); /* it is not all failure */
}
END_TEST

UNIT_MAIN("pr", off_removes_the_keys_of_node_and_guests_and_leaves_the_others,
	  off_of_a_key_that_is_gone_succeeds, off_of_a_lun_that_lost_its_reservation_reserves_it,
	  a_target_without_abort_or_aptpl_is_fenced_on_by_plain_preempt_and_a_wait,
	  a_target_with_abort_is_asked_for_it_and_not_waited_for,
	  a_preempt_whose_answer_is_lost_may_have_left_writes_under_way,
	  a_key_that_somebody_else_has_just_removed_may_have_left_writes_under_way,
	  a_strangers_reservation_is_named_and_not_taken,
	  beside_a_key_of_nobody_nothing_is_proved_unless_the_admin_knows_it,
	  a_reservation_of_ours_that_shuts_out_too_much_or_too_little_is_refused,
	  a_victim_that_holds_the_reservation_loses_it_to_the_cluster,
	  a_target_that_refuses_nothing_fences_nobody, a_target_without_reservations_is_named,
	  a_victim_that_registers_again_and_again_is_not_fenced,
	  on_removes_the_keys_that_dead_guests_left_but_not_those_of_living_ones,
	  release_leaves_the_reservation_to_the_others, coming_and_going_leaves_no_keys_behind,
	  unit_attentions_are_retried_and_not_for_ever,
	  a_lost_path_is_followed_by_the_next_and_the_last_by_failure,
	  random_histories_keep_the_rules)
