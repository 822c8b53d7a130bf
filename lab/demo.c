/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * "vrms-lab demo": a cluster, VMs, one power cut, and what becomes of them.
 */
#include "lab/demo.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/parse.h"
#include "lab/cluster.h"
#include "lab/command.h"
#include "lab/demo_san.h"
#include "lab/tail.h"
#include "lab/vm_files.h"

enum {
	SETTLE_TIMEOUT_MS = 120000,
	RECOVERY_TIMEOUT_MS = 120000,
	POLL_MS = 50,
	/* Logs of several nodes are shown in order of time: an event waits this long for an
	 * earlier one from another node. */
	HOLD_BACK_MS = 400,
	UP_TIMEOUT_MS = 300000,
};

struct demo_settings {
	int64_t node_count, vm_count, token_ms;
	enum vrms_lab_agent agent;
	bool json, keep;
};

/* Everything a run needs. */
struct run {
	const struct vrms_lab_context *context;
	const struct demo_settings *settings;
	struct vrms_demo_style style;
	struct vrms_lab *lab;
	struct vrms_demo demo;
	const char *node_names[VRMS_LAB_NODES_MAX];
	struct vrms_lab_tail tails[2 * VRMS_LAB_NODES_MAX];
	int tail_count;
	int64_t cut_ms;    /* monotonic */
	char progress[80]; /* shown last */
};

static const char *const followed_logs[] = {"corosync", "pacemaker"};

static int64_t now_ms(void)
{
	return vrms_clock_now_ms(vrms_clock_system());
}

/* Sleeps a little; -EINTR when the user wants to end it. */
static int pause_or_stop(const struct run *run, int64_t ms, struct vrms_error *error)
{
	vrms_clock_sleep_ms(vrms_clock_system(), ms);
	if (run->context->interrupted != NULL && *run->context->interrupted) {
		return vrms_error_set(error, -EINTR, "interrupted");
	}
	return 0;
}

static void note_progress(void *context, const char *text)
{
	struct run *run = context;

	if (strncmp(run->progress, text, sizeof(run->progress) - 1) != 0) {
		snprintf(run->progress, sizeof(run->progress), "%s", text);
		vrms_demo_show_note(&run->style, text);
	}
}

static int bring_up(struct run *run, struct vrms_error *error)
{
	struct vrms_lab_options options;

	vrms_lab_options_init(&options);
	options.place = run->context->place;
	options.node_count = (int)run->settings->node_count;
	options.token_ms = run->settings->token_ms;
	options.timeout_ms = UP_TIMEOUT_MS;
	options.interrupted = run->context->interrupted;
	options.progress = note_progress;
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

static int add_vms(struct run *run, struct vrms_error *error)
{
	/* The larger first: Pacemaker places them in this order, and evenly so. */
	static const int sizes_mib[] = {32, 24, 16};
	int count = (int)run->settings->vm_count;
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
			rc = pause_or_stop(run, 0, error);
		}
	}
	return rc;
}

static int read_record(const struct run *run, const struct vrms_demo_vm *vm,
		       struct vrms_guest_record *ret_record)
{
	char path[VRMS_LAB_PATH_SIZE];

	vrms_lab_vm_disk_path(run->lab, vm->name, path);
	return vrms_guest_record_read(path, ret_record, NULL);
}

/* Sets where each VM runs; returns how many run, or a negative errno. */
static int locate(struct run *run, bool after, struct vrms_error *error)
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

static int count_living(struct run *run)
{
	int living = 0;

	for (int i = 0; i < run->demo.vm_count; i++) {
		struct vrms_demo_vm *vm = &run->demo.vms[i];

		living += read_record(run, vm, &vm->before) == 0 && vm->before.tick_count >= 2;
	}
	return living;
}

static int wait_until_all_run(struct run *run, struct vrms_error *error)
{
	int64_t end_ms = now_ms() + SETTLE_TIMEOUT_MS;

	for (;;) {
		int running = locate(run, false, error);

		if (running < 0) {
			return running;
		}
		if (running == run->demo.vm_count && count_living(run) == running) {
			return 0;
		}
		if (now_ms() > end_ms) {
			return vrms_error_set(error, -ETIMEDOUT, "only %d of %d VMs run", running,
					      run->demo.vm_count);
		}
		int rc = pause_or_stop(run, 300, error);
		if (rc < 0) {
			return rc;
		}
	}
}

static int follow_logs(struct run *run, struct vrms_error *error)
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

static int cut_power(struct run *run, struct vrms_error *error)
{
	struct timespec now;
	struct tm local;

	(void)count_living(run); /* the guests' last word before the cut */
	clock_gettime(CLOCK_REALTIME, &now);
	run->cut_ms = now_ms();
	localtime_r(&now.tv_sec, &local);
	vrms_timeline_init(&run->demo.timeline, &local, (int)(now.tv_nsec / 1000000),
			   run->demo.nodes[run->demo.victim]);
	return vrms_lab_power(run->lab, run->demo.victim, VRMS_LAB_POWER_OFF, NULL, error);
}

