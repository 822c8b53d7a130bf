/* vm.c - QEMU and the guest in it: running, paused, gone, and how that is noticed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/world.h"

#include <errno.h>

/* Out of service from now on. */
void vrms_sim_vm_interrupt(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	if (item->down_us >= 0) {
		return;
	}
	if (world->now_us < item->serving_us) {
		/* It had not finished booting: what was booked up to then is not over. */
		world->record.lost_us -= item->serving_us - world->now_us;
	}
	item->down_us = world->now_us;
}

/* In service again from at_us on. */
void vrms_sim_vm_resume(struct vrms_sim_world *world, int vm, int64_t at_us)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	if (item->down_us < 0 || item->on < 0 || item->paused) {
		return;
	}
	world->record.lost_us += at_us - item->down_us;
	item->serving_us = at_us;
	item->down_us = -1;
}

void vrms_sim_vm_begin(struct vrms_sim_world *world, int vm, int node)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	if (item->on >= 0) {
		vrms_sim_break_rule(world, VRMS_SIM_RULE_TWO_COPIES, node, vm);
		if (item->other < 0) {
			world->doubles++;
		}
		item->other = node;
		return;
	}
	item->run++;
	item->paused = false;
	item->last_on = node;
	vrms_sim_guest_add(world, vm, node);
	if (world->node[node].io_hangs) {
		return;
	}
	vrms_sim_vm_resume(world, vm, world->now_us + world->settings->vm_boot_us);
}

static void forget_run(struct vrms_sim_world *world, int vm, bool by_host)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	item->run++;
	item->ended_us = world->now_us;
	item->ended_by_host = by_host;
	item->paused = false;
	vrms_sim_vm_interrupt(world, vm);
	vrms_sim_guest_remove(world, vm);
}

void vrms_sim_vm_end(struct vrms_sim_world *world, int vm)
{
	forget_run(world, vm, false);
}

void vrms_sim_vm_lose(struct vrms_sim_world *world, int vm)
{
	forget_run(world, vm, true);
}

/* Of a VM with two copies the other one goes on. */
void vrms_sim_vm_survive(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	if (item->other >= 0) {
		int node = item->other;

		item->other = -1;
		world->doubles--;
		item->last_on = node;
		vrms_sim_guest_add(world, vm, node);
		vrms_sim_vm_resume(world, vm, world->now_us);
	}
}

/* A partition that has lost quorum stops what runs in it, whatever the others believe by now. */
void vrms_sim_vm_stop_orphans(struct vrms_sim_world *world, int node)
{
	for (int vm = world->node[node].guests.head; vm >= 0; vm = world->vm[vm].guest_next) {
		if (world->vm[vm].host != node) {
			vrms_sim_schedule(world,
					  world->now_us +
					      vrms_sim_vary(world, world->settings->vm_stop_us),
					  VRMS_SIM_EVENT_ORPHAN, vm, world->vm[vm].run);
		}
	}
}

void vrms_sim_vm_orphan(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	if (item->on >= 0 && item->on != item->host && vrms_sim_is_live(&world->node[item->on])) {
		vrms_sim_note(world, VRMS_SIM_STEP_STOPPED, item->on, vm);
		vrms_sim_vm_end(world, vm);
		vrms_sim_vm_survive(world, vm);
	}
}

void vrms_sim_vm_move(struct vrms_sim_world *world, int vm, int node)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	vrms_sim_guest_remove(world, vm);
	vrms_sim_guest_add(world, vm, node);
	item->last_on = node;
	item->run++;
	/* The pause at the end of the copying. */
	world->record.lost_us += item->down_us < 0 ? world->settings->downtime_us / 3 : 0;
}

/* Schedules how the failure of a VM comes to light: as events, and by the next monitor. */
static void expose(struct vrms_sim_world *world, int vm, enum vrms_reason first,
		   enum vrms_reason second)
{
	const struct vrms_sim_settings *settings = world->settings;
	struct vrms_sim_vm *item = &world->vm[vm];
	int64_t monitor_us =
	    (int64_t)(vrms_random_unit(&world->random) * (double)settings->monitor_interval_us);
	struct vrms_sim_event event = {
	    .subject = vm,
	    .stamp = item->run,
	    .kind = VRMS_SIM_EVENT_VM_SIGN,
	};

	/* libvirt's event has two humps, 12 and 215 ms (measured). */
	int64_t libvirt_us = vrms_sim_chance(world, 50) ? 12000 : 215000;

	if (settings->vrmsd && settings->vm_events) {
		event.at_us = world->now_us + settings->vm_event_us;
		event.extra = (uint16_t)first;
		vrms_sim_schedule_extra(world, &event);
		event.at_us = world->now_us + libvirt_us;
		event.extra = (uint16_t)second;
		vrms_sim_schedule_extra(world, &event);
	}
	vrms_sim_schedule(world, world->now_us + monitor_us, VRMS_SIM_EVENT_VM_MONITOR, vm,
			  item->run);
}

static void open_failure(struct vrms_sim_world *world, int vm, int fault)
{
	struct vrms_sim_vm *item = &world->vm[vm];
	struct vrms_sim_failure failure = vrms_sim_failure_at(world->now_us, item->host, vm, fault);

	failure.vms = 1;
	failure.waiting = 1;
	if (item->failure < 0) {
		item->failure = vrms_sim_record_failure(&world->record, &failure);
	}
}

void vrms_sim_vm_crash(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];
	bool in_place = item->state == VRMS_SIM_VM_RUNNING;

	if (item->on < 0) {
		return;
	}
	if (in_place) {
		open_failure(world, vm, VRMS_SIM_FAULT_VM_CRASH);
	}
	vrms_sim_vm_end(world, vm);
	expose(world, vm, VRMS_REASON_VM_DIED, VRMS_REASON_VM_STOPPED_FAILED);
}

