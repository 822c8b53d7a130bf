/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/vms.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "quorum/vm_line.h"
#include "quorum/vm_row.h"

enum {
	RETRY_MS = 1000,
	RESTART_MS = 2000, /* from one start of vm-watch to the next, at least */
	LOAD_MS = 10000,   /* a migration's announcement, made again while it lasts */
	LOAD_AGAIN_MS = 5000,
};

/* ---- words */

static void take_running(struct vrms_vm_row *vm)
{
	vm->is_listed = true;
	vm->is_migrating = vm->is_agent_busy = false;
	vrms_vm_row_tell_busy(vm);
	vrms_vm_row_feed(vm, (struct vrms_fault_event){.kind = VRMS_FAULT_RUNNING});
}

/* A list may be older than an event that has come meanwhile: it opens no eyes and closes no
 * incident. */
static void take_listed(struct vrms_vm_row *vm, struct vrms_vm_word *word)
{
	struct vrms_fault_status status;

	vm->is_listed = true;
	vrms_vm_row_watch_process(vm, &word->process);
	if (!vrms_vm_row_status(vm, &status) || !status.is_failed) {
		vrms_vm_row_feed(vm, (struct vrms_fault_event){.kind = VRMS_FAULT_RUNNING});
	}
}

static void take_moved(struct vrms_vm_row *vm)
{
	vm->is_migrating = true;
	vrms_vm_row_tell_busy(vm);
	/* It runs here no more, and that is nobody's failure. */
	vrms_vm_row_feed(vm, (struct vrms_fault_event){.kind = VRMS_FAULT_EVIDENCE,
						       .reason = VRMS_REASON_VM_STOPPED_DESTROYED});
	vm->is_migrating = false;
	vrms_vm_row_tell_busy(vm);
}

static void record_resource(const struct vrms_vm_row *vm)
{
	const struct vrms_vm_resource *resource = &vm->resource;

	if (resource->is_moving) {
		vrms_vm_row_record(vm, "moving", VRMS_REASON_NONE, "the cluster moves it");
	} else if (resource->is_busy) {
		vrms_vm_row_record(vm, "operation", VRMS_REASON_NONE,
				   "the cluster has an operation on it under way");
	} else if (resource->is_meant) {
		vrms_vm_row_record(vm, "managed", VRMS_REASON_NONE,
				   "the cluster means it to run here");
	} else {
		vrms_vm_row_record(vm, "not managed", VRMS_REASON_NONE,
				   "the cluster does not mean it to run here");
	}
}

static void take_resource(struct vrms_vm_row *vm, const struct vrms_vm_word *word)
{
	vm->resource = word->resource;
	if (!vm->resource.is_busy) {
		vm->is_agent_busy = false; /* what it had begun is over */
	}
	if (vm->resource.is_meant && !vm->resource.is_busy) {
		vm->has_cache = vrms_vm_row_has_cache(vm);
	}
	vrms_vm_row_feed(vm, (struct vrms_fault_event){.kind = VRMS_FAULT_MANAGED,
						       .yes = vm->resource.is_meant});
	vrms_vm_row_tell_busy(vm);
	record_resource(vm);
}

/* What ran and is not in the list, has ended while nobody told us. */
static void end_list(struct vrms_vms *vms, bool is_complete)
{
	for (unsigned i = 0; is_complete && i < vms->count; i++) {
		struct vrms_vm_row *vm = vms->vms[i];
		struct vrms_fault_status status;

		if (!vm->is_listed && vrms_vm_row_has_ended(vm) &&
		    vrms_vm_row_status(vm, &status) && status.is_running) {
			vrms_vm_row_let_go(vm);
			vrms_vm_row_take_evidence(vm, VRMS_REASON_VM_FOUND_GONE);
		}
	}
}

static void take_vm_word(struct vrms_daemon *daemon, struct vrms_vm_word *word)
{
	struct vrms_vm_row *vm = vrms_vm_row_need(daemon, word->domain);

	if (vm == NULL) {
		vrms_qemu_process_done(&word->process);
		return;
	}
	if (word->kind != VRMS_VM_WORD_RESOURCE && word->text[0] != '\0') {
		vrms_vm_row_record(vm, "libvirt", word->reason, word->text);
	}
	switch (word->kind) {
	case VRMS_VM_WORD_RUNNING:
		take_running(vm);
		break;
	case VRMS_VM_WORD_EVIDENCE:
		vm->is_listed = true;
		vrms_vm_row_take_evidence(vm, word->reason);
		break;
	case VRMS_VM_WORD_MOVING:
		vm->is_migrating = true;
		vrms_vm_row_tell_busy(vm);
		break;
	case VRMS_VM_WORD_MOVED:
		take_moved(vm);
		break;
	case VRMS_VM_WORD_PROCESS:
		vrms_vm_row_watch_process(vm, &word->process);
		break;
	case VRMS_VM_WORD_LISTED:
		take_listed(vm, word);
		break;
	case VRMS_VM_WORD_RESOURCE:
		take_resource(vm, word);
		break;
	case VRMS_VM_WORD_REPORTED:
		vrms_vm_row_feed(vm, (struct vrms_fault_event){.kind = VRMS_FAULT_DELIVERED,
							       .yes = word->yes});
		break;
	default:
		break;
	}
}

