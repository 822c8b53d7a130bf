/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/stall.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/thread.h"

enum { REPORT_US = 500000, LONG_US = 20000, STACK_BYTES = 128 * 1024 };

struct vrms_stall {
	pthread_t thread;
	atomic_bool is_ending;
	int fds[2];
};

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void sleep_until(int64_t at_us)
{
	struct timespec at = {.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {
	}
}

static void *measure(void *context)
{
	struct vrms_stall *stall = context;
	int64_t reported_us = now_us();
	uint32_t largest_us = 0;

	while (!atomic_load(&stall->is_ending)) {
		int64_t due_us = now_us() + VRMS_STALL_PERIOD_US;

		sleep_until(due_us);
		int64_t late_us = now_us() - due_us;

		if (late_us > largest_us) {
			largest_us = late_us < UINT32_MAX ? (uint32_t)late_us : UINT32_MAX;
		}
		if (late_us < LONG_US && due_us + late_us - reported_us < REPORT_US) {
			continue;
		}
		/* A full pipe means a main loop that has been stuck for minutes: nothing is lost.
		 */
		if (write(stall->fds[1], &largest_us, sizeof(largest_us)) ==
		    (ssize_t)sizeof(largest_us)) {
			largest_us = 0;
		}
		reported_us = due_us + late_us;
	}
	return NULL;
}

int vrms_stall_start(struct vrms_stall **ret_stall, bool *is_realtime, struct vrms_error *error)
{
	struct vrms_stall *stall = calloc(1, sizeof(*stall));
	const struct vrms_thread_job job = {.run = measure,
					    .context = stall,
					    .stack_bytes = STACK_BYTES};

	if (stall == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	if (pipe2(stall->fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		int rc = vrms_error_errno(error, -errno, "pipe");

		free(stall);
		return rc;
	}
	int rc = vrms_thread_start(&job, is_realtime, &stall->thread, error);

	if (rc < 0) {
		close(stall->fds[0]);
		close(stall->fds[1]);
		free(stall);
		return rc;
	}
	*ret_stall = stall;
	return 0;
}

void vrms_stall_free(struct vrms_stall *stall)
{
	if (stall == NULL) {
		return;
	}
	atomic_store(&stall->is_ending, true);
	pthread_join(stall->thread, NULL);
	close(stall->fds[0]);
	close(stall->fds[1]);
	free(stall);
}

int vrms_stall_fd(const struct vrms_stall *stall)
{
	return stall->fds[0];
}

bool vrms_stall_take(struct vrms_stall *stall, uint32_t *ret_late_us)
{
	return read(stall->fds[0], ret_late_us, sizeof(*ret_late_us)) ==
	       (ssize_t)sizeof(*ret_late_us);
}
