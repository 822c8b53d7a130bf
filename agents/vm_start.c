/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/vm.h"
#include "agents/vm_image.h"
#include "agents/vm_peers.h"
#include "common/file.h"
#include "common/log.h"

enum {
	LOOK_PERCENT = 40,  /* of the time left: libvirt's share for the first answer */
	START_PERCENT = 90, /* ... for the start itself */
	RUN_STEP_MS = 100,  /* between looks at a machine that was just started */
	RUN_RESERVE_MS = 1000,
};

static bool is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* Libvirt was told, and has not said what came of it. */
static bool may_still_happen(int rc)
{
	return rc == -ETIMEDOUT || rc == -ENOTCONN;
}

/* --- Never two copies ------------------------------------------------------------------- */

/* The one that config describes; a remembered one with another UUID is not to be started. */
static const struct vrms_domain_id *wanted(const struct vrms_vm *vm)
{
	return &vm->ids[vm->id_count - 1];
}

static int refuse_other_of_same_name(struct vrms_vm *vm, struct vrms_error *error)
{
	struct vrms_domain_id by_name = *wanted(vm);
	struct vrms_domain_view domain;

	if (by_name.uuid[0] == '\0') {
		return 0; /* whoever has the name is the machine */
	}
	by_name.uuid[0] = '\0';

	int rc = vm->hypervisor->ops->find(vm->hypervisor, &by_name, &domain, error);
	if (rc < 0 || !domain.present || strcmp(domain.id.uuid, wanted(vm)->uuid) == 0) {
		return rc;
	}
	return vrms_error_set(
	    error, -EEXIST,
	    "another machine named \"%s\" %s on this node: it has UUID %s, %s says %s",
	    by_name.name, domain.state == VIR_DOMAIN_SHUTOFF ? "is defined" : "is active",
	    domain.id.uuid, vm->config->config, wanted(vm)->uuid);
}

/* Returns 1 when there is nothing left to start. */
static int judge_before_start(const struct vrms_vm_look *look, struct vrms_error *error)
{
	if (look->is_orphan) {
		return vrms_error_set(error, -EBUSY,
				      "QEMU of \"%s\", process %d, runs, but libvirt does not know "
				      "it: not started twice",
				      look->id.name, (int)look->pid);
	}
	if (look->source == VRMS_VM_BY_PROCESS) {
		return vrms_error_set(error, look->no_libvirt_rc, "%s", look->no_libvirt.text);
	}
	if (!look->is_active) {
		return 0;
	}
	if (vrms_vm_health_is_failure(look->health)) {
		return vrms_error_set(error, -EIO, "domain \"%s\" is %s", look->id.name,
				      vrms_vm_health_text(look->health));
	}
	vrms_log(LOG_INFO, "%s: runs already", look->id.name);
	return 1;
}

/* --- What has to be there first ------------------------------------------------------------ */

/* Undefining removes the file that libvirt keeps the definition in.  Config may be that file. */
static void restore_config(struct vrms_vm *vm, const struct stat *before)
{
	struct vrms_error error = {.text = ""};

	if (access(vm->config->config, F_OK) == 0) {
		return;
	}
	if (vrms_file_write(vm->config->config, vm->xml_text, vm->xml_bytes,
			    before->st_mode & 07777, &error) < 0 ||
	    vrms_vm_config_identify(vm->config->config, &vm->config_id, &error) < 0) {
		vrms_log(LOG_ERR, "%s", error.text);
	}
}

static void undefine(struct vrms_vm *vm, const struct vrms_domain_view *domain)
{
	struct vrms_error error = {.text = ""};
	struct stat before;

	if (!domain->present || !domain->persistent) {
		return;
	}
	if (stat(vm->config->config, &before) < 0) {
		before.st_mode = 0600;
	}
	/* Where it may not be removed, the start still works: libvirt keeps the definition beside
	 * the transient domain. */
	if (vm->hypervisor->ops->undefine(vm->hypervisor, domain->id.uuid, &error) < 0) {
		vrms_log(LOG_WARNING, "%s: its persistent definition stays: %s", domain->id.name,
			 error.text);
		return;
	}
	restore_config(vm, &before);
}

int vrms_vm_start_resources(const struct vrms_vm *vm, struct vrms_hypervisor *hypervisor,
			    struct vrms_error *error)
{
	int rc = 0;

	if (!vm->config->start_resources || vm->xml == NULL) {
		return 0;
	}
	for (size_t i = 0; i < vm->xml->pools.count && rc == 0; i++) {
		rc = hypervisor->storage->start_pool(hypervisor, vm->xml->pools.items[i], error);
	}
	for (size_t i = 0; i < vm->xml->networks.count && rc == 0; i++) {
		rc = hypervisor->storage->start_network(hypervisor, vm->xml->networks.items[i],
							error);
	}
	return rc;
}

/* --- Starting ---------------------------------------------------------------------------- */

/* Continues from memory that was set aside: once the guest runs on, its disks have left this memory
 * behind, and no start may find it again, not even after a power cut. */
static int restore_from(struct vrms_vm *vm, const char *path, const char *aside,
			struct vrms_error *error)
{
	struct vrms_error other = {.text = ""};
	int rc = vrms_file_rename(path, aside, error);

	if (rc < 0) {
		return rc;
	}
	rc = vm->hypervisor->storage->restore(vm->hypervisor, aside, error);
	if (rc == 0 && unlink(aside) < 0) {
		vrms_log(LOG_WARNING, "%s: cannot be removed: %s", aside, strerror(errno));
	}
	/* Of one that does not answer it is not known whether the guest will run after all. */
	if (rc < 0 && !may_still_happen(rc) && vrms_file_rename(aside, path, &other) < 0) {
		vrms_log(LOG_ERR, "%s", other.text);
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "restoring %s", path) : 0;
}

