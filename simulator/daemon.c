/* daemon.c - the vrmsd of each node: its tuner, agreement and membership cores, fed by the world.
 *
 * The cores are those of the product (quorum/).  What the daemon would measure
 * is drawn from the host model: how late a real-time thread wakes up as a rule, each stall
 * when it is over, and what a look at the token shows of the stalls of others.  Of
 * each second only the largest value is drawn: the tuner keeps no other.
 *
 * Messages of the daemons reach all members of a ring at one moment, in one order, and only while
 * its token turns.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/daemon.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "quorum/agree.h"
#include "quorum/members.h"

enum {
	STEP_TIMEOUT_MS = 1000,
	STALE_MS = 15000,
	PENALTY_MS = 600000,
	SETTLE_US = 5000000, /* after a new ring nothing is learned from it */
	LOOK_US = 500000,    /* between two looks at the token */
	RETRY_US = 20000,
	LINK_EVERY = 5, /* seconds */
};

struct vrms_sim_daemon {
	struct vrms_tuner *tuner;
	struct vrms_agree *agree;
	struct vrms_members *members;
	struct vrms_tuner_need need;
	int64_t configured_ms;
	int64_t ring_us; /* the membership has been this since */
	int64_t measured_us;
};

static int64_t now_ms(const struct vrms_sim_world *world)
{
	return world->now_us / 1000;
}

static bool runs(const struct vrms_sim_world *world, int node)
{
	return world->node[node].daemon != NULL && vrms_sim_is_live(&world->node[node]);
}

/* ---- messages */

static int free_slot(struct vrms_sim_world *world)
{
	for (int i = 0; i < world->message_count; i++) {
		if (!world->message[i].used) {
			return i;
		}
	}
	size_t count = (size_t)world->message_count;
	struct vrms_sim_message *grown =
	    reallocarray(world->message, count + 16, sizeof(*world->message));

	if (grown == NULL) {
		world->rc = -ENOMEM;
		return -1;
	}
	memset(&grown[count], 0, 16 * sizeof(*grown));
	world->message = grown;
	world->message_count += 16;
	return (int)count;
}

/* It goes out when the token comes by, and is everybody's a turn later. */
static void post(struct vrms_sim_world *world, int node, const struct vrms_agree_step *step)
{
	int slot = free_slot(world);
	int64_t hop_us = world->settings->latency_us + world->settings->jitter_us;

	if (slot < 0) {
		return;
	}
	world->message[slot] = (struct vrms_sim_message){
	    .used = true,
	    .sender = node,
	    .life = world->node[node].life,
	    .step = *step,
	};
	vrms_sim_schedule(world, world->now_us + 2 * world->node_count * hop_us + 1000,
			  VRMS_SIM_EVENT_MESSAGE, slot, 0);
}

static void set_token(struct vrms_sim_world *world, int node, int64_t token_ms)
{
	world->node[node].token_us = token_ms * 1000;
	vrms_sim_ring_retoken(world, node);
	/* One line for all: the lowest node's. */
	if (world->node[node].ring < 0 || world->ring[world->node[node].ring].member[0] == node) {
		vrms_sim_note(world, VRMS_SIM_STEP_TOKEN, node, -1);
		vrms_sim_record_token(&world->record, world->now_us, token_ms * 1000);
	}
}

static void feed_agree(struct vrms_sim_world *world, int node, struct vrms_agree_event event)
{
	struct vrms_sim_daemon *daemon = world->node[node].daemon;
	struct vrms_agree_plan plan;

	event.now_ms = now_ms(world);
	vrms_agree_step(daemon->agree, &event, &plan);
	for (unsigned i = 0; i < plan.count; i++) {
		if (plan.steps[i].kind != VRMS_AGREE_APPLY) {
			post(world, node, &plan.steps[i]);
			continue;
		}
		set_token(world, node, plan.steps[i].token_ms);
		feed_agree(world, node,
			   (struct vrms_agree_event){.kind = VRMS_AGREE_APPLIED,
						     .token_ms = plan.steps[i].token_ms});
	}
}

static void feed_tuner(struct vrms_sim_world *world, int node, struct vrms_tuner_event event)
{
	struct vrms_sim_daemon *daemon = world->node[node].daemon;
	enum vrms_reason old_reason = daemon->need.reason;

	event.now_ms = event.now_ms > 0 ? event.now_ms : now_ms(world);
	vrms_tuner_step(daemon->tuner, &event, &daemon->need);
	if (daemon->need.changed || daemon->need.reason != old_reason) {
		feed_agree(world, node,
			   (struct vrms_agree_event){.kind = VRMS_AGREE_OWN,
						     .report = {.need_ms = daemon->need.token_ms,
								.configured_ms =
								    daemon->configured_ms,
								.reason = daemon->need.reason}});
	}
}

