/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/thread.h"

#include <errno.h>
#include <sched.h>

#include "common/clock.h"

static int create(const struct vrms_thread_job *job, bool is_realtime, pthread_t *thread)
{
	struct sched_param priority = {.sched_priority = sched_get_priority_max(SCHED_RR)};
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	int rc = pthread_attr_setstacksize(&attributes, job->stack_bytes);

	if (is_realtime) {
		pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
		pthread_attr_setschedpolicy(&attributes, SCHED_RR);
		pthread_attr_setschedparam(&attributes, &priority);
	}
	rc = rc != 0 ? rc : pthread_create(thread, &attributes, job->run, job->context);
	pthread_attr_destroy(&attributes);
	return -rc;
}

int vrms_thread_start(const struct vrms_thread_job *job, bool *is_realtime, pthread_t *ret_thread,
		      struct vrms_error *error)
{
	pthread_t thread;
	int rc = create(job, is_realtime != NULL && *is_realtime, &thread);

	if (rc == -EPERM && is_realtime != NULL && *is_realtime) {
		*is_realtime = false;
		rc = create(job, false, &thread);
	}
	if (rc < 0) {
		return vrms_error_errno(error, rc, "thread");
	}
	*ret_thread = thread;
	return 0;
}

int vrms_thread_join_within(pthread_t thread, int64_t timeout_ms)
{
	struct timespec until = vrms_thread_in_ms(timeout_ms);

	if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0) {
		return 0;
	}
	pthread_detach(thread);
	return -ETIMEDOUT;
}

void vrms_thread_condition_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

struct timespec vrms_thread_in_ms(int64_t ms)
{
	int64_t at_ms = vrms_clock_now_ms(vrms_clock_system()) + ms;

	return (struct timespec){.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};
}
