/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/worker.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

struct test_job {
	struct vrms_job job;
	sem_t *gate; /* NULL: does not wait */
	sem_t *freed;
	int result;
};

static int run_job(struct vrms_job *job)
{
	struct test_job *test = (struct test_job *)job;

	if (test->gate != NULL) {
		sem_wait(test->gate);
	}
	return test->result;
}

static void free_job(struct vrms_job *job)
{
	struct test_job *test = (struct test_job *)job;

	if (test->freed != NULL) {
		sem_post(test->freed);
	}
	free(test);
}

static struct test_job *new_job(sem_t *gate, sem_t *freed, int result)
{
	struct test_job *test = calloc(1, sizeof(*test));

	test->job.run = run_job;
	test->job.free = free_job;
	test->gate = gate;
	test->freed = freed;
	test->result = result;
	return test;
}

static int wait_ms(struct vrms_worker *worker, int64_t ms, bool abandon)
{
	const struct vrms_clock *clock = vrms_clock_system();

	return vrms_worker_wait(worker, clock, vrms_clock_now_ms(clock) + ms, abandon);
}

START_TEST(jobs_run_one_after_another)
{
	struct vrms_worker *worker = vrms_worker_new();

	for (int i = 0; i < 100; i++) {
		struct test_job *test = new_job(NULL, NULL, -i);

		ck_assert_int_eq(vrms_worker_begin(worker, &test->job), 0);
		ck_assert_int_eq(wait_ms(worker, 10000, true), 0);
		ck_assert_int_eq(test->job.rc, -i);
		free_job(&test->job);
	}
	ck_assert(!vrms_worker_is_stuck(worker));
	vrms_worker_free(worker);
}
END_TEST

START_TEST(second_job_must_wait_for_the_first)
{
	struct vrms_worker *worker = vrms_worker_new();
	sem_t gate;
	sem_init(&gate, 0, 0);
	struct test_job *first = new_job(&gate, NULL, 0);
	struct test_job *second = new_job(NULL, NULL, 0);

	ck_assert_int_eq(vrms_worker_begin(worker, &first->job), 0);
	ck_assert_int_eq(vrms_worker_begin(worker, &second->job), -EBUSY);
	ck_assert_int_eq(wait_ms(worker, 0, false), -ETIMEDOUT);
	ck_assert(!vrms_worker_is_stuck(worker));
	sem_post(&gate);
	ck_assert_int_eq(wait_ms(worker, 10000, false), 0);
	free_job(&first->job);
	free_job(&second->job);
	vrms_worker_free(worker);
}
END_TEST

START_TEST(abandoned_job_blocks_the_worker_and_is_freed_when_it_returns)
{
	struct vrms_worker *worker = vrms_worker_new();
	sem_t gate;
	sem_t freed;
	sem_init(&gate, 0, 0);
	sem_init(&freed, 0, 0);
	struct test_job *hangs = new_job(&gate, &freed, 0);
	struct test_job *next = new_job(NULL, NULL, 0);

	ck_assert_int_eq(vrms_worker_begin(worker, &hangs->job), 0);
	ck_assert_int_eq(wait_ms(worker, 20, true), -ETIMEDOUT);
	ck_assert(vrms_worker_is_stuck(worker));
	ck_assert_int_eq(vrms_worker_begin(worker, &next->job), -ETIMEDOUT);
	sem_post(&gate);
	sem_wait(&freed);
	while (vrms_worker_is_stuck(worker)) {
	}
	ck_assert_int_eq(vrms_worker_begin(worker, &next->job), 0);
	ck_assert_int_eq(wait_ms(worker, 10000, true), 0);
	free_job(&next->job);
	vrms_worker_free(worker);
}
END_TEST

START_TEST(job_that_nobody_waited_for_is_freed_with_the_worker)
{
	struct vrms_worker *worker = vrms_worker_new();
	sem_t freed;
	sem_init(&freed, 0, 0);
	struct test_job *test = new_job(NULL, &freed, 0);

	ck_assert_int_eq(vrms_worker_begin(worker, &test->job), 0);
	while (!*(volatile bool *)&test->job.is_done) {
		vrms_clock_sleep_ms(vrms_clock_system(), 1);
	}
	vrms_worker_free(worker);
	ck_assert_int_eq(sem_trywait(&freed), 0);
	vrms_worker_free(NULL);
}
END_TEST

UNIT_MAIN("worker", jobs_run_one_after_another, second_job_must_wait_for_the_first,
	  abandoned_job_blocks_the_worker_and_is_freed_when_it_returns,
	  job_that_nobody_waited_for_is_freed_with_the_worker)
