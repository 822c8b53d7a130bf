/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/ringwatch.h"

#include <corosync/cmap.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/thread.h"
#include "quorum/latency.h"

enum {
	LINKS_EVERY = 20, /* periods */
	LINKS_MAX = 8,
	STACK_BYTES = 256 * 1024,
	JOIN_MS = 1000,
};

struct peer {
	uint32_t node; /* 0: free */
	struct vrms_latency links[LINKS_MAX];
};

struct vrms_ringwatch {
	pthread_t thread;
	int fds[2];
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t wake;
	bool is_ending;
	uint32_t nodes[VRMS_RINGWATCH_NODES_MAX];
	unsigned node_count;

	/* The thread's own. */
	cmap_handle_t config, stats;
	bool is_connected;
	unsigned round;
	struct peer peers[VRMS_RINGWATCH_NODES_MAX];
};

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void disconnect(struct vrms_ringwatch *watch)
{
	if (watch->is_connected) {
		cmap_finalize(watch->config);
		cmap_finalize(watch->stats);
		watch->is_connected = false;
	}
}

static bool connect_cmap(struct vrms_ringwatch *watch)
{
	if (watch->is_connected) {
		return true;
	}
	if (cmap_initialize(&watch->config) != CS_OK) {
		return false;
	}
	if (cmap_initialize_map(&watch->stats, CMAP_MAP_STATS) != CS_OK) {
		cmap_finalize(watch->config);
		return false;
	}
	watch->is_connected = true;
	return true;
}

static uint32_t in_us(uint64_t ms)
{
	return ms < UINT32_MAX / 1000 ? (uint32_t)ms * 1000 : UINT32_MAX;
}

static struct peer *find_peer(struct vrms_ringwatch *watch, uint32_t node)
{
	for (unsigned i = 0; i < VRMS_RINGWATCH_NODES_MAX; i++) {
		struct peer *peer = &watch->peers[i];

		if (peer->node == node || peer->node == 0) {
			peer->node = node;
			return peer;
		}
	}
	return NULL;
}

static bool read_link(const struct vrms_ringwatch *watch, uint32_t node, unsigned link,
		      const char *what, uint32_t *ret_value)
{
	char key[CMAP_KEYNAME_MAXLEN + 1];

	snprintf(key, sizeof(key), "stats.knet.node%" PRIu32 ".link%u.latency_%s", node, link,
		 what);
	return cmap_get_uint32(watch->stats, key, ret_value) == CS_OK;
}

/* The slower of the links to a node counts; the node's own, never measured, is 0. */
static uint32_t read_peer(struct vrms_ringwatch *watch, uint32_t node)
{
	struct peer *peer = find_peer(watch, node);
	uint32_t slowest_us = 0;

	for (unsigned link = 0; peer != NULL && link < LINKS_MAX; link++) {
		uint32_t count, mean_us;

		if (!read_link(watch, node, link, "samples", &count) ||
		    !read_link(watch, node, link, "ave", &mean_us)) {
			break;
		}
		vrms_latency_take(&peer->links[link], count, mean_us);
		uint32_t least_us = vrms_latency_least_us(&peer->links[link]);

		slowest_us = least_us > slowest_us ? least_us : slowest_us;
	}
	return slowest_us;
}

static uint32_t read_rotation(struct vrms_ringwatch *watch)
{
	uint32_t nodes[VRMS_RINGWATCH_NODES_MAX];
	uint32_t sum_us = 0;

	pthread_mutex_lock(&watch->mutex);
	unsigned count = watch->node_count;

	memcpy(nodes, watch->nodes, count * sizeof(nodes[0]));
	pthread_mutex_unlock(&watch->mutex);
	for (unsigned i = 0; i < count; i++) {
		sum_us += read_peer(watch, nodes[i]);
	}
	return sum_us;
}

static int64_t read_tokens_lost(const struct vrms_ringwatch *watch)
{
	uint64_t count;

	return cmap_get_uint64(watch->stats, "stats.srp.operational_token_lost", &count) == CS_OK
		   ? (int64_t)count
		   : -1;
}

