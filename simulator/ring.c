/* ring.c - where the token is: worked out when somebody asks, or hop by hop with --exact.
 *
 * An idle ring: the representative (lowest member) holds the token for `hold`,
 * then it goes once around.  Source: totemsrp.c of corosync 3.1, token_hold_timeout.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/world.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static struct vrms_sim_ring *free_ring(struct vrms_sim_world *world)
{
	for (int i = 0; i < world->ring_count; i++) {
		if (!world->ring[i].used) {
			return &world->ring[i];
		}
	}
	if (world->ring_count == world->ring_capacity) {
		int capacity = world->ring_capacity == 0 ? 16 : world->ring_capacity * 2;
		struct vrms_sim_ring *grown =
		    reallocarray(world->ring, (size_t)capacity, sizeof(*grown));

		if (grown == NULL) {
			return NULL;
		}
		memset(&grown[world->ring_capacity], 0,
		       (size_t)(capacity - world->ring_capacity) * sizeof(*grown));
		world->ring = grown;
		world->ring_capacity = capacity;
	}
	return &world->ring[world->ring_count++];
}

/* The representative's hold: 0.8 of the time between retransmissions, less 10 ms, unless messages
 * keep the token moving.  Source: totemconfig.c of corosync 3.1.
 */
static void set_pace(struct vrms_sim_world *world, struct vrms_sim_ring *ring)
{
	const struct vrms_sim_settings *settings = world->settings;
	double token_us = (double)world->node[ring->member[0]].token_us;
	int64_t retransmit_ms = (int64_t)(token_us / 1000 / ((double)settings->retransmits + 0.2));
	int64_t hold_us = (int64_t)((double)retransmit_ms * 0.8 - 10) * 1000;

	if (settings->message_interval_us > 0 && settings->message_interval_us < hold_us) {
		hold_us = settings->message_interval_us;
	}
	ring->hold_us = hold_us > 0 ? hold_us : 0;
	ring->hop_us = settings->latency_us + settings->jitter_us;
	ring->period_us = ring->hold_us + ring->count * ring->hop_us;
}

int vrms_sim_ring_new(struct vrms_sim_world *world, const int32_t *member, int count)
{
	struct vrms_sim_ring *ring = free_ring(world);

	if (ring == NULL) {
		world->rc = -ENOMEM;
		return -1;
	}
	struct vrms_sim_ring fresh = {
	    .used = true,
	    .stamp = ring->stamp + 1,
	    .turn = ring->turn + 1,
	    .dc_stamp = ring->dc_stamp + 1,
	    .round_stamp = ring->round_stamp + 1,
	    .member = reallocarray(NULL, (size_t)count, sizeof(int32_t)),
	    .last_us = reallocarray(NULL, (size_t)count, sizeof(int64_t)),
	    .count = count,
	    .believers = count,
	    .stuck_us = VRMS_SIM_NEVER,
	    .dc = -1,
	};

	*ring = fresh;
	if (ring->member == NULL || ring->last_us == NULL) {
		world->rc = -ENOMEM;
		ring->count = 0;
		return -1;
	}
	for (int i = 0; i < count; i++) {
		ring->member[i] = member[i];
		ring->last_us[i] = world->now_us;
		world->node[member[i]].ring = (int32_t)(ring - world->ring);
		world->node[member[i]].place = i;
		world->node[member[i]].gathering = false;
	}
	set_pace(world, ring);
	return (int)(ring - world->ring);
}

void vrms_sim_ring_forget(struct vrms_sim_world *world, int node)
{
	int index = world->node[node].ring;

	if (index < 0) {
		return;
	}
	struct vrms_sim_ring *ring = &world->ring[index];

	world->node[node].ring = -1;
	ring->believers--;
	if (ring->believers == 0) {
		free(ring->member);
		free(ring->last_us);
		ring->member = NULL;
		ring->last_us = NULL;
		ring->used = false;
		ring->stamp++;
		ring->turn++;
	}
}

/* A number in 0..jitter that belongs to this hop of this rotation. */
static int64_t jitter_of(const struct vrms_sim_ring *ring, int64_t rotation, int place)
{
	uint64_t mixed = (uint64_t)rotation * UINT64_C(0x9e3779b97f4a7c15) +
			 (uint64_t)place * UINT64_C(0xbf58476d1ce4e5b9) + (uint64_t)ring->base_us;

	mixed = (mixed ^ (mixed >> 31)) * UINT64_C(0x94d049bb133111eb);
	return (int64_t)((mixed >> 40) & 0xffff);
}

