/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/fork.h"
#include "common/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/unit/unit.h"

enum { STACK_BYTES = 128 * 1024, MESSAGE = 42 };

static int64_t now_ms(void)
{
	return vrms_clock_now_ms(vrms_clock_system());
}

static void *note_policy(void *context)
{
	*(int *)context = sched_getscheduler(0);
	return NULL;
}

static void *sleep_long(void *context)
{
	(void)context;
	vrms_clock_sleep_ms(vrms_clock_system(), 60000);
	return NULL;
}

/* The policy of a thread that was asked to be real-time; -errno when there is none. */
static int policy_of_a_thread(bool *is_realtime)
{
	int policy = -1;
	const struct vrms_thread_job job = {.run = note_policy,
					    .context = &policy,
					    .stack_bytes = STACK_BYTES};
	pthread_t thread;
	int rc = vrms_thread_start(&job, is_realtime, &thread, NULL);

	rc = rc < 0 ? rc : vrms_thread_join_within(thread, 30000);
	return rc < 0 ? rc : policy;
}

START_TEST(a_thread_has_the_scheduling_of_its_caller)
{
	bool is_realtime = false;

	ck_assert_int_eq(policy_of_a_thread(NULL), sched_getscheduler(0));
	ck_assert_int_eq(policy_of_a_thread(&is_realtime), sched_getscheduler(0));
	ck_assert(!is_realtime);
}
END_TEST

START_TEST(a_realtime_thread_is_one_or_says_that_it_is_not)
{
	bool is_realtime = true;
	int policy = policy_of_a_thread(&is_realtime);

	ck_assert_int_eq(policy, is_realtime ? SCHED_RR : sched_getscheduler(0));
}
END_TEST

START_TEST(where_realtime_is_refused_it_runs_all_the_same)
{
	const struct rlimit none = {0, 0};
	char word = 0;
	int fd;
	pid_t pid = vrms_fork_with_pipe(VRMS_FORK_CHILD_TO_PARENT, &fd, NULL);

	if (pid == 0) { /* without the right */
		bool is_realtime = true;

		if (setrlimit(RLIMIT_RTPRIO, &none) < 0 ||
		    (getuid() == 0 && setresuid(65534, 65534, 65534) < 0)) {
			_exit(1);
		}
		word = policy_of_a_thread(&is_realtime) == sched_getscheduler(0) && !is_realtime
			   ? MESSAGE
			   : 1;
		_exit(write(fd, &word, 1) == 1 ? 0 : 1);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(read(fd, &word, 1), 1);
	ck_assert_int_eq(word, MESSAGE);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(fd);
}
END_TEST

START_TEST(a_stack_that_is_too_small_is_an_error)
{
	const struct vrms_thread_job job = {.run = sleep_long, .stack_bytes = 1};
	struct vrms_error error = {""};
	pthread_t thread;

	ck_assert_int_eq(vrms_thread_start(&job, NULL, &thread, &error), -EINVAL);
	ck_assert_str_ne(error.text, "");
}
END_TEST

START_TEST(a_thread_that_does_not_end_is_left_behind_in_time)
{
	const struct vrms_thread_job job = {.run = sleep_long, .stack_bytes = STACK_BYTES};
	int64_t began_ms = now_ms();
	pthread_t thread;

	ck_assert_int_eq(vrms_thread_start(&job, NULL, &thread, NULL), 0);
	ck_assert_int_eq(vrms_thread_join_within(thread, 50), -ETIMEDOUT);
	ck_assert_int_ge(now_ms() - began_ms, 50);
	ck_assert_int_lt(now_ms() - began_ms, 30000);
}
END_TEST

/* By the wall clock that deadline would be long past, and the wait over at once. */
START_TEST(a_wait_goes_by_the_clock_that_nobody_sets)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	int64_t began_ms = now_ms();
	struct timespec until = vrms_thread_in_ms(50);
	pthread_cond_t condition;
	int rc = 0;

	vrms_thread_condition_init(&condition);
	pthread_mutex_lock(&mutex);
	while (rc == 0) {
		rc = pthread_cond_timedwait(&condition, &mutex, &until);
	}
	pthread_mutex_unlock(&mutex);
	pthread_cond_destroy(&condition);
	ck_assert_int_eq(rc, ETIMEDOUT);
	ck_assert_int_ge(now_ms() - began_ms, 49);
}
END_TEST

START_TEST(a_child_hears_its_parents_end)
{
	int fd, status = -1;
	pid_t pid = vrms_fork_with_pipe(VRMS_FORK_PARENT_TO_CHILD, &fd, NULL);

	if (pid == 0) {
		char word;

		_exit(read(fd, &word, 1) == 1 && read(fd, &word, 1) == 0 ? word : 1);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(write(fd, &(char){MESSAGE}, 1), 1);
	close(fd); /* the child has no copy of this end: it sees the end of file */
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), MESSAGE);
}
END_TEST

UNIT_MAIN("thread", a_thread_has_the_scheduling_of_its_caller,
	  a_realtime_thread_is_one_or_says_that_it_is_not,
	  where_realtime_is_refused_it_runs_all_the_same, a_stack_that_is_too_small_is_an_error,
	  a_thread_that_does_not_end_is_left_behind_in_time,
	  a_wait_goes_by_the_clock_that_nobody_sets, a_child_hears_its_parents_end)
