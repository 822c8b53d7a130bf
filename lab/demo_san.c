/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * "vrms-lab demo-san": fencing by power gets no answer, the storage cuts the node off; then the
 * storage first, and the power behind it.
 */
#include "lab/demo_san.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "lab/cluster.h"
#include "lab/iscsi.h"
#include "lab/powerd.h"
#include "lab/setup.h"
#include "lab/tail.h"
#include "lab/timeline.h"
#include "lab/vm_files.h"

enum {
	VMS = 3,
	NODES = 3,
	TOKEN_MS = 1000,
	POWER_TIMEOUT_MS = 4000, /* how long the dead controller is waited for */
	SAN_MS = 2500,           /* what fencing on all LUNs may take here */
	START_MS = 15000,        /* and the start of the guests */
	UP_TIMEOUT_MS = 300000,
	SETTLE_TIMEOUT_MS = 120000,
	REST_TIMEOUT_MS = 60000,
	RECOVERY_TIMEOUT_MS = 120000,
	POLL_MS = 100,
};

/* What becomes of a host, and in which order it is fenced. */
struct scene {
	const char *levels[2]; /* names of the fencing devices */
	const char *order, *blow;
	bool hangs;         /* it is frozen and its controller lives; else both are dead */
	int64_t silence_ms; /* of the power controller, before the storage is asked */
	const char *steps[VRMS_TIMELINE_KIND_COUNT]; /* how the events of its log are told */
};

static const struct scene scenes[] = {
    {
	.levels = {"fence", "san"},
	.order = "power first, then the storage",
	.blow = "loses its power, and its power controller with it",
	.silence_ms = POWER_TIMEOUT_MS,
	.steps = {[VRMS_TIMELINE_MEMBERSHIP] = "a membership without it",
		  [VRMS_TIMELINE_FENCE_ASKED] = "its power controller is asked, and says nothing",
		  [VRMS_TIMELINE_FENCED] = "the storage has cut it off",
		  [VRMS_TIMELINE_VM_START] = "the start of its VMs is ordered"},
    },
    {
	.levels = {"san", "fence"},
	.order = "the storage first, the power behind it",
	.blow = "hangs",
	.hangs = true,
	.steps = {[VRMS_TIMELINE_MEMBERSHIP] = "a membership without it",
		  [VRMS_TIMELINE_FENCE_ASKED] = "the storage is asked to cut it off",
		  [VRMS_TIMELINE_FENCED] = "the storage has cut it off",
		  [VRMS_TIMELINE_VM_START] = "the start of its VMs is ordered"},
    },
};

struct act {
	const struct vrms_lab_context *context;
	const struct vrms_demo_style *style;
	const struct scene *scene;
	struct vrms_lab *lab;
	int victim;
	int64_t cut_ms;
	int64_t off_ms;    /* when a host that hung was seen to be off; 0: not yet */
	bool is_lost[VMS]; /* ran on the victim */
	bool is_back[VMS];
	int64_t back_ms[VMS]; /* after the cut */
	int64_t took_ms;      /* until the last one was back */
	struct vrms_guest_record before[VMS];
	struct vrms_lab_tail tails[2 * NODES]; /* of the survivors' logs */
	size_t tail_count;
	struct vrms_timeline timeline;
};

static const char *const vm_names[VMS] = {"vm1", "vm2", "vm3"};

/* From the loss of the token to a guest's first sign of life: token and consensus (1.2 times the
 * token), the power controller's silence, the storage, the start. */
static int64_t bound_ms(const struct scene *scene)
{
	return TOKEN_MS * 22 / 10 + scene->silence_ms + SAN_MS + START_MS;
}

static int64_t now_ms(void)
{
	return vrms_clock_now_ms(vrms_clock_system());
}

static void say(const struct act *act, const char *format, ...) VRMS_PRINTF(2, 3);
static void say(const struct act *act, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	vrms_demo_show_note(act->style, text);
}

static int pause_or_stop(const struct act *act, struct vrms_error *error)
{
	vrms_clock_sleep_ms(vrms_clock_system(), POLL_MS);
	return *act->context->interrupted != 0 ? vrms_error_set(error, -EINTR, "interrupted") : 0;
}

