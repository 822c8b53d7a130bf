/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/announce.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/child.h"
#include "common/clock.h"

enum { ASK_MS = 5000, SETTLE_MS = 2000, AGAIN_S = 60 };
static const char lasts[] = "150s"; /* two tries within it */

struct vrms_announce {
	char *what;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool is_ending;
};

static int announce(const char *what)
{
	const char *const argv[] = {"vrms", "announce", lasts, what, NULL};
	struct vrms_child_spec spec = {.argv = argv, .timeout_ms = ASK_MS};

	return vrms_child_check(&spec, NULL);
}

static void *announce_thread(void *argument)
{
	struct vrms_announce *own = argument;
	struct timespec until;

	pthread_mutex_lock(&own->lock);
	clock_gettime(CLOCK_MONOTONIC, &until);
	while (!own->is_ending) {
		until.tv_sec += AGAIN_S;
		while (!own->is_ending &&
		       pthread_cond_timedwait(&own->wake, &own->lock, &until) == 0) {
		}
		if (!own->is_ending) {
			pthread_mutex_unlock(&own->lock);
			/* A daemon that is away is asked again next time. */
			(void)!announce(own->what);
			pthread_mutex_lock(&own->lock);
		}
	}
	pthread_mutex_unlock(&own->lock);
	return NULL;
}

static void free_announce(struct vrms_announce *own)
{
	if (own != NULL) {
		pthread_cond_destroy(&own->wake);
		pthread_mutex_destroy(&own->lock);
		free(own->what);
		free(own);
	}
}

struct vrms_announce *vrms_announce_begin(const char *what)
{
	struct vrms_announce *own;
	pthread_condattr_t attributes;

	if (announce(what) < 0) {
		return NULL;
	}
	vrms_clock_sleep_ms(vrms_clock_system(), SETTLE_MS);
	own = calloc(1, sizeof(*own));
	if (own == NULL) {
		return NULL;
	}
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&own->lock, NULL);
	pthread_cond_init(&own->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	own->what = strdup(what);
	if (own->what == NULL || pthread_create(&own->thread, NULL, announce_thread, own) != 0) {
		free_announce(own);
		return NULL;
	}
	return own;
}

void vrms_announce_end(struct vrms_announce *own)
{
	if (own == NULL) {
		return;
	}
	pthread_mutex_lock(&own->lock);
	own->is_ending = true;
	pthread_cond_broadcast(&own->wake);
	pthread_mutex_unlock(&own->lock);
	pthread_join(own->thread, NULL);
	free_announce(own);
}
