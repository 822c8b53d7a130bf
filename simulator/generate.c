/* generate.c - failures out of distributions: of hosts, racks, VMs, and stalls.
 *
 * Drawn from a random series of their own, so that two configurations of the
 * same seed meet the same failures.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/world.h"

#include <math.h>

static double unit(struct vrms_sim_world *world)
{
	return vrms_random_unit(&world->lottery);
}

/* Standard normal (Box and Muller 1958). */
static double normal(struct vrms_sim_world *world)
{
	double radius = sqrt(-2 * log1p(-unit(world)));

	return radius * cos(2 * 3.14159265358979323846 * unit(world));
}

static int64_t exponential_us(struct vrms_sim_world *world, double mean_us)
{
	return (int64_t)(-log1p(-unit(world)) * mean_us);
}

static int64_t until_failure_us(struct vrms_sim_world *world)
{
	const struct vrms_sim_settings *settings = world->settings;
	double mean = (double)settings->mtbf_us, shape = settings->shape;

	if (settings->model == VRMS_SIM_LOGNORMAL) {
		return (int64_t)(mean * exp(shape * normal(world) - shape * shape / 2));
	}
	/* Inverse of the distribution; the scale follows from the mean. */
	double scale = mean / tgamma(1 + 1 / shape);

	return (int64_t)(scale * pow(-log1p(-unit(world)), 1 / shape));
}

static int64_t repair_us(struct vrms_sim_world *world)
{
	const struct vrms_sim_settings *settings = world->settings;

	return (int64_t)((double)settings->repair_us * exp(settings->repair_sigma * normal(world)));
}

static void next_failure(struct vrms_sim_world *world, int node)
{
	vrms_sim_schedule(world, world->now_us + until_failure_us(world), VRMS_SIM_EVENT_GENERATE,
			  node, 0);
}

static void next_stall(struct vrms_sim_world *world, int node)
{
	struct vrms_sim_event event = {.kind = VRMS_SIM_EVENT_STALL, .extra = 1, .subject = node};

	event.at_us =
	    world->now_us + exponential_us(world, 86400e6 / world->settings->stalls_per_day);
	vrms_sim_schedule_extra(world, &event);
}

static void next_vm(struct vrms_sim_world *world)
{
	/* All VMs together fail that much more often. */
	double mean = (double)world->settings->vm_mtbf_us / world->vm_count;

	vrms_sim_schedule(world, world->now_us + exponential_us(world, mean),
			  VRMS_SIM_EVENT_VM_GENERATE, 0, 0);
}

static void next_rack(struct vrms_sim_world *world, int rack)
{
	vrms_sim_schedule(world,
			  world->now_us +
			      exponential_us(world, (double)world->settings->rack_mtbf_us),
			  VRMS_SIM_EVENT_RACK, rack, 0);
}

void vrms_sim_generate_begin(struct vrms_sim_world *world)
{
	const struct vrms_sim_settings *settings = world->settings;

	for (int i = 0; i < world->node_count; i++) {
		if (settings->model != VRMS_SIM_MODEL_NONE) {
			next_failure(world, i);
		}
		if (settings->stalls_per_day > 0) {
			next_stall(world, i);
		}
	}
	for (int i = 0; i < settings->racks && settings->rack_mtbf_us > 0; i++) {
		next_rack(world, i);
	}
	if (settings->vm_mtbf_us > 0 && world->vm_count > 0) {
		next_vm(world);
	}
}

static void fail(struct vrms_sim_world *world, int node, int kind, int64_t repair)
{
	struct vrms_sim_fault fault = {.kind = (uint16_t)kind,
				       .link = -1,
				       .first = node,
				       .for_us = repair};

	if (!world->node[node].up) {
		return; /* it is down already */
	}
	vrms_sim_fault_apply(world, &fault);
}

