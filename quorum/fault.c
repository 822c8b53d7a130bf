/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/fault.h"

#include <assert.h>
#include <string.h>

struct vm {
	char name[VRMS_FAULT_NAME_MAX]; /* "": free */
	bool is_managed, is_busy, is_running;
	bool is_failed;    /* an incident is open */
	bool is_delivered; /* and Pacemaker knows */
	bool is_refused;   /* or could not be told at first, which was said */
	bool is_confirmed; /* and a second source has said so */
	bool is_silenced;  /* and it was one too many */
	bool is_flapping;
	enum vrms_reason reason;
	int64_t since_ms;
	int64_t tried_ms;  /* last report */
	unsigned incident; /* its number */
	unsigned report_count;
	int64_t reports_ms[VRMS_FAULT_FLAPS_MAX]; /* ring of the last reports */
};

struct vrms_fault {
	struct vrms_fault_config config;
	unsigned incident_count;
	struct vm vms[];
};

struct vrms_fault *vrms_fault_new(const struct vrms_fault_config *config)
{
	assert(config->vm_count_max > 0);
	assert(config->flap_count > 0 && config->flap_count <= VRMS_FAULT_FLAPS_MAX);
	struct vrms_fault *fault =
	    calloc(1, sizeof(*fault) + config->vm_count_max * sizeof(fault->vms[0]));

	if (fault != NULL) {
		fault->config = *config;
	}
	return fault;
}

void vrms_fault_free(struct vrms_fault *fault)
{
	free(fault);
}

/* A row that holds nothing worth keeping may be given to another machine. */
static bool is_idle(const struct vm *vm)
{
	return vm->name[0] == '\0' || (!vm->is_managed && !vm->is_running && !vm->is_busy);
}

static struct vm *row_of(struct vrms_fault *fault, const char *name)
{
	struct vm *idle = NULL;

	if (strlen(name) >= VRMS_FAULT_NAME_MAX) {
		return NULL;
	}
	for (unsigned i = 0; i < fault->config.vm_count_max; i++) {
		struct vm *vm = &fault->vms[i];

		if (strcmp(vm->name, name) == 0) {
			return vm;
		}
		if (idle == NULL && is_idle(vm)) {
			idle = vm;
		}
	}
	if (idle != NULL) {
		memset(idle, 0, sizeof(*idle));
		memcpy(idle->name, name, strlen(name) + 1);
	}
	return idle;
}

static void add(struct vrms_fault_plan *plan, enum vrms_fault_step_kind kind, const struct vm *vm,
		enum vrms_reason reason)
{
	if (plan->count < VRMS_FAULT_STEPS_MAX) { /* the rest comes with the next tick */
		plan->steps[plan->count++] = (struct vrms_fault_step){
		    .kind = kind,
		    .vm = vm->name,
		    .reason = reason,
		    .evidence = vm->reason,
		    .incident = vm->incident,
		};
	}
}

static void close_incident(struct vm *vm)
{
	vm->is_failed = false;
	vm->is_delivered = false;
	vm->is_refused = false;
	vm->is_confirmed = false;
	vm->is_silenced = false;
}

/* flap_count reports in one window are the limit; the ring keeps that many. */
static int64_t limited_until_ms(const struct vrms_fault *fault, const struct vm *vm)
{
	unsigned flap_count = fault->config.flap_count;

	if (vm->report_count < flap_count) {
		return INT64_MIN;
	}
	return vm->reports_ms[vm->report_count % flap_count] + fault->config.flap_window_ms;
}

static void report(struct vrms_fault *fault, struct vm *vm, int64_t now_ms,
		   struct vrms_fault_plan *plan)
{
	if (now_ms < limited_until_ms(fault, vm)) { /* one too many */
		if (!vm->is_flapping) {
			add(plan, VRMS_FAULT_NOTE, vm, VRMS_REASON_VM_FLAPPING);
		}
		vm->is_flapping = true;
		vm->is_silenced = true;
		return;
	}
	vm->is_flapping = false;
	vm->reports_ms[vm->report_count % fault->config.flap_count] = now_ms;
	vm->report_count++;
	vm->incident = ++fault->incident_count;
	vm->tried_ms = now_ms;
	add(plan, VRMS_FAULT_REPORT, vm, vm->reason);
}