/* When the token of a rotation reaches a place. */
static int64_t arrival_us(const struct vrms_sim_world *world, const struct vrms_sim_ring *ring,
			  int64_t rotation, int place)
{
	int64_t at_us = ring->base_us + rotation * ring->period_us;

	if (place > 0) {
		int64_t jitter_us = world->settings->jitter_us;

		/* The slot is wide enough for the longest latency; the representative's hold takes
		 * up what is left of it. */
		at_us += ring->hold_us + (int64_t)(place - 1) * ring->hop_us +
			 world->settings->latency_us;
		at_us +=
		    jitter_us == 0 ? 0 : jitter_of(ring, rotation, place) * jitter_us / 0x10000;
	}
	return at_us;
}

static int64_t departure_us(const struct vrms_sim_world *world, const struct vrms_sim_ring *ring,
			    int64_t rotation, int place)
{
	return arrival_us(world, ring, rotation, place) + (place == 0 ? ring->hold_us : 0);
}

/* The first rotation in which the token leaves the place at or after a moment. */
static int64_t rotation_from(const struct vrms_sim_world *world, const struct vrms_sim_ring *ring,
			     int place, int64_t from_us)
{
	int64_t floor_us = from_us > ring->rebased_us ? from_us : ring->rebased_us;
	int64_t rotation = (floor_us - ring->base_us) / ring->period_us - 1;

	rotation = rotation > 0 ? rotation : 0;
	while (departure_us(world, ring, rotation, place) < floor_us) {
		rotation++;
	}
	return rotation;
}

int64_t vrms_sim_ring_seen_us(const struct vrms_sim_world *world, const struct vrms_sim_ring *ring,
			      int place, int64_t until_us)
{
	if (world->exact || until_us < ring->base_us) {
		return ring->last_us[place];
	}
	if (place == ring->stuck_at && ring->stuck_received && until_us >= ring->stuck_us) {
		until_us = ring->stuck_us - 1; /* it lies there unread */
	}
	for (int64_t rotation = (until_us - ring->base_us) / ring->period_us; rotation >= 0;
	     rotation--) {
		int64_t at_us = arrival_us(world, ring, rotation, place);

		if (at_us <= until_us) {
			return at_us >= ring->rebased_us ? at_us : ring->last_us[place];
		}
	}
	return ring->last_us[place];
}

static bool is_silent(const struct vrms_sim_world *world, int node)
{
	return !vrms_sim_is_live(&world->node[node]) || !world->node[node].corosync;
}

/* Does what this place sends reach the next one, which still believes in this ring? */
static bool hands_on(const struct vrms_sim_world *world, const struct vrms_sim_ring *ring,
		     int place)
{
	int next = ring->member[(place + 1) % ring->count];
	const struct vrms_sim_node *node = &world->node[next];

	return node->ring == (int32_t)(ring - world->ring) && !node->gathering &&
	       vrms_sim_passes(world, ring->member[place], next);
}

/* When and where the token will get stuck, as things stand. */
static void foresee(const struct vrms_sim_world *world, struct vrms_sim_ring *ring)
{
	int64_t now_us = world->now_us;

	ring->stuck_us = VRMS_SIM_NEVER;
	for (int place = 0; place < ring->count; place++) {
		bool silent = is_silent(world, ring->member[place]);

		if (!silent && hands_on(world, ring, place)) {
			continue;
		}
		int64_t rotation = rotation_from(world, ring, place, now_us);
		int64_t at_us = departure_us(world, ring, rotation, place);
		int64_t came_us = arrival_us(world, ring, rotation, place);
		bool receives = silent && came_us >= now_us;

		at_us = receives ? came_us : at_us;
		if (at_us < ring->stuck_us) {
			ring->stuck_us = at_us;
			ring->stuck_at = place;
			ring->stuck_received = receives;
		}
	}
}

