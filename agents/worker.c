/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct vrms_worker {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* counts on CLOCK_MONOTONIC */
	pthread_t thread;
	bool has_thread;
	bool is_ending;
	struct vrms_job *job; /* NULL: idle */
};

struct vrms_worker *vrms_worker_new(void)
{
	struct vrms_worker *worker = calloc(1, sizeof(*worker));
	pthread_condattr_t attributes;

	if (worker == NULL) {
		return NULL;
	}
	pthread_mutex_init(&worker->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&worker->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	return worker;
}

/* Under the lock. */
static void finish_job(struct vrms_worker *worker, int rc)
{
	struct vrms_job *job = worker->job;

	job->rc = rc;
	job->is_done = true;
	if (job->is_abandoned) {
		job->free(job);
		worker->job = NULL;
	}
	pthread_cond_broadcast(&worker->changed);
}

static void *work(void *argument)
{
	struct vrms_worker *worker = argument;

	pthread_mutex_lock(&worker->lock);
	while (!worker->is_ending) {
		if (worker->job == NULL || worker->job->is_done) {
			pthread_cond_wait(&worker->changed, &worker->lock);
			continue;
		}
		struct vrms_job *job = worker->job;

		pthread_mutex_unlock(&worker->lock);
		int rc = job->run(job);
		pthread_mutex_lock(&worker->lock);
		finish_job(worker, rc);
	}
	pthread_mutex_unlock(&worker->lock);
	return NULL;
}

/* Under the lock. */
static bool is_stuck(const struct vrms_worker *worker)
{
	return worker->job != NULL && worker->job->is_abandoned;
}

void vrms_worker_free(struct vrms_worker *worker)
{
	if (worker == NULL) {
		return;
	}
	pthread_mutex_lock(&worker->lock);
	bool is_lost = worker->job != NULL && !worker->job->is_done;
	worker->is_ending = true;
	pthread_cond_broadcast(&worker->changed);
	pthread_mutex_unlock(&worker->lock);
	if (is_lost) {
		return;
	}
	if (worker->has_thread) {
		pthread_join(worker->thread, NULL);
	}
	if (worker->job != NULL) {
		worker->job->free(worker->job);
	}
	pthread_cond_destroy(&worker->changed);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}

/* Under the lock. */
static int ensure_thread(struct vrms_worker *worker)
{
	if (worker->has_thread) {
		return 0;
	}

	int rc = -pthread_create(&worker->thread, NULL, work, worker);
	worker->has_thread = rc == 0;
	return rc;
}

int vrms_worker_begin(struct vrms_worker *worker, struct vrms_job *job)
{
	int rc = 0;

	pthread_mutex_lock(&worker->lock);
	if (worker->job != NULL) {
		rc = is_stuck(worker) ? -ETIMEDOUT : -EBUSY;
	} else {
		rc = ensure_thread(worker);
	}
	if (rc == 0) {
		worker->job = job;
		pthread_cond_broadcast(&worker->changed);
	}
	pthread_mutex_unlock(&worker->lock);
	return rc;
}

static struct timespec monotonic_in_ms(int64_t ms)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_sec += ms / 1000;
	time.tv_nsec += ms % 1000 * 1000000;
	if (time.tv_nsec >= 1000000000) {
		time.tv_sec++;
		time.tv_nsec -= 1000000000;
	}
	return time;
}

int vrms_worker_wait(struct vrms_worker *worker, const struct vrms_clock *clock,
		     int64_t deadline_ms, bool abandon)
{
	int64_t left_ms = deadline_ms - vrms_clock_now_ms(clock);
	struct timespec until = monotonic_in_ms(left_ms > 0 ? left_ms : 0);
	int rc = 0;

	pthread_mutex_lock(&worker->lock);
	while (worker->job != NULL && !worker->job->is_done && rc == 0) {
		rc = -pthread_cond_timedwait(&worker->changed, &worker->lock, &until);
	}
	if (worker->job != NULL && worker->job->is_done) {
		worker->job = NULL;
		rc = 0;
	} else if (worker->job != NULL && abandon) {
		worker->job->is_abandoned = true;
	}
	pthread_mutex_unlock(&worker->lock);
	return rc;
}

bool vrms_worker_is_stuck(struct vrms_worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	bool result = is_stuck(worker);
	pthread_mutex_unlock(&worker->lock);
	return result;
}