void vrms_sim_vm_pause(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	if (item->on < 0 || item->paused) {
		return;
	}
	if (item->state == VRMS_SIM_VM_RUNNING) {
		open_failure(world, vm, VRMS_SIM_FAULT_VM_PAUSE);
	}
	vrms_sim_vm_interrupt(world, vm);
	item->paused = true;
	expose(world, vm, VRMS_REASON_VM_IO_ERROR, VRMS_REASON_VM_IO_ERROR);
}

/* The host's classifier, which begins with what it would know by now. */
static struct vrms_fault *classifier(struct vrms_sim_world *world, int node)
{
	struct vrms_sim_node *host = &world->node[node];
	struct vrms_fault_config config = {
	    .vm_count_max = 1024,
	    .flap_count = 5,
	    .flap_window_ms = 60000,
	    .retry_ms = 1000,
	};

	if (host->faults == NULL) {
		host->faults = vrms_fault_new(&config);
		world->rc = host->faults == NULL ? -ENOMEM : world->rc;
	}
	return host->faults;
}

static void tell(struct vrms_sim_world *world, struct vrms_fault *faults, int vm,
		 struct vrms_fault_event *event)
{
	struct vrms_fault_plan plan = {0};

	event->now_ms = world->now_us / 1000;
	event->vm = world->scenario->vm[vm].name;
	if (!vrms_fault_step(faults, event, &plan)) {
		return; /* more VMs than it can know: left to the monitor */
	}
	for (unsigned i = 0; i < plan.count; i++) {
		if (plan.steps[i].kind == VRMS_FAULT_REPORT) {
			struct vrms_fault_event delivered = {.kind = VRMS_FAULT_DELIVERED,
							     .yes = true};

			vrms_sim_vm_failed(world, vm);
			tell(world, faults, vm, &delivered);
		}
	}
}

void vrms_sim_vm_sign(struct vrms_sim_world *world, const struct vrms_sim_event *event)
{
	int vm = event->subject;
	struct vrms_sim_vm *item = &world->vm[vm];

	if (item->run != event->stamp || item->host < 0 ||
	    !vrms_sim_is_live(&world->node[item->host])) {
		return;
	}
	struct vrms_fault *faults = classifier(world, item->host);
	bool is_first = item->state == VRMS_SIM_VM_RUNNING;
	struct vrms_fault_event managed = {.kind = VRMS_FAULT_MANAGED, .yes = true};
	struct vrms_fault_event busy = {.kind = VRMS_FAULT_OPERATION, .yes = !is_first};
	struct vrms_fault_event running = {.kind = VRMS_FAULT_RUNNING};
	struct vrms_fault_event sign = {.kind = VRMS_FAULT_EVIDENCE,
					.reason = (enum vrms_reason)event->extra};

	if (faults == NULL) {
		return;
	}
	/* It is told late what it has seen long ago; nobody asked in between. */
	tell(world, faults, vm, &managed);
	tell(world, faults, vm, &busy);
	if (is_first) {
		tell(world, faults, vm, &running);
	}
	tell(world, faults, vm, &sign);
}

void vrms_sim_vm_monitor(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	if (item->host >= 0 && item->state == VRMS_SIM_VM_RUNNING &&
	    (item->on < 0 || item->paused)) {
		if (world->node[item->host].frozen) {
			vrms_sim_schedule(world,
					  world->now_us + world->settings->monitor_interval_us,
					  VRMS_SIM_EVENT_VM_MONITOR, vm, item->run);
		} else if (world->node[item->host].up) {
			vrms_sim_vm_failed(world, vm);
		}
	}
}

void vrms_sim_vm_failed(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	if (item->state != VRMS_SIM_VM_RUNNING) {
		return;
	}
	item->state = VRMS_SIM_VM_FAILED;
	item->fail_count++;
	if (world->settings->migration_threshold > 0 &&
	    item->fail_count >= world->settings->migration_threshold) {
		vrms_sim_vm_ban(world, vm, item->host);
		item->fail_count = 0;
	}
	if (!world->node[item->host].paths) {
		vrms_sim_vm_ban(world, vm, item->host);
	}
	if (item->failure >= 0 && world->record.failure[item->failure].detected_us < 0) {
		world->record.failure[item->failure].detected_us = world->now_us;
	}
	vrms_sim_note(world, VRMS_SIM_STEP_NOTICED, item->host, vm);
	vrms_sim_todo_add(world, vm);
	vrms_sim_round_for_node(world, item->host,
				vrms_sim_round_us(world) - world->settings->scheduler_us +
				    world->settings->report_us);
}

bool vrms_sim_vm_banned(const struct vrms_sim_world *world, int vm, int node)
{
	const struct vrms_sim_vm *item = &world->vm[vm];

	for (int i = 0; i < VRMS_SIM_BANS_MAX; i++) {
		if (item->ban[i] == node && item->ban_life[i] == world->node[node].life) {
			return true;
		}
	}
	return false;
}

void vrms_sim_vm_ban(struct vrms_sim_world *world, int vm, int node)
{
	struct vrms_sim_vm *item = &world->vm[vm];
	int slot = 0;

	for (int i = 0; i < VRMS_SIM_BANS_MAX; i++) {
		if (item->ban[i] < 0 || item->ban[i] == node ||
		    item->ban_life[i] != world->node[item->ban[i]].life) {
			slot = i;
			break;
		}
	}
	item->ban[slot] = node;
	item->ban_life[slot] = world->node[node].life;
	if (world->settings->failure_timeout_us > 0) {
		vrms_sim_schedule(world, world->now_us + world->settings->failure_timeout_us,
				  VRMS_SIM_EVENT_UNBAN, vm, (uint32_t)slot);
	}
}