static void feed_members(struct vrms_sim_world *world, int node, struct vrms_members_event event)
{
	struct vrms_sim_daemon *daemon = world->node[node].daemon;
	struct vrms_members_plan plan;
	int64_t applied_ms = world->node[node].token_us / 1000;

	event.now_ms = now_ms(world);
	vrms_members_step(daemon->members, &event, &plan);
	for (unsigned i = 0; i < plan.count; i++) {
		const struct vrms_members_note *note = &plan.notes[i];

		if (note->reason == VRMS_REASON_RING_BROKE) {
			feed_tuner(world, node,
				   (struct vrms_tuner_event){.kind = VRMS_TUNER_DISTURBED,
							     .value_ms = applied_ms});
		} else if (note->reason == VRMS_REASON_MEMBER_BACK_SAME_BOOT &&
			   applied_ms < daemon->configured_ms &&
			   note->away_ms < 2 * daemon->configured_ms) {
			/* Even the configured token would have lost it otherwise. */
			feed_tuner(world, node,
				   (struct vrms_tuner_event){.kind = VRMS_TUNER_FALSE_LOSS});
		}
	}
}

static void deliver(struct vrms_sim_world *world, int node, const struct vrms_sim_message *message)
{
	uint32_t sender = (uint32_t)message->sender + 1;
	struct vrms_agree_event event = {.kind = VRMS_AGREE_PROPOSAL,
					 .token_ms = message->step.token_ms,
					 .reason = message->step.reason};

	if (message->step.kind == VRMS_AGREE_SEND_REPORT) {
		feed_members(world, node,
			     (struct vrms_members_event){.kind = VRMS_MEMBERS_HELLO,
							 .node = sender,
							 .boot = (uint64_t)message->life + 1});
		event.kind = VRMS_AGREE_REPORT;
		event.report = message->step.report;
	}
	event.report.node = sender;
	feed_agree(world, node, event);
}

/* Does the token of this ring come by everybody at this moment? */
static bool turns(const struct vrms_sim_world *world, const struct vrms_sim_ring *ring)
{
	if (!ring->operational || ring->stuck_us <= world->now_us) {
		return false;
	}
	for (int i = 0; i < ring->count; i++) {
		const struct vrms_sim_node *node = &world->node[ring->member[i]];

		if (node->ring != (int32_t)(ring - world->ring) || node->gathering ||
		    !vrms_sim_is_live(node)) {
			return false;
		}
	}
	return true;
}

void vrms_sim_daemon_message(struct vrms_sim_world *world, const struct vrms_sim_event *event)
{
	struct vrms_sim_message message = world->message[event->subject];
	const struct vrms_sim_node *sender = &world->node[message.sender];

	if (sender->life != message.life || sender->ring < 0) {
		world->message[event->subject].used = false;
		return;
	}
	if (!turns(world, &world->ring[sender->ring])) {
		vrms_sim_schedule(world, world->now_us + RETRY_US, VRMS_SIM_EVENT_MESSAGE,
				  event->subject, 0);
		return;
	}
	world->message[event->subject].used = false;

	const struct vrms_sim_ring *ring = &world->ring[sender->ring];

	for (int i = 0; i < ring->count; i++) {
		if (runs(world, ring->member[i])) {
			deliver(world, ring->member[i], &message);
		}
	}
}

/* ---- measurements */

static double lateness_us(struct vrms_sim_world *world)
{
	/* Box and Muller 1958. */
	double radius = sqrt(-2 * log1p(-vrms_random_unit(&world->sampler)));
	double normal =
	    radius * cos(2 * 3.14159265358979323846 * vrms_random_unit(&world->sampler));

	return (double)world->settings->lateness_us * exp(world->settings->lateness_sigma * normal);
}

static void sample(struct vrms_sim_world *world, int node, enum vrms_tuner_source source,
		   int64_t at_us, double value_us)
{
	feed_tuner(world, node,
		   (struct vrms_tuner_event){.now_ms = at_us / 1000,
					     .kind = VRMS_TUNER_SAMPLE,
					     .source = source,
					     .value_us = (uint32_t)fmin(value_us, 4e9)});
}

