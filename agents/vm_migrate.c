/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>

#include "agents/vm.h"
#include "agents/vm_journey.h"
#include "common/log.h"

enum {
	LOOK_PERCENT = 20, /* of the time left: libvirt's share for an answer */
	POLL_MS = 500,
	PROCESS_END_MS_MAX = 5000,
	EXIT_RESERVE_MS = 500,
	PORT_FIRST = 49152, /* source: qemu.conf's migration_port_min and _max */
	PORT_COUNT = 64,
};

static int64_t now_ms(const struct vrms_vm *vm)
{
	return vrms_clock_now_ms(vm->call->clock);
}

static bool is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* --- Plans ------------------------------------------------------------------------------ */

static unsigned int choose_flags(const struct vrms_vm_config *config, unsigned int flags)
{
	flags |= VIR_MIGRATE_LIVE;
	if (config->migration_p2p) {
		flags |= VIR_MIGRATE_PEER2PEER;
	}
	if (config->migration_tunnelled) {
		flags |= VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_TUNNELLED;
	}
	if (config->migration_tls) {
		flags |= VIR_MIGRATE_TLS;
	}
	if (config->migration_auto_converge) {
		flags |= VIR_MIGRATE_AUTO_CONVERGE;
	}
	if (config->migration_post_copy) {
		flags |= VIR_MIGRATE_POSTCOPY;
	}
	return flags;
}

static int plan_uris(struct vrms_journey *journey, struct vrms_error *error)
{
	struct vrms_vm *vm = journey->vm;
	const char *node = vm->call->migrate_target;
	/* Any spread will do: a port in use is an error of the migration. */
	int port = PORT_FIRST + (int)(now_ms(vm) % PORT_COUNT);
	int rc = vrms_vm_local_uri(vm, journey->local_uri, error);

	if (rc == 0) {
		rc = vrms_vm_peer_uri(vm->config, journey->local_uri, node, journey->target_uri,
				      error);
	}
	if (rc == 0) {
		rc = vrms_vm_migrate_uri(vm->config, journey->local_uri, node,
					 journey->options.migrateuri, port, journey->migrate_uri,
					 error);
	}
	if ((journey->flags & VIR_MIGRATE_TUNNELLED) != 0) {
		journey->migrate_uri[0] = '\0';
	}
	return rc;
}

static int plan(struct vrms_journey *journey, struct vrms_error *error)
{
	const struct vrms_vm_config *config = journey->vm->config;

	if (!is_set(journey->vm->call->migrate_target)) {
		return vrms_error_set(error, -EINVAL,
				      "OCF_RESKEY_CRM_meta_migrate_target: not set: where to?");
	}
	int rc = vrms_migrate_options_parse(config->migrate_options, &journey->options, error);
	if (rc < 0) {
		return rc;
	}
	journey->flags = choose_flags(config, journey->options.flags);
	journey->wants_post_copy =
	    config->migration_post_copy || journey->options.postcopy_after_precopy;
	return plan_uris(journey, error);
}

/* --- Preparations ------------------------------------------------------------------------ */

static int prepare_target(struct vrms_journey *journey, struct vrms_error *error)
{
	struct vrms_vm *vm = journey->vm;
	struct vrms_hypervisor *local = vm->hypervisor;
	int rc = local->migration->open_peer(local, journey->target_uri, &journey->target, error);

	if (rc < 0 || !vm->config->start_resources) {
		return rc;
	}
	vrms_journey_limit_call(vm, journey->target);
	rc = vrms_vm_start_resources(vm, journey->target, error);
	return rc < 0 ? vrms_error_wrap(error, rc, "%s", journey->target_uri) : 0;
}

/* --- Afterwards ------------------------------------------------------------------------------ */

/* What failed migrations may leave there: a domain that waits for its memory. */
static bool is_leftover(const struct vrms_domain_view *domain)
{
	return domain->present && domain->state == VIR_DOMAIN_PAUSED &&
	       (domain->reason == VIR_DOMAIN_PAUSED_MIGRATION ||
		domain->reason == VIR_DOMAIN_PAUSED_STARTING_UP ||
		domain->reason == VIR_DOMAIN_PAUSED_UNKNOWN);
}

static int find_on_target(struct vrms_journey *journey, struct vrms_domain_view *ret_domain,
			  struct vrms_error *error)
{
	if (journey->target == NULL) {
		return vrms_error_set(error, -ENOTCONN, "%s: not connected", journey->target_uri);
	}
	vrms_journey_limit_call(journey->vm, journey->target);
	return journey->target->ops->find(journey->target, journey->id, ret_domain, error);
}

/* Only called when the source certainly runs.  While the migration may still be under way, what
 * waits there may yet become the machine. */
static void remove_leftover(struct vrms_journey *journey)
{
	struct vrms_error error = {.text = ""};
	struct vrms_domain_view domain;

	if (journey->is_underway) {
		return;
	}
	int rc = find_on_target(journey, &domain, &error);

	if (rc == 0 && is_leftover(&domain)) {
		vrms_log(LOG_NOTICE, "%s: removing what is left of it on node %s",
			 journey->id->name, journey->vm->call->migrate_target);
		vrms_journey_limit_call(journey->vm, journey->target);
		rc = journey->target->ops->destroy(journey->target, journey->id->uuid, &error);
	} else if (rc == 0 && domain.present && domain.state != VIR_DOMAIN_SHUTOFF) {
		vrms_log(LOG_CRIT, "%s: active on node %s too, though its migration failed",
			 journey->id->name, journey->vm->call->migrate_target);
	}
	if (rc < 0 && rc != -ESRCH) {
		vrms_log(LOG_WARNING, "%s: %s", journey->id->name, error.text);
	}
}

