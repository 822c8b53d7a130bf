/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libvirt/libvirt.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "agents/vm.h"
#include "common/file.h"
#include "common/log.h"

enum {
	LOOK_PERCENT = 25,   /* of the time left: libvirt's share for a first answer ... */
	START_PERCENT = 50,  /* ... and for its word about a start that was cut off */
	REACH_MS_MAX = 5000, /* how long a restarting libvirtd is waited for */
	POLL_MS_MIN = 50,    /* between looks at a guest that shuts down ... */
	POLL_MS_MAX = 500,
	REQUEST_MS_MAX = 10000,  /* for libvirt to take the shutdown request */
	ASK_AGAIN_MS = 10000,    /* a guest in its firmware loses the first request */
	PROCESS_GRACE_MS = 5000, /* between TERM and KILL, when we end QEMU ourselves */
	EXIT_RESERVE_MS = 500,
	LOOK_MS_MAX = 10000, /* libvirt gets no more than this for a first answer */
};

/* The last moment at which the guest may still be waited for.
 *
 * Of a short time-out at most half is kept back.
 */
static int64_t destroy_at_ms(const struct vrms_vm *vm)
{
	int64_t reserve_ms = vm->config->destroy_reserve_ms;

	if (reserve_ms > vm->call->timeout_ms / 2) {
		reserve_ms = vm->call->timeout_ms / 2;
	}
	return vm->call->deadline_ms - reserve_ms;
}

static int64_t now_ms(const struct vrms_vm *vm)
{
	return vrms_clock_now_ms(vm->call->clock);
}

static int64_t earlier_ms(int64_t a_ms, int64_t b_ms)
{
	return a_ms < b_ms ? a_ms : b_ms;
}

/* --- Asking the guest ----------------------------------------------------------------- */

/* A guest whose CPUs stand still for good cannot shut down. */
static bool can_shut_down(const struct vrms_domain_view *domain)
{
	switch (domain->state) {
	case VIR_DOMAIN_RUNNING:
	case VIR_DOMAIN_BLOCKED:
	case VIR_DOMAIN_SHUTDOWN:
		return true;
	case VIR_DOMAIN_PAUSED:
		return domain->reason == VIR_DOMAIN_PAUSED_USER;
	default:
		return false;
	}
}

/* Asks once; when the chosen mode does not work, once more in libvirt's own. */
static int request_shutdown(struct vrms_vm *vm, const struct vrms_domain_id *id,
			    struct vrms_error *error)
{
	struct vrms_hypervisor *hypervisor = vm->hypervisor;
	unsigned int flags = 0;
	int rc = vrms_shutdown_mode_parse(vm->config->shutdown_mode, &flags, error);

	if (rc == 0) {
		rc = hypervisor->ops->shutdown(hypervisor, id->uuid, flags, error);
	}
	if (rc == 0 || rc == -ESRCH || rc == -ETIMEDOUT || vm->config->shutdown_mode == NULL) {
		return rc;
	}
	vrms_log(LOG_WARNING, "%s: shutdown_mode=%s: %s; asking in libvirt's own way", id->name,
		 vm->config->shutdown_mode, error->text);
	return hypervisor->ops->shutdown(hypervisor, id->uuid, 0, error);
}

/* Waits for the guest's end, asking again now and then: a power button pressed before the guest's
 * kernel listens is lost.  Returns true when libvirt says that it is off. */
static bool await_off(struct vrms_vm *vm, const struct vrms_domain_id *id, int64_t until_ms)
{
	struct vrms_error error = {.text = ""};
	int64_t pause_ms = POLL_MS_MIN;
	int64_t ask_at_ms = now_ms(vm) + ASK_AGAIN_MS;

	vm->hypervisor->deadline_ms = until_ms;
	while (now_ms(vm) < until_ms) {
		struct vrms_domain_view domain;
		int rc = vm->hypervisor->ops->find(vm->hypervisor, id, &domain, &error);

		if (rc == 0 && (!domain.present || domain.state == VIR_DOMAIN_SHUTOFF)) {
			return true;
		}
		if (rc < 0 && rc != -ENOTCONN) {
			vrms_log(LOG_WARNING, "%s: %s", id->name, error.text);
			return false;
		}
		if (rc == 0 && now_ms(vm) >= ask_at_ms) {
			(void)request_shutdown(vm, id, &error); /* the first one was taken */
			ask_at_ms = now_ms(vm) + ASK_AGAIN_MS;
		}
		vrms_clock_sleep_ms(vm->call->clock, earlier_ms(pause_ms, until_ms - now_ms(vm)));
		pause_ms = earlier_ms(pause_ms + pause_ms / 4, POLL_MS_MAX);
	}
	return false;
}