/* Whether a migration has ended while nobody listened, the list that follows says. */
static void forget_migrations(struct vrms_vms *vms)
{
	for (unsigned i = 0; i < vms->count; i++) {
		vms->vms[i]->is_migrating = false;
		vrms_vm_row_tell_busy(vms->vms[i]);
	}
}

static void say_connected(struct vrms_daemon *daemon, const char *to,
			  const struct vrms_vm_word *word)
{
	vrms_log(word->yes ? LOG_NOTICE : LOG_WARNING, "%s: %s%s", to,
		 word->yes ? "watching as " : "", word->text);
	vrms_daemon_record(daemon, to,
			   json_pack("{s:b, s:s}", "connected", word->yes, "text", word->text));
}

void vrms_vms_take_word(struct vrms_daemon *daemon, struct vrms_vm_word *word)
{
	struct vrms_vms *vms = daemon->vms;

	switch (word->kind) {
	case VRMS_VM_WORD_LIST_BEGIN:
		for (unsigned i = 0; i < vms->count; i++) {
			vms->vms[i]->is_listed = false;
		}
		break;
	case VRMS_VM_WORD_LIST_END:
		end_list(vms, word->yes);
		break;
	case VRMS_VM_WORD_LIBVIRT:
		if (word->yes || !vms->was_libvirt_missed) {
			say_connected(daemon, "libvirt", word);
		}
		vms->has_libvirt = word->yes;
		vms->was_libvirt_missed = !word->yes;
		if (word->yes) {
			forget_migrations(vms);
		}
		break;
	case VRMS_VM_WORD_CLUSTER:
		say_connected(daemon, "pacemaker", word);
		vms->has_pacemaker = word->yes;
		break;
	case VRMS_VM_WORD_FENCED:
		vrms_daemon_record(daemon, "fence",
				   json_pack("{s:s, s:s, s:s}", "target", word->domain, "state",
					     word->yes ? "fenced" : "failed", "text", word->text));
		break;
	default:
		if (word->domain[0] == '\0') {
			vrms_log(LOG_WARNING, "%s: not watched: %s", word->resource.id, word->text);
		} else {
			take_vm_word(daemon, word);
		}
		break;
	}
}

/* ---- the helper */

/* What it knew is told again by its successor; the processes stay watched here. */
static void end_helper(struct vrms_daemon *daemon)
{
	struct vrms_vms *vms = daemon->vms;

	if (vms->fd >= 0) {
		(void)qb_loop_poll_del(daemon->loop, vms->fd);
		close(vms->fd);
		kill(vms->helper, SIGKILL);
		vms->fd = -1;
	}
	vms->has_libvirt = vms->has_pacemaker = vms->was_libvirt_missed = false;
}

/* One that hangs in the kernel (its VM's configuration lies on a dead file server) is not waited
 * for; but there is only one at a time. */
static bool has_helper(struct vrms_vms *vms)
{
	if (vms->fd < 0 && vms->helper > 0 && waitpid(vms->helper, NULL, WNOHANG) != 0) {
		vms->helper = 0;
	}
	return vms->helper > 0;
}

static int32_t on_words(int32_t fd, int32_t revents, void *context)
{
	struct vrms_daemon *daemon = context;
	struct vrms_vm_word word;
	int rc;

	(void)revents;
	while ((rc = vrms_vm_line_receive(fd, &word)) == 0) {
		vrms_vms_take_word(daemon, &word);
	}
	if (rc != -EAGAIN) {
		vrms_log(LOG_WARNING, "vm-watch has ended; starting it again");
		vrms_daemon_record(daemon, "vm-watch", json_pack("{s:s}", "state", "ended"));
		end_helper(daemon);
	}
	return 0;
}

static void start_helper(struct vrms_daemon *daemon)
{
	struct vrms_vms *vms = daemon->vms;
	struct vrms_error error;

	vms->started_ms = vrms_daemon_now_ms();
	if (vrms_vm_line_start(VRMS_LIBEXECDIR "/vm-watch", daemon->settings->hypervisor,
			       &vms->helper, &vms->fd, &error) < 0) {
		if (!vms->was_helper_missed) {
			vrms_log(LOG_ERR, "machines are not watched: %s", error.text);
		}
		vms->was_helper_missed = true;
		vms->fd = -1;
		vms->helper = 0;
		return;
	}
	if (qb_loop_poll_add(daemon->loop, QB_LOOP_HIGH, vms->fd, POLLIN, daemon, on_words) < 0) {
		vrms_log(LOG_ERR, "machines are not watched: the main loop takes no more");
		end_helper(daemon);
	}
	vms->was_helper_missed = false;
}