/* Sets the timers that nobody will reset: each live member's token timeout. */
static void set_timers(struct vrms_sim_world *world, struct vrms_sim_ring *ring)
{
	int index = (int)(ring - world->ring);

	ring->stamp++;
	if (ring->stuck_us == VRMS_SIM_NEVER) {
		return;
	}
	for (int place = 0; place < ring->count; place++) {
		int node = ring->member[place];

		if (world->node[node].ring != index || is_silent(world, node) ||
		    world->node[node].gathering) {
			continue;
		}
		int64_t at_us = vrms_sim_ring_seen_us(world, ring, place, ring->stuck_us) +
				world->node[node].token_us;

		vrms_sim_schedule(world, at_us > world->now_us ? at_us : world->now_us,
				  VRMS_SIM_EVENT_TOKEN_LOST, node, ring->stamp);
	}
}

/* The token goes on: place `place` has it (or gets it) at at_us. */
static void go_on(struct vrms_sim_world *world, struct vrms_sim_ring *ring, int place,
		  int64_t at_us)
{
	for (int i = 0; i < ring->count; i++) {
		int64_t until_us = ring->stuck_us < world->now_us ? ring->stuck_us : world->now_us;

		ring->last_us[i] = vrms_sim_ring_seen_us(world, ring, i, until_us);
	}
	set_pace(world, ring); /* the token in force may have changed */
	ring->base_us = at_us;
	if (place > 0) {
		ring->base_us -= ring->hold_us + (int64_t)(place - 1) * ring->hop_us +
				 world->settings->latency_us;
	}
	ring->rebased_us = at_us;
	ring->stuck_us = VRMS_SIM_NEVER;
	ring->hop_place = place;
	ring->hop_rotation = 0;
	vrms_sim_ring_run(world, (int)(ring - world->ring));
}

static int64_t retransmit_us(const struct vrms_sim_world *world, int node)
{
	return (int64_t)((double)world->node[node].token_us /
			 ((double)world->settings->retransmits + 0.2));
}

/* The token is stuck: has what stopped it gone? */
static bool resumes(struct vrms_sim_world *world, struct vrms_sim_ring *ring)
{
	int place = ring->stuck_at;

	if (ring->stuck_lost || is_silent(world, ring->member[place]) ||
	    !hands_on(world, ring, place)) {
		return false;
	}
	if (ring->stuck_received) {
		go_on(world, ring, place, world->now_us);
		return true;
	}
	int64_t every_us = retransmit_us(world, ring->member[place]);
	int64_t tries = (world->now_us - ring->stuck_us) / every_us + 1;
	int64_t at_us = ring->stuck_us + tries * every_us + world->settings->latency_us;

	/* A member that was frozen while it held the token sends it at once. */
	if (world->node[ring->member[place]].thaw_us == world->now_us) {
		at_us = world->now_us + world->settings->latency_us;
	}
	go_on(world, ring, (place + 1) % ring->count, at_us);
	return true;
}

void vrms_sim_ring_review(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_ring *ring = &world->ring[index];

	if (!ring->used || ring->count == 1) {
		return;
	}
	if (ring->stuck_us <= world->now_us) {
		if (!resumes(world, ring)) {
			set_timers(world, ring);
		}
		return;
	}
	if (!world->exact) {
		foresee(world, ring);
		set_timers(world, ring);
	}
}

/* The first arrival of the token anywhere after this moment. */
static int64_t next_arrival_us(const struct vrms_sim_world *world, const struct vrms_sim_ring *ring,
			       int *ret_place)
{
	int64_t rotation = (world->now_us - ring->base_us) / ring->period_us - 1;

	for (rotation = rotation > 0 ? rotation : 0;; rotation++) {
		for (int place = 0; place < ring->count; place++) {
			int64_t at_us = arrival_us(world, ring, rotation, place);

			if (at_us > world->now_us && at_us >= ring->rebased_us) {
				*ret_place = place;
				return at_us;
			}
		}
	}
}

void vrms_sim_ring_retoken(struct vrms_sim_world *world, int node)
{
	int place, index = world->node[node].ring;
	struct vrms_sim_ring *ring = index >= 0 ? &world->ring[index] : NULL;

	if (ring == NULL || ring->count == 1 || ring->stuck_us <= world->now_us) {
		return; /* timers that run keep their time */
	}
	if (ring->member[0] != node) {
		vrms_sim_ring_review(world, index);
		return;
	}
	/* The representative holds the token for another time. */
	int64_t at_us = next_arrival_us(world, ring, &place);

	go_on(world, ring, place, at_us);
}

