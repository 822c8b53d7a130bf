/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/beater.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/thread.h"
#include "quorum/san.h"
#include "quorum/seen.h"

enum { REOPEN_MS = 2000, SLOW_WINDOW_MS = 60000, STACK_BYTES = 256 * 1024 };

struct vrms_beater {
	struct vrms_beater_config config;
	char *strings[4]; /* what config points to */
	pthread_t thread;
	pthread_mutex_t mutex; /* guards state and is_ending */
	pthread_cond_t wake;
	bool is_ending, has_ended;
	struct vrms_beater_state state;

	/* The thread's own. */
	struct vrms_san *san;
	struct vrms_san_view view;
	struct vrms_beater_row rows[VRMS_BEAT_SLOTS];
	struct vrms_beat beat;
	unsigned slot;
	bool has_slot, is_confirmed, is_contested;
	uint32_t slowest_us;
	int64_t slowest_ms, read_ms;
	int seen_fd;
};

static int64_t now_ms(void)
{
	return vrms_clock_now_ms(vrms_clock_system());
}

static int read_boot_id(uint8_t boot_id[VRMS_BEAT_ID_BYTES], struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_file_read("/proc/sys/kernel/random/boot_id", 64, &text, NULL, error);
	unsigned nibbles = 0;

	if (rc < 0) {
		return rc;
	}
	memset(boot_id, 0, VRMS_BEAT_ID_BYTES);
	for (const char *at = text; *at != '\0' && nibbles < 2 * VRMS_BEAT_ID_BYTES; at++) {
		const char *digits = "0123456789abcdef";
		const char *digit = strchr(digits, *at);

		if (digit != NULL) {
			boot_id[nibbles / 2] |=
			    (uint8_t)((digit - digits) << (nibbles % 2 == 0 ? 4 : 0));
			nibbles++;
		}
	}
	return 0;
}

/* Takes the new view in: what has changed since the last look? */
static void compare(struct vrms_beater *beater)
{
	int64_t at_ms = now_ms();

	beater->read_ms = at_ms;
	for (unsigned slot = 0; slot < VRMS_BEAT_SLOTS; slot++) {
		const struct vrms_beat *beat = &beater->view.beats[slot];
		struct vrms_beater_row *row = &beater->rows[slot];
		bool is_valid = beater->view.states[slot] == VRMS_SLOT_VALID;

		if (!is_valid) {
			*row = (struct vrms_beater_row){0};
			continue;
		}
		if (row->node_id != beat->node_id || row->sequence != beat->sequence) {
			row->changed_ms = at_ms;
		}
		row->node_id = beat->node_id;
		row->sequence = beat->sequence;
		row->interval_ms = beat->interval_ms;
		row->is_stopped = beat->state == VRMS_BEAT_STOPPED;
		row->last_us = beat->last_us;
		row->slowest_us = beat->slowest_us;
		row->fresh_bits = beat->fresh_bits;
		memcpy(row->name, beat->name, sizeof(row->name));
	}
}

static uint64_t fresh_bits(const struct vrms_beater *beater)
{
	int64_t at_ms = now_ms();
	uint64_t bits = 0;

	for (unsigned slot = 0; slot < VRMS_BEAT_SLOTS; slot++) {
		const struct vrms_beater_row *row = &beater->rows[slot];

		if (row->node_id != 0 && !row->is_stopped &&
		    at_ms - row->changed_ms < row->interval_ms * beater->config.silent_count) {
			bits |= 1ULL << slot;
		}
	}
	return bits;
}