/* ---- the daemon's side */

int vrms_vms_start(struct vrms_daemon *daemon, struct vrms_error *error)
{
	const struct vrms_settings *settings = daemon->settings;
	const struct vrms_fault_config config = {
	    .vm_count_max = VRMS_VM_ROWS_MAX,
	    .flap_count = (unsigned)settings->vm_flap_count,
	    .flap_window_ms = settings->vm_flap_window_ms,
	    .retry_ms = RETRY_MS,
	};
	struct vrms_vms *vms = calloc(1, sizeof(*vms));

	if (vms != NULL) {
		vms->fault = vrms_fault_new(&config);
	}
	if (vms == NULL || vms->fault == NULL) {
		free(vms);
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	vms->fd = -1;
	daemon->vms = vms;
	start_helper(daemon);
	return 0;
}

void vrms_vms_stop(struct vrms_daemon *daemon)
{
	struct vrms_vms *vms = daemon->vms;

	if (vms == NULL) {
		return;
	}
	end_helper(daemon);
	for (unsigned i = 0; i < vms->count; i++) {
		vrms_vm_row_let_go(vms->vms[i]);
		free(vms->vms[i]);
	}
	vrms_fault_free(vms->fault);
	free(vms);
	daemon->vms = NULL;
}

static void announce_load(struct vrms_daemon *daemon, int64_t now_ms)
{
	struct vrms_vms *vms = daemon->vms;

	for (unsigned i = 0; i < vms->count; i++) {
		if ((vms->vms[i]->resource.is_moving || vms->vms[i]->is_migrating) &&
		    now_ms - vms->load_ms >= LOAD_AGAIN_MS) {
			vms->load_ms = now_ms;
			vrms_daemon_feed_tuner(daemon,
					       (struct vrms_tuner_event){.kind = VRMS_TUNER_LOAD,
									 .value_ms = LOAD_MS});
		}
	}
}

void vrms_vms_tick(struct vrms_daemon *daemon)
{
	struct vrms_fault_event event = {.now_ms = vrms_daemon_now_ms(), .kind = VRMS_FAULT_TICK};
	struct vrms_fault_plan plan;

	if (daemon->vms == NULL) {
		return;
	}
	(void)vrms_fault_step(daemon->vms->fault, &event, &plan);
	vrms_vm_rows_carry_out(daemon, &plan);
	if (!has_helper(daemon->vms) && event.now_ms - daemon->vms->started_ms >= RESTART_MS) {
		start_helper(daemon);
	}
	announce_load(daemon, event.now_ms);
}

static const char *name_state(const struct vrms_fault_status *status)
{
	return status->is_failed    ? "failed"
	       : status->is_busy    ? "operation"
	       : status->is_running ? "running"
				    : "not running";
}

static json_t *describe(const struct vrms_vm_row *vm, const struct vrms_fault_status *status)
{
	int64_t now_ms = vrms_daemon_now_ms();
	int64_t limited_ms =
	    status->limited_until_ms > now_ms ? status->limited_until_ms - now_ms : 0;

	return json_pack("{s:s, s:s, s:i, s:s, s:b, s:b, s:I, s:i, s:s, s:s, s:I, s:I}", "vm",
			 vm->domain, "resource", vm->resource.id, "pid", (int)vm->process.pid,
			 "state", name_state(status), "managed", status->is_managed, "running",
			 status->is_running, "limited_ms", (json_int_t)limited_ms, "reports",
			 (int)status->report_count, "reason", vrms_reason_name(status->reason),
			 "text", vrms_reason_text(status->reason), "since_ms",
			 (json_int_t)status->since_ms, "age_ms",
			 (json_int_t)(now_ms - status->since_ms));
}

json_t *vrms_vms_status(const struct vrms_daemon *daemon)
{
	const struct vrms_vms *vms = daemon->vms;
	json_t *list = vms == NULL ? NULL : json_array();
	struct vrms_fault_status status;

	for (unsigned i = 0; list != NULL && i < vms->count; i++) {
		if (vrms_vm_row_status(vms->vms[i], &status)) {
			json_array_append_new(list, describe(vms->vms[i], &status));
		}
	}
	return list == NULL ? NULL
			    : json_pack("{s:b, s:b, s:o}", "libvirt", vms->has_libvirt, "pacemaker",
					vms->has_pacemaker, "vms", list);
}