static bool measure(struct vrms_ringwatch *watch, struct vrms_ringwatch_sample *sample)
{
	uint64_t age_ms;
	uint32_t hold_ms;
	int64_t began_us = now_us();

	memset(sample, 0, sizeof(*sample));
	cs_error_t code =
	    cmap_get_uint64(watch->stats, "stats.srp.time_since_token_last_received", &age_ms);
	int64_t took_us = now_us() - began_us;

	if (code != CS_OK ||
	    cmap_get_uint32(watch->config, "runtime.config.totem.hold", &hold_ms) != CS_OK) {
		return false;
	}
	sample->began_ms = began_us / 1000;
	sample->took_us = took_us < UINT32_MAX ? (uint32_t)took_us : UINT32_MAX;
	sample->age_us = in_us(age_ms);
	sample->hold_us = in_us(hold_ms);
	sample->tokens_lost = read_tokens_lost(watch);
	if (watch->round++ % LINKS_EVERY == 0) {
		sample->rotation_us = read_rotation(watch);
	}
	return true;
}

/* True until the end has come. */
static bool wait_for_next(struct vrms_ringwatch *watch)
{
	struct timespec at = vrms_thread_in_ms(VRMS_RINGWATCH_PERIOD_MS);
	int rc = 0;

	pthread_mutex_lock(&watch->mutex);
	while (!watch->is_ending && rc != ETIMEDOUT) {
		rc = pthread_cond_timedwait(&watch->wake, &watch->mutex, &at);
	}
	bool goes_on = !watch->is_ending;

	pthread_mutex_unlock(&watch->mutex);
	return goes_on;
}

static void *run(void *context)
{
	struct vrms_ringwatch *watch = context;

	while (wait_for_next(watch)) {
		struct vrms_ringwatch_sample sample;

		if (!connect_cmap(watch)) {
			continue;
		}
		if (!measure(watch, &sample)) {
			disconnect(watch);
			continue;
		}
		/* A full pipe: nobody reads, for minutes; the sample is not missed then. */
		(void)!write(watch->fds[1], &sample, sizeof(sample));
	}
	disconnect(watch);
	return NULL;
}

int vrms_ringwatch_start(struct vrms_ringwatch **ret_watch, bool is_realtime,
			 struct vrms_error *error)
{
	struct vrms_ringwatch *watch = calloc(1, sizeof(*watch));
	const struct vrms_thread_job job = {.run = run,
					    .context = watch,
					    .stack_bytes = STACK_BYTES};

	if (watch == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	if (pipe2(watch->fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		int rc = vrms_error_errno(error, -errno, "pipe");

		free(watch);
		return rc;
	}
	pthread_mutex_init(&watch->mutex, NULL);
	vrms_thread_condition_init(&watch->wake);
	int rc = vrms_thread_start(&job, &is_realtime, &watch->thread, error);

	if (rc < 0) {
		close(watch->fds[0]);
		close(watch->fds[1]);
		free(watch);
		return rc;
	}
	*ret_watch = watch;
	return 0;
}

void vrms_ringwatch_free(struct vrms_ringwatch *watch)
{
	if (watch == NULL) {
		return;
	}
	pthread_mutex_lock(&watch->mutex);
	watch->is_ending = true;
	pthread_cond_broadcast(&watch->wake);
	pthread_mutex_unlock(&watch->mutex);
	if (vrms_thread_join_within(watch->thread, JOIN_MS) < 0) {
		return; /* it hangs in a question to corosync */
	}
	close(watch->fds[0]);
	close(watch->fds[1]);
	pthread_cond_destroy(&watch->wake);
	pthread_mutex_destroy(&watch->mutex);
	free(watch);
}

int vrms_ringwatch_fd(const struct vrms_ringwatch *watch)
{
	return watch->fds[0];
}

bool vrms_ringwatch_take(struct vrms_ringwatch *watch, struct vrms_ringwatch_sample *ret_sample)
{
	return read(watch->fds[0], ret_sample, sizeof(*ret_sample)) == (ssize_t)sizeof(*ret_sample);
}

void vrms_ringwatch_set_nodes(struct vrms_ringwatch *watch, const uint32_t *nodes, unsigned count)
{
	count = count < VRMS_RINGWATCH_NODES_MAX ? count : VRMS_RINGWATCH_NODES_MAX;
	pthread_mutex_lock(&watch->mutex);
	memcpy(watch->nodes, nodes, count * sizeof(nodes[0]));
	watch->node_count = count;
	pthread_mutex_unlock(&watch->mutex);
}

uint32_t vrms_ringwatch_overdue_us(const struct vrms_ringwatch_sample *sample)
{
	return sample->age_us > sample->hold_us ? sample->age_us - sample->hold_us : 0;
}
