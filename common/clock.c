/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/clock.h"

#include <errno.h>
#include <time.h>

static int64_t system_now_ms(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void system_sleep_ms(void *context, int64_t ms)
{
	struct timespec until;

	(void)context;
	if (ms <= 0) {
		return;
	}
	/* An absolute time, so that signals do not make the sleep longer. */
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
	}
}

const struct vrms_clock *vrms_clock_system(void)
{
	static const struct vrms_clock clock = {
	    .now_ms = system_now_ms,
	    .sleep_ms = system_sleep_ms,
	};

	return &clock;
}

int64_t vrms_clock_now_ms(const struct vrms_clock *clock)
{
	return clock->now_ms(clock->context);
}

void vrms_clock_sleep_ms(const struct vrms_clock *clock, int64_t ms)
{
	clock->sleep_ms(clock->context, ms);
}
