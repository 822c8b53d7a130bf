/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/vms.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents/vm_cache.h"
#include "common/log.h"
#include "quorum/vm_line.h"

enum {
	VMS_MAX = 1024,
	RETRY_MS = 1000,
	RESTART_MS = 2000, /* from one start of vm-watch to the next, at least */
	LOAD_MS = 10000,   /* a migration's announcement, made again while it lasts */
	LOAD_AGAIN_MS = 5000,
};

struct vm {
	struct vrms_daemon *daemon;
	char domain[VRMS_FAULT_NAME_MAX];
	struct vrms_vm_resource resource; /* id "": none that we know of */
	struct vrms_qemu_process process;
	bool is_migrating;  /* libvirt says so */
	bool has_cache;     /* the agent's file was there when the cluster last meant it to run */
	bool is_agent_busy; /* that file has gone: an operation has begun */
	bool was_busy;      /* as the core was told */
	bool is_listed;
};

struct vrms_vms {
	struct vrms_fault *fault;
	int fd; /* the line to vm-watch; -1: it does not run */
	pid_t helper;
	int64_t started_ms; /* its last start */
	bool has_libvirt, has_pacemaker;
	bool was_libvirt_missed; /* said once, not at every attempt */
	int64_t load_ms;         /* last announcement */
	unsigned count;
	struct vm *vms[VMS_MAX];
};

/* ---- rows */

static struct vm *find(const struct vrms_vms *vms, const char *domain)
{
	for (unsigned i = 0; i < vms->count; i++) {
		if (strcmp(vms->vms[i]->domain, domain) == 0) {
			return vms->vms[i];
		}
	}
	return NULL;
}

static bool is_idle(const struct vm *vm)
{
	return vm->process.pidfd < 0 && !vm->resource.is_meant && !vm->resource.is_busy;
}

static void drop_idle(struct vrms_vms *vms)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < vms->count; i++) {
		if (is_idle(vms->vms[i])) {
			free(vms->vms[i]);
		} else {
			vms->vms[kept++] = vms->vms[i];
		}
	}
	vms->count = kept;
}

/* NULL: there are too many, or no memory; that one is left to its monitor. */
static struct vm *find_or_add(struct vrms_daemon *daemon, const char *domain)
{
	struct vrms_vms *vms = daemon->vms;
	struct vm *vm = find(vms, domain);

	if (vm != NULL) {
		return vm;
	}
	if (vms->count == VMS_MAX) {
		drop_idle(vms);
	}
	vm = vms->count == VMS_MAX ? NULL : calloc(1, sizeof(*vm));
	if (vm == NULL) {
		vrms_log(LOG_WARNING, "%s: one machine too many to watch", domain);
		return NULL;
	}
	vm->daemon = daemon;
	vm->process = VRMS_QEMU_PROCESS_NONE;
	memcpy(vm->domain, domain, sizeof(vm->domain));
	vms->vms[vms->count++] = vm;
	return vm;
}

/* ---- the core */

static void record(const struct vm *vm, const char *state, enum vrms_reason reason,
		   const char *text)
{
	vrms_daemon_record(vm->daemon, "vm",
			   json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "vm", vm->domain, "resource",
				     vm->resource.id, "state", state, "reason",
				     vrms_reason_name(reason), "text", text, "pid",
				     (int)vm->process.pid));
}

static void feed(struct vm *vm, struct vrms_fault_event event);

static void report(struct vm *vm, enum vrms_reason reason)
{
	vrms_log(LOG_WARNING, "%s (%s) has failed: %s; telling Pacemaker", vm->domain,
		 vm->resource.id, vrms_reason_text(reason));
	record(vm, "failed", reason, vrms_reason_text(reason));
	struct vrms_vm_word word = {.kind = VRMS_VM_WORD_FAIL};

	memcpy(word.domain, vm->domain, sizeof(word.domain));
	if (vm->daemon->vms->fd < 0 || vrms_vm_line_send(vm->daemon->vms->fd, &word) < 0) {
		feed(vm, (struct vrms_fault_event){.kind = VRMS_FAULT_DELIVERED, .yes = false});
	}
}

