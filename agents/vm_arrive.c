/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libvirt/libvirt.h>

#include "agents/vm.h"
#include "common/log.h"

enum {
	LOOK_PERCENT = 50, /* of the time left: libvirt's share for an answer */
	ABSENT_MS_MAX = 5000,
	STEP_MS = 100,
	RUN_RESERVE_MS = 1000,
};

enum arrival {
	ARRIVED,
	ON_ITS_WAY,
	NOT_HERE,
	FAILED,
};

/* Paused by an admin on the source, it arrives paused: that counts as running, as there. */
static enum arrival judge(const struct vrms_vm_look *look)
{
	if (look->source == VRMS_VM_BY_PROCESS) {
		return ON_ITS_WAY; /* its process alone does not prove that it runs */
	}
	if (!look->is_active || look->is_orphan) {
		return NOT_HERE;
	}
	if (vrms_vm_health_is_failure(look->health)) {
		return FAILED;
	}
	if (look->domain.state == VIR_DOMAIN_PAUSED &&
	    look->domain.reason != VIR_DOMAIN_PAUSED_USER) {
		return ON_ITS_WAY;
	}
	return ARRIVED;
}

static int await_arrival(struct vrms_vm *vm, struct vrms_vm_look *look, struct vrms_error *error)
{
	int64_t absent_until_ms = vrms_clock_now_ms(vm->call->clock) + ABSENT_MS_MAX;

	for (;;) {
		int rc = vrms_vm_look(vm, vrms_vm_share_ms(vm, LOOK_PERCENT), look, error);
		enum arrival arrival = rc < 0 ? ON_ITS_WAY : judge(look);
		int64_t now_ms = vrms_clock_now_ms(vm->call->clock);

		if (arrival == ARRIVED) {
			vrms_error_clear(error);
			return 0;
		}
		if (arrival == FAILED) {
			return vrms_error_set(error, -EIO, "domain \"%s\" is %s", look->id.name,
					      vrms_vm_health_text(look->health));
		}
		if (arrival == NOT_HERE && now_ms >= absent_until_ms) {
			return vrms_error_set(error, -EIO, "\"%s\" is not here", look->id.name);
		}
		if (vrms_ocf_call_left_ms(vm->call, RUN_RESERVE_MS) == 0) {
			return rc < 0 ? rc
				      : vrms_error_set(error, -ETIMEDOUT,
						       "\"%s\" is here but does not run",
						       look->id.name);
		}
		vrms_clock_sleep_ms(vm->call->clock, STEP_MS);
	}
}

int vrms_vm_migrate_from(struct vrms_vm *vm, enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct vrms_vm_look look;
	int rc = vrms_vm_identify(vm, error);

	if (rc == 0) {
		rc = await_arrival(vm, &look, error);
	}
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "live migration of \"%s\" from node \"%s\"",
				       vrms_vm_name(vm), vm->call->migrate_source);
	}
	vrms_vm_remember(vm, &look.domain.id);
	vrms_vm_save_config(vm, look.domain.id.uuid);
	rc = vrms_vm_await_scripts(vm, error);
	if (rc < 0) {
		vrms_vm_forget_cache(vm);
		return rc;
	}
	vrms_log(LOG_INFO, "%s: migrated here from node %s", look.domain.id.name,
		 vm->call->migrate_source);
	*ret_exit = VRMS_OCF_SUCCESS;
	return 0;
}
