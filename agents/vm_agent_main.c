/* vm_agent_main.c - the full agent: every action, with libvirt.
 *
 * The installed agent (vm_front.c) becomes this program for everything that
 * it does not answer by itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agents/hypervisor_libvirt.h"
#include "agents/utilization.h"
#include "agents/vm.h"
#include "common/log.h"

static enum vrms_utilization_wish wish(bool autoset, bool unset)
{
	if (autoset) {
		return VRMS_UTILIZATION_SET;
	}
	return unset ? VRMS_UTILIZATION_UNSET : VRMS_UTILIZATION_LEAVE;
}

static bool has_utilization(const struct vrms_vm_config *config)
{
	return config->autoset_utilization_cpu || config->autoset_utilization_host_memory ||
	       config->autoset_utilization_hv_memory || config->unset_utilization_cpu ||
	       config->unset_utilization_host_memory || config->unset_utilization_hv_memory;
}

enum { SIZE_PERCENT = 50 };

static int measure(struct vrms_vm *vm, struct vrms_utilization *ret_wanted,
		   struct vrms_error *error)
{
	const struct vrms_vm_config *config = vm->config;
	struct vrms_domain_size size;
	struct vrms_domain_view domain;
	struct vrms_hypervisor *hypervisor = vm->hypervisor;

	hypervisor->deadline_ms = vrms_vm_share_ms(vm, SIZE_PERCENT);
	int rc = hypervisor->ops->find(hypervisor, &vm->ids[0], &domain, error);
	if (rc == 0) {
		rc = hypervisor->ops->get_size(hypervisor, domain.id.uuid, &size, error);
	}
	if (rc < 0) {
		return rc;
	}
	*ret_wanted = (struct vrms_utilization){
	    .resource = vm->call->instance,
	    .items = {[VRMS_UTILIZATION_CPU] = {wish(config->autoset_utilization_cpu,
						     config->unset_utilization_cpu),
						size.cpu_count},
		      [VRMS_UTILIZATION_HOST_MEMORY] = {wish(
							    config->autoset_utilization_host_memory,
							    config->unset_utilization_host_memory),
							size.memory_mib},
		      [VRMS_UTILIZATION_HV_MEMORY] = {wish(config->autoset_utilization_hv_memory,
							   config->unset_utilization_hv_memory),
						      size.memory_mib}},
	};
	return 0;
}

/* Returns only when there is nothing to do, or it cannot be done: then that is logged. */
static void update_utilization(struct vrms_vm *vm)
{
	struct vrms_utilization wanted;
	struct vrms_error error = {.text = ""};

	if (!has_utilization(vm->config)) {
		return;
	}
	if (measure(vm, &wanted, &error) < 0) {
		vrms_log(LOG_INFO, "%s: size not known: %s", vrms_vm_name(vm), error.text);
		return;
	}
	if (vrms_utilization_is_due(&wanted, (int64_t)time(NULL)) &&
	    vrms_utilization_exec(&wanted, VRMS_OCF_SUCCESS, vrms_ocf_call_left_ms(vm->call, 0),
				  &error) < 0) {
		vrms_log(LOG_WARNING, "%s: utilization: %s", vrms_vm_name(vm), error.text);
	}
}

/* The actions of ocf:heartbeat:VirtualDomain that set it: all that run a monitor. */
static bool sets_utilization(const char *action)
{
	static const char *const names[] = {"start", "monitor", "status", "migrate_from"};

	for (size_t i = 0; i < VRMS_COUNT_OF(names); i++) {
		if (strcmp(names[i], action) == 0) {
			return true;
		}
	}
	return false;
}

static int run(const struct vrms_ocf_call *call, const void *config, enum vrms_ocf_exit *ret_exit,
	       struct vrms_error *error)
{
	struct vrms_vm_config lenient;
	struct vrms_error warning = {.text = ""};
	struct vrms_hypervisor *hypervisor VRMS_CLEANUP(vrms_hypervisor_libvirt_freep) = NULL;
	struct vrms_vm vm = {
	    .call = call,
	    .config = config,
	    .host = vrms_vm_host_system(),
	    .environment = environ,
	};

	if (strcmp(call->action, "stop") == 0) {
		vrms_vm_config_read_leniently(call, &lenient, &warning);
		if (warning.text[0] != '\0') {
			vrms_log(LOG_WARNING, "%s: %s", call->instance, warning.text);
		}
		vm.config = &lenient;
	}
	int rc =
	    vrms_hypervisor_libvirt_new(vm.config->hypervisor, call->clock, &hypervisor, error);
	if (rc < 0) {
		return rc;
	}
	vm.hypervisor = hypervisor;
	rc = vrms_vm_run_action(&vm, ret_exit, error);
	if (rc == 0 && *ret_exit == VRMS_OCF_SUCCESS && sets_utilization(call->action)) {
		update_utilization(&vm);
	}
	vrms_vm_done(&vm);
	return rc;
}

int main(int argc, char **argv)
{
	struct vrms_vm_agent table;

	vrms_vm_agent_init(&table, run);
	int code = vrms_ocf_main(&table.agent, argc, argv);
	/* A thread may still hang in libvirt, holding its locks: no atexit functions. */
	(void)fflush(stdout);
	_exit(code);
}
