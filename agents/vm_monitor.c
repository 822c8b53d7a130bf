/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libvirt/libvirt.h>

#include "agents/vm.h"
#include "common/log.h"

enum {
	ANSWER_PERCENT = 50,   /* of the time left: libvirt's share, the rest is for /proc ... */
	ANSWER_MS_MAX = 10000, /* ... and no more than this */
	AGENT_PERCENT = 80,    /* ... the guest agent's share of what is left then */
	RESUME_RESERVE_MS = 2000,
	RESUME_PROOF_MS = 1000, /* it runs this long: the disks answer */
	RESUME_RETRY_MS = 1000,
	GUEST_AGENT_LEVEL = 10,
};

static int say(enum vrms_ocf_exit *ret_exit, enum vrms_ocf_exit code)
{
	*ret_exit = code;
	return 0;
}

static int64_t answer_until_ms(const struct vrms_vm *vm)
{
	int64_t share_ms = vrms_vm_share_ms(vm, ANSWER_PERCENT);
	int64_t most_ms = vrms_clock_now_ms(vm->call->clock) + ANSWER_MS_MAX;

	return share_ms < most_ms ? share_ms : most_ms;
}

/* Nobody knows who the machine is. */
static int judge_unknown(const struct vrms_vm *vm, int rc, enum vrms_ocf_exit *ret_exit,
			 struct vrms_error *error)
{
	if (rc != -ENOENT || !vm->call->is_probe) {
		return rc;
	}
	vrms_log(LOG_INFO, "%s: not installed on this node, so it does not run here", error->text);
	vrms_error_clear(error);
	return say(ret_exit, VRMS_OCF_NOT_RUNNING);
}

/* --- Paused by an I/O error -------------------------------------------------------- */

static void describe_io_error(struct vrms_vm *vm, const struct vrms_domain_id *id,
			      struct vrms_error *error)
{
	char disks[256] = "";
	struct vrms_hypervisor *hypervisor = vm->hypervisor;

	if (hypervisor->storage->get_disk_errors(hypervisor, id->uuid, disks, sizeof(disks), NULL) <
	    0) {
		disks[0] = '\0';
	}
	(void)vrms_error_set(error, -EIO, "domain \"%s\" is %s%s%s%s", id->name,
			     vrms_vm_health_text(VRMS_VM_IO_ERROR), disks[0] == '\0' ? "" : " (",
			     disks, disks[0] == '\0' ? "" : ")");
}

/* QEMU repeats the failed requests when it continues: no better question to the disks exists. */
static bool try_resume(struct vrms_vm *vm, const struct vrms_domain_id *id)
{
	struct vrms_error error = {.text = ""};
	struct vrms_domain_view domain;
	struct vrms_hypervisor *hypervisor = vm->hypervisor;

	if (hypervisor->ops->resume(hypervisor, id->uuid, &error) < 0) {
		vrms_log(LOG_INFO, "%s: %s", id->name, error.text);
		return false;
	}
	vrms_clock_sleep_ms(vm->call->clock, RESUME_PROOF_MS);
	return hypervisor->ops->find(hypervisor, id, &domain, &error) == 0 && domain.present &&
	       vrms_vm_health_from(domain.state, domain.reason) == VRMS_VM_HEALTHY;
}

static bool resume_in_time(struct vrms_vm *vm, const struct vrms_domain_id *id)
{
	int64_t now_ms = vrms_clock_now_ms(vm->call->clock);
	int64_t wait_ms = vrms_ocf_call_left_ms(vm->call, RESUME_RESERVE_MS + RESUME_PROOF_MS);

	if (wait_ms > vm->config->io_error_wait_ms) {
		wait_ms = vm->config->io_error_wait_ms;
	}
	vm->hypervisor->deadline_ms = now_ms + wait_ms + RESUME_PROOF_MS;
	for (int64_t until_ms = now_ms + wait_ms;;) {
		if (try_resume(vm, id)) {
			vrms_log(LOG_NOTICE, "%s: continued after an I/O error", id->name);
			return true;
		}
		if (vrms_clock_now_ms(vm->call->clock) + RESUME_RETRY_MS > until_ms) {
			return false;
		}
		vrms_clock_sleep_ms(vm->call->clock, RESUME_RETRY_MS);
	}
}

/* True when the monitor goes on as if the machine were healthy. */
static bool is_io_error_tolerated(struct vrms_vm *vm, const struct vrms_domain_id *id,
				  struct vrms_error *error)
{
	describe_io_error(vm, id, error);
	if (vm->config->on_io_error == VRMS_ON_IO_ERROR_IGNORE) {
		vrms_log(LOG_WARNING, "%s; on_io_error=ignore", error->text);
		vrms_error_clear(error);
		return true;
	}
	if (vm->config->on_io_error == VRMS_ON_IO_ERROR_RESUME && resume_in_time(vm, id)) {
		vrms_error_clear(error);
		return true;
	}
	return false;
}

