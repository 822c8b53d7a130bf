/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One lab, its VMs, and one power cut after the other.
 */
#include "lab/demo_run.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "lab/cluster.h"
#include "lab/vm_files.h"

enum {
	SETTLE_TIMEOUT_MS = 120000,
	RECOVERY_TIMEOUT_MS = 120000,
	REST_TIMEOUT_MS = 90000,
	REJOIN_TIMEOUT_MS = 120000,
	POLL_MS = 50,
	/* Logs of several nodes are shown in order of time: an event waits this long for an
	 * earlier one from another node. */
	HOLD_BACK_MS = 400,
	UP_TIMEOUT_MS = 300000,
};

static const char *const followed_logs[] = {"corosync", "pacemaker"};

int64_t vrms_demo_now_ms(void)
{
	return vrms_clock_now_ms(vrms_clock_system());
}

int vrms_demo_pause(const struct vrms_demo_run *run, int64_t ms, struct vrms_error *error)
{
	vrms_clock_sleep_ms(vrms_clock_system(), ms);
	if (run->context->interrupted != NULL && *run->context->interrupted) {
		return vrms_error_set(error, -EINTR, "interrupted");
	}
	return 0;
}

void vrms_demo_progress(void *context, const char *text)
{
	struct vrms_demo_run *run = context;

	if (strncmp(run->progress, text, sizeof(run->progress) - 1) != 0) {
		snprintf(run->progress, sizeof(run->progress), "%s", text);
		vrms_demo_show_note(&run->style, text);
	}
}

static int start_lab(struct vrms_demo_run *run, int node_count, int vm_count,
		     struct vrms_error *error)
{
	struct vrms_lab_options options;

	vrms_lab_options_init(&options);
	options.place = run->context->place;
	options.node_count = node_count;
	options.without_libvirt = vm_count == 0;
	options.with_vrmsd = true;
	options.token_ms = run->settings->token_ms;
	options.is_shared = run->settings->is_shared;
	options.timeout_ms = UP_TIMEOUT_MS;
	options.interrupted = run->context->interrupted;
	options.progress = vrms_demo_progress;
	options.progress_context = run;
	int rc = vrms_lab_up(&options, &run->lab, error);
	if (rc < 0) {
		return rc;
	}
	run->demo.node_count = vrms_lab_node_count(run->lab);
	for (int i = 0; i < run->demo.node_count; i++) {
		run->node_names[i] = vrms_lab_node_name(run->lab, i);
	}
	run->demo.nodes = run->node_names;
	return 0;
}

static int add_vms(struct vrms_demo_run *run, int count, struct vrms_error *error)
{
	/* The larger first: Pacemaker places them in this order, and evenly so. */
	static const int sizes_mib[] = {32, 24, 16};
	int rc = 0;

	for (int i = 0; rc == 0 && i < count; i++) {
		struct vrms_demo_vm *shown = &run->demo.vms[run->demo.vm_count++];
		struct vrms_lab_vm vm = {0};

		snprintf(shown->name, sizeof(shown->name), "vm%d", i + 1);
		shown->memory_mib = sizes_mib[i * (int)VRMS_COUNT_OF(sizes_mib) / count];
		shown->node_before = -1;
		shown->node_after = -1;
		vm.memory_mib = shown->memory_mib;
		vm.agent = run->settings->agent;
		rc = vrms_lab_vm_complete(run->lab, shown->name, &vm, error);
		if (rc == 0) {
			rc = vrms_lab_vm_add(run->lab, &vm, error);
		}
		if (rc == 0) {
			rc = vrms_demo_pause(run, 0, error);
		}
	}
	return rc;
}

static int read_record(const struct vrms_demo_run *run, const struct vrms_demo_vm *vm,
		       struct vrms_guest_record *ret_record)
{
	char path[VRMS_LAB_PATH_SIZE];

	vrms_lab_vm_disk_path(run->lab, vm->name, path);
	return vrms_guest_record_read(path, ret_record, NULL);
}

/* Sets where each VM runs; returns how many run, or a negative errno. */
static int locate(struct vrms_demo_run *run, bool after, struct vrms_error *error)
{
	struct vrms_lab_view view = {0};
	int running = 0;
	int rc = vrms_lab_cluster_view(run->lab, &view, error);

	for (int i = 0; rc == 0 && i < run->demo.vm_count; i++) {
		struct vrms_demo_vm *vm = &run->demo.vms[i];
		const struct vrms_lab_resource *resource = vrms_lab_view_find(&view, vm->name);
		int node = -1;

		if (resource != NULL && vrms_lab_resource_is_settled(resource) &&
		    vrms_lab_node_index(run->lab, resource->node, &node, NULL) == 0) {
			running++;
		}
		if (after && node == run->demo.victim) {
			node = -1; /* Pacemaker has not given it up, but it has no power */
		}
		*(after ? &vm->node_after : &vm->node_before) = node;
	}
	vrms_lab_view_done(&view);
	return rc < 0 ? rc : running;
}

