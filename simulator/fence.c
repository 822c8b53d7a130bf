/* fence.c - the fencer: levels of the topology, devices one after the other, the verdict first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/plant.h"
#include "simulator/world.h"

enum { PHASE_LEVEL, PHASE_VERDICT, PHASE_DEVICE };
enum { ATTEMPTS_MAX = 10, LOOK_US = 100000, RETRY_US = 1000000 };

static void later(struct vrms_sim_world *world, int target, int64_t delay_us)
{
	vrms_sim_schedule(world, world->now_us + delay_us, VRMS_SIM_EVENT_FENCE, target,
			  world->node[target].fence_stamp);
}

void vrms_sim_fence_begin(struct vrms_sim_world *world, int ring, int target)
{
	struct vrms_sim_node *node = &world->node[target];

	node->fence_busy = true;
	node->fence_stamp++;
	node->fence_by = world->ring[ring].dc;
	if (node->fence_by == target) {
		/* A node does not fence itself: another member runs the agent. */
		for (int i = 0; i < world->ring[ring].count; i++) {
			int member = world->ring[ring].member[i];

			if (member != target && world->node[member].ring == ring &&
			    vrms_sim_is_live(&world->node[member])) {
				node->fence_by = member;
				break;
			}
		}
	}
	node->fence_level = 1;
	node->fence_device = -1;
	node->fence_phase = PHASE_LEVEL;
	vrms_sim_note(world, VRMS_SIM_STEP_FENCE_ASKED, target, -1);
	if (node->failure >= 0 && world->record.failure[node->failure].asked_us < 0) {
		world->record.failure[node->failure].asked_us = world->now_us;
	}
	later(world, target, vrms_sim_vary(world, world->settings->fence_overhead_us));
}

/* The next device of this level after `after`, or -1. */
static int next_device(const struct vrms_sim_world *world, int level, int after)
{
	for (int i = after + 1; i < world->scenario->device_count; i++) {
		const struct vrms_sim_device *device = &world->scenario->device[i];

		if (device->level == level && device->kind != VRMS_SIM_DEVICE_VERDICT) {
			return i;
		}
	}
	return -1;
}

static bool has_verdict(const struct vrms_sim_world *world, int level)
{
	if (world->settings->vrmsd && world->settings->verdict && level == 1) {
		return true;
	}
	for (int i = 0; i < world->scenario->device_count; i++) {
		if (world->scenario->device[i].level == level &&
		    world->scenario->device[i].kind == VRMS_SIM_DEVICE_VERDICT) {
			return true;
		}
	}
	return false;
}

/* Number of the last beat on the SAN: they are written on a grid that begins with the boot. */
static uint64_t beats_of(const struct vrms_sim_world *world, const struct vrms_sim_node *target)
{
	int64_t every_us = world->settings->beat_interval_us;
	int64_t now_us = world->now_us;

	if (world->exact) {
		return target->beat;
	}
	if (vrms_sim_writes_beats(world, target)) {
		int64_t number = (now_us - target->up_us) / every_us;

		/* None has been due since it writes again. */
		if (target->up_us + number * every_us >= target->beats_from_us) {
			return (uint64_t)number;
		}
	}
	return (uint64_t)((target->silent_us - target->up_us) / every_us);
}

static struct vrms_verdict_look look(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *target = &world->node[index];
	const struct vrms_sim_node *by = &world->node[target->fence_by];
	uint64_t beats = beats_of(world, target);
	int64_t beat_us = target->up_us + (int64_t)beats * world->settings->beat_interval_us;
	struct vrms_verdict_look seen = {
	    .now_ms = world->now_us / 1000,
	    .beat = by->paths && world->array_up ? VRMS_BEAT_READ : VRMS_BEAT_UNREADABLE,
	    .sequence = beats + 1,
	    .boot = target->life + 1,
	    .unchanged_ms = (world->now_us - beat_us) / 1000,
	    .member = target->ring >= 0 && target->ring == by->ring && !target->gathering
			  ? VRMS_VERDICT_MEMBER_IN
			  : VRMS_VERDICT_MEMBER_OUT,
	};

	return seen;
}

static void begin_verdict(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *target = &world->node[index];
	struct vrms_verdict_config config = {
	    .grace_ms = world->settings->grace_us / 1000,
	    .silent_ms = world->settings->beat_interval_us * world->settings->silent_count / 1000,
	};

	vrms_verdict_begin(&target->verdict, &config, world->now_us / 1000);
	target->fence_phase = PHASE_VERDICT;
	target->fence_was_out = look(world, index).member == VRMS_VERDICT_MEMBER_OUT;
	target->beat_seen = beats_of(world, target) + 1;
}

static void give_up(struct vrms_sim_world *world, int index, int64_t retry_us)
{
	struct vrms_sim_node *target = &world->node[index];
	int by = target->fence_by;

	target->fence_busy = false;
	target->fence_stamp++;
	vrms_sim_round_for_node(world, by, retry_us);
}

/* Does the device answer, as things stand? */
static bool can_work(const struct vrms_sim_world *world, const struct vrms_sim_node *target,
		     const struct vrms_sim_device *device)
{
	switch (device->kind) {
	case VRMS_SIM_DEVICE_IPMI:
		return target->bmc && target->supply;
	case VRMS_SIM_DEVICE_SCSI:
	case VRMS_SIM_DEVICE_SBD:
		return world->array_up && world->node[target->fence_by].paths;
	default:
		return true;
	}
}

