/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/scratch_watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>

enum { LOOK_MS = 100, LEFT_BYTES = 256 << 20, LEFT_SHARE = 20 };

struct vrms_scratch_watch {
	struct vrms_live *live;
	const char *const *paths;
	size_t count;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool is_ending;
	bool has_ended_job;
};

/* A path that cannot be asked has no scratch file yet, or none any more. */
static bool is_short(const char *path)
{
	struct statvfs status;
	uint64_t free_bytes, wanted;

	if (statvfs(path, &status) < 0) {
		return false;
	}
	free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
	wanted = (uint64_t)status.f_blocks * status.f_frsize / LEFT_SHARE;
	return free_bytes < (wanted < LEFT_BYTES ? wanted : LEFT_BYTES);
}

static bool look(struct vrms_scratch_watch *watch)
{
	for (size_t i = 0; i < watch->count; i++) {
		if (is_short(watch->paths[i])) {
			/* Tried again at the next look should libvirt be away. */
			return vrms_live_end(watch->live, NULL) == 0;
		}
	}
	return false;
}

static void *watch_thread(void *argument)
{
	struct vrms_scratch_watch *watch = argument;

	pthread_mutex_lock(&watch->lock);
	while (!watch->is_ending && !watch->has_ended_job) {
		struct timespec until;

		watch->has_ended_job = look(watch);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += LOOK_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		pthread_cond_timedwait(&watch->wake, &watch->lock, &until);
	}
	pthread_mutex_unlock(&watch->lock);
	return NULL;
}

int vrms_scratch_watch_start(struct vrms_live *live, const char *const *paths, size_t count,
			     struct vrms_scratch_watch **ret_watch, struct vrms_error *error)
{
	struct vrms_scratch_watch *watch = calloc(1, sizeof(*watch));
	pthread_condattr_t attributes;
	int rc;

	if (watch == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	watch->live = live;
	watch->paths = paths;
	watch->count = count;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&watch->lock, NULL);
	pthread_cond_init(&watch->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	rc = pthread_create(&watch->thread, NULL, watch_thread, watch);
	if (rc != 0) {
		free(watch);
		return vrms_error_errno(error, -rc, "thread");
	}
	*ret_watch = watch;
	return 0;
}

bool vrms_scratch_watch_stop(struct vrms_scratch_watch *watch)
{
	bool has_ended_job;

	if (watch == NULL) {
		return false;
	}
	pthread_mutex_lock(&watch->lock);
	watch->is_ending = true;
	pthread_cond_broadcast(&watch->wake);
	pthread_mutex_unlock(&watch->lock);
	pthread_join(watch->thread, NULL);
	has_ended_job = watch->has_ended_job;
	pthread_cond_destroy(&watch->wake);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
	return has_ended_job;
}
