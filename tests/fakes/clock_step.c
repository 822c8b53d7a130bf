/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A preloaded library: the processes that load it see a wall clock that somebody has set.
 *
 * CLOCK_STEP names a file with the seconds by which it is ahead (0: no file), read at every look,
 * so that a running process sees a step.  Time namespaces do not cover CLOCK_REALTIME.  The other
 * clocks stay as they are; waits until a time of day end when the kernel's clock says so.  Not
 * covered: a wait that is under way at the step (it is relative then), timerfd, the times of files.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Later than any uptime: what is beyond can only be a time of day. */
enum { FIRST_DATE_S = 1000000000 };

static time_t step_s(void)
{
	const char *path = getenv("CLOCK_STEP");
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	char text[32] = "";

	if (fd < 0) {
		return 0;
	}
	ssize_t got = read(fd, text, sizeof(text) - 1);

	close(fd);
	return got > 0 ? strtol(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, now);

	if (rc == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
		now->tv_sec += step_s();
	}
	return rc;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec exact;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &exact);
	*now = (struct timeval){.tv_sec = exact.tv_sec, .tv_usec = exact.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *ret_now)
{
	struct timespec exact;

	clock_gettime(CLOCK_REALTIME, &exact);
	if (ret_now != NULL) {
		*ret_now = exact.tv_sec;
	}
	return exact.tv_sec;
}

/* The time of day as the kernel has it, or a time since the boot, and its clock. */
static clockid_t translate(struct timespec *until)
{
	if (until->tv_sec < FIRST_DATE_S) {
		return CLOCK_MONOTONIC;
	}
	until->tv_sec -= step_s();
	return CLOCK_REALTIME;
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
			   const struct timespec *restrict until)
{
	struct timespec at = *until;
	clockid_t clock = translate(&at);

	return pthread_cond_clockwait(condition, mutex, clock, &at);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until)
{
	struct timespec at = *until;
	clockid_t clock = translate(&at);

	return sem_clockwait(semaphore, clock, &at);
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict until)
{
	struct timespec at = *until;
	clockid_t clock = translate(&at);

	return pthread_mutex_clocklock(mutex, clock, &at);
}

int pthread_timedjoin_np(pthread_t thread, void **value, const struct timespec *until)
{
	struct timespec at = *until;
	clockid_t clock = translate(&at);

	return pthread_clockjoin_np(thread, value, clock, &at);
}