static int bring_up(struct act *act, struct vrms_error *error)
{
	static char name[VRMS_LAB_NAME_MAX + 1];
	struct vrms_lab_options options;

	vrms_lab_options_init(&options);
	options.place = act->context->place;
	snprintf(name, sizeof(name), "%.28s-san",
		 options.place.name != NULL ? options.place.name : "demo");
	options.place.name = name;
	options.node_count = NODES;
	options.token_ms = TOKEN_MS;
	options.timeout_ms = UP_TIMEOUT_MS;
	options.with_iscsi = true;
	options.interrupted = act->context->interrupted;
	return vrms_lab_up(&options, &act->lab, error);
}

/* Both are levels of each node, and each has the other one's place by turns. */
static int put_levels(const struct act *act, struct vrms_error *error)
{
	char xml[2048];
	size_t used = (size_t)snprintf(xml, sizeof(xml), "<fencing-topology>");

	for (int i = 0; i < NODES; i++) {
		for (int level = 1; level <= 2; level++) {
			const char *node = vrms_lab_node_name(act->lab, i);

			used += (size_t)snprintf(xml + used, sizeof(xml) - used,
						 "<fencing-level id=\"level-%s-%d\" target=\"%s\" "
						 "index=\"%d\" devices=\"%s\"/>",
						 node, level, node, level,
						 act->scene->levels[level - 1]);
		}
	}
	snprintf(xml + used, sizeof(xml) - used, "</fencing-topology>");
	return vrms_lab_cluster_modify(act->lab, "fencing-topology", xml, error);
}

/* What the storage waits for when it is not the first. */
static int shorten_silence(const struct act *act, struct vrms_error *error)
{
	char xml[512];

	snprintf(xml, sizeof(xml),
		 "<primitive id=\"fence\"><instance_attributes id=\"fence-params\">"
		 "<nvpair id=\"fence-power_timeout\" name=\"power_timeout\" value=\"%dms\"/>"
		 "<nvpair id=\"fence-retries\" name=\"pcmk_off_retries\" value=\"1\"/>"
		 "</instance_attributes></primitive>",
		 POWER_TIMEOUT_MS);
	return vrms_lab_cluster_modify(act->lab, "resources", xml, error);
}

static int add_vms(const struct act *act, struct vrms_error *error)
{
	int rc = vrms_lab_cluster_configure(act->lab, error);

	rc = rc < 0 ? rc : shorten_silence(act, error);
	for (int i = 0; rc == 0 && i < VMS; i++) {
		struct vrms_lab_vm vm = {.memory_mib = 16};

		rc = vrms_lab_vm_complete(act->lab, vm_names[i], &vm, error);
		rc = rc < 0 ? rc : vrms_lab_vm_add(act->lab, &vm, error);
	}
	return rc;
}

static int read_record(const struct act *act, int vm, struct vrms_guest_record *record)
{
	char path[VRMS_LAB_PATH_SIZE];

	vrms_lab_vm_disk_path(act->lab, vm_names[vm], path);
	return vrms_guest_record_read(path, record, NULL);
}

/* Where each VM runs: an index, or -1. */
static int locate(const struct act *act, int nodes[VMS], struct vrms_error *error)
{
	struct vrms_lab_view view = {0};
	int rc = vrms_lab_cluster_view(act->lab, &view, error);

	for (int i = 0; rc == 0 && i < VMS; i++) {
		const struct vrms_lab_resource *vm = vrms_lab_view_find(&view, vm_names[i]);

		nodes[i] = -1;
		if (vm != NULL && vrms_lab_resource_is_settled(vm)) {
			(void)!vrms_lab_node_index(act->lab, vm->node, &nodes[i], NULL);
		}
	}
	vrms_lab_view_done(&view);
	return rc;
}

static int wait_until_all_run(struct act *act, struct vrms_error *error)
{
	int64_t end_ms = now_ms() + SETTLE_TIMEOUT_MS;
	int nodes[VMS];
	int running;

	do {
		int rc = pause_or_stop(act, error);

		rc = rc < 0 ? rc : locate(act, nodes, error);
		if (rc < 0) {
			return rc;
		}
		running = 0;
		for (int i = 0; i < VMS; i++) {
			running += nodes[i] >= 0 && read_record(act, i, &act->before[i]) == 0 &&
				   act->before[i].tick_count >= 2;
		}
	} while (running < VMS && now_ms() < end_ms);
	if (running < VMS) {
		return vrms_error_set(error, -ETIMEDOUT, "only %d of %d VMs run", running, VMS);
	}
	act->victim = nodes[0];
	for (int i = 0; i < VMS; i++) {
		act->is_lost[i] = nodes[i] == act->victim;
		act->is_back[i] = false;
	}
	/* A fence that is asked for before its devices have started fails. */
	return vrms_lab_cluster_wait_idle(act->lab, REST_TIMEOUT_MS, error);
}