static void take_evidence(struct vrms_fault *fault, struct vm *vm,
			  const struct vrms_fault_event *event, struct vrms_fault_plan *plan)
{
	vm->is_running = false;
	if (vm->is_failed) {
		if (!vm->is_confirmed && event->reason != vm->reason) {
			vm->is_confirmed = true;
			add(plan, VRMS_FAULT_NOTE, vm, VRMS_REASON_VM_CONFIRMED);
		}
		return;
	}
	vm->reason = event->reason;
	vm->since_ms = event->now_ms;
	if (vm->is_busy) {
		add(plan, VRMS_FAULT_NOTE, vm, VRMS_REASON_VM_BUSY);
	} else if (!vm->is_managed) {
		add(plan, VRMS_FAULT_NOTE, vm, VRMS_REASON_VM_NOT_MANAGED);
	} else {
		vm->is_failed = true;
		report(fault, vm, event->now_ms, plan);
	}
}

static void take_running(struct vm *vm, const struct vrms_fault_event *event,
			 struct vrms_fault_plan *plan)
{
	close_incident(vm);
	if (!vm->is_running) {
		vm->is_running = true;
		vm->since_ms = event->now_ms;
		vm->reason = VRMS_REASON_VM_RUNNING;
		add(plan, VRMS_FAULT_NOTE, vm, VRMS_REASON_VM_RUNNING);
	}
}

static void take_flag(struct vm *vm, const struct vrms_fault_event *event)
{
	if (event->kind == VRMS_FAULT_MANAGED) {
		vm->is_managed = event->yes;
	} else {
		vm->is_busy = event->yes;
	}
	if (event->kind == VRMS_FAULT_MANAGED ? !event->yes : event->yes) {
		close_incident(vm); /* it is in the cluster's hands now */
	}
}

static void retry(const struct vrms_fault *fault, struct vm *vm, int64_t now_ms,
		  struct vrms_fault_plan *plan)
{
	bool is_owed = vm->is_failed && !vm->is_delivered && !vm->is_silenced;

	if (vm->name[0] != '\0' && is_owed && now_ms - vm->tried_ms >= fault->config.retry_ms &&
	    plan->count < VRMS_FAULT_STEPS_MAX) {
		vm->tried_ms = now_ms;
		add(plan, VRMS_FAULT_REPORT, vm, vm->reason);
		plan->steps[plan->count - 1].is_repeated = true;
	}
}

static void take_delivery(struct vm *vm, const struct vrms_fault_event *event,
			  struct vrms_fault_plan *plan)
{
	if (!vm->is_failed || vm->is_delivered) {
		return;
	}
	vm->is_delivered = event->yes;
	if (event->yes && vm->is_refused) {
		add(plan, VRMS_FAULT_NOTE, vm, VRMS_REASON_VM_REPORT_LATE);
	} else if (!event->yes && !vm->is_refused) {
		add(plan, VRMS_FAULT_NOTE, vm, VRMS_REASON_VM_REPORT_FAILED);
	}
	vm->is_refused = vm->is_refused || !event->yes;
}

bool vrms_fault_step(struct vrms_fault *fault, const struct vrms_fault_event *event,
		     struct vrms_fault_plan *plan)
{
	plan->count = 0;
	if (event->kind == VRMS_FAULT_TICK) {
		for (unsigned i = 0; i < fault->config.vm_count_max; i++) {
			retry(fault, &fault->vms[i], event->now_ms, plan);
		}
		return true;
	}
	struct vm *vm = row_of(fault, event->vm);

	if (vm == NULL) {
		return false;
	}
	switch (event->kind) {
	case VRMS_FAULT_MANAGED:
	case VRMS_FAULT_OPERATION:
		take_flag(vm, event);
		break;
	case VRMS_FAULT_RUNNING:
		take_running(vm, event, plan);
		break;
	case VRMS_FAULT_EVIDENCE:
		take_evidence(fault, vm, event, plan);
		break;
	case VRMS_FAULT_DELIVERED:
		take_delivery(vm, event, plan);
		break;
	case VRMS_FAULT_TICK:
		break;
	}
	return true;
}

bool vrms_fault_status(const struct vrms_fault *fault, const char *name,
		       struct vrms_fault_status *ret_status)
{
	for (unsigned i = 0; i < fault->config.vm_count_max; i++) {
		const struct vm *vm = &fault->vms[i];

		if (vm->name[0] == '\0' || strcmp(vm->name, name) != 0) {
			continue;
		}
		*ret_status = (struct vrms_fault_status){
		    .is_managed = vm->is_managed,
		    .is_busy = vm->is_busy,
		    .is_running = vm->is_running,
		    .is_failed = vm->is_failed,
		    .is_flapping = vm->is_flapping,
		    .since_ms = vm->since_ms,
		    .limited_until_ms = limited_until_ms(fault, vm),
		    .report_count = vm->report_count,
		    .reason = vm->reason,
		};
		return true;
	}
	return false;
}
