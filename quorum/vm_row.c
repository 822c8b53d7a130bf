/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/vm_row.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/vm_cache.h"
#include "common/log.h"
#include "quorum/vm_line.h"

/* ---- rows */

static struct vrms_vm_row *find(const struct vrms_vms *vms, const char *domain)
{
	for (unsigned i = 0; i < vms->count; i++) {
		if (strcmp(vms->vms[i]->domain, domain) == 0) {
			return vms->vms[i];
		}
	}
	return NULL;
}

static bool is_idle(const struct vrms_vm_row *vm)
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

struct vrms_vm_row *vrms_vm_row_need(struct vrms_daemon *daemon, const char *domain)
{
	struct vrms_vms *vms = daemon->vms;
	struct vrms_vm_row *vm = find(vms, domain);

	if (vm != NULL) {
		return vm;
	}
	if (vms->count == VRMS_VM_ROWS_MAX) {
		drop_idle(vms);
	}
	vm = vms->count == VRMS_VM_ROWS_MAX ? NULL : calloc(1, sizeof(*vm));
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

void vrms_vm_row_record(const struct vrms_vm_row *vm, const char *state, enum vrms_reason reason,
			const char *text)
{
	vrms_daemon_record(vm->daemon, "vm",
			   json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "vm", vm->domain, "resource",
				     vm->resource.id, "state", state, "reason",
				     vrms_reason_name(reason), "text", text, "pid",
				     (int)vm->process.pid));
}

static void report(struct vrms_vm_row *vm, const struct vrms_fault_step *step)
{
	const char *text = vrms_reason_text(step->reason);

	if (!step->is_repeated) {
		vrms_log(LOG_WARNING, "%s (%s) has failed: %s; telling Pacemaker", vm->domain,
			 vm->resource.id, text);
		vrms_vm_row_record(vm, "failed", step->reason, text);
	}
	struct vrms_vm_word word = {.kind = VRMS_VM_WORD_FAIL, .incident = step->incident};

	memcpy(word.domain, vm->domain, sizeof(word.domain));
	if (vm->daemon->vms->fd < 0 || vrms_vm_line_send(vm->daemon->vms->fd, &word) < 0) {
		vrms_vm_row_feed(vm, (struct vrms_fault_event){.kind = VRMS_FAULT_DELIVERED,
							       .yes = false});
	}
}

static void note(const struct vrms_vm_row *vm, const struct vrms_fault_step *step)
{
	bool is_for_people = step->reason == VRMS_REASON_VM_FLAPPING ||
			     step->reason == VRMS_REASON_VM_REPORT_FAILED ||
			     step->reason == VRMS_REASON_VM_REPORT_LATE;
	bool has_evidence = step->evidence != step->reason && step->evidence != VRMS_REASON_NONE;
	char text[256];

	vrms_log(is_for_people ? LOG_WARNING : LOG_INFO, "%s: %s", vm->domain,
		 vrms_reason_text(step->reason));
	snprintf(text, sizeof(text), "%s%s%s", has_evidence ? vrms_reason_text(step->evidence) : "",
		 has_evidence ? "; " : "", vrms_reason_text(step->reason));
	vrms_vm_row_record(vm, vrms_reason_name(step->reason), step->evidence, text);
}

void vrms_vm_rows_carry_out(struct vrms_daemon *daemon, const struct vrms_fault_plan *plan)
{
	for (unsigned i = 0; i < plan->count; i++) {
		const struct vrms_fault_step *step = &plan->steps[i];
		struct vrms_vm_row *vm = find(daemon->vms, step->vm);

		if (vm == NULL) {
			continue;
		}
		if (step->kind == VRMS_FAULT_REPORT) {
			report(vm, step);
		} else {
			note(vm, step);
		}
	}
}

void vrms_vm_row_feed(struct vrms_vm_row *vm, struct vrms_fault_event event)
{
	struct vrms_fault_plan plan;

	event.now_ms = vrms_daemon_now_ms();
	event.vm = vm->domain;
	if (vrms_fault_step(vm->daemon->vms->fault, &event, &plan)) {
		vrms_vm_rows_carry_out(vm->daemon, &plan);
	}
}

bool vrms_vm_row_status(const struct vrms_vm_row *vm, struct vrms_fault_status *ret_status)
{
	return vrms_fault_status(vm->daemon->vms->fault, vm->domain, ret_status);
}

void vrms_vm_row_tell_busy(struct vrms_vm_row *vm)
{
	bool is_busy = vm->resource.is_busy || vm->is_migrating || vm->is_agent_busy;

	if (is_busy != vm->was_busy) {
		vm->was_busy = is_busy;
		vrms_vm_row_feed(vm, (struct vrms_fault_event){.kind = VRMS_FAULT_OPERATION,
							       .yes = is_busy});
	}
}

bool vrms_vm_row_has_cache(const struct vrms_vm_row *vm)
{
	char path[PATH_MAX];

	return strcmp(vm->resource.provider, "vrms") == 0 &&
	       vrms_vm_cache_path(NULL, vm->resource.id, "state", path, sizeof(path)) == 0 &&
	       access(path, F_OK) == 0;
}

void vrms_vm_row_take_evidence(struct vrms_vm_row *vm, enum vrms_reason reason)
{
	bool is_io = reason == VRMS_REASON_VM_IO_ERROR || reason == VRMS_REASON_VM_IO_NO_SPACE;

	if (is_io && vm->resource.io_policy == VRMS_VM_IO_AGENT) {
		vrms_vm_row_record(vm, "left to its agent", reason, vrms_reason_text(reason));
		return;
	}
	vm->is_agent_busy = vm->is_agent_busy || (vm->has_cache && !vrms_vm_row_has_cache(vm));
	vrms_vm_row_tell_busy(vm);
	vrms_vm_row_feed(vm,
			 (struct vrms_fault_event){.kind = VRMS_FAULT_EVIDENCE, .reason = reason});
	if (vm->is_migrating && vrms_vm_row_has_ended(vm)) {
		vm->is_migrating = false; /* nothing is left to be moved */
		vrms_vm_row_tell_busy(vm);
	}
}

/* ---- processes */

void vrms_vm_row_let_go(struct vrms_vm_row *vm)
{
	if (vm->process.pidfd >= 0) {
		(void)qb_loop_poll_del(vm->daemon->loop, vm->process.pidfd);
		vrms_qemu_process_done(&vm->process);
		vm->process = VRMS_QEMU_PROCESS_NONE;
	}
}

static int32_t on_death(int32_t fd, int32_t revents, void *context)
{
	struct vrms_vm_row *vm = context;

	(void)fd;
	(void)revents;
	vrms_vm_row_record(vm, "process ended", VRMS_REASON_VM_DIED,
			   vrms_reason_text(VRMS_REASON_VM_DIED));
	vrms_vm_row_let_go(vm);
	vrms_vm_row_take_evidence(vm, VRMS_REASON_VM_DIED);
	return 0;
}

bool vrms_vm_row_has_ended(const struct vrms_vm_row *vm)
{
	struct pollfd poll_fd = {.fd = vm->process.pidfd, .events = POLLIN};

	return vm->process.pidfd < 0 || poll(&poll_fd, 1, 0) > 0;
}

void vrms_vm_row_watch_process(struct vrms_vm_row *vm, struct vrms_qemu_process *process)
{
	if (!vrms_vm_row_has_ended(vm)) {
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
	vrms_vm_row_record(vm, "process", VRMS_REASON_NONE, "its QEMU process is watched");
}
