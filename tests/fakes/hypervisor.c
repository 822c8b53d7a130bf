/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fakes/hypervisor.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/fakes/vm_world.h"

void fake_domain_end(struct fake_domain *domain)
{
	domain->off_at_ms = 0;
	domain->view.state = VIR_DOMAIN_SHUTOFF;
	domain->view.reason = VIR_DOMAIN_SHUTOFF_SHUTDOWN;
	domain->view.present = domain->view.persistent;
}

/* --- The hypervisor ------------------------------------------------------------------------ */

static struct fake_hypervisor *of(struct vrms_hypervisor *port)
{
	return port->context;
}

static int take_fault(struct fake_hypervisor *hypervisor, const char *operation,
		      struct vrms_error *error)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(hypervisor->faults); i++) {
		struct fake_fault *fault = &hypervisor->faults[i];

		if (fault->operation == NULL || strcmp(fault->operation, operation) != 0) {
			continue;
		}
		if (fault->skip > 0) {
			fault->skip--;
			continue;
		}
		int rc = vrms_error_set(error, fault->rc, "%s", fault->text);
		if (fault->count > 0 && --fault->count == 0) {
			fault->operation = NULL;
		}
		return rc;
	}
	return 0;
}

/* What every operation begins with. */
static int enter(struct vrms_hypervisor *port, const char *operation, struct vrms_error *error)
{
	struct fake_hypervisor *hypervisor = of(port);

	fake_append(hypervisor->calls, sizeof(hypervisor->calls), operation, " ");
	if (hypervisor->is_stuck) {
		fake_world_pass(hypervisor->world, port->deadline_ms - hypervisor->world->now_ms);
		return vrms_error_set(error, -ETIMEDOUT, "it does not answer");
	}
	if (hypervisor->is_down) {
		return vrms_error_set(error, -ENOTCONN, "connection refused");
	}
	return take_fault(hypervisor, operation, error);
}

static struct fake_domain *lookup(struct fake_hypervisor *hypervisor, const char *name,
				  const char *uuid)
{
	for (size_t i = 0; i < hypervisor->domain_count; i++) {
		struct fake_domain *domain = &hypervisor->domains[i];

		if (domain->view.present &&
		    (uuid[0] == '\0' ? strcmp(domain->view.id.name, name) == 0
				     : strcmp(domain->view.id.uuid, uuid) == 0)) {
			return domain;
		}
	}
	return NULL;
}

static int enter_domain(struct vrms_hypervisor *port, const char *operation, const char *uuid,
			struct fake_domain **ret_domain, struct vrms_error *error)
{
	int rc = enter(port, operation, error);

	if (rc < 0) {
		return rc;
	}
	*ret_domain = lookup(of(port), "", uuid);
	return *ret_domain == NULL ? vrms_error_set(error, -ESRCH, "no such domain") : 0;
}

static int get_uri(struct vrms_hypervisor *port, char *buffer, size_t bytes,
		   struct vrms_error *error)
{
	int rc = enter(port, "get_uri", error);

	if (rc == 0) {
		(void)snprintf(buffer, bytes, "qemu:///system");
	}
	return rc;
}

static int find(struct vrms_hypervisor *port, const struct vrms_domain_id *id,
		struct vrms_domain_view *ret_view, struct vrms_error *error)
{
	int rc = enter(port, "find", error);

	if (rc == 0) {
		const struct fake_domain *domain = lookup(of(port), id->name, id->uuid);
		*ret_view =
		    domain == NULL ? (struct vrms_domain_view){.present = false} : domain->view;
	}
	return rc;
}

static int get_size(struct vrms_hypervisor *port, const char *uuid,
		    struct vrms_domain_size *ret_size, struct vrms_error *error)
{
	struct fake_domain *domain;
	int rc = enter_domain(port, "get_size", uuid, &domain, error);

	if (rc == 0) {
		*ret_size = (struct vrms_domain_size){.cpu_count = 2, .memory_mib = 512};
	}
	return rc;
}

static int get_xml(struct vrms_hypervisor *port, const char *uuid, char **ret_xml,
		   struct vrms_error *error)
{
	struct fake_domain *domain;
	int rc = enter_domain(port, "get_xml", uuid, &domain, error);

