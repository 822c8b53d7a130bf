/* test_pr_random.c - the decisions about persistent reservations keep their rules, whatever
 * happens.
 *
 * Any beginning, any trouble, others at work on the LUN meanwhile.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "common/cleanup.h"
#include "common/random.h"
#include "tests/unit/pr_lun.h"

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

UNIT_MAIN("pr_random", random_histories_keep_the_rules)