static bool shut_down(struct vrms_vm *vm, const struct vrms_vm_look *look)
{
	struct vrms_error error = {.text = ""};
	int64_t until_ms = destroy_at_ms(vm);

	if (!can_shut_down(&look->domain)) {
		vrms_log(LOG_NOTICE, "%s: cannot shut down in the state it is in", look->id.name);
		return false;
	}
	vm->hypervisor->deadline_ms = earlier_ms(until_ms, now_ms(vm) + REQUEST_MS_MAX);
	if (look->domain.state == VIR_DOMAIN_PAUSED &&
	    vm->hypervisor->ops->resume(vm->hypervisor, look->id.uuid, &error) < 0) {
		vrms_log(LOG_WARNING, "%s: %s", look->id.name, error.text);
		return false;
	}
	int rc = request_shutdown(vm, &look->id, &error);
	if (rc < 0 && rc != -ESRCH) {
		vrms_log(LOG_WARNING, "%s: cannot be asked to shut down: %s", look->id.name,
			 error.text);
		return false;
	}
	vrms_log(LOG_INFO, "%s: asked to shut down, has %lld s for it", look->id.name,
		 (long long)(until_ms - now_ms(vm)) / 1000);
	if (await_off(vm, &look->id, until_ms)) {
		return true;
	}
	vrms_log(LOG_NOTICE, "%s: did not shut down in time", look->id.name);
	return false;
}

/* --- snapshot --------------------------------------------------------------------------- */

/* Saves the memory under a name that no start looks for, and renames it when it is complete. */
static bool save_state(struct vrms_vm *vm, const struct vrms_domain_id *id)
{
	char path[PATH_MAX];
	char partial[PATH_MAX + sizeof(".partial")];
	struct vrms_error error = {.text = ""};
	int length = snprintf(path, sizeof(path), "%s/%s.state", vm->config->snapshot, id->name);

	if (length < 0 || (size_t)length >= sizeof(path)) {
		vrms_log(LOG_ERR, "%s: snapshot=\"%s\": path too long", id->name,
			 vm->config->snapshot);
		return false;
	}
	(void)snprintf(partial, sizeof(partial), "%s.partial", path);
	vm->hypervisor->deadline_ms = destroy_at_ms(vm);

	int rc = vm->hypervisor->storage->save(vm->hypervisor, id->uuid, partial, &error);
	if (rc == 0) {
		rc = vrms_file_rename(partial, path, &error);
	}
	if (rc < 0) {
		vrms_log(LOG_ERR, "%s: memory not saved: %s", id->name, error.text);
		(void)unlink(partial);
		return false;
	}
	vrms_log(LOG_INFO, "%s: memory saved to %s", id->name, path);
	return true;
}

/* --- Switching it off --------------------------------------------------------------------- */

/* Ends the process itself: the proof that it is gone, or the means. */
static int end_process(struct vrms_vm *vm, const struct vrms_domain_id *id,
		       struct vrms_error *error)
{
	return vm->host->end_process(vm->host->context, id, PROCESS_GRACE_MS,
				     vm->call->deadline_ms - EXIT_RESERVE_MS, error);
}

/* Half of what is left is libvirt's, the rest ours. */
static void destroy_by_libvirt(struct vrms_vm *vm, const struct vrms_domain_id *id)
{
	struct vrms_error error = {.text = ""};

	vrms_log(LOG_INFO, "%s: switching it off", id->name);
	vm->hypervisor->deadline_ms = vrms_vm_share_ms(vm, 50);
	int rc = vm->hypervisor->ops->destroy(vm->hypervisor, id->uuid, &error);
	if (rc < 0 && rc != -ESRCH) {
		vrms_log(LOG_WARNING, "%s: libvirt did not switch it off: %s", id->name,
			 error.text);
	}
}

/* Proof for what libvirt alone can see: other hypervisors, other nodes. */
static int prove_off(struct vrms_vm *vm, const struct vrms_domain_id *id, struct vrms_error *error)
{
	struct vrms_domain_view domain;

	if (vrms_vm_is_local_qemu(vm)) {
		return end_process(vm, id, error);
	}
	vm->hypervisor->deadline_ms = vm->call->deadline_ms - EXIT_RESERVE_MS;
	int rc = vm->hypervisor->ops->find(vm->hypervisor, id, &domain, error);
	if (rc < 0) {
		return rc;
	}
	return domain.present && domain.state != VIR_DOMAIN_SHUTOFF
		   ? vrms_error_set(error, -EIO, "domain \"%s\" still runs", id->name)
		   : 0;
}

static int stop_by_libvirt(struct vrms_vm *vm, const struct vrms_vm_look *look,
			   struct vrms_error *error)
{
	bool is_off = false;
	bool has_snapshot = vm->config->snapshot != NULL && vm->config->snapshot[0] != '\0';

	vrms_vm_save_config(vm, look->id.uuid);
	if (!vm->config->force_stop) {
		is_off = (has_snapshot && save_state(vm, &look->id)) || shut_down(vm, look);
	}
	if (!is_off) {
		destroy_by_libvirt(vm, &look->id);
	}
	return prove_off(vm, &look->id, error);
}