static bool runs_here(const struct vrms_vm_look *look)
{
	return look->source == VRMS_VM_BY_LIBVIRT && look->is_active && !look->is_orphan &&
	       (look->domain.state == VIR_DOMAIN_RUNNING ||
		look->domain.state == VIR_DOMAIN_BLOCKED);
}

/* The error came after the switch-over when the target runs and the source has ended. */
static bool arrived_nevertheless(struct vrms_journey *journey, const struct vrms_vm_look *look)
{
	struct vrms_error error = {.text = ""};
	struct vrms_domain_view domain;

	return look->source == VRMS_VM_BY_LIBVIRT && !look->is_active &&
	       find_on_target(journey, &domain, &error) == 0 && domain.present &&
	       domain.state == VIR_DOMAIN_RUNNING;
}

static int judge_failure(struct vrms_journey *journey, int rc, struct vrms_error *error)
{
	struct vrms_vm *vm = journey->vm;
	struct vrms_vm_look look;
	struct vrms_error ignored = {.text = ""};
	const char *outcome = "; how it is here is not known";

	if (vrms_vm_look(vm, vm->call->deadline_ms - EXIT_RESERVE_MS, &look, &ignored) == 0) {
		if (arrived_nevertheless(journey, &look)) {
			vrms_log(LOG_WARNING, "%s: runs on node %s, though: %s", journey->id->name,
				 vm->call->migrate_target, error->text);
			return 0;
		}
		if (runs_here(&look)) {
			outcome = "; it still runs here";
			remove_leftover(journey);
		}
	}
	const struct vrms_error reason = *error;
	return vrms_error_set(error, rc, "live migration of \"%s\" to node \"%s\": %.300s%s",
			      journey->id->name, vm->call->migrate_target, reason.text, outcome);
}

static int await_departure(struct vrms_vm *vm, struct vrms_vm_look *look, struct vrms_error *error)
{
	int64_t until_ms = now_ms(vm) + PROCESS_END_MS_MAX;

	for (;;) {
		int rc = vrms_vm_look_steadily(vm, vrms_vm_share_ms(vm, LOOK_PERCENT), look, error);

		if (rc < 0 || !look->is_active) {
			return rc;
		}
		if (now_ms(vm) >= until_ms ||
		    vrms_ocf_call_left_ms(vm->call, EXIT_RESERVE_MS) == 0) {
			return vrms_error_set(error, -EIO,
					      "\"%s\" has migrated and is still active here",
					      look->id.name);
		}
		vrms_clock_sleep_ms(vm->call->clock, POLL_MS);
	}
}

/* The proof that nothing of it is left here; a definition that stays would be a second home. */
static int leave(struct vrms_journey *journey, struct vrms_error *error)
{
	struct vrms_vm *vm = journey->vm;
	struct vrms_vm_look look;
	struct vrms_hypervisor *hypervisor = vm->hypervisor;
	int rc = await_departure(vm, &look, error);

	if (rc < 0) {
		return rc;
	}
	vrms_journey_limit_call(vm, hypervisor);
	if (look.domain.present && look.domain.persistent &&
	    hypervisor->ops->undefine(hypervisor, look.domain.id.uuid, error) < 0) {
		vrms_log(LOG_WARNING, "%s: its persistent definition stays here: %s",
			 journey->id->name, error->text);
		vrms_error_clear(error);
	}
	vrms_vm_forget(vm);
	return 0;
}

static int travel(struct vrms_journey *journey, struct vrms_error *error)
{
	int rc = prepare_target(journey, error);

	if (rc == 0) {
		rc = vrms_journey_travel(journey, error);
	}
	return rc < 0 ? judge_failure(journey, rc, error) : 0;
}

/* Only a machine that libvirt has in its hands can be sent. */
static int check_departure(const struct vrms_vm_look *look, struct vrms_error *error)
{
	if (look->source == VRMS_VM_BY_PROCESS) {
		return vrms_error_set(error, look->no_libvirt_rc, "%s", look->no_libvirt.text);
	}
	if (!look->is_active || look->is_orphan) {
		return vrms_error_set(error, -EIO, "\"%s\" does not run here", look->id.name);
	}
	if (vrms_vm_health_is_failure(look->health)) {
		return vrms_error_set(error, -EIO, "domain \"%s\" is %s", look->id.name,
				      vrms_vm_health_text(look->health));
	}
	return 0;
}

int vrms_vm_migrate_to(struct vrms_vm *vm, enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct vrms_vm_look look;
	struct vrms_journey journey = {.vm = vm, .id = &look.domain.id};
	int rc = vrms_vm_identify(vm, error);

	if (rc == 0) {
		rc = vrms_vm_look_patiently(vm, vrms_vm_share_ms(vm, LOOK_PERCENT), &look, error);
	}
	if (rc == 0) {
		rc = check_departure(&look, error);
	}
	if (rc == 0) {
		rc = plan(&journey, error);
	}
	if (rc < 0) {
		return rc;
	}
	vrms_vm_save_config(vm, look.domain.id.uuid);
	vrms_vm_forget_cache(vm);
	rc = travel(&journey, error);
	if (rc == 0) {
		rc = leave(&journey, error);
	}
	if (journey.target != NULL) {
		vm->hypervisor->migration->close_peer(journey.target);
	}
	if (rc < 0) {
		return rc;
	}
	vrms_log(LOG_INFO, "%s: migrated to node %s in %lld ms", look.domain.id.name,
		 vm->call->migrate_target, (long long)(now_ms(vm) - journey.started_ms));
	*ret_exit = VRMS_OCF_SUCCESS;
	return 0;
}
