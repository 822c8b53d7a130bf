/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/ear.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

struct vrms_ear {
	pthread_t thread;
	atomic_bool is_ending;
};

static void *listen_on(void *context)
{
	struct vrms_ear *ear = context;

	while (!atomic_load(&ear->is_ending)) {
		g_main_context_iteration(NULL, TRUE);
	}
	return NULL;
}

int vrms_ear_start(struct vrms_ear **ret_ear, struct vrms_error *error)
{
	struct vrms_ear *ear = calloc(1, sizeof(*ear));

	if (ear == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	int rc = -pthread_create(&ear->thread, NULL, listen_on, ear);

	if (rc < 0) {
		free(ear);
		return vrms_error_errno(error, rc, "thread");
	}
	*ret_ear = ear;
	return 0;
}

bool vrms_ear_stop(struct vrms_ear *ear, int64_t timeout_ms)
{
	struct timespec end;

	if (ear == NULL) {
		return true;
	}
	atomic_store(&ear->is_ending, true);
	g_main_context_wakeup(NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += timeout_ms / 1000;
	end.tv_nsec += timeout_ms % 1000 * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	if (pthread_clockjoin_np(ear->thread, NULL, CLOCK_MONOTONIC, &end) != 0) {
		pthread_detach(ear->thread);
		return false;
	}
	free(ear);
	return true;
}
