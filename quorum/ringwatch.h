/* ringwatch.h - the thread that looks at corosync's token, without a message over the ring.
 *
 * Twice a second it reads from cmap how long ago the token was here
 * (stats.srp.time_since_token_last_received) and takes the time of the answer: both grow when
 * corosync or the ring is held up.  Every few seconds it reads the latency of the
 * knet links (stats.knet.*): the token goes round in no more than a round trip to each member,
 * which is the way round by this node's hub.  Reading costs corosync some 0.1 ms; a message over
 * CPG makes its token rotate thirty times.
 *
 * cmap may take its time while corosync forms a ring: therefore a thread of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_RINGWATCH_H
#define VRMS_QUORUM_RINGWATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"

enum {
	VRMS_RINGWATCH_NODES_MAX = 64,
	VRMS_RINGWATCH_PERIOD_MS = 500, /* between samples */
};

struct vrms_ringwatch_sample {
	int64_t began_ms;     /* monotonic */
	uint32_t took_us;     /* the answer's time: corosync's main loop */
	uint32_t age_us;      /* since the token was here */
	uint32_t hold_us;     /* how long an idle ring may hold it */
	uint32_t rotation_us; /* one rotation of the token at most; 0: not read now */
	int64_t tokens_lost;  /* in operation, since corosync's start; -1: it does not say */
};

struct vrms_ringwatch; /* opaque */

/* Starts the thread; it connects to corosync by itself, and again when it has to.
 * is_realtime: with SCHED_RR where the kernel lets it. */
VRMS_MUST_CHECK int vrms_ringwatch_start(struct vrms_ringwatch **ret_watch, bool is_realtime,
					 struct vrms_error *error);

/* Accepts NULL.  A thread that waits for corosync for longer than a second is left behind. */
void vrms_ringwatch_free(struct vrms_ringwatch *watch);
VRMS_DEFINE_CLEANUP(struct vrms_ringwatch *, vrms_ringwatch_free);

/* Readable when there is a sample. */
int vrms_ringwatch_fd(const struct vrms_ringwatch *watch);
bool vrms_ringwatch_take(struct vrms_ringwatch *watch, struct vrms_ringwatch_sample *ret_sample);

/* Which nodes' links to look at. */
void vrms_ringwatch_set_nodes(struct vrms_ringwatch *watch, const uint32_t *nodes, unsigned count);

/* How long the token was overdue, in us. */
uint32_t vrms_ringwatch_overdue_us(const struct vrms_ringwatch_sample *sample);

#endif
