/* net.c - who hears whom, over which network, and what knet knows of it.
 *
 * A cut acts at once; knet finds out later.  Meanwhile packets go the old way
 * and are lost, which is what the token's retransmission is for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/world.h"

#include <errno.h>
#include <string.h>

static void cut_done(struct vrms_sim_cut *cut)
{
	free(cut->group);
	free(cut->isolated);
	free(cut->oneway);
	memset(cut, 0, sizeof(*cut));
}

static int cut_init(struct vrms_sim_cut *cut, int node_count)
{
	cut->group = calloc((size_t)node_count, sizeof(*cut->group));
	cut->isolated = calloc((size_t)node_count, sizeof(*cut->isolated));
	return cut->group == NULL || cut->isolated == NULL ? -ENOMEM : 0;
}

int vrms_sim_net_init(struct vrms_sim_world *world)
{
	int rc = 0;

	for (int link = 0; link < world->settings->links && rc == 0; link++) {
		rc = cut_init(&world->real[link], world->node_count);
		rc = rc < 0 ? rc : cut_init(&world->known[link], world->node_count);
	}
	return rc;
}

void vrms_sim_net_done(struct vrms_sim_world *world)
{
	for (int link = 0; link < VRMS_SIM_LINKS_MAX; link++) {
		cut_done(&world->real[link]);
		cut_done(&world->known[link]);
	}
}

static bool is_open(const struct vrms_sim_cut *cut, int from, int to)
{
	if (!cut->any) {
		return true;
	}
	if (cut->isolated[from] || cut->isolated[to] || cut->group[from] != cut->group[to]) {
		return false;
	}
	for (int i = 0; i < cut->oneway_count; i++) {
		if (cut->oneway[i][0] == from && cut->oneway[i][1] == to) {
			return false;
		}
	}
	return true;
}

bool vrms_sim_passes(const struct vrms_sim_world *world, int from, int to)
{
	if (!world->any_cut || from == to) {
		return true;
	}
	/* knet's passive policy: the first link that it believes to be up, for which it needs pings
	 * and their answers. */
	for (int link = 0; link < world->settings->links; link++) {
		if (is_open(&world->known[link], from, to) &&
		    is_open(&world->known[link], to, from)) {
			return is_open(&world->real[link], from, to);
		}
	}
	return false;
}

bool vrms_sim_meets(const struct vrms_sim_world *world, int one, int other)
{
	return world->now_us >= world->node[one].links_us &&
	       world->now_us >= world->node[other].links_us && vrms_sim_passes(world, one, other) &&
	       vrms_sim_passes(world, other, one);
}

static void cut_heal(struct vrms_sim_cut *cut, int node_count)
{
	memset(cut->group, 0, (size_t)node_count * sizeof(*cut->group));
	memset(cut->isolated, 0, (size_t)node_count * sizeof(*cut->isolated));
	cut->oneway_count = 0;
	cut->any = false;
}

static int cut_add_oneway(struct vrms_sim_cut *cut, int from, int to)
{
	size_t count = (size_t)cut->oneway_count;
	int32_t(*grown)[2] = reallocarray(cut->oneway, count + 1, sizeof(*grown));

	if (grown == NULL) {
		return -ENOMEM;
	}
	cut->oneway = grown;
	cut->oneway[count][0] = from;
	cut->oneway[count][1] = to;
	cut->oneway_count++;
	return 0;
}

static int cut_change(struct vrms_sim_world *world, struct vrms_sim_cut *cut,
		      const struct vrms_sim_fault *fault)
{
	size_t width = (size_t)world->node_count;

	if (fault->kind == VRMS_SIM_FAULT_HEAL) {
		cut_heal(cut, world->node_count);
		return 0;
	}
	cut->any = true;
	if (fault->kind == VRMS_SIM_FAULT_CUT) {
		const int16_t *row = &world->scenario->group[(size_t)fault->first * width];

		memcpy(cut->group, row, width * sizeof(*row));
	} else if (fault->kind == VRMS_SIM_FAULT_ISOLATE) {
		cut->isolated[fault->first] = true;
	} else {
		return cut_add_oneway(cut, fault->first, fault->second);
	}
	return 0;
}

/* knet pings every token / 4 and gives a link up, or takes it, after two of them.
 * Source: corosync.conf(5), knet_ping_interval, knet_ping_timeout, knet_pong_count.
 */
static int64_t knet_delay_us(const struct vrms_sim_world *world)
{
	return world->token_us / 2;
}

void vrms_sim_net_fault(struct vrms_sim_world *world, const struct vrms_sim_fault *fault)
{
	for (int link = 0; link < world->settings->links; link++) {
		if (fault->link < 0 || fault->link == link) {
			int rc = cut_change(world, &world->real[link], fault);

			world->rc = rc < 0 ? rc : world->rc;
		}
	}
	world->any_cut = true;
	vrms_sim_totem_reviewed_links(world);
	vrms_sim_schedule(world, world->now_us + knet_delay_us(world), VRMS_SIM_EVENT_KNET, 0, 0);
}

static int cut_copy(struct vrms_sim_cut *to, const struct vrms_sim_cut *from, int node_count)
{
	memcpy(to->group, from->group, (size_t)node_count * sizeof(*to->group));
	memcpy(to->isolated, from->isolated, (size_t)node_count * sizeof(*to->isolated));
	to->any = from->any;
	to->oneway_count = 0;
	for (int i = 0; i < from->oneway_count; i++) {
		int rc = cut_add_oneway(to, from->oneway[i][0], from->oneway[i][1]);

		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

void vrms_sim_net_catch_up(struct vrms_sim_world *world)
{
	world->any_cut = false;
	for (int link = 0; link < world->settings->links; link++) {
		int rc = cut_copy(&world->known[link], &world->real[link], world->node_count);

		world->rc = rc < 0 ? rc : world->rc;
		world->any_cut |= world->real[link].any;
	}
	vrms_sim_totem_reviewed_links(world);

	int64_t merge_us =
	    (int64_t)(vrms_random_unit(&world->random) * (double)world->settings->merge_us);

	vrms_sim_schedule(world, world->now_us + merge_us, VRMS_SIM_EVENT_MERGE, 0, 0);
}