static void note(const struct vm *vm, const struct vrms_fault_step *step)
{
	bool is_for_people =
	    step->reason == VRMS_REASON_VM_FLAPPING || step->reason == VRMS_REASON_VM_REPORT_FAILED;

	vrms_log(is_for_people ? LOG_WARNING : LOG_INFO, "%s: %s", vm->domain,
		 vrms_reason_text(step->reason));
	record(vm, vrms_reason_name(step->reason), step->evidence,
	       vrms_reason_text(step->evidence));
}

static void carry_out(struct vrms_daemon *daemon, const struct vrms_fault_plan *plan)
{
	for (unsigned i = 0; i < plan->count; i++) {
		const struct vrms_fault_step *step = &plan->steps[i];
		struct vm *vm = find(daemon->vms, step->vm);

		if (vm == NULL) {
			continue;
		}
		if (step->kind == VRMS_FAULT_REPORT) {
			report(vm, step->reason);
		} else {
			note(vm, step);
		}
	}
}

static void feed(struct vm *vm, struct vrms_fault_event event)
{
	struct vrms_fault_plan plan;

	event.now_ms = vrms_daemon_now_ms();
	event.vm = vm->domain;
	if (vrms_fault_step(vm->daemon->vms->fault, &event, &plan)) {
		carry_out(vm->daemon, &plan);
	}
}

static bool core_says(const struct vm *vm, struct vrms_fault_status *ret_status)
{
	for (size_t i = 0; vrms_fault_status(vm->daemon->vms->fault, i, ret_status); i++) {
		if (strcmp(ret_status->vm, vm->domain) == 0) {
			return true;
		}
	}
	return false;
}

static void tell_busy(struct vm *vm)
{
	bool is_busy = vm->resource.is_busy || vm->is_migrating || vm->is_agent_busy;

	if (is_busy != vm->was_busy) {
		vm->was_busy = is_busy;
		feed(vm, (struct vrms_fault_event){.kind = VRMS_FAULT_OPERATION, .yes = is_busy});
	}
}

/* The agent removes its file before it stops or moves a machine; that is seen at once, while
 * the CIB's word about the same operation may still be under way. */
static bool has_cache(const struct vm *vm)
{
	char path[PATH_MAX];

	return strcmp(vm->resource.provider, "vrms") == 0 &&
	       vrms_vm_cache_path(NULL, vm->resource.id, "state", path, sizeof(path)) == 0 &&
	       access(path, F_OK) == 0;
}

static void take_evidence(struct vm *vm, enum vrms_reason reason)
{
	bool is_io = reason == VRMS_REASON_VM_IO_ERROR || reason == VRMS_REASON_VM_IO_NO_SPACE;

	if (is_io && vm->resource.io_policy == VRMS_VM_IO_AGENT) {
		record(vm, "left to its agent", reason, vrms_reason_text(reason));
		return;
	}
	vm->is_agent_busy = vm->is_agent_busy || (vm->has_cache && !has_cache(vm));
	tell_busy(vm);
	feed(vm, (struct vrms_fault_event){.kind = VRMS_FAULT_EVIDENCE, .reason = reason});
}

/* ---- processes */

static void let_go(struct vm *vm)
{
	if (vm->process.pidfd >= 0) {
		(void)qb_loop_poll_del(vm->daemon->loop, vm->process.pidfd);
		vrms_qemu_process_done(&vm->process);
		vm->process = VRMS_QEMU_PROCESS_NONE;
	}
}