static int stop_by_process(struct vrms_vm *vm, const struct vrms_vm_look *look,
			   struct vrms_error *error)
{
	if (!look->is_active) {
		return 0;
	}
	vrms_log(LOG_NOTICE, "%s: %s; ending its QEMU, process %d", look->id.name,
		 look->is_orphan ? "libvirt does not know it" : look->no_libvirt.text,
		 (int)look->pid);
	return end_process(vm, &look->id, error);
}

static int stop_what_was_seen(struct vrms_vm *vm, const struct vrms_vm_look *look,
			      struct vrms_error *error)
{
	if (look->source == VRMS_VM_BY_PROCESS || look->is_orphan) {
		return stop_by_process(vm, look, error);
	}
	return look->is_active ? stop_by_libvirt(vm, look, error) : 0;
}

static int64_t look_until_ms(const struct vrms_vm *vm)
{
	return earlier_ms(vrms_vm_share_ms(vm, LOOK_PERCENT), now_ms(vm) + LOOK_MS_MAX);
}

/* Whether there is something to ask nicely is worth a moment; to switch it off is not. */
static int first_look(struct vrms_vm *vm, struct vrms_vm_look *look, struct vrms_error *error)
{
	int64_t until_ms = look_until_ms(vm);

	if (vm->config->force_stop) {
		return vrms_vm_look_steadily(vm, until_ms, look, error);
	}
	int rc = vrms_vm_look_steadily(vm, until_ms, look, error);
	if (rc == 0 && look->source == VRMS_VM_BY_PROCESS && look->is_active) {
		rc = vrms_vm_look_patiently(vm, earlier_ms(until_ms, now_ms(vm) + REACH_MS_MAX),
					    look, error);
	}
	return rc;
}

static int judge_unknown(const struct vrms_vm *vm, int rc, enum vrms_ocf_exit *ret_exit,
			 struct vrms_error *error)
{
	/* Whose config was ever read on this node since it booted is remembered; this one is not,
	 * so nothing was started from it.  A stop that fails would cost the node. */
	if (rc != -ENOENT && rc != -EINVAL) {
		return rc;
	}
	vrms_log(LOG_NOTICE, "%s: nothing of resource \"%s\" was started on this node", error->text,
		 vm->call->instance);
	vrms_error_clear(error);
	*ret_exit = VRMS_OCF_SUCCESS;
	return 0;
}

/* Libvirt holds a machine's lock while it starts it, and a start may hang in the storage until long
 * after its action was given up.  Then there is no process yet and nobody answers: no proof. */
static bool may_yet_start(const struct vrms_vm *vm, const struct vrms_vm_look *look)
{
	return vm->may_be_starting && look->source == VRMS_VM_BY_PROCESS && !look->is_active &&
	       look->no_libvirt_rc == -ETIMEDOUT;
}

/* Waits for libvirt's word, or for the process that the start was to make. */
static int await_start(struct vrms_vm *vm, struct vrms_vm_look *look, struct vrms_error *error)
{
	int rc = vrms_vm_look_steadily(vm, vrms_vm_share_ms(vm, START_PERCENT), look, error);

	return rc == 0 && may_yet_start(vm, look)
		   ? vrms_error_set(error, -EBUSY,
				    "libvirt was told to start it, does not answer (%s), and may "
				    "still do so",
				    look->no_libvirt.text)
		   : rc;
}

/* Until nothing is left: another candidate may run as well. */
static int stop_all(struct vrms_vm *vm, struct vrms_vm_look *look, struct vrms_error *error)
{
	int rc = first_look(vm, look, error);

	if (rc == 0 && may_yet_start(vm, look)) {
		rc = await_start(vm, look, error);
	}

	while (rc == 0 && look->is_active && vrms_ocf_call_left_ms(vm->call, EXIT_RESERVE_MS) > 0) {
		rc = stop_what_was_seen(vm, look, error);
		if (rc < 0) {
			return rc;
		}
		rc = vrms_vm_look_steadily(vm, look_until_ms(vm), look, error);
		if (rc == 0 && look->is_active) {
			vrms_clock_sleep_ms(vm->call->clock, POLL_MS_MAX);
		}
	}
	return rc;
}

int vrms_vm_stop(struct vrms_vm *vm, enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct vrms_vm_look look;
	int rc = vrms_vm_identify(vm, error);

	if (rc < 0) {
		return judge_unknown(vm, rc, ret_exit, error);
	}
	vrms_vm_forget_cache(vm);
	rc = stop_all(vm, &look, error);
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "stop of \"%s\"", vrms_vm_name(vm));
	}
	if (look.is_active) {
		return vrms_error_set(error, -ETIMEDOUT, "stop of \"%s\": it still runs",
				      look.id.name);
	}
	vrms_vm_forget(vm);
	*ret_exit = VRMS_OCF_SUCCESS;
	return 0;
}