	if (rc == 0) {
		*ret_xml = strdup(of(port)->xml);
	}
	return rc;
}

static int create(struct vrms_hypervisor *port, const char *text, struct vrms_error *error)
{
	struct vrms_domain_xml *xml VRMS_CLEANUP(vrms_domain_xml_freep) = NULL;
	int rc = enter(port, "create", error);

	if (rc == 0) {
		rc = vrms_domain_xml_parse(text, strlen(text), "create", &xml, error);
	}
	if (rc < 0) {
		return rc;
	}
	fake_world_add(of(port), xml->name, xml->uuid[0] == '\0' ? FAKE_UUID : xml->uuid,
		       of(port)->created_state == 0 ? VIR_DOMAIN_RUNNING : of(port)->created_state,
		       of(port)->created_reason);
	of(port)->world->has_process = true;
	(void)snprintf(of(port)->created, sizeof(of(port)->created), "%s", text);
	(void)snprintf(of(port)->world->process_uuid, VRMS_UUID_TEXT_BYTES, "%s", xml->uuid);
	return 0;
}

static int undefine(struct vrms_hypervisor *port, const char *uuid, struct vrms_error *error)
{
	struct fake_domain *domain;
	int rc = enter_domain(port, "undefine", uuid, &domain, error);

	if (rc == 0) {
		if (of(port)->undefine_removes_config) {
			(void)unlink(of(port)->world->config_path);
		}
		domain->view.persistent = false;
		domain->view.present = domain->view.state != VIR_DOMAIN_SHUTOFF;
	}
	return rc;
}

static int shut_down(struct vrms_hypervisor *port, const char *uuid, unsigned int flags,
		     struct vrms_error *error)
{
	struct fake_domain *domain;
	struct fake_hypervisor *hypervisor = of(port);
	char text[16];

	(void)snprintf(text, sizeof(text), "%u ", flags);
	fake_append(hypervisor->shutdown_flags, sizeof(hypervisor->shutdown_flags), text, "");
	int rc = enter_domain(port, "shutdown", uuid, &domain, error);
	if (rc == 0 && hypervisor->deaf_count > 0) {
		hypervisor->deaf_count--;
	} else if (rc == 0 && hypervisor->shutdown_ms != FAKE_NEVER && domain->off_at_ms == 0) {
		domain->off_at_ms = hypervisor->world->now_ms + hypervisor->shutdown_ms;
	}
	return rc;
}

static int destroy(struct vrms_hypervisor *port, const char *uuid, struct vrms_error *error)
{
	struct fake_domain *domain;
	struct fake_world *world = of(port)->world;
	int rc = enter_domain(port, "destroy", uuid, &domain, error);

	if (rc == 0) {
		fake_domain_end(domain);
		if (of(port) == &world->local && !world->destroy_leaves_process) {
			world->has_process = false;
		}
	}
	return rc;
}

static int resume(struct vrms_hypervisor *port, const char *uuid, struct vrms_error *error)
{
	struct fake_domain *domain;
	int rc = enter_domain(port, "resume", uuid, &domain, error);

	if (rc == 0 && !of(port)->resume_fails_again) {
		domain->view.state = VIR_DOMAIN_RUNNING;
		domain->view.reason = VIR_DOMAIN_RUNNING_UNPAUSED;
	}
	return rc;
}

static int ping_agent(struct vrms_hypervisor *port, const char *uuid, struct vrms_error *error)
{
	struct fake_domain *domain;

	return enter_domain(port, "ping_agent", uuid, &domain, error);
}

static const struct vrms_hypervisor_ops ops = {
    .get_uri = get_uri,
    .find = find,
    .get_size = get_size,
    .get_xml = get_xml,
    .create = create,
    .undefine = undefine,
    .shutdown = shut_down,
    .destroy = destroy,
    .resume = resume,
    .ping_agent = ping_agent,
};

/* --- Storage --------------------------------------------------------------------------------- */

static int save(struct vrms_hypervisor *port, const char *uuid, const char *path,
		struct vrms_error *error)
{
	struct fake_domain *domain;
	int rc = enter_domain(port, "save", uuid, &domain, error);