/* What one second without a stall shows. */
static void measure(struct vrms_sim_world *world, int index, int64_t at_us)
{
	const struct vrms_sim_node *node = &world->node[index];
	double latency_us = (double)world->settings->latency_us +
			    vrms_random_unit(&world->sampler) * (double)world->settings->jitter_us;
	int count = node->ring >= 0 ? world->ring[node->ring].count : 1;

	sample(world, index, VRMS_TUNER_SCHEDULING, at_us, lateness_us(world));
	if (at_us - node->daemon->ring_us >= SETTLE_US) {
		sample(world, index, VRMS_TUNER_RING, at_us, lateness_us(world) + latency_us);
	}
	if (at_us / 1000000 % LINK_EVERY == 0) {
		sample(world, index, VRMS_TUNER_LINK, at_us, 2 * latency_us * count);
	}
}

void vrms_sim_daemon_look(struct vrms_sim_world *world, const struct vrms_sim_event *event)
{
	int index = event->subject;
	struct vrms_sim_node *node = &world->node[index];

	if (node->daemon == NULL || node->life != event->stamp) {
		return;
	}
	vrms_sim_schedule(world, world->now_us + world->settings->measure_us, VRMS_SIM_EVENT_LOOK,
			  index, node->life);
	if (!vrms_sim_is_live(node)) {
		return;
	}
	while (node->daemon->measured_us + 1000000 <= world->now_us) {
		node->daemon->measured_us += 1000000;
		measure(world, index, node->daemon->measured_us);
	}
	feed_tuner(world, index, (struct vrms_tuner_event){.kind = VRMS_TUNER_TICK});
	feed_agree(world, index, (struct vrms_agree_event){.kind = VRMS_AGREE_TICK});
}

void vrms_sim_daemon_stalled(struct vrms_sim_world *world, int index, int64_t for_us)
{
	struct vrms_sim_node *node = &world->node[index];

	if (node->daemon == NULL) {
		return;
	}
	node->daemon->measured_us = world->now_us;
	sample(world, index, VRMS_TUNER_SCHEDULING, world->now_us, (double)for_us);
	for (int i = 0; i < world->node_count; i++) {
		const struct vrms_sim_node *other = &world->node[i];
		/* A look comes somewhere in its interval. */
		double seen_us = (double)for_us - vrms_random_unit(&world->sampler) * LOOK_US;

		/* A token away for longer than its time is a broken ring: told of otherwise. */
		if (i != index && runs(world, i) && other->ring >= 0 && other->ring == node->ring &&
		    seen_us > 0 && seen_us < (double)other->token_us &&
		    world->now_us - other->daemon->ring_us >= SETTLE_US) {
			sample(world, i, VRMS_TUNER_RING, world->now_us, seen_us);
		}
	}
}

void vrms_sim_daemon_announce(struct vrms_sim_world *world, int node, int64_t for_us)
{
	if (runs(world, node)) {
		feed_tuner(world, node,
			   (struct vrms_tuner_event){.kind = VRMS_TUNER_LOAD,
						     .value_ms = for_us / 1000});
	}
}

/* ---- the life of a daemon */

void vrms_sim_daemon_free(struct vrms_sim_node *node)
{
	if (node->daemon != NULL) {
		vrms_tuner_free(node->daemon->tuner);
		vrms_agree_free(node->daemon->agree);
		vrms_members_free(node->daemon->members);
		free(node->daemon);
		node->daemon = NULL;
	}
}

static struct vrms_tuner *make_tuner(const struct vrms_sim_world *world)
{
	const struct vrms_sim_settings *settings = world->settings;
	const double year_us = 365.25 * 86400e6;
	struct vrms_tuner_config config = {
	    .configured_ms = world->token_us / 1000,
	    .floor_ms = settings->token_floor_us / 1000,
	    .load_floor_ms = settings->token_load_floor_us / 1000,
	    .warmup_ms = settings->warmup_us / 1000,
	    .stale_ms = STALE_MS,
	    .shorten_after_ms = settings->shorten_after_us / 1000,
	    .hysteresis_pct = settings->hysteresis_pct,
	    .penalty_ms = PENALTY_MS,
	    .loss_per_year = year_us / (double)settings->false_loss_every_us,
	    .loss_start_per_year = year_us / (double)settings->false_loss_start_us,
	    .disturbances_per_year = year_us / (double)settings->disturbance_every_us,
	    .source_bits = 1 << VRMS_TUNER_SCHEDULING | 1 << VRMS_TUNER_RING,
	};

	return vrms_tuner_new(&config);
}

/* Two links: a dead one must not cost its node.  Source: vrms_cluster_link_floor_ms(); knet's
 * ping time-out is half the configured token, its interval a quarter.
 */
static int64_t link_floor_ms(const struct vrms_sim_world *world)
{
	return world->settings->links > 1 ? (world->token_us / 1000 * 3 / 4 + 1) / 2 : 0;
}