static void begin_device(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *target = &world->node[index];
	const struct vrms_sim_device *device = &world->scenario->device[target->fence_device];
	bool answers = can_work(world, target, device);
	int64_t wait_us = device->delay_us;

	/* A switch that finds the host off says so at once; one that runs has to be ended. */
	if (answers && target->up && world->settings->power_off_us > 0 &&
	    (device->kind == VRMS_SIM_DEVICE_IPMI || device->kind == VRMS_SIM_DEVICE_PDU)) {
		wait_us += vrms_sim_vary(world, world->settings->power_off_us);
	}
	if (device->delay_random_us > 0) {
		wait_us +=
		    (int64_t)(vrms_random_unit(&world->random) * (double)device->delay_random_us);
	}
	target->fence_phase = PHASE_DEVICE;
	later(world, index,
	      wait_us + (answers ? vrms_sim_vary(world, device->time_us) : device->timeout_us));
}

static void begin_level(struct vrms_sim_world *world, int index, int level)
{
	struct vrms_sim_node *target = &world->node[index];

	while (level <= 9 && next_device(world, level, -1) < 0) {
		level++;
	}
	if (level > 9) {
		target->fence_attempts++;
		/* After that many attempts only the cluster's recheck tries again. */
		give_up(world, index,
			target->fence_attempts % ATTEMPTS_MAX == 0 ? INT64_C(900) * 1000000
								   : RETRY_US);
		return;
	}
	target->fence_level = level;
	target->fence_device = next_device(world, level, -1);
	if (has_verdict(world, level)) {
		begin_verdict(world, index);
		later(world, index, 0);
	} else {
		begin_device(world, index);
	}
}

static void ask_verdict(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *target = &world->node[index];
	struct vrms_verdict_look seen = look(world, index);
	enum vrms_reason reason = VRMS_REASON_NONE;
	enum vrms_verdict_answer answer = vrms_verdict_step(&target->verdict, &seen, &reason);

	if (answer == VRMS_VERDICT_WAIT) {
		int64_t left_us = vrms_verdict_left_ms(&target->verdict, seen.now_ms) * 1000;

		later(world, index, left_us < LOOK_US ? left_us + 1000 : LOOK_US);
		return;
	}
	if (answer == VRMS_VERDICT_REFUSE && !vrms_sim_has_bug(world, VRMS_SIM_BUG_VERDICT)) {
		world->record.refused_fences++;
		vrms_sim_note(world, VRMS_SIM_STEP_FENCE_REFUSED, index, -1);
		give_up(world, index, RETRY_US);
		return;
	}
	/* Told again by the rules, in their own words: it lives, it is back, it writes beats. */
	if (target->fence_was_out && seen.member == VRMS_VERDICT_MEMBER_IN &&
	    seen.beat == VRMS_BEAT_READ && vrms_sim_is_live(target) && target->paths &&
	    seen.sequence > target->beat_seen && reason != VRMS_REASON_VERDICT_GRACE_OVER) {
		vrms_sim_break_rule(world, VRMS_SIM_RULE_WRONG_FENCE, index, -1);
	}
	begin_device(world, index);
}

static void confirm(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *target = &world->node[index];
	int by = target->fence_by;

	target->fence_busy = false;
	target->fence_stamp++;
	target->fence_attempts = 0;
	target->state = VRMS_SIM_OFFLINE;
	target->known_life = target->life;
	world->record.fences++;
	vrms_sim_note(world, VRMS_SIM_STEP_FENCED, index, -1);
	if (target->failure >= 0 && world->record.failure[target->failure].fenced_us < 0) {
		world->record.failure[target->failure].fenced_us = world->now_us;
	}
	vrms_sim_cluster_displace(world, index);
	if (world->settings->fence_action == VRMS_SIM_REBOOT) {
		vrms_sim_host_power_on(world, index);
	}
	/* The transition that asked for the fence goes on at once. */
	if (world->node[by].ring >= 0) {
		vrms_sim_round_ask(world, world->node[by].ring, VRMS_SIM_NEXT_ACTION_US);
	}
}

static void switch_off(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *target = &world->node[index];

	if (!target->up) {
		target->confirmed_us = world->now_us;
		return;
	}
	if (!target->fence_wanted && vrms_sim_is_sound(world, index, target->fence_by)) {
		world->record.needless_fences++;
	}
	vrms_sim_note(world, VRMS_SIM_STEP_POWER_OFF, index, -1);
	vrms_sim_host_power_off(world, index);
	target->confirmed_us = world->now_us;
}

static void end_device(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *target = &world->node[index];
	const struct vrms_sim_device *device = &world->scenario->device[target->fence_device];
	bool works =
	    can_work(world, target, device) && !vrms_sim_chance(world, device->failure_pct);

	if (!works && !vrms_sim_has_bug(world, VRMS_SIM_BUG_EARLY)) {
		world->record.failed_fences++;
		vrms_sim_note(world, VRMS_SIM_STEP_FENCE_FAILED, index, -1);
		begin_level(world, index, target->fence_level + 1);
		return;
	}
	if (works) {
		switch_off(world, index);
	}
	int next = next_device(world, target->fence_level, target->fence_device);

	if (next >= 0) {
		target->fence_device = next;
		begin_device(world, index);
	} else {
		confirm(world, index);
	}
}

void vrms_sim_fence_step(struct vrms_sim_world *world, int index)
{
	struct vrms_sim_node *target = &world->node[index];
	const struct vrms_sim_node *by = &world->node[target->fence_by];

	/* The agent dies with its node; who takes over asks anew. */
	if (!vrms_sim_is_live(by) || by->ring < 0) {
		target->fence_busy = false;
		target->fence_stamp++;
		return;
	}
	switch (target->fence_phase) {
	case PHASE_LEVEL:
		begin_level(world, index, 1);
		break;
	case PHASE_VERDICT:
		ask_verdict(world, index);
		break;
	default:
		end_device(world, index);
		break;
	}
}
