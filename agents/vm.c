/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/vm.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <string.h>

#include "agents/vm_memory.h"
#include "common/file.h"
#include "common/log.h"

/* --- Who it is ------------------------------------------------------------------- */

static int read_config(struct vrms_vm *vm, struct vrms_error *error)
{
	const char *path = vm->config->config;

	if (path == NULL || path[0] == '\0') {
		return vrms_error_set(error, -EINVAL, "config: required, not set");
	}

	int rc = vrms_vm_config_identify(path, &vm->config_id, error);
	if (rc == 0) {
		rc = vrms_file_read(path, VRMS_DOMAIN_XML_BYTES_MAX, &vm->xml_text, &vm->xml_bytes,
				    error);
	}
	if (rc == 0) {
		rc = vrms_domain_xml_parse(vm->xml_text, vm->xml_bytes, path, &vm->xml, error);
		return rc < 0 ? vrms_error_wrap(error, rc, "config") : 0;
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "config") : 0;
}

static void add_id(struct vrms_vm *vm, const char *name, const char *uuid)
{
	for (size_t i = 0; i < vm->id_count; i++) {
		if (uuid[0] != '\0' && strcmp(vm->ids[i].uuid, uuid) == 0) {
			return;
		}
	}

	struct vrms_domain_id *id = &vm->ids[vm->id_count++];
	memcpy(id->name, name, strlen(name) + 1);
	memcpy(id->uuid, uuid, strlen(uuid) + 1);
}

int vrms_vm_identify(struct vrms_vm *vm, struct vrms_error *error)
{
	struct vrms_vm_memory memory;
	struct vrms_error memory_error = {.text = ""};

	vrms_error_clear(&vm->config_error);
	vm->config_rc = read_config(vm, &vm->config_error);
	vm->id_count = 0;

	int rc = vrms_vm_memory_read(vm->call->instance, &memory, &memory_error);
	vm->may_be_starting = rc == 0 && memory.is_starting;
	if (rc == 0 && (memory.is_running || memory.is_starting || vm->xml == NULL)) {
		add_id(vm, memory.id.name, memory.id.uuid);
	} else if (rc < 0 && rc != -ENOENT) {
		vrms_log(LOG_WARNING, "%s", memory_error.text);
	}
	if (vm->xml != NULL) {
		add_id(vm, vm->xml->name, vm->xml->uuid);
	}
	if (vm->id_count == 0) {
		*error = vm->config_error;
		return vm->config_rc;
	}
	return 0;
}

void vrms_vm_done(struct vrms_vm *vm)
{
	free(vm->xml_text);
	vm->xml_text = NULL;
	vrms_domain_xml_free(vm->xml);
	vm->xml = NULL;
}

const char *vrms_vm_name(const struct vrms_vm *vm)
{
	return vm->id_count > 0 ? vm->ids[0].name : vm->call->instance;
}

/* "qemu:///system" and "qemu+unix:///session?x=y" are local, "qemu+ssh://host/system" is not. */
bool vrms_vm_is_local_qemu(const struct vrms_vm *vm)
{
	const char *uri = vm->config->hypervisor;

	if (uri == NULL || uri[0] == '\0') {
		uri = getenv("LIBVIRT_DEFAULT_URI");
	}
	if (uri == NULL || uri[0] == '\0') {
		return true;
	}

	const char *slashes = strstr(uri, "://");
	return strncmp(uri, "qemu", 4) == 0 && (uri[4] == ':' || uri[4] == '+') &&
	       slashes != NULL && slashes[3] == '/';
}

/* --- How it is ------------------------------------------------------------------- */

int64_t vrms_vm_share_ms(const struct vrms_vm *vm, int percent)
{
	return vrms_clock_now_ms(vm->call->clock) +
	       vrms_ocf_call_left_ms(vm->call, 0) * percent / 100;
}

static bool is_active(const struct vrms_domain_view *domain)
{
	return domain->present && domain->state != VIR_DOMAIN_SHUTOFF;
}

