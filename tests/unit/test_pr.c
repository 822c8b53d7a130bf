/* test_pr.c - the decisions about persistent reservations, against a made-up LUN.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "common/cleanup.h"
#include "tests/unit/pr_lun.h"

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
	  a_lost_path_is_followed_by_the_next_and_the_last_by_failure)
