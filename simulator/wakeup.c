/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/wakeup.h"

#include <sys/prctl.h>
#include <time.h>

enum { SLEEP_NS = 1000000, SLACK_NS = 1 };

static double us_between(const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) * 1e6 +
	       (double)(to->tv_nsec - from->tv_nsec) / 1e3;
}

static void *sleep_and_note(void *context)
{
	static const struct timespec nap = {.tv_nsec = SLEEP_NS};
	struct vrms_sim_wakeup *wakeup = context;
	struct timespec before, after;

	(void)prctl(PR_SET_TIMERSLACK, SLACK_NS); /* of this thread: 50 us by default */
	while (!atomic_load(&wakeup->is_over)) {
		clock_gettime(CLOCK_MONOTONIC, &before);
		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
		clock_gettime(CLOCK_MONOTONIC, &after);
		wakeup->waited_us += us_between(&before, &after) - SLEEP_NS / 1e3;
		wakeup->count++;
	}
	return NULL;
}

int vrms_sim_wakeup_begin(struct vrms_sim_wakeup *wakeup, struct vrms_error *error)
{
	*wakeup = (struct vrms_sim_wakeup){0};
	int rc = pthread_create(&wakeup->thread, NULL, sleep_and_note, wakeup);

	return rc == 0 ? 0 : vrms_error_errno(error, -rc, "a thread");
}

double vrms_sim_wakeup_end(struct vrms_sim_wakeup *wakeup)
{
	atomic_store(&wakeup->is_over, true);
	pthread_join(wakeup->thread, NULL);
	return wakeup->count > 0 ? wakeup->waited_us / (double)wakeup->count : 0;
}