/* The active one of the candidates, else the first that is known, else none. */
static int ask_libvirt(struct vrms_vm *vm, struct vrms_domain_view *ret_domain,
		       struct vrms_error *error)
{
	struct vrms_domain_view best = {.present = false};

	for (size_t i = 0; i < vm->id_count; i++) {
		struct vrms_domain_view found = {.present = false};
		int rc = vm->hypervisor->ops->find(vm->hypervisor, &vm->ids[i], &found, error);

		if (rc < 0) {
			return rc;
		}
		if (is_active(&found)) {
			*ret_domain = found;
			return 0;
		}
		if (found.present && !best.present) {
			best = found;
		}
	}
	*ret_domain = best;
	return 0;
}

/* Looks for a process of any candidate.  -ESRCH: there is certainly none. */
static int ask_processes(struct vrms_vm *vm, struct vrms_vm_look *look, struct vrms_error *error)
{
	for (size_t i = 0; i < vm->id_count; i++) {
		int rc = vm->host->find_process(vm->host->context, &vm->ids[i], &look->pid,
						&look->process_state, error);

		if (rc == 0 && look->process_state != VRMS_QEMU_DEAD) {
			look->id = vm->ids[i];
			return 0;
		}
		if (rc < 0 && rc != -ESRCH) {
			return rc;
		}
	}
	return -ESRCH;
}

/* No driver for the URI: nothing was started by it on this node.  What was started by another,
 * before the parameter changed, is found by its process. */
static bool is_no_hypervisor(int rc)
{
	return rc == -ENOSYS || rc == -EINVAL;
}

static int look_by_process(struct vrms_vm *vm, struct vrms_vm_look *look, struct vrms_error *error)
{
	if (!vrms_vm_is_local_qemu(vm) && !is_no_hypervisor(look->no_libvirt_rc)) {
		*error = look->no_libvirt;
		return look->no_libvirt_rc;
	}
	look->source = VRMS_VM_BY_PROCESS;

	int rc = ask_processes(vm, look, error);
	if (rc == -ESRCH) {
		return 0;
	}
	look->is_active = rc == 0;
	return rc;
}

/* Libvirt says it does not run.  Libvirt can be wrong: it forgets what it cannot reconnect to. */
static int look_for_orphan(struct vrms_vm *vm, struct vrms_vm_look *look, struct vrms_error *error)
{
	if (!vrms_vm_is_local_qemu(vm)) {
		return 0;
	}

	int rc = ask_processes(vm, look, error);
	if (rc == 0) {
		look->is_active = true;
		look->is_orphan = true;
	}
	return rc == -ESRCH ? 0 : rc;
}

int vrms_vm_look(struct vrms_vm *vm, int64_t deadline_ms, struct vrms_vm_look *ret_look,
		 struct vrms_error *error)
{
	struct vrms_vm_look look = {.id = vm->ids[0]};

	vm->hypervisor->deadline_ms = deadline_ms;
	int rc = ask_libvirt(vm, &look.domain, &look.no_libvirt);
	if (rc < 0) {
		look.no_libvirt_rc = rc;
		rc = look_by_process(vm, &look, error);
	} else {
		look.health = look.domain.present
				  ? vrms_vm_health_from(look.domain.state, look.domain.reason)
				  : VRMS_VM_OFF;
		look.is_active = is_active(&look.domain);
		if (look.domain.present) {
			look.id = look.domain.id;
		}
		rc = look.is_active ? 0 : look_for_orphan(vm, &look, error);
	}
	if (rc == 0) {
		*ret_look = look;
	}
	return rc;
}

enum { STEADY_MS = 1000, STEADY_STEP_MS = 100 };

int vrms_vm_look_steadily(struct vrms_vm *vm, int64_t deadline_ms, struct vrms_vm_look *ret_look,
			  struct vrms_error *error)
{
	int64_t until_ms = vrms_clock_now_ms(vm->call->clock) + STEADY_MS;