static int32_t on_death(int32_t fd, int32_t revents, void *context)
{
	struct vm *vm = context;

	(void)fd;
	(void)revents;
	record(vm, "process ended", VRMS_REASON_VM_DIED, vrms_reason_text(VRMS_REASON_VM_DIED));
	let_go(vm);
	take_evidence(vm, VRMS_REASON_VM_DIED);
	return 0;
}

static bool has_ended(const struct vm *vm)
{
	struct pollfd poll_fd = {.fd = vm->process.pidfd, .events = POLLIN};

	return vm->process.pidfd < 0 || poll(&poll_fd, 1, 0) > 0;
}

static void watch_process(struct vm *vm, struct vrms_qemu_process *process)
{
	if (!has_ended(vm)) {
		vrms_qemu_process_done(process); /* known already */
		return;
	}
	if (vm->process.pidfd >= 0) {
		(void)on_death(vm->process.pidfd, 0, vm);
	}
	if (qb_loop_poll_add(vm->daemon->loop, QB_LOOP_HIGH, process->pidfd, POLLIN, vm, on_death) <
	    0) {
		vrms_log(LOG_WARNING, "%s: its process cannot be watched", vm->domain);
		vrms_qemu_process_done(process);
		return;
	}
	vm->process = *process;
}

/* ---- words */

static void take_running(struct vm *vm)
{
	vm->is_listed = true;
	vm->is_migrating = vm->is_agent_busy = false;
	tell_busy(vm);
	feed(vm, (struct vrms_fault_event){.kind = VRMS_FAULT_RUNNING});
}

/* A list may be older than an event that has come meanwhile: it opens no eyes and closes no
 * incident. */
static void take_listed(struct vm *vm, struct vrms_vm_word *word)
{
	struct vrms_fault_status status;

	vm->is_listed = true;
	watch_process(vm, &word->process);
	if (!core_says(vm, &status) || !status.is_failed) {
		feed(vm, (struct vrms_fault_event){.kind = VRMS_FAULT_RUNNING});
	}
}

static void take_moved(struct vm *vm)
{
	vm->is_migrating = true;
	tell_busy(vm);
	/* It runs here no more, and that is nobody's failure. */
	feed(vm, (struct vrms_fault_event){.kind = VRMS_FAULT_EVIDENCE,
					   .reason = VRMS_REASON_VM_STOPPED_DESTROYED});
	vm->is_migrating = false;
	tell_busy(vm);
}

static void take_resource(struct vm *vm, const struct vrms_vm_word *word)
{
	vm->resource = word->resource;
	if (vm->resource.is_meant && !vm->resource.is_busy) {
		vm->has_cache = has_cache(vm);
		vm->is_agent_busy = false;
	}
	feed(vm,
	     (struct vrms_fault_event){.kind = VRMS_FAULT_MANAGED, .yes = vm->resource.is_meant});
	tell_busy(vm);
	record(vm,
	       vm->resource.is_moving  ? "moving"
	       : vm->resource.is_busy  ? "operation"
	       : vm->resource.is_meant ? "managed"
				       : "not managed",
	       VRMS_REASON_NONE, "");
}

/* What ran and is not in the list, has ended while nobody told us. */
static void end_list(struct vrms_vms *vms, bool is_complete)
{
	for (unsigned i = 0; is_complete && i < vms->count; i++) {
		struct vm *vm = vms->vms[i];
		struct vrms_fault_status status;

		if (!vm->is_listed && has_ended(vm) && core_says(vm, &status) &&
		    status.is_running) {
			let_go(vm);
			take_evidence(vm, VRMS_REASON_VM_FOUND_GONE);
		}
	}
}