/* Returns 1 when the machine was restored from its saved memory. */
static int restore_state(struct vrms_vm *vm, struct vrms_error *error)
{
	char path[PATH_MAX];
	char aside[PATH_MAX + sizeof(".restoring")];

	if (!is_set(vm->config->snapshot)) {
		return 0;
	}
	int length =
	    snprintf(path, sizeof(path), "%s/%s.state", vm->config->snapshot, wanted(vm)->name);
	if (length < 0 || (size_t)length >= sizeof(path)) {
		return vrms_error_set(error, -EINVAL, "snapshot: \"%s\" is too long",
				      vm->config->snapshot);
	}
	if (access(path, F_OK) < 0) {
		return errno == ENOENT ? 0 : vrms_error_errno(error, -errno, "%s", path);
	}
	(void)snprintf(aside, sizeof(aside), "%s.restoring", path);
	int rc = restore_from(vm, path, aside, error);

	return rc < 0 ? rc : 1;
}

static int boot(struct vrms_vm *vm, struct vrms_error *error)
{
	char *changed VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_vm_start_resources(vm, vm->hypervisor, error);

	if (rc == 0) {
		rc = vrms_vm_make_image(vm, error);
	}
	if (rc == 0 && vm->xml->loses_tpm_state) {
		rc = vrms_domain_xml_keep_tpm_state(vm->xml_text, vm->xml_bytes, &changed, error);
	}
	if (rc == 0) {
		vm->hypervisor->deadline_ms = vrms_vm_share_ms(vm, START_PERCENT);
		rc = vm->hypervisor->ops->create(vm->hypervisor,
						 changed == NULL ? vm->xml_text : changed, error);
	}
	return rc;
}

/* Proof: libvirt's word that the CPUs run, not that the call returned. */
static int await_running(struct vrms_vm *vm, struct vrms_domain_id *ret_id,
			 struct vrms_error *error)
{
	vm->hypervisor->deadline_ms = vm->call->deadline_ms - RUN_RESERVE_MS;
	for (;;) {
		struct vrms_domain_view domain;
		int rc = vm->hypervisor->ops->find(vm->hypervisor, wanted(vm), &domain, error);

		if (rc < 0) {
			return rc;
		}
		enum vrms_vm_health health =
		    domain.present ? vrms_vm_health_from(domain.state, domain.reason) : VRMS_VM_OFF;
		if (health == VRMS_VM_HEALTHY && domain.state != VIR_DOMAIN_PAUSED) {
			*ret_id = domain.id;
			return 0;
		}
		if (health != VRMS_VM_HEALTHY) {
			return vrms_error_set(error, -EIO,
					      "domain \"%s\" did not stay up after its start: %s",
					      wanted(vm)->name, vrms_vm_health_text(health));
		}
		if (vrms_ocf_call_left_ms(vm->call, RUN_RESERVE_MS) == 0) {
			return vrms_error_set(error, -ETIMEDOUT,
					      "domain \"%s\" was started but stays paused",
					      wanted(vm)->name);
		}
		vrms_clock_sleep_ms(vm->call->clock, RUN_STEP_MS);
	}
}

static int start_it(struct vrms_vm *vm, const struct vrms_vm_look *look, struct vrms_error *error)
{
	int rc = refuse_other_of_same_name(vm, error);

	if (rc == 0) {
		rc = vrms_vm_ask_peers(vm, error);
	}
	if (rc < 0) {
		return rc;
	}
	vrms_vm_remember_start(vm, wanted(vm));
	vm->hypervisor->deadline_ms = vrms_vm_share_ms(vm, START_PERCENT);
	rc = restore_state(vm, error);
	if (rc == 0) {
		undefine(vm, &look->domain);
		rc = boot(vm, error);
	}
	if (rc < 0 && !may_still_happen(rc)) {
		vrms_vm_forget(vm); /* libvirt's own word: nothing is under way any more */
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "start of \"%s\"", wanted(vm)->name) : 0;
}

/* After it runs: what the other actions want to know, and what inside it must be up. */
static int finish(struct vrms_vm *vm, const struct vrms_domain_id *id, enum vrms_ocf_exit *ret_exit,
		  struct vrms_error *error)
{
	vrms_vm_remember(vm, id);

	int rc = vrms_vm_await_scripts(vm, error);
	if (rc < 0) {
		vrms_vm_forget_cache(vm);
		return rc;
	}
	*ret_exit = VRMS_OCF_SUCCESS;
	return 0;
}

int vrms_vm_start(struct vrms_vm *vm, enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct vrms_vm_look look;
	struct vrms_domain_id id;
	int rc = vrms_vm_identify(vm, error);

	if (rc == 0 && vm->xml == NULL) {
		*error = vm->config_error;
		rc = vm->config_rc;
	}
	if (rc == 0) {
		rc = vrms_vm_look_patiently(vm, vrms_vm_share_ms(vm, LOOK_PERCENT), &look, error);
	}
	if (rc == 0) {
		rc = judge_before_start(&look, error);
	}
	if (rc < 0) {
		return rc;
	}
	if (rc > 0) {
		return finish(vm, &look.domain.id, ret_exit, error);
	}

	rc = start_it(vm, &look, error);
	if (rc == 0) {
		rc = await_running(vm, &id, error);
	}
	return rc < 0 ? rc : finish(vm, &id, ret_exit, error);
}