static int count_living(struct vrms_demo_run *run)
{
	int living = 0;

	for (int i = 0; i < run->demo.vm_count; i++) {
		struct vrms_demo_vm *vm = &run->demo.vms[i];

		living += read_record(run, vm, &vm->before) == 0 && vm->before.tick_count >= 2;
	}
	return living;
}

static int wait_until_all_run(struct vrms_demo_run *run, struct vrms_error *error)
{
	int64_t end_ms = vrms_demo_now_ms() + SETTLE_TIMEOUT_MS;

	for (;;) {
		/* A node that was just back may still be unknown to Pacemaker. */
		int running = run->demo.vm_count == 0 ? 0 : locate(run, false, error);

		if (running < 0) {
			return running;
		}
		if (running == run->demo.vm_count && count_living(run) == running) {
			return 0;
		}
		if (vrms_demo_now_ms() > end_ms) {
			return vrms_error_set(error, -ETIMEDOUT, "only %d of %d VMs run", running,
					      run->demo.vm_count);
		}
		int rc = vrms_demo_pause(run, 300, error);
		if (rc < 0) {
			return rc;
		}
	}
}

static int follow_logs(struct vrms_demo_run *run, struct vrms_error *error)
{
	for (int node = 0; node < run->demo.node_count; node++) {
		for (size_t i = 0; node != run->demo.victim && i < VRMS_COUNT_OF(followed_logs);
		     i++) {
			const char *path = vrms_lab_node_log_path(run->lab, node, followed_logs[i]);
			int rc = vrms_lab_tail_open(path, &run->tails[run->tail_count], error);

			if (rc < 0) {
				return rc;
			}
			run->tail_count++;
		}
	}
	return 0;
}

static int cut_power(struct vrms_demo_run *run, struct vrms_error *error)
{
	struct timespec now;
	struct tm local;

	(void)count_living(run); /* the guests' last word before the cut */
	clock_gettime(CLOCK_REALTIME, &now);
	run->cut_ms = vrms_demo_now_ms();
	localtime_r(&now.tv_sec, &local);
	vrms_timeline_init(&run->demo.timeline, &local, (int)(now.tv_nsec / 1000000),
			   run->demo.nodes[run->demo.victim]);
	return vrms_lab_power(run->lab, run->demo.victim, VRMS_LAB_POWER_OFF, NULL, error);
}

static void read_logs(struct vrms_demo_run *run)
{
	for (int i = 0; i < run->tail_count; i++) {
		const char *line;

		while ((line = vrms_lab_tail_next(&run->tails[i])) != NULL) {
			vrms_timeline_read(&run->demo.timeline, line);
		}
	}
}

static const char *started_on(const struct vrms_demo_run *run, const char *vm)
{
	const struct vrms_timeline_event *event =
	    vrms_timeline_find(&run->demo.timeline, VRMS_TIMELINE_VM_START, vm);

	return event != NULL ? event->node : NULL;
}

/* A lost VM lives when a new boot of its guest has written twice. */
static void watch_lost(struct vrms_demo_run *run, struct vrms_demo_vm *vm)
{
	if (vm->lives || read_record(run, vm, &vm->last) < 0 ||
	    vm->last.boot_count <= vm->before.boot_count) {
		return;
	}
	if (vm->first.boot_count != vm->last.boot_count) {
		vm->first = vm->last;
		vrms_timeline_add(&run->demo.timeline, VRMS_TIMELINE_GUEST_LIVES,
				  vrms_demo_now_ms() - run->cut_ms, vm->name,
				  started_on(run, vm->name));
	}
	vm->lives = vm->last.tick_count > vm->first.tick_count;
}

/* Another one lives when it went on: same boot, more ticks. */
static void watch_survivor(struct vrms_demo_run *run, struct vrms_demo_vm *vm)
{
	if (!vm->lives && read_record(run, vm, &vm->last) == 0) {
		vm->lives = !vrms_guest_record_is_restart(&vm->before, &vm->last) &&
			    vm->last.tick_count > vm->before.tick_count + 1;
	}
}

static int count_back(struct vrms_demo_run *run)
{
	int count = 0;

	for (int i = 0; i < run->demo.vm_count; i++) {
		struct vrms_demo_vm *vm = &run->demo.vms[i];

		if (vm->node_before == run->demo.victim) {
			watch_lost(run, vm);
		} else {
			watch_survivor(run, vm);
		}
		count += vm->lives;
	}
	return count;
}

static bool is_fenced(const struct vrms_demo_run *run)
{
	return vrms_timeline_find(&run->demo.timeline, VRMS_TIMELINE_FENCED, NULL) != NULL;
}

