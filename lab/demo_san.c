/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * "vrms-lab demo-san": fencing by power gets no answer, the storage cuts the node off.
 */
#include "lab/demo_san.h"

#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "lab/cluster.h"
#include "lab/iscsi.h"
#include "lab/powerd.h"
#include "lab/requirements.h"
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
	RECOVERY_TIMEOUT_MS = 120000,
	POLL_MS = 100,
};

/* From the loss of the token to a guest's first sign of life: token and consensus (1.2 times the
 * token), the power controller's silence, the storage, the start. */
enum { BOUND_MS = TOKEN_MS * 22 / 10 + POWER_TIMEOUT_MS + SAN_MS + START_MS };

struct act {
	const struct vrms_lab_context *context;
	const struct vrms_demo_style *style;
	struct vrms_lab *lab;
	int victim;
	int64_t cut_ms;
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

/* What is told, in this order; the guests' return is told when it is seen. */
static const struct {
	enum vrms_timeline_kind kind;
	const char *text;
} steps[] = {
    {VRMS_TIMELINE_MEMBERSHIP, "a membership without it"},
    {VRMS_TIMELINE_FENCE_ASKED, "its power controller is asked, and says nothing"},
    {VRMS_TIMELINE_FENCED, "the storage has cut it off"},
    {VRMS_TIMELINE_VM_START, "the start of its VMs is ordered"},
};

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

int vrms_demo_san_check(struct vrms_error *error)
{
	static const char pattern[] = "/usr/lib/*/qemu/block-iscsi.so";
	const struct vrms_lab_setup setup = {.has_libvirt = true, .has_iscsi = true};
	glob_t found = {0};
	int rc = vrms_lab_requirements_check(&setup, error);

	if (rc == 0 && glob(pattern, 0, NULL, &found) != 0) {
		rc =
		    vrms_error_set(error, -ENOENT,
				   "QEMU has no iscsi:// disks (Debian package: qemu-block-extra)");
	}
	globfree(&found);
	return rc;
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

/* The usual order: power first.  The storage is what is left when that fails. */
static int put_power_first(const struct act *act, struct vrms_error *error)
{
	char xml[2048];
	size_t used = (size_t)snprintf(xml, sizeof(xml), "<fencing-topology>");

	for (int i = 0; i < NODES; i++) {
		const char *node = vrms_lab_node_name(act->lab, i);

		used += (size_t)snprintf(
		    xml + used, sizeof(xml) - used,
		    "<fencing-level id=\"level-%s-1\" target=\"%s\" index=\"1\" devices=\"fence\"/>"
		    "<fencing-level id=\"level-%s-2\" target=\"%s\" index=\"2\" devices=\"san\"/>",
		    node, node, node, node);
	}
	snprintf(xml + used, sizeof(xml) - used, "</fencing-topology>");
	int rc = vrms_lab_cluster_modify(act->lab, "fencing-topology", xml, error);
	snprintf(xml, sizeof(xml),
		 "<primitive id=\"fence\"><instance_attributes id=\"fence-params\">"
		 "<nvpair id=\"fence-power_timeout\" name=\"power_timeout\" value=\"%dms\"/>"
		 "<nvpair id=\"fence-retries\" name=\"pcmk_off_retries\" value=\"1\"/>"
		 "</instance_attributes></primitive>",
		 POWER_TIMEOUT_MS);
	return rc < 0 ? rc : vrms_lab_cluster_modify(act->lab, "resources", xml, error);
}

static int add_vms(const struct act *act, struct vrms_error *error)
{
	int rc = vrms_lab_cluster_configure(act->lab, error);

	rc = rc < 0 ? rc : put_power_first(act, error);
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
	}
	return 0;
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

/* The host goes, and its controller with it. */
static int cut(struct act *act, struct vrms_error *error)
{
	struct timespec now;
	struct tm local;
	int rc = vrms_lab_powerd_set_dead(act->lab, act->victim, true, error);

	rc = rc < 0 ? rc : follow_logs(act, error);
	clock_gettime(CLOCK_REALTIME, &now);
	act->cut_ms = now_ms();
	localtime_r(&now.tv_sec, &local);
	vrms_timeline_init(&act->timeline, &local, (int)(now.tv_nsec / 1000000),
			   vrms_lab_node_name(act->lab, act->victim));
	return rc < 0 ? rc : vrms_lab_power(act->lab, act->victim, VRMS_LAB_POWER_OFF, NULL, error);
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

/* How the time went, from the survivors' logs. */
static void tell_steps(struct act *act)
{
	read_logs(act);
	for (size_t i = 0; i < VRMS_COUNT_OF(steps); i++) {
		const struct vrms_timeline_event *event =
		    vrms_timeline_find(&act->timeline, steps[i].kind, NULL);

		if (event != NULL) {
			say(act, "%5.1f s  %s", (double)event->after_ms / 1000, steps[i].text);
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

static int watch(struct act *act, struct vrms_error *error)
{
	while (count_back(act) > 0) {
		if (now_ms() - act->cut_ms > RECOVERY_TIMEOUT_MS) {
			tell_steps(act);
			return vrms_error_set(error, -ETIMEDOUT, "not all VMs came back");
		}
		int rc = pause_or_stop(act, error);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

static void tell_end(struct act *act)
{
	tell_steps(act);
	for (int i = 0; i < VMS; i++) {
		if (act->is_back[i]) {
			say(act, "%5.1f s  %s counts again", (double)act->back_ms[i] / 1000,
			    vm_names[i]);
		}
	}
	say(act,
	    "Bound: %.1f s membership + %.1f s silence of the controller + %.1f s storage + "
	    "%.1f s start = %.1f s; it took %.1f s%s.",
	    TOKEN_MS * 2.2 / 1000, POWER_TIMEOUT_MS / 1000.0, SAN_MS / 1000.0, START_MS / 1000.0,
	    BOUND_MS / 1000.0, (double)act->took_ms / 1000,
	    act->took_ms > BOUND_MS ? ", which is more" : "");
	say(act, "With the storage first (up --san iscsi) the %.1f s of silence are saved.",
	    POWER_TIMEOUT_MS / 1000.0);
}

static int tell(struct act *act, struct vrms_error *error)
{
	vrms_demo_show_heading(act->style, "Second act: disks on a SAN, and no power controller");
	int rc = bring_up(act, error);

	rc = rc < 0 ? rc : add_vms(act, error);
	rc = rc < 0 ? rc : wait_until_all_run(act, error);
	if (rc < 0) {
		return rc;
	}
	say(act, "%d VMs on iSCSI LUNs; fencing: power first, then the storage", VMS);
	say(act, "%s loses its power, and its power controller with it",
	    vrms_lab_node_name(act->lab, act->victim));
	rc = cut(act, error);
	rc = rc < 0 ? rc : watch(act, error);
	if (rc == 0) {
		tell_end(act);
	}
	return rc;
}

int vrms_demo_san_play(const struct vrms_lab_context *context, const struct vrms_demo_style *style,
		       struct vrms_error *error)
{
	struct act act = {.context = context, .style = style};
	struct vrms_error down_error = {.text = ""};
	int rc = tell(&act, error);

	for (size_t i = 0; i < act.tail_count; i++) {
		vrms_lab_tail_close(&act.tails[i]);
	}
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

static int run_demo_san(const struct vrms_lab_context *context, void *settings, int argc,
			char **argv, struct vrms_error *error)
{
	struct vrms_demo_style style;

	(void)settings;
	(void)argc;
	(void)argv;
	vrms_demo_style_init(&style, stdout);
	int rc = vrms_demo_san_check(error);
	rc = rc < 0 ? rc : vrms_demo_san_play(context, &style, error);
	return rc < 0 ? VRMS_LAB_EXIT_FAILED : VRMS_LAB_EXIT_OK;
}

const struct vrms_lab_command *vrms_lab_demo_san_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "demo-san",
	    .arguments = "",
	    .summary = "The demo's second act: a power controller that dies with its host",
	    .details = "The power fence gets no answer, the topology falls to the storage, which\n"
		       "cuts the node off; its VMs come back elsewhere.  Needs tgt and\n"
		       "qemu-block-extra.",
	    .run = run_demo_san,
	};

	return &command;
}