/* --- Running ------------------------------------------------------------------------ */

static int ping_agent(struct vrms_vm *vm, const struct vrms_vm_look *look, struct vrms_error *error)
{
	bool can_answer =
	    look->source == VRMS_VM_BY_LIBVIRT &&
	    (look->domain.state == VIR_DOMAIN_RUNNING || look->domain.state == VIR_DOMAIN_BLOCKED);

	if (vm->call->check_level < GUEST_AGENT_LEVEL || !can_answer) {
		return 0;
	}
	if (vm->xml != NULL && !vm->xml->has_guest_agent) {
		return vrms_error_set(error, -EIO,
				      "OCF_CHECK_LEVEL=%d: %s has no guest agent channel",
				      vm->call->check_level, vm->config->config);
	}
	vm->hypervisor->deadline_ms = vrms_vm_share_ms(vm, AGENT_PERCENT);

	int rc = vm->hypervisor->ops->ping_agent(vm->hypervisor, look->id.uuid, error);
	if (rc < 0) {
		return vrms_error_wrap(error, -EIO, "guest agent of \"%s\" does not answer",
				       look->id.name);
	}
	return 0;
}

static int check_services(struct vrms_vm *vm, const struct vrms_vm_look *look,
			  enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	int rc = ping_agent(vm, look, error);

	if (rc == 0) {
		rc = vrms_vm_run_scripts(vm, error);
	}
	if (rc < 0) {
		vrms_vm_forget_cache(vm);
		return rc;
	}
	if (look->source == VRMS_VM_BY_LIBVIRT) {
		vm->hypervisor->deadline_ms = answer_until_ms(vm);
		vrms_vm_save_config(vm, look->id.uuid);
		vrms_vm_remember(vm, &look->id);
	}
	return say(ret_exit, VRMS_OCF_SUCCESS);
}

/* --- The three kinds of answers ------------------------------------------------------- */

static int judge_process(struct vrms_vm *vm, const struct vrms_vm_look *look,
			 enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	if (!look->is_active) {
		vrms_log(LOG_WARNING,
			 "%s: libvirt: %s; there is no QEMU process, so it does not run",
			 look->id.name, look->no_libvirt.text);
		return say(ret_exit, VRMS_OCF_NOT_RUNNING);
	}
	if (look->process_state == VRMS_QEMU_STOPPED) {
		return vrms_error_set(error, -EIO,
				      "domain \"%s\": its QEMU, process %d, is stopped by a signal",
				      look->id.name, (int)look->pid);
	}
	vrms_log(LOG_WARNING, "%s: libvirt: %s; its QEMU, process %d, runs", look->id.name,
		 look->no_libvirt.text, (int)look->pid);
	return check_services(vm, look, ret_exit, error);
}

static int judge_inactive(struct vrms_vm *vm, const struct vrms_vm_look *look,
			  enum vrms_ocf_exit *ret_exit)
{
	if (vrms_vm_health_is_failure(look->health)) {
		vrms_log(LOG_WARNING, "%s: is off, it has %s", look->id.name,
			 vrms_vm_health_text(look->health));
	}
	vrms_vm_forget(vm);
	return say(ret_exit, VRMS_OCF_NOT_RUNNING);
}

static int judge_active(struct vrms_vm *vm, const struct vrms_vm_look *look,
			enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	if (look->health == VRMS_VM_IO_ERROR) {
		vrms_vm_forget_cache(vm);
		return is_io_error_tolerated(vm, &look->id, error)
			   ? check_services(vm, look, ret_exit, error)
			   : -EIO;
	}
	if (vrms_vm_health_is_failure(look->health)) {
		vrms_vm_forget_cache(vm);
		return vrms_error_set(error, -EIO, "domain \"%s\" is %s", look->id.name,
				      vrms_vm_health_text(look->health));
	}
	return check_services(vm, look, ret_exit, error);
}

int vrms_vm_monitor(struct vrms_vm *vm, enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct vrms_vm_look look;
	int rc = vrms_vm_identify(vm, error);

	if (rc < 0) {
		return judge_unknown(vm, rc, ret_exit, error);
	}
	if (vm->config_rc < 0) {
		vrms_log(LOG_WARNING, "%s: %s", vrms_vm_name(vm), vm->config_error.text);
	}
	rc = vrms_vm_look_steadily(vm, answer_until_ms(vm), &look, error);
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "cannot tell whether \"%s\" runs",
				       vrms_vm_name(vm));
	}
	if (look.source == VRMS_VM_BY_PROCESS) {
		return judge_process(vm, &look, ret_exit, error);
	}
	if (look.is_orphan) {
		return vrms_error_set(
		    error, -EIO, "QEMU of \"%s\", process %d, runs, but libvirt does not know it",
		    look.id.name, (int)look.pid);
	}
	return look.is_active ? judge_active(vm, &look, ret_exit, error)
			      : judge_inactive(vm, &look, ret_exit);
}