/* Shows what happens until the node is fenced and every guest counts, or time is up. */
static int watch_recovery(struct vrms_demo_run *run, struct vrms_error *error)
{
	int64_t quiet_ms = -1; /* when the last guest was found alive */

	for (;;) {
		int64_t after_ms = vrms_demo_now_ms() - run->cut_ms;

		read_logs(run);
		if (quiet_ms < 0 && count_back(run) == run->demo.vm_count && is_fenced(run)) {
			quiet_ms = after_ms;
		}
		vrms_demo_show_events(&run->style, &run->demo, after_ms - HOLD_BACK_MS);
		if ((quiet_ms >= 0 && after_ms > quiet_ms + HOLD_BACK_MS) ||
		    after_ms > RECOVERY_TIMEOUT_MS) {
			vrms_demo_show_events(&run->style, &run->demo, after_ms);
			return 0;
		}
		int rc = vrms_demo_pause(run, POLL_MS, error);
		if (rc < 0) {
			return rc;
		}
	}
}

/* Both must say so: the guest's counter, and Pacemaker, on a node that has power. */
static int judge(struct vrms_demo_run *run, struct vrms_error *error)
{
	int64_t end_ms = vrms_demo_now_ms() + SETTLE_TIMEOUT_MS / 4;
	bool all_live = is_fenced(run);
	int running;

	for (int i = 0; i < run->demo.vm_count; i++) {
		all_live = all_live && run->demo.vms[i].lives;
	}
	if (run->demo.vm_count == 0) {
		run->demo.recovered = all_live;
		return 0;
	}
	do {
		running = locate(run, true, error);
	} while (running >= 0 && running < run->demo.vm_count && vrms_demo_now_ms() < end_ms &&
		 vrms_demo_pause(run, 300, error) == 0);
	for (int i = 0; i < run->demo.vm_count; i++) {
		struct vrms_demo_vm *vm = &run->demo.vms[i];

		(void)read_record(run, vm, &vm->last);
		all_live = all_live && vm->node_after >= 0;
	}
	run->demo.recovered = all_live && running == run->demo.vm_count;
	return running < 0 ? running : 0;
}

int vrms_demo_bring_up(struct vrms_demo_run *run, int node_count, int vm_count,
		       struct vrms_error *error)
{
	char text[128];
	int rc;

	snprintf(text, sizeof(text), "A cluster of %d nodes with vrmsd", node_count);
	vrms_demo_show_heading(&run->style, text);
	rc = start_lab(run, node_count, vm_count, error);
	/* Adding a VM does this, too. */
	rc = rc < 0 ? rc : vrms_lab_cluster_configure(run->lab, error);
	if (rc < 0 || vm_count == 0) {
		return rc;
	}
	snprintf(text, sizeof(text), "%d VMs under %s", vm_count,
		 vrms_lab_agent_resource(run->settings->agent));
	vrms_demo_show_heading(&run->style, text);
	return add_vms(run, vm_count, error);
}

int vrms_demo_settle(struct vrms_demo_run *run, struct vrms_error *error)
{
	int rc = vrms_lab_wait_online(run->lab, REJOIN_TIMEOUT_MS, error);

	rc = rc < 0 ? rc : wait_until_all_run(run, error);
	/* A fence that is asked for before the devices have started fails. */
	return rc < 0 ? rc : vrms_lab_cluster_wait_idle(run->lab, REST_TIMEOUT_MS, error);
}

/* What the last cut has left. */
static void forget_cut(struct vrms_demo_run *run)
{
	for (int i = 0; i < run->tail_count; i++) {
		vrms_lab_tail_close(&run->tails[i]);
	}
	run->tail_count = 0;
	for (int i = 0; i < run->demo.vm_count; i++) {
		struct vrms_demo_vm *vm = &run->demo.vms[i];

		memset(&vm->first, 0, sizeof(vm->first));
		memset(&vm->last, 0, sizeof(vm->last));
		vm->node_after = -1;
		vm->lives = false;
	}
	run->demo.recovered = false;
}

int vrms_demo_cut(struct vrms_demo_run *run, int number, struct vrms_error *error)
{
	int dc = vrms_demo_find_dc(run);

	forget_cut(run);
	vrms_demo_show_load(&run->style, &run->demo, false);
	run->demo.victim = vrms_demo_choose_victim(&run->demo, dc, number);
	run->demo.is_dc = run->demo.victim == dc;
	int rc = follow_logs(run, error);

	rc = rc < 0 ? rc : cut_power(run, error);
	rc = rc < 0 ? rc : watch_recovery(run, error);
	return rc < 0 ? rc : judge(run, error);
}

int vrms_demo_rejoin(struct vrms_demo_run *run, struct vrms_error *error)
{
	int rc = vrms_lab_power(run->lab, run->demo.victim, VRMS_LAB_POWER_ON, NULL, error);

	return rc < 0 ? rc : vrms_demo_settle(run, error);
}

int vrms_demo_take_down(struct vrms_demo_run *run, int rc, struct vrms_error *error)
{
	struct vrms_error down_error = {.text = ""};
	int down = 0;

	forget_cut(run);
	if (run->lab != NULL && !run->settings->keep) {
		down = vrms_lab_down(run->lab, false, &down_error);
	}
	if (down < 0 && rc == 0) {
		*error = down_error;
	}
	vrms_lab_free(run->lab);
	run->lab = NULL;
	memset(&run->demo, 0, sizeof(run->demo));
	return rc < 0 ? rc : down;
}