static void take_vm_word(struct vrms_daemon *daemon, struct vrms_vm_word *word)
{
	struct vm *vm = find_or_add(daemon, word->domain);

	if (vm == NULL) {
		vrms_qemu_process_done(&word->process);
		return;
	}
	if (word->kind != VRMS_VM_WORD_RESOURCE && word->text[0] != '\0') {
		record(vm, "libvirt", word->reason, word->text);
	}
	switch (word->kind) {
	case VRMS_VM_WORD_RUNNING:
		take_running(vm);
		break;
	case VRMS_VM_WORD_EVIDENCE:
		vm->is_listed = true;
		take_evidence(vm, word->reason);
		break;
	case VRMS_VM_WORD_MOVING:
		vm->is_migrating = true;
		tell_busy(vm);
		break;
	case VRMS_VM_WORD_MOVED:
		take_moved(vm);
		break;
	case VRMS_VM_WORD_PROCESS:
		watch_process(vm, &word->process);
		break;
	case VRMS_VM_WORD_LISTED:
		take_listed(vm, word);
		break;
	case VRMS_VM_WORD_RESOURCE:
		take_resource(vm, word);
		break;
	case VRMS_VM_WORD_REPORTED:
		feed(vm, (struct vrms_fault_event){.kind = VRMS_FAULT_DELIVERED, .yes = word->yes});
		break;
	default:
		break;
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

static void take_word(struct vrms_daemon *daemon, struct vrms_vm_word *word)
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
		break;
	case VRMS_VM_WORD_CLUSTER:
		say_connected(daemon, "pacemaker", word);
		vms->has_pacemaker = word->yes;
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
		(void)waitpid(vms->helper, NULL, 0);
		vms->fd = -1;
	}
	vms->has_libvirt = vms->has_pacemaker = vms->was_libvirt_missed = false;
}

static int32_t on_words(int32_t fd, int32_t revents, void *context)
{
	struct vrms_daemon *daemon = context;
	struct vrms_vm_word word;
	int rc;

	(void)revents;
	while ((rc = vrms_vm_line_receive(fd, &word)) == 0) {
		take_word(daemon, &word);
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
		vrms_log(LOG_ERR, "machines are not watched: %s", error.text);
		vms->fd = -1;
		return;
	}
	if (qb_loop_poll_add(daemon->loop, QB_LOOP_HIGH, vms->fd, POLLIN, daemon, on_words) < 0) {
		vrms_log(LOG_ERR, "machines are not watched: the main loop takes no more");
		end_helper(daemon);
	}
}

/* ---- the daemon's side */

int vrms_vms_start(struct vrms_daemon *daemon, struct vrms_error *error)
{
	const struct vrms_settings *settings = daemon->settings;
	const struct vrms_fault_config config = {
	    .vm_count_max = VMS_MAX,
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
		let_go(vms->vms[i]);
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
	carry_out(daemon, &plan);
	if (daemon->vms->fd < 0 && event.now_ms - daemon->vms->started_ms >= RESTART_MS) {
		start_helper(daemon);
	}
	announce_load(daemon, event.now_ms);
}

json_t *vrms_vms_status(const struct vrms_daemon *daemon)
{
	const struct vrms_vms *vms = daemon->vms;
	json_t *list = vms == NULL ? NULL : json_array();
	struct vrms_fault_status status;

	for (unsigned i = 0; list != NULL && i < vms->count; i++) {
		const struct vm *vm = vms->vms[i];

		if (core_says(vm, &status)) {
			json_array_append_new(
			    list,
			    json_pack("{s:s, s:s, s:i, s:b, s:b, s:b, s:b, s:b, s:i, s:s, s:I}",
				      "vm", vm->domain, "resource", vm->resource.id, "pid",
				      (int)vm->process.pid, "managed", status.is_managed, "busy",
				      status.is_busy, "running", status.is_running, "failed",
				      status.is_failed, "flapping", status.is_flapping, "reports",
				      (int)status.report_count, "reason",
				      vrms_reason_name(status.reason), "since_ms",
				      (json_int_t)status.since_ms));
		}
	}
	return list == NULL ? NULL
			    : json_pack("{s:b, s:b, s:o}", "libvirt", vms->has_libvirt, "pacemaker",
					vms->has_pacemaker, "vms", list);
}