	for (;;) {
		int rc = vrms_vm_look(vm, deadline_ms, ret_look, error);

		if (rc < 0 || !ret_look->is_orphan ||
		    vrms_clock_now_ms(vm->call->clock) >= until_ms) {
			return rc;
		}
		vrms_clock_sleep_ms(vm->call->clock, STEADY_STEP_MS);
	}
}

enum { PATIENT_STEP_MS = 250 };

int vrms_vm_look_patiently(struct vrms_vm *vm, int64_t deadline_ms, struct vrms_vm_look *ret_look,
			   struct vrms_error *error)
{
	for (;;) {
		int rc = vrms_vm_look_steadily(vm, deadline_ms, ret_look, error);

		if (rc < 0 || ret_look->source == VRMS_VM_BY_LIBVIRT ||
		    ret_look->no_libvirt_rc != -ENOTCONN ||
		    vrms_clock_now_ms(vm->call->clock) + PATIENT_STEP_MS > deadline_ms) {
			return rc;
		}
		vrms_clock_sleep_ms(vm->call->clock, PATIENT_STEP_MS);
	}
}

/* --- What is remembered -------------------------------------------------------------- */

static bool is_cacheable(const struct vrms_vm *vm)
{
	/* With save_config_on_stop every monitor has work that only the full agent does. */
	return vm->config_rc == 0 && !vm->config->save_config_on_stop &&
	       !vm->config->sync_config_on_stop;
}

static int write_cache(struct vrms_vm *vm, const struct vrms_domain_id *id,
		       struct vrms_error *error)
{
	char path[PATH_MAX];
	struct vrms_vm_cache cache = {.config_id = vm->config_id};
	int rc = vrms_vm_cache_path(NULL, vm->call->instance, "state", path, sizeof(path));

	if (rc < 0) {
		return vrms_error_errno(error, rc, "cache of \"%s\"", vm->call->instance);
	}
	rc = vm->hypervisor->ops->get_uri(vm->hypervisor, cache.uri, sizeof(cache.uri), error);
	if (rc < 0) {
		return rc;
	}
	memcpy(cache.domain, id->name, sizeof(cache.domain));
	memcpy(cache.uuid, id->uuid, sizeof(cache.uuid));
	(void)snprintf(cache.config, sizeof(cache.config), "%s", vm->config->config);
	return vrms_vm_cache_write(path, &cache, vm->environment, error);
}

static void write_memory(struct vrms_vm *vm, const struct vrms_vm_memory *memory)
{
	struct vrms_error error = {.text = ""};

	if (vrms_vm_memory_write(vm->call->instance, memory, &error) < 0) {
		vrms_log(LOG_WARNING, "%s", error.text);
	}
}

void vrms_vm_remember_start(struct vrms_vm *vm, const struct vrms_domain_id *id)
{
	write_memory(vm, &(struct vrms_vm_memory){.id = *id, .is_starting = true});
}

void vrms_vm_remember(struct vrms_vm *vm, const struct vrms_domain_id *id)
{
	struct vrms_error error = {.text = ""};

	write_memory(vm, &(struct vrms_vm_memory){.id = *id, .is_running = true});
	if (is_cacheable(vm) && write_cache(vm, id, &error) < 0) {
		vrms_log(LOG_WARNING, "%s", error.text);
	}
}

void vrms_vm_forget_cache(struct vrms_vm *vm)
{
	char path[PATH_MAX];
	struct vrms_error error = {.text = ""};

	if (vrms_vm_cache_path(NULL, vm->call->instance, "state", path, sizeof(path)) == 0 &&
	    vrms_vm_cache_remove(path, &error) < 0) {
		vrms_log(LOG_WARNING, "%s", error.text);
	}
}

void vrms_vm_forget(struct vrms_vm *vm)
{
	struct vrms_domain_id id = vm->ids[0];

	vrms_vm_forget_cache(vm);
	if (vm->xml != NULL) {
		memcpy(id.name, vm->xml->name, sizeof(id.name));
		memcpy(id.uuid, vm->xml->uuid, sizeof(id.uuid));
	}
	write_memory(vm, &(struct vrms_vm_memory){.id = id});
}