void vrms_sim_daemon_boot(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *node = &world->node[index];
	struct vrms_agree_config agree = {.self = (uint32_t)index + 1,
					  .step_timeout_ms = STEP_TIMEOUT_MS};

	node->token_us = world->token_us;
	if (!world->settings->vrmsd || !world->settings->tuner) {
		return;
	}
	vrms_sim_daemon_free(node);
	node->daemon = calloc(1, sizeof(*node->daemon));
	if (node->daemon == NULL) {
		world->rc = -ENOMEM;
		return;
	}
	node->daemon->configured_ms = world->token_us / 1000;
	node->daemon->measured_us = world->now_us;
	node->daemon->tuner = make_tuner(world);
	node->daemon->agree = vrms_agree_new(&agree);
	node->daemon->members = vrms_members_new();
	if (node->daemon->tuner == NULL || node->daemon->agree == NULL ||
	    node->daemon->members == NULL) {
		world->rc = -ENOMEM;
		return;
	}
	feed_agree(world, index,
		   (struct vrms_agree_event){.kind = VRMS_AGREE_APPLIED,
					     .token_ms = node->token_us / 1000});
	feed_tuner(world, index,
		   (struct vrms_tuner_event){.kind = VRMS_TUNER_LINKS,
					     .value_ms = link_floor_ms(world)});
	feed_agree(world, index,
		   (struct vrms_agree_event){.kind = VRMS_AGREE_OWN,
					     .report = {.need_ms = node->daemon->need.token_ms,
							.configured_ms =
							    node->daemon->configured_ms,
							.reason = node->daemon->need.reason}});
	vrms_sim_schedule(world, world->now_us + world->settings->measure_us, VRMS_SIM_EVENT_LOOK,
			  index, node->life);
}

static unsigned list_members(const struct vrms_sim_ring *ring, uint32_t *nodes)
{
	for (int i = 0; i < ring->count; i++) {
		nodes[i] = (uint32_t)ring->member[i] + 1;
	}
	return (unsigned)ring->count;
}

/* Tells one member of a new ring, and who runs vrmsd in it. */
static void tell_ring(struct vrms_sim_world *world, int index, int node)
{
	const struct vrms_sim_ring *ring = &world->ring[index];
	uint32_t nodes[VRMS_AGREE_NODES_MAX];
	unsigned count = list_members(ring, nodes);

	world->node[node].daemon->ring_us = world->now_us;
	feed_members(world, node,
		     (struct vrms_members_event){
			 .kind = VRMS_MEMBERS_RING,
			 .nodes = nodes,
			 .node_count = count,
			 .ring = {.node = nodes[0], .sequence = (uint64_t)world->now_us + 1}});
	/* Its totem lets a node in at the first attempt: a ring of the same members broke. */
	feed_members(world, node,
		     (struct vrms_members_event){.kind = VRMS_MEMBERS_TOKENS, .tokens_lost = -1});
	feed_agree(world, node,
		   (struct vrms_agree_event){.kind = VRMS_AGREE_MEMBERS,
					     .nodes = nodes,
					     .node_count = count,
					     .quorate = ring->quorate});
	feed_agree(world, node,
		   (struct vrms_agree_event){.kind = VRMS_AGREE_GROUP,
					     .nodes = nodes,
					     .node_count = count});
}

void vrms_sim_daemon_ring(struct vrms_sim_world *world, int index)
{
	for (int i = 0; world->ring[index].used && i < world->ring[index].count; i++) {
		int node = world->ring[index].member[i];

		if (world->node[node].ring == index && runs(world, node)) {
			tell_ring(world, index, node);
		}
	}
}

void vrms_sim_daemon_quorum(struct vrms_sim_world *world, int index)
{
	const struct vrms_sim_ring *ring = &world->ring[index];
	uint32_t nodes[VRMS_AGREE_NODES_MAX];
	unsigned count;

	if (!world->settings->vrmsd || !world->settings->tuner) {
		return;
	}
	count = list_members(ring, nodes);
	for (int i = 0; i < ring->count; i++) {
		int node = ring->member[i];

		if (world->node[node].ring == index && runs(world, node)) {
			feed_agree(world, node,
				   (struct vrms_agree_event){.kind = VRMS_AGREE_MEMBERS,
							     .nodes = nodes,
							     .node_count = count,
							     .quorate = ring->quorate});
		}
	}
}

void vrms_sim_daemon_begin(struct vrms_sim_world *world)
{
	for (int i = 0; i < world->node_count; i++) {
		if (world->node[i].up) {
			vrms_sim_daemon_boot(world, i);
		}
	}
	for (int i = 0; i < world->ring_count; i++) {
		vrms_sim_daemon_ring(world, i);
	}
}
