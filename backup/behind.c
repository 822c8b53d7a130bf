/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/behind.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct vrms_behind {
	pthread_t thread;
	bool has_thread;
	bool is_ending;
	pthread_mutex_t lock; /* over all below */
	pthread_cond_t changed;
	vrms_behind_call call; /* NULL: idle */
	void *context;
	int rc; /* first failure */
	struct vrms_error error;
};

struct vrms_behind *vrms_behind_new(void)
{
	struct vrms_behind *behind = calloc(1, sizeof(*behind));

	if (behind != NULL) {
		pthread_mutex_init(&behind->lock, NULL);
		pthread_cond_init(&behind->changed, NULL);
	}
	return behind;
}

static void *work(void *argument)
{
	struct vrms_behind *behind = argument;

	pthread_mutex_lock(&behind->lock);
	while (true) {
		struct vrms_error error = {0};
		int rc;

		while (behind->call == NULL && !behind->is_ending) {
			pthread_cond_wait(&behind->changed, &behind->lock);
		}
		if (behind->call == NULL) {
			break;
		}
		pthread_mutex_unlock(&behind->lock);
		rc = behind->call(behind->context, &error);
		pthread_mutex_lock(&behind->lock);
		if (rc < 0) {
			behind->rc = rc;
			behind->error = error;
		}
		behind->call = NULL;
		pthread_cond_broadcast(&behind->changed);
	}
	pthread_mutex_unlock(&behind->lock);
	return NULL;
}

void vrms_behind_free(struct vrms_behind *behind)
{
	if (behind == NULL) {
		return;
	}
	pthread_mutex_lock(&behind->lock);
	behind->is_ending = true;
	pthread_cond_broadcast(&behind->changed);
	pthread_mutex_unlock(&behind->lock);
	if (behind->has_thread) {
		pthread_join(behind->thread, NULL);
	}
	pthread_cond_destroy(&behind->changed);
	pthread_mutex_destroy(&behind->lock);
	free(behind);
}

int vrms_behind_start(struct vrms_behind *behind, vrms_behind_call call, void *context,
		      struct vrms_error *error)
{
	int rc = vrms_behind_wait(behind, error);

	if (rc < 0) {
		return rc;
	}
	if (!behind->has_thread) {
		behind->has_thread = pthread_create(&behind->thread, NULL, work, behind) == 0;
	}
	if (!behind->has_thread) {
		behind->rc = call(context, &behind->error);
		return 0;
	}
	pthread_mutex_lock(&behind->lock);
	behind->call = call;
	behind->context = context;
	pthread_cond_broadcast(&behind->changed);
	pthread_mutex_unlock(&behind->lock);
	return 0;
}

int vrms_behind_wait(struct vrms_behind *behind, struct vrms_error *error)
{
	int rc;

	pthread_mutex_lock(&behind->lock);
	while (behind->call != NULL) {
		pthread_cond_wait(&behind->changed, &behind->lock);
	}
	rc = behind->rc;
	pthread_mutex_unlock(&behind->lock);
	return rc < 0 ? vrms_error_set(error, rc, "%s", behind->error.text) : 0;
}

void vrms_behind_reset(struct vrms_behind *behind)
{
	behind->rc = 0;
}