static void publish_seen(struct vrms_beater *beater)
{
	struct vrms_seen seen = {.read_ms = now_ms()};
	uint8_t bytes[VRMS_SEEN_BYTES];

	for (unsigned slot = 0; slot < VRMS_BEAT_SLOTS; slot++) {
		const struct vrms_beater_row *row = &beater->rows[slot];

		seen.rows[slot] =
		    (struct vrms_seen_row){row->node_id, row->sequence, row->changed_ms};
	}
	vrms_seen_encode(&seen, bytes);
	if (beater->seen_fd < 0) {
		beater->seen_fd =
		    open(beater->config.seen_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	}
	/* A lost write makes the file old, and old knowledge is not used. */
	if (beater->seen_fd >= 0 && pwrite(beater->seen_fd, bytes, sizeof(bytes), 0) < 0) {
		vrms_closep(&beater->seen_fd);
		beater->seen_fd = -1;
	}
}

/* Is the slot still ours?  A slot that somebody else took is given up; a daemon with
 * the same node id is a fault of the configuration, and both go on saying so. */
static void check_slot(struct vrms_beater *beater)
{
	const struct vrms_beat *there = &beater->view.beats[beater->slot];
	bool is_valid = beater->view.states[beater->slot] == VRMS_SLOT_VALID;

	beater->is_contested = false;
	if (!beater->has_slot || (is_valid && there->claim == beater->beat.claim)) {
		beater->is_confirmed = beater->has_slot;
		return;
	}
	if (is_valid && there->node_id == beater->config.node_id && beater->is_confirmed) {
		beater->is_contested = true;
		return;
	}
	beater->has_slot = false;
	beater->is_confirmed = false;
}

static int take_slot(struct vrms_beater *beater, struct vrms_error *error)
{
	if (beater->has_slot) {
		return 0;
	}
	int rc = vrms_san_find_slot(&beater->view, beater->config.node_id, &beater->slot, error);

	if (rc == 0) {
		beater->has_slot = true;
		/* A predecessor's sequence goes on, so that a restart is no silence and no jump. */
		if (beater->view.states[beater->slot] == VRMS_SLOT_VALID) {
			beater->beat.sequence = beater->view.beats[beater->slot].sequence;
		}
	}
	return rc;
}

static int write_beat(struct vrms_beater *beater, enum vrms_beat_state state,
		      struct vrms_error *error)
{
	int64_t at_ms = now_ms();
	int64_t latency_us;

	beater->beat.state = state;
	beater->beat.sequence++;
	beater->beat.age_ms = at_ms;
	beater->beat.fresh_bits = fresh_bits(beater);
	beater->beat.slowest_us = beater->slowest_us;
	int rc = vrms_san_write(beater->san, beater->slot, &beater->beat, &latency_us, error);

	if (rc < 0) {
		return rc;
	}
	beater->beat.last_us = latency_us < UINT32_MAX ? (uint32_t)latency_us : UINT32_MAX;
	if (beater->beat.last_us >= beater->slowest_us ||
	    at_ms - beater->slowest_ms > SLOW_WINDOW_MS) {
		beater->slowest_us = beater->beat.last_us;
		beater->slowest_ms = at_ms;
	}
	return 0;
}

static int do_round(struct vrms_beater *beater, struct vrms_error *error)
{
	int rc = 0;

	if (beater->san == NULL) {
		rc = vrms_san_open(beater->config.device, beater->config.cluster, true,
				   &beater->san, error);
	}
	rc = rc < 0 ? rc : vrms_san_read(beater->san, &beater->view, error);
	if (rc < 0) {
		return rc;
	}
	compare(beater);
	publish_seen(beater);
	check_slot(beater);
	rc = take_slot(beater, error);
	return rc < 0 ? rc : write_beat(beater, VRMS_BEAT_BEATING, error);
}

static void publish_state(struct vrms_beater *beater, int rc, const struct vrms_error *error)
{
	struct vrms_beater_state *state = &beater->state;

	state->is_open = rc == 0;
	state->round_ms = now_ms();
	state->read_ms = beater->read_ms;
	state->began_ms = 0;
	state->write_us = beater->beat.last_us;
	state->read_us = (uint32_t)beater->view.latency_us;
	state->slowest_us = beater->slowest_us;
	state->slot = beater->slot;
	state->has_slot = beater->has_slot;
	state->is_contested = beater->is_contested;
	state->error = *error;
	memcpy(state->rows, beater->rows, sizeof(state->rows));
}

/* Waits with the mutex held until the time has come, or the end. */
static void wait_until(struct vrms_beater *beater, int64_t at_ms)
{
	struct timespec at = {.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};

	while (!beater->is_ending && now_ms() < at_ms) {
		pthread_cond_timedwait(&beater->wake, &beater->mutex, &at);
	}
}

static void say_goodbye(struct vrms_beater *beater)
{
	struct vrms_error error;

	if (beater->san != NULL && beater->has_slot && !beater->is_contested) {
		(void)write_beat(beater, VRMS_BEAT_STOPPED, &error);
	}
	vrms_san_free(beater->san);
	beater->san = NULL;
	vrms_closep(&beater->seen_fd);
}

static void *run(void *context)
{
	struct vrms_beater *beater = context;

	pthread_mutex_lock(&beater->mutex);
	while (!beater->is_ending) {
		int64_t begin_ms = now_ms();
		struct vrms_error error = {""};

		beater->state.began_ms = begin_ms;
		pthread_mutex_unlock(&beater->mutex);
		int rc = do_round(beater, &error);

		if (rc < 0) {
			vrms_san_free(beater->san);
			beater->san = NULL;
			beater->has_slot = false;
		}
		pthread_mutex_lock(&beater->mutex);
		publish_state(beater, rc, &error);
		wait_until(beater, begin_ms + (rc < 0 ? REOPEN_MS : beater->config.interval_ms));
	}
	pthread_mutex_unlock(&beater->mutex);
	say_goodbye(beater);
	pthread_mutex_lock(&beater->mutex);
	beater->has_ended = true;
	pthread_cond_broadcast(&beater->wake);
	pthread_mutex_unlock(&beater->mutex);
	return NULL;
}

static void free_beater(struct vrms_beater *beater)
{
	for (unsigned i = 0; i < VRMS_COUNT_OF(beater->strings); i++) {
		free(beater->strings[i]);
	}
	pthread_cond_destroy(&beater->wake);
	pthread_mutex_destroy(&beater->mutex);
	free(beater);
}

static int copy_config(struct vrms_beater *beater, const struct vrms_beater_config *config)
{
	const char **texts[] = {&beater->config.device, &beater->config.cluster,
				&beater->config.seen_path, &beater->config.node_name};

	beater->config = *config;
	for (unsigned i = 0; i < VRMS_COUNT_OF(texts); i++) {
		beater->strings[i] = strdup(*texts[i]);
		if (beater->strings[i] == NULL) {
			return -ENOMEM;
		}
		*texts[i] = beater->strings[i];
	}
	return 0;
}

static int fill_beat(struct vrms_beater *beater, struct vrms_error *error)
{
	struct vrms_beat *beat = &beater->beat;

	beat->node_id = beater->config.node_id;
	beat->interval_ms = beater->config.interval_ms;
	snprintf(beat->name, sizeof(beat->name), "%s", beater->config.node_name);
	if (getrandom(&beat->claim, sizeof(beat->claim), 0) != (ssize_t)sizeof(beat->claim)) {
		return vrms_error_errno(error, -errno, "random numbers");
	}
	return read_boot_id(beat->boot_id, error);
}

int vrms_beater_start(const struct vrms_beater_config *config, struct vrms_beater **ret_beater,
		      struct vrms_error *error)
{
	struct vrms_beater *beater = calloc(1, sizeof(*beater));
	const struct vrms_thread_job job = {.run = run,
					    .context = beater,
					    .stack_bytes = STACK_BYTES};

	if (beater == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	pthread_mutex_init(&beater->mutex, NULL);
	vrms_thread_condition_init(&beater->wake);
	beater->seen_fd = -1;
	int rc = copy_config(beater, config);

	rc = rc < 0 ? vrms_error_set(error, rc, "out of memory") : fill_beat(beater, error);
	rc = rc < 0 ? rc : vrms_thread_start(&job, NULL, &beater->thread, error);
	if (rc < 0) {
		free_beater(beater);
		return rc;
	}
	*ret_beater = beater;
	return 0;
}

void vrms_beater_stop(struct vrms_beater *beater, int64_t timeout_ms)
{
	if (beater == NULL) {
		return;
	}
	struct timespec end = vrms_thread_in_ms(timeout_ms);
	int rc = 0;

	pthread_mutex_lock(&beater->mutex);
	beater->is_ending = true;
	pthread_cond_broadcast(&beater->wake);
	while (!beater->has_ended && rc != ETIMEDOUT) {
		rc = pthread_cond_timedwait(&beater->wake, &beater->mutex, &end);
	}
	bool has_ended = beater->has_ended;

	pthread_mutex_unlock(&beater->mutex);
	if (!has_ended) {
		pthread_detach(beater->thread);
		return;
	}
	pthread_join(beater->thread, NULL);
	free_beater(beater);
}

void vrms_beater_state(struct vrms_beater *beater, struct vrms_beater_state *ret_state)
{
	pthread_mutex_lock(&beater->mutex);
	*ret_state = beater->state;
	pthread_mutex_unlock(&beater->mutex);
}