static void forget_logs(struct act *act)
{
	for (size_t i = 0; i < act->tail_count; i++) {
		vrms_lab_tail_close(&act->tails[i]);
	}
	act->tail_count = 0;
}

static int follow_logs(struct act *act, struct vrms_error *error)
{
	static const char *const logs[] = {"corosync", "pacemaker"};

	for (int node = 0; node < NODES; node++) {
		for (size_t i = 0; node != act->victim && i < VRMS_COUNT_OF(logs); i++) {
			const char *path = vrms_lab_node_log_path(act->lab, node, logs[i]);
			int rc = vrms_lab_tail_open(path, &act->tails[act->tail_count], error);

			if (rc < 0) {
				return rc;
			}
			act->tail_count++;
		}
	}
	return 0;
}

static int cut(struct act *act, struct vrms_error *error)
{
	bool hangs = act->scene->hangs;
	struct timespec now;
	struct tm local;
	int rc = vrms_lab_powerd_set_dead(act->lab, act->victim, !hangs, error);

	forget_logs(act);
	rc = rc < 0 ? rc : follow_logs(act, error);
	clock_gettime(CLOCK_REALTIME, &now);
	act->cut_ms = now_ms();
	act->off_ms = 0;
	localtime_r(&now.tv_sec, &local);
	vrms_timeline_init(&act->timeline, &local, (int)(now.tv_nsec / 1000000),
			   vrms_lab_node_name(act->lab, act->victim));
	if (rc < 0) {
		return rc;
	}
	return hangs ? vrms_lab_freeze(act->lab, act->victim, error)
		     : vrms_lab_power(act->lab, act->victim, VRMS_LAB_POWER_OFF, NULL, error);
}

static void read_logs(struct act *act)
{
	for (size_t i = 0; i < act->tail_count; i++) {
		const char *line;

		while ((line = vrms_lab_tail_next(&act->tails[i])) != NULL) {
			vrms_timeline_read(&act->timeline, line);
		}
	}
}

/* The first of its kind; of starts only those of VMs, for fencing devices are started too. */
static const struct vrms_timeline_event *find_event(const struct act *act,
						    enum vrms_timeline_kind kind)
{
	const struct vrms_timeline_event *first = NULL;

	if (kind != VRMS_TIMELINE_VM_START) {
		return vrms_timeline_find(&act->timeline, kind, NULL);
	}
	for (int i = 0; i < VMS; i++) {
		const struct vrms_timeline_event *event =
		    vrms_timeline_find(&act->timeline, kind, vm_names[i]);

		if (event != NULL && (first == NULL || event->after_ms < first->after_ms)) {
			first = event;
		}
	}
	return first;
}

/* How the time went, from the survivors' logs. */
static void tell_steps(struct act *act)
{
	read_logs(act);
	for (int kind = 0; kind < VRMS_TIMELINE_KIND_COUNT; kind++) {
		const char *text = act->scene->steps[kind];
		const struct vrms_timeline_event *event =
		    text != NULL ? find_event(act, kind) : NULL;

		if (event != NULL) {
			say(act, "%5.1f s  %s", (double)event->after_ms / 1000, text);
		}
	}
}

static int count_back(struct act *act)
{
	int missing = 0;

	for (int i = 0; i < VMS; i++) {
		struct vrms_guest_record now;

		if (act->is_lost[i] && !act->is_back[i] && read_record(act, i, &now) == 0 &&
		    now.boot_count > act->before[i].boot_count) {
			act->is_back[i] = true;
			act->back_ms[i] = now_ms() - act->cut_ms;
			act->took_ms = act->back_ms[i];
		}
		missing += act->is_lost[i] && !act->is_back[i];
	}
	return missing;
}