/* Other nodes of the rack go down with it. */
static void burst(struct vrms_sim_world *world, int first)
{
	int64_t rack = world->scenario->node[first].rack;
	int64_t left = 1 + (int64_t)(unit(world) * (double)(world->settings->burst_size - 1));

	for (int i = 1; i < world->node_count && left > 0; i++) {
		int node = (first + i) % world->node_count;

		if (world->scenario->node[node].rack == rack) {
			fail(world, node, VRMS_SIM_FAULT_DOWN, repair_us(world));
			left--;
		}
	}
}

static void fail_node(struct vrms_sim_world *world, int node)
{
	const struct vrms_sim_settings *settings = world->settings;
	int64_t repair = repair_us(world);
	bool freezes = unit(world) * 100 < settings->freeze_pct;
	bool bursts = unit(world) * 100 < settings->burst_pct;

	fail(world, node, freezes ? VRMS_SIM_FAULT_FREEZE : VRMS_SIM_FAULT_DOWN, repair);
	if (bursts) {
		burst(world, node);
	}
	next_failure(world, node);
}

static void fail_rack(struct vrms_sim_world *world, int rack)
{
	int64_t repair = repair_us(world);

	for (int i = 0; i < world->node_count; i++) {
		if (world->scenario->node[i].rack == rack) {
			fail(world, i, VRMS_SIM_FAULT_POWER, repair);
		}
	}
	next_rack(world, rack);
}

static int64_t stall_length_us(struct vrms_sim_world *world)
{
	const struct vrms_sim_settings *settings = world->settings;
	double length =
	    (double)settings->stall_us * pow(1 - unit(world), -1 / settings->stall_shape);

	return (int64_t)fmin(length, (double)settings->stall_max_us);
}

/* One stall of an overloaded or a dying host, and the next one. */
static void stall(struct vrms_sim_world *world, const struct vrms_sim_event *event)
{
	struct vrms_sim_node *node = &world->node[event->subject];
	int64_t length_us = stall_length_us(world);

	if (event->extra == 1) {
		vrms_sim_host_freeze(world, event->subject, length_us);
		next_stall(world, event->subject);
		return;
	}
	if (node->life != event->stamp) {
		return;
	}
	if (world->now_us >= node->stall_until_us) {
		if (node->dying) {
			node->dying = false;
			fail(world, event->subject, VRMS_SIM_FAULT_CRASH, 0);
		}
		return;
	}
	if (node->dying) {
		/* From one to eight times as long, up to its end. */
		double past = (double)(world->now_us - node->stall_from_us) /
			      (double)(node->stall_until_us - node->stall_from_us);

		length_us = (int64_t)((double)length_us * exp2(3 * past));
	}
	vrms_sim_host_freeze(world, event->subject, length_us);
	vrms_sim_schedule(world, world->now_us + length_us + exponential_us(world, 1e6),
			  VRMS_SIM_EVENT_STALL, event->subject, event->stamp);
}

static void repair(struct vrms_sim_world *world, const struct vrms_sim_event *event)
{
	struct vrms_sim_fault fault = {.link = -1, .first = event->subject};

	fault.kind = event->stamp == 1 ? VRMS_SIM_FAULT_UP : VRMS_SIM_FAULT_PATHS_BACK;
	vrms_sim_fault_apply(world, &fault);
}

void vrms_sim_generate_event(struct vrms_sim_world *world, const struct vrms_sim_event *event)
{
	switch (event->kind) {
	case VRMS_SIM_EVENT_GENERATE:
		fail_node(world, event->subject);
		break;
	case VRMS_SIM_EVENT_RACK:
		fail_rack(world, event->subject);
		break;
	case VRMS_SIM_EVENT_STALL:
		stall(world, event);
		break;
	case VRMS_SIM_EVENT_REPAIR:
		repair(world, event);
		break;
	default:
		vrms_sim_vm_crash(world, (int)(unit(world) * world->vm_count));
		next_vm(world);
		break;
	}
}