	if (rc == 0) {
		FILE *file = fopen(path, "w");
		if (file == NULL) {
			return -errno;
		}
		(void)fclose(file);
		fake_domain_end(domain);
		of(port)->world->has_process = false;
	}
	return rc;
}

static int restore(struct vrms_hypervisor *port, const char *path, struct vrms_error *error)
{
	int rc = enter(port, "restore", error);

	if (rc == 0 && access(path, F_OK) == 0) {
		fake_world_boot(of(port)->world);
	}
	return rc;
}

static int start_pool(struct vrms_hypervisor *port, const char *name, struct vrms_error *error)
{
	(void)name;
	return enter(port, "start_pool", error);
}

static int start_network(struct vrms_hypervisor *port, const char *name, struct vrms_error *error)
{
	(void)name;
	return enter(port, "start_network", error);
}

static int get_disk_errors(struct vrms_hypervisor *port, const char *uuid, char *buffer,
			   size_t bytes, struct vrms_error *error)
{
	struct fake_domain *domain;
	int rc = enter_domain(port, "get_disk_errors", uuid, &domain, error);

	if (rc == 0) {
		(void)snprintf(buffer, bytes, "%s", of(port)->disk_errors);
	}
	return rc;
}

static const struct vrms_hypervisor_storage_ops storage_ops = {
    .save = save,
    .restore = restore,
    .start_pool = start_pool,
    .start_network = start_network,
    .get_disk_errors = get_disk_errors,
};

/* --- Migration ---------------------------------------------------------------------------------
 */

static int open_peer(struct vrms_hypervisor *port, const char *uri,
		     struct vrms_hypervisor **ret_peer, struct vrms_error *error)
{
	struct fake_world *world = of(port)->world;
	int rc = enter(port, "open_peer", error);

	if (rc == 0) {
		fake_append(world->peer_uri, sizeof(world->peer_uri), uri, " ");
		*ret_peer = &world->target.port;
	}
	return rc;
}

static void close_peer(struct vrms_hypervisor *peer)
{
	fake_append(of(peer)->calls, sizeof(of(peer)->calls), "close_peer", " ");
}

static int begin(struct vrms_hypervisor *port, const struct vrms_migration *migration,
		 struct vrms_error *error)
{
	struct fake_world *world = of(port)->world;
	int rc = enter(port, "begin", error);

	if (rc == 0) {
		world->is_migrating = true;
		world->migration_started_ms = world->now_ms;
		world->migration_flags = migration->flags;
		world->migration_speed_mibs = migration->speed_mibs;
		fake_append(world->migration_uri, sizeof(world->migration_uri),
			    migration->migrate_uri == NULL ? "" : migration->migrate_uri, "");
	}
	return rc;
}

static void arrive(struct fake_world *world)
{
	fake_world_add(&world->target, "web", FAKE_UUID, VIR_DOMAIN_RUNNING,
		       VIR_DOMAIN_RUNNING_MIGRATED);
	if (!world->stays_after_migration) {
		fake_domain_end(&world->local.domains[0]);
		world->has_process = false;
	}
}

static int fail_migration(struct fake_world *world, struct vrms_migration_progress *progress,
			  struct vrms_error *error)
{
	progress->phase = VRMS_MIGRATION_FAILED;
	progress->failure = vrms_error_set(error, world->is_aborted ? -EIO : world->migration_rc,
					   world->is_aborted ? "canceled" : "the wire broke");
	if (world->arrives_though_failed) {
		arrive(world);
	}
	if (world->leaves_rest_on_target) {
		fake_world_add(&world->target, "web", FAKE_UUID, VIR_DOMAIN_PAUSED,
			       VIR_DOMAIN_PAUSED_MIGRATION);
	}
	world->is_migrating = false;
	return 0;
}

static int poll_migration(struct vrms_hypervisor *port, const char *uuid,
			  struct vrms_migration_progress *progress, struct vrms_error *error)
{
	struct fake_world *world = of(port)->world;
	int64_t spent_ms = world->now_ms - world->migration_started_ms;
	int rc = enter(port, "poll", error);