/* When the next packet is lost: as many good hops as chance gives, counted from the base. */
static void draw_loss(struct vrms_sim_world *world, struct vrms_sim_ring *ring)
{
	double loss = world->settings->loss_pct / 100;

	if (loss <= 0) {
		return;
	}
	double hops = floor(log1p(-vrms_random_unit(&world->random)) / log1p(-loss));
	int64_t hop = ring->hop_place + (int64_t)fmin(hops, 1e15);
	int place = (int)(hop % ring->count);
	int64_t rotation = hop / ring->count;

	if (rotation < (int64_t)1e15 / ring->period_us) {
		struct vrms_sim_event event = {
		    .at_us = departure_us(world, ring, rotation, place),
		    .kind = VRMS_SIM_EVENT_PACKET_LOST,
		    .extra = (uint16_t)place,
		    .subject = (int32_t)(ring - world->ring),
		    .stamp = ring->turn,
		};

		vrms_sim_schedule_extra(world, &event);
	}
}

void vrms_sim_ring_run(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_ring *ring = &world->ring[index];

	ring->turn++;
	if (ring->count == 1) {
		return;
	}
	draw_loss(world, ring);
	if (world->exact) {
		struct vrms_sim_event event = {
		    .at_us = arrival_us(world, ring, ring->hop_rotation, ring->hop_place),
		    .kind = VRMS_SIM_EVENT_HOP,
		    .subject = index,
		    .stamp = ring->turn,
		};

		vrms_sim_schedule_extra(world, &event);
		ring->stamp++;
	} else {
		foresee(world, ring);
		set_timers(world, ring);
	}
}

void vrms_sim_ring_packet_lost(struct vrms_sim_world *world, const struct vrms_sim_event *event)
{
	struct vrms_sim_ring *ring = &world->ring[event->subject];

	if (!ring->used || ring->turn != event->stamp || ring->stuck_us <= world->now_us ||
	    is_silent(world, ring->member[event->extra]) || !hands_on(world, ring, event->extra)) {
		return; /* there is nothing to lose */
	}
	double loss = world->settings->loss_pct / 100;
	int sender = ring->member[event->extra];
	int64_t every_us = retransmit_us(world, sender);

	if (event->extra > 0) {
		ring->last_us[event->extra] = world->now_us; /* it has come and goes at once */
	}
	/* The retransmissions may be lost as well. */
	int64_t tries = 1 + (int64_t)floor(log1p(-vrms_random_unit(&world->random)) / log(loss));

	ring->stuck_us = world->now_us;
	ring->stuck_at = event->extra;
	ring->stuck_received = false;
	if (tries * every_us < world->node[sender].token_us) {
		go_on(world, ring, (event->extra + 1) % ring->count,
		      world->now_us + tries * every_us + world->settings->latency_us);
		return;
	}
	ring->stuck_lost = true;
	ring->turn++;
	set_timers(world, ring);
}

static void stop_here(struct vrms_sim_world *world, struct vrms_sim_ring *ring, bool received)
{
	ring->stuck_us = world->now_us;
	ring->stuck_at = ring->hop_place;
	ring->stuck_received = received;
	set_timers(world, ring);
}

void vrms_sim_ring_hop(struct vrms_sim_world *world, const struct vrms_sim_event *event)
{
	struct vrms_sim_ring *ring = &world->ring[event->subject];
	struct vrms_sim_event next = *event;

	if (!ring->used || ring->turn != event->stamp) {
		return;
	}
	bool silent = is_silent(world, ring->member[ring->hop_place]);

	if (event->extra == 0) { /* received */
		if (silent) {
			stop_here(world, ring, true);
			return;
		}
		ring->last_us[ring->hop_place] = world->now_us;
		next.extra = 1;
		next.at_us = departure_us(world, ring, ring->hop_rotation, ring->hop_place);
	} else {
		if (silent || !hands_on(world, ring, ring->hop_place)) {
			stop_here(world, ring, false);
			return;
		}
		ring->hop_place = (ring->hop_place + 1) % ring->count;
		ring->hop_rotation += ring->hop_place == 0 ? 1 : 0;
		next.extra = 0;
		next.at_us = arrival_us(world, ring, ring->hop_rotation, ring->hop_place);
	}
	vrms_sim_schedule_extra(world, &next);
}
