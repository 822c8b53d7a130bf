/* gather.c - totem's membership protocol, without its single messages.
 *
 * Join messages take a latency and are repeated every 50 ms; consensus among the
 * living is therefore reached at once, and only waiting for the dead takes
 * time: until the first consensus timer of those who gather runs out.
 * Where not everybody hears everybody, nodes are taken into a membership by
 * ascending number as long as they hear all who are in it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/world.h"

/* Whoever hears a join message gathers as well. */
static void pull_in(struct vrms_sim_world *world, int node)
{
	int32_t *stack = world->scratch;
	int depth = 0;

	stack[depth++] = node;
	while (depth > 0) {
		int speaker = stack[--depth];

		for (int i = 0; i < world->node_count; i++) {
			struct vrms_sim_node *hearer = &world->node[i];

			if (hearer->gathering || !hearer->corosync || !vrms_sim_is_live(hearer) ||
			    hearer->ring < 0 || !vrms_sim_meets(world, speaker, i)) {
				continue;
			}
			hearer->gathering = true;
			hearer->gather_us = world->now_us + world->settings->latency_us;
			/* Without cuts the first speaker has reached all. */
			if (world->any_cut) {
				stack[depth++] = i;
			}
		}
	}
}

void vrms_sim_gather_enter(struct vrms_sim_world *world, int node)
{
	if (world->node[node].gathering) {
		return;
	}
	world->node[node].gathering = true;
	world->node[node].gather_us = world->now_us;
	pull_in(world, node);
	vrms_sim_schedule(world, world->now_us + 2 * world->settings->latency_us,
			  VRMS_SIM_EVENT_GATHER, 0, 0);
}

static bool is_gathering(const struct vrms_sim_node *node)
{
	return node->gathering && node->corosync && vrms_sim_is_live(node);
}

/* Does the node hear all `count` nodes of the list? */
static bool meets_all(const struct vrms_sim_world *world, int node, const int32_t *list, int count)
{
	if (!world->any_cut) {
		return world->now_us >= world->node[node].links_us;
	}
	for (int i = 0; i < count; i++) {
		if (!vrms_sim_meets(world, node, list[i])) {
			return false;
		}
	}
	return true;
}

/* Lists the component that begins with node `first` and marks its nodes; returns how many. */
static int list_component(struct vrms_sim_world *world, int first, int16_t component)
{
	int32_t *list = world->scratch;
	int count = 0;

	list[count++] = first;
	world->component[first] = component;
	if (world->now_us < world->node[first].links_us) {
		return count; /* it hears nobody yet */
	}
	for (int i = first + 1; i < world->node_count; i++) {
		if (is_gathering(&world->node[i]) && world->component[i] < 0 &&
		    meets_all(world, i, list, count)) {
			list[count++] = i;
			world->component[i] = component;
		}
	}
	return count;
}

/* Are there former co-members that have not been heard of? */
static bool misses_somebody(struct vrms_sim_world *world, int count, int16_t component)
{
	const int32_t *list = world->scratch;
	int mark = ++world->marks;

	for (int i = 0; i < count; i++) {
		struct vrms_sim_ring *ring = &world->ring[world->node[list[i]].ring];
		int present = 0;

		if (ring->mark == mark) {
			continue;
		}
		ring->mark = mark;
		for (int j = 0; j < ring->count; j++) {
			present += world->component[ring->member[j]] == component ? 1 : 0;
		}
		if (present < ring->count - ring->left) {
			return true;
		}
	}
	return false;
}

/* A freeze or a cut that ended longer ago than a ring can take to notice it: nobody has. */
static bool is_past(const struct vrms_sim_world *world, const struct vrms_sim_node *node,
		    int64_t at_us)
{
	const struct vrms_sim_failure *failure = &world->record.failure[node->failure];
	int64_t longest_us =
	    2 * (node->token_us + vrms_sim_consensus_us(world->settings, node->token_us));

	return failure->detected_us < 0 && node->over_us > failure->at_us &&
	       at_us - node->over_us > longest_us;
}