static void read_logs(struct run *run)
{
	for (int i = 0; i < run->tail_count; i++) {
		const char *line;

		while ((line = vrms_lab_tail_next(&run->tails[i])) != NULL) {
			vrms_timeline_read(&run->demo.timeline, line);
		}
	}
}

static const char *started_on(const struct run *run, const char *vm)
{
	const struct vrms_timeline_event *event =
	    vrms_timeline_find(&run->demo.timeline, VRMS_TIMELINE_VM_START, vm);

	return event != NULL ? event->node : NULL;
}

/* A lost VM lives when a new boot of its guest has written twice. */
static void watch_lost(struct run *run, struct vrms_demo_vm *vm)
{
	if (vm->lives || read_record(run, vm, &vm->last) < 0 ||
	    vm->last.boot_count <= vm->before.boot_count) {
		return;
	}
	if (vm->first.boot_count != vm->last.boot_count) {
		vm->first = vm->last;
		vrms_timeline_add(&run->demo.timeline, VRMS_TIMELINE_GUEST_LIVES,
				  now_ms() - run->cut_ms, vm->name, started_on(run, vm->name));
	}
	vm->lives = vm->last.tick_count > vm->first.tick_count;
}

/* Another one lives when it went on: same boot, more ticks. */
static void watch_survivor(struct run *run, struct vrms_demo_vm *vm)
{
	if (!vm->lives && read_record(run, vm, &vm->last) == 0) {
		vm->lives = !vrms_guest_record_is_restart(&vm->before, &vm->last) &&
			    vm->last.tick_count > vm->before.tick_count + 1;
	}
}

static int count_back(struct run *run)
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

/* Shows what happens until every guest counts or time is up. */
static int watch_recovery(struct run *run, struct vrms_error *error)
{
	int64_t quiet_ms = -1; /* when the last guest was found alive */

	for (;;) {
		int64_t after_ms = now_ms() - run->cut_ms;

		read_logs(run);
		if (count_back(run) == run->demo.vm_count && quiet_ms < 0) {
			quiet_ms = after_ms;
		}
		vrms_demo_show_events(&run->style, &run->demo, after_ms - HOLD_BACK_MS);
		if ((quiet_ms >= 0 && after_ms > quiet_ms + HOLD_BACK_MS) ||
		    after_ms > RECOVERY_TIMEOUT_MS) {
			vrms_demo_show_events(&run->style, &run->demo, after_ms);
			return 0;
		}
		int rc = pause_or_stop(run, POLL_MS, error);
		if (rc < 0) {
			return rc;
		}
	}
}

/* Both must say so: the guest's counter, and Pacemaker, on a node that has power. */
static int judge(struct run *run, struct vrms_error *error)
{
	int64_t end_ms = now_ms() + SETTLE_TIMEOUT_MS / 4;
	bool all_live = true;
	int running;

	for (int i = 0; i < run->demo.vm_count; i++) {
		all_live = all_live && run->demo.vms[i].lives;
	}
	do {
		running = locate(run, true, error);
	} while (running >= 0 && running < run->demo.vm_count && now_ms() < end_ms &&
		 pause_or_stop(run, 300, error) == 0);
	for (int i = 0; i < run->demo.vm_count; i++) {
		struct vrms_demo_vm *vm = &run->demo.vms[i];

		(void)read_record(run, vm, &vm->last);
		all_live = all_live && vm->node_after >= 0;
	}
	run->demo.recovered = all_live && running == run->demo.vm_count;
	return running < 0 ? running : 0;
}

static int prepare(struct run *run, struct vrms_error *error)
{
	char text[128];

	snprintf(text, sizeof(text), "A cluster of %d nodes, corosync's token %d ms",
		 (int)run->settings->node_count, (int)run->settings->token_ms);
	vrms_demo_show_heading(&run->style, text);
	int rc = bring_up(run, error);
	if (rc < 0) {
		return rc;
	}
	snprintf(text, sizeof(text), "%d VMs under %s", (int)run->settings->vm_count,
		 vrms_lab_agent_resource(run->settings->agent));
	vrms_demo_show_heading(&run->style, text);
	rc = add_vms(run, error);
	return rc < 0 ? rc : wait_until_all_run(run, error);
}