/* Is a host that hung still on? */
static bool is_left_on(struct act *act)
{
	enum vrms_lab_node_state state = VRMS_LAB_NODE_ON;

	if (!act->scene->hangs || act->off_ms > 0) {
		return false;
	}
	if (vrms_lab_power(act->lab, act->victim, VRMS_LAB_POWER_STATUS, &state, NULL) == 0 &&
	    state == VRMS_LAB_NODE_OFF) {
		act->off_ms = now_ms() - act->cut_ms;
	}
	return act->off_ms == 0;
}

static int watch(struct act *act, struct vrms_error *error)
{
	for (;;) {
		bool is_on = is_left_on(act);
		int missing = count_back(act);

		if (missing == 0 && !is_on) {
			return 0;
		}
		if (now_ms() - act->cut_ms > RECOVERY_TIMEOUT_MS) {
			tell_steps(act);
			return vrms_error_set(error, -ETIMEDOUT, "%s",
					      missing > 0 ? "not all VMs came back"
							  : "its power was not switched off");
		}
		int rc = pause_or_stop(act, error);
		if (rc < 0) {
			return rc;
		}
	}
}

static void tell_end(struct act *act)
{
	const struct scene *scene = act->scene;
	char silence[64] = "";

	tell_steps(act);
	if (act->off_ms > 0) {
		say(act, "%5.1f s  its power has been switched off, nobody waited for that",
		    (double)act->off_ms / 1000);
	}
	for (int i = 0; i < VMS; i++) {
		if (act->is_back[i]) {
			say(act, "%5.1f s  %s counts again", (double)act->back_ms[i] / 1000,
			    vm_names[i]);
		}
	}
	if (scene->silence_ms > 0) {
		snprintf(silence, sizeof(silence), "%.1f s silence of the controller + ",
			 (double)scene->silence_ms / 1000);
	}
	say(act,
	    "Bound: %.1f s membership + %s%.1f s storage + %.1f s start = %.1f s; it took %.1f "
	    "s%s.",
	    TOKEN_MS * 2.2 / 1000, silence, SAN_MS / 1000.0, START_MS / 1000.0,
	    (double)bound_ms(scene) / 1000, (double)act->took_ms / 1000,
	    act->took_ms > bound_ms(scene) ? ", which is more" : "");
}

static int play_scene(struct act *act, const struct scene *scene, struct vrms_error *error)
{
	act->scene = scene;
	int rc = put_levels(act, error);

	rc = rc < 0 ? rc : wait_until_all_run(act, error);
	if (rc < 0) {
		return rc;
	}
	say(act, "%d VMs on iSCSI LUNs; fencing: %s", VMS, scene->order);
	say(act, "%s %s", vrms_lab_node_name(act->lab, act->victim), scene->blow);
	rc = cut(act, error);
	rc = rc < 0 ? rc : watch(act, error);
	if (rc == 0) {
		tell_end(act);
	}
	return rc;
}

static int repair(const struct act *act, struct vrms_error *error)
{
	int rc = vrms_lab_powerd_set_dead(act->lab, act->victim, false, error);

	rc = rc < 0 ? rc : vrms_lab_power(act->lab, act->victim, VRMS_LAB_POWER_ON, NULL, error);
	return rc < 0 ? rc : vrms_lab_wait_online(act->lab, UP_TIMEOUT_MS, error);
}

static int tell(struct act *act, struct vrms_error *error)
{
	vrms_demo_show_heading(act->style, "Second act: disks on a SAN, and no power controller");
	int rc = bring_up(act, error);

	rc = rc < 0 ? rc : add_vms(act, error);
	for (size_t i = 0; rc == 0 && i < VRMS_COUNT_OF(scenes); i++) {
		rc = i > 0 ? repair(act, error) : 0;
		rc = rc < 0 ? rc : play_scene(act, &scenes[i], error);
	}
	return rc;
}

int vrms_demo_san_play(const struct vrms_lab_context *context, const struct vrms_demo_style *style,
		       struct vrms_error *error)
{
	struct act act = {.context = context, .style = style};
	struct vrms_error down_error = {.text = ""};
	int rc = tell(&act, error);

	forget_logs(&act);
	if (act.lab != NULL) {
		int down = vrms_lab_down(act.lab, false, &down_error);

		vrms_lab_free(act.lab);
		if (down < 0 && rc == 0) {
			*error = down_error;
			rc = down;
		}
	}
	return rc;
}