/* Writes down that a node was lost, and whether that was a mistake. */
static void record_loss(struct vrms_sim_world *world, int lost, int witness, int64_t at_us)
{
	struct vrms_sim_node *node = &world->node[lost];

	if (node->failure >= 0 && is_past(world, node, at_us)) {
		node->failure = -1;
	}
	if (node->failure >= 0) {
		struct vrms_sim_failure *failure = &world->record.failure[node->failure];

		if (failure->detected_us < 0) {
			failure->detected_us = at_us;
		}
	}
	if (node->lost_us < 0 && vrms_sim_is_sound(world, lost, witness)) {
		node->lost_us = at_us;
		world->record.mistakes++;
	}
}

/* Looks at the old rings of a new membership: who is missing now?  Returns its expected votes. */
static int compare_rings(struct vrms_sim_world *world, int count, int16_t component, int64_t at_us)
{
	int mark = ++world->marks;
	int expected = 0, lost = 0, rings = 0;

	for (int i = 0; i < count; i++) {
		int node = world->scratch[i];
		int index = world->node[node].ring;
		struct vrms_sim_ring *ring = &world->ring[index];

		if (ring->mark == mark) {
			continue;
		}
		ring->mark = mark;
		rings++;
		if (ring->quorate && ring->expected > expected) {
			expected = ring->expected;
		}
		for (int j = 0; j < ring->count; j++) {
			if (world->component[ring->member[j]] != component) {
				record_loss(world, ring->member[j], node, at_us);
				lost++;
			}
		}
	}
	world->record.reformed += rings == 1 && lost == 0 ? 1 : 0;
	expected = expected > 0 ? expected : world->node_count;
	return expected > count ? expected : count;
}

/* The DC of an old ring stays DC when it is still there; of several, the lowest. */
static int surviving_dc(const struct vrms_sim_world *world, int count)
{
	for (int i = 0; i < count; i++) {
		int node = world->scratch[i];

		if (world->ring[world->node[node].ring].dc == node) {
			return node;
		}
	}
	return -1;
}

static void form(struct vrms_sim_world *world, int count, int16_t component)
{
	int64_t hop_us = world->settings->latency_us + world->settings->jitter_us;
	int64_t at_us = world->now_us + 4 * count * hop_us + 1000;
	int expected = compare_rings(world, count, component, at_us);
	int dc = surviving_dc(world, count);

	for (int i = 0; i < count; i++) {
		vrms_sim_ring_forget(world, world->scratch[i]);
	}
	int index = vrms_sim_ring_new(world, world->scratch, count);

	if (index < 0) {
		return;
	}
	struct vrms_sim_ring *ring = &world->ring[index];

	ring->expected = expected;
	ring->dc = dc;
	ring->base_us = at_us;
	ring->rebased_us = at_us;
	vrms_sim_ring_run(world, index);
	vrms_sim_schedule(world, at_us, VRMS_SIM_EVENT_RING_UP, index, ring->round_stamp);
}

static void decide(struct vrms_sim_world *world, int count, int16_t component)
{
	int64_t deadline_us = VRMS_SIM_NEVER;

	for (int i = 0; i < count; i++) {
		const struct vrms_sim_node *node = &world->node[world->scratch[i]];
		int64_t until_us =
		    node->gather_us + vrms_sim_consensus_us(world->settings, node->token_us);

		deadline_us = until_us < deadline_us ? until_us : deadline_us;
	}
	if (world->now_us < deadline_us && misses_somebody(world, count, component)) {
		vrms_sim_schedule(world, deadline_us, VRMS_SIM_EVENT_GATHER, 0, 0);
		return;
	}
	form(world, count, component);
}

void vrms_sim_gather_look(struct vrms_sim_world *world)
{
	int16_t component = 0;

	for (int i = 0; i < world->node_count; i++) {
		world->component[i] = -1;
	}
	for (int i = 0; i < world->node_count; i++) {
		if (is_gathering(&world->node[i]) && world->component[i] < 0) {
			int count = list_component(world, i, component);

			decide(world, count, component);
			component++;
		}
	}
}