static int tell(struct run *run, struct vrms_error *error)
{
	char text[128];
	int rc = prepare(run, error);

	if (rc < 0) {
		return rc;
	}
	vrms_demo_show_load(&run->style, &run->demo, false);
	run->demo.victim = vrms_demo_choose_victim(&run->demo);
	snprintf(text, sizeof(text), "The power of %s is cut", run->demo.nodes[run->demo.victim]);
	vrms_demo_show_heading(&run->style, text);
	rc = follow_logs(run, error);
	if (rc == 0) {
		rc = cut_power(run, error);
	}
	if (rc == 0) {
		rc = watch_recovery(run, error);
	}
	if (rc == 0) {
		rc = judge(run, error);
	}
	if (rc < 0) {
		return rc;
	}
	vrms_demo_show_heading(&run->style, "Afterwards");
	vrms_demo_show_load(&run->style, &run->demo, true);
	vrms_demo_show_heading(&run->style, "What the guests say");
	vrms_demo_show_verdict(&run->style, &run->demo);
	return run->settings->json ? vrms_demo_print_json(&run->demo, stdout) : 0;
}

/* Whatever happened, nothing stays. */
static int take_down(struct run *run, int rc, struct vrms_error *error)
{
	struct vrms_error down_error = {.text = ""};

	for (int i = 0; i < run->tail_count; i++) {
		vrms_lab_tail_close(&run->tails[i]);
	}
	if (run->lab == NULL || run->settings->keep) {
		return rc;
	}
	int down = vrms_lab_down(run->lab, false, &down_error);
	if (down == 0) {
		vrms_demo_show_note(&run->style, "The lab is taken down.");
	} else if (rc == 0) {
		*error = down_error;
	}
	return rc < 0 ? rc : down;
}

static int run_demo(const struct vrms_lab_context *context, void *memory, int argc, char **argv,
		    struct vrms_error *error)
{
	struct demo_settings *settings = memory;
	struct vrms_lab_context own = *context;
	struct run *run VRMS_CLEANUP(vrms_freep) = calloc(1, sizeof(*run));

	(void)argc;
	(void)argv;
	if (run == NULL) {
		vrms_error_set(error, -ENOMEM, "out of memory");
		return VRMS_LAB_EXIT_FAILED;
	}
	static const struct demo_settings plain; /* zeros, the padding too */
	bool is_plain = memcmp(settings, &plain, sizeof(plain)) == 0;
	settings->node_count = settings->node_count != 0 ? settings->node_count : 3;
	settings->vm_count = settings->vm_count != 0 ? settings->vm_count : 6;
	settings->token_ms = settings->token_ms != 0 ? settings->token_ms : 1000;
	if (own.place.name == NULL) {
		own.place.name = "demo"; /* a lab of the user's own stays as it is */
	}
	run->context = &own;
	run->settings = settings;
	if (!settings->json) {
		vrms_demo_style_init(&run->style, stdout);
	}
	int rc = take_down(run, tell(run, error), error);
	bool recovered = rc == 0 && run->demo.recovered;

	vrms_lab_free(run->lab);
	if (recovered && is_plain) {
		recovered = vrms_demo_san_play_if_possible(&own, &run->style, error) == 0;
	}
	return recovered ? VRMS_LAB_EXIT_OK : VRMS_LAB_EXIT_FAILED;
}

static int set_option(void *memory, const char *name, const char *value, struct vrms_error *error)
{
	struct demo_settings *settings = memory;

	if (strcmp(name, "nodes") == 0) {
		return vrms_int_parse(value, 2, 8, &settings->node_count, error);
	}
	if (strcmp(name, "vms") == 0) {
		return vrms_int_parse(value, 1, VRMS_DEMO_VMS_MAX, &settings->vm_count, error);
	}
	if (strcmp(name, "token") == 0) {
		return vrms_int_parse(value, 100, 60000, &settings->token_ms, error);
	}
	if (strcmp(name, "agent") == 0) {
		return vrms_lab_agent_parse(value, &settings->agent, error);
	}
	if (strcmp(name, "json") == 0) {
		settings->json = true;
	} else {
		settings->keep = true;
	}
	return 0;
}

static const struct vrms_lab_option options[] = {
    {'n', "nodes", "COUNT", "nodes, 2..8 (default: 3)"},
    {0, "vms", "COUNT", "virtual machines, 1..32 (default: 6)"},
    {0, "token", "MS", "corosync's token in milliseconds (default: 1000)"},
    {'a', "agent", "AGENT", "vrms (default) or heartbeat, to compare"},
    {0, "json", NULL, "tell the story in JSON, at the end"},
    {0, "keep", NULL, "leave the lab as it is then"},
};

static const struct vrms_lab_command command = {
    .name = "demo",
    .arguments = "",
    .summary = "Cut the power of a node and watch its virtual machines come back elsewhere.",
    .details = "A lab of its own (\"demo\") is brought up and taken down again.  The exit status\n"
	       "is 0 only when every guest counts again on a node that has power.",
    .options = options,
    .option_count = VRMS_COUNT_OF(options),
    .run = run_demo,
    .set_option = set_option,
    .settings_size = sizeof(struct demo_settings),
};

const struct vrms_lab_command *vrms_lab_demo_command(void)
{
	return &command;
}