	(void)uuid;
	if (rc < 0) {
		return rc;
	}
	if (world->is_aborted) {
		return fail_migration(world, progress, error);
	}
	if (world->migration_ms != FAKE_NEVER && spent_ms >= world->migration_ms) {
		if (world->migration_rc < 0) {
			return fail_migration(world, progress, error);
		}
		arrive(world);
		progress->phase = VRMS_MIGRATION_SUCCEEDED;
		return 0;
	}
	progress->total_bytes = 1U << 30U;
	progress->remaining_bytes = 1U << 29U;
	progress->pass_count = (uint64_t)spent_ms / 1000 + 1;
	return 0;
}

static int abort_migration(struct vrms_hypervisor *port, const char *uuid, struct vrms_error *error)
{
	int rc = enter(port, "abort", error);

	(void)uuid;
	if (rc == 0) {
		of(port)->world->is_aborted = !of(port)->world->abort_fails;
	}
	return rc;
}

static int switch_to_post_copy(struct vrms_hypervisor *port, const char *uuid,
			       struct vrms_error *error)
{
	struct fake_world *world = of(port)->world;
	int rc = enter(port, "post_copy", error);

	(void)uuid;
	if (rc == 0) {
		world->is_post_copy = true;
		world->migration_ms = world->now_ms - world->migration_started_ms + 1000;
	}
	return rc;
}

static int set_downtime(struct vrms_hypervisor *port, const char *uuid, int64_t ms,
			struct vrms_error *error)
{
	struct fake_domain *domain;
	int rc = enter_domain(port, "set_downtime", uuid, &domain, error);

	if (rc == 0) {
		of(port)->world->downtime_ms = ms;
	}
	return rc;
}

static int suspend(struct vrms_hypervisor *port, const char *uuid, struct vrms_error *error)
{
	struct fake_domain *domain;
	struct fake_world *world = of(port)->world;
	int rc = enter_domain(port, "suspend", uuid, &domain, error);

	if (rc == 0) {
		world->migration_ms = world->now_ms - world->migration_started_ms + 500;
	}
	return rc;
}

static const struct vrms_hypervisor_migration_ops migration_ops = {
    .open_peer = open_peer,
    .close_peer = close_peer,
    .begin = begin,
    .poll = poll_migration,
    .abort = abort_migration,
    .switch_to_post_copy = switch_to_post_copy,
    .set_downtime = set_downtime,
    .suspend = suspend,
};

struct fake_domain *fake_world_add(struct fake_hypervisor *hypervisor, const char *name,
				   const char *uuid, int state, int reason)
{
	struct fake_domain *domain = NULL;

	for (size_t i = 0; i < hypervisor->domain_count; i++) {
		if (strcmp(hypervisor->domains[i].view.id.uuid, uuid) == 0) {
			domain = &hypervisor->domains[i];
		}
	}
	if (domain == NULL) {
		if (hypervisor->domain_count == FAKE_DOMAIN_MAX) {
			abort();
		}
		domain = &hypervisor->domains[hypervisor->domain_count++];
	}
	*domain = (struct fake_domain){.view = {.present = true, .state = state, .reason = reason}};
	(void)snprintf(domain->view.id.name, sizeof(domain->view.id.name), "%s", name);
	(void)snprintf(domain->view.id.uuid, sizeof(domain->view.id.uuid), "%s", uuid);
	return domain;
}

void fake_world_fail(struct fake_hypervisor *hypervisor, const char *operation, int rc,
		     const char *text)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(hypervisor->faults); i++) {
		if (hypervisor->faults[i].operation == NULL) {
			hypervisor->faults[i] =
			    (struct fake_fault){.operation = operation, .rc = rc, .text = text};
			return;
		}
	}
	abort();
}

void fake_hypervisor_init(struct fake_world *world, struct fake_hypervisor *hypervisor)
{
	hypervisor->world = world;
	hypervisor->shutdown_ms = 2000;
	hypervisor->xml = FAKE_CONFIG;
	hypervisor->port = (struct vrms_hypervisor){
	    .ops = &ops,
	    .storage = &storage_ops,
	    .migration = &migration_ops,
	    .context = hypervisor,
	};
}
