/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/hypervisor_libvirt.h"

#include <errno.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <string.h>

#include "agents/libvirt_call.h"

/* --- Questions ------------------------------------------------------------------------------ */

static int on_get_uri(struct vrms_libvirt_call *call, virConnectPtr connection)
{
	call->result = virConnectGetURI(connection);
	return call->result == NULL ? -1 : 0;
}

static int get_uri(struct vrms_hypervisor *hypervisor, char *buffer, size_t buffer_bytes,
		   struct vrms_error *error)
{
	struct vrms_libvirt_call *call VRMS_CLEANUP(vrms_libvirt_call_freep) = NULL;
	const char *uri = vrms_libvirt_of(hypervisor)->uri;

	if (uri == NULL) {
		call = vrms_libvirt_call_new(hypervisor, NULL, NULL);
		if (call != NULL) {
			call->on_connection = on_get_uri;
		}
		int rc = vrms_libvirt_call_run(&call, error);
		if (rc < 0) {
			return rc;
		}
		uri = call->result;
	}
	if (strlen(uri) >= buffer_bytes) {
		return vrms_error_set(error, -ENAMETOOLONG, "URI \"%.64s...\" is too long", uri);
	}
	memcpy(buffer, uri, strlen(uri) + 1);
	return 0;
}

static bool is_no_domain(void)
{
	const virError *last = virGetLastError();

	return last != NULL && last->code == VIR_ERR_NO_DOMAIN;
}

static int view_domain(virDomainPtr domain, struct vrms_domain_view *view)
{
	const char *name = virDomainGetName(domain);
	int persistent = virDomainIsPersistent(domain);

	if (name == NULL || persistent < 0 ||
	    virDomainGetState(domain, &view->state, &view->reason, 0) < 0 ||
	    virDomainGetUUIDString(domain, view->id.uuid) < 0) {
		return -1;
	}
	(void)snprintf(view->id.name, sizeof(view->id.name), "%s", name);
	view->persistent = persistent == 1;
	view->present = true;
	return 0;
}

/* A domain that ends between two of the questions is not there. */
static int on_find(struct vrms_libvirt_call *call, virConnectPtr connection)
{
	virDomainPtr domain = vrms_libvirt_lookup(connection, &call->id);
	int rc = domain == NULL ? -1 : view_domain(domain, &call->view);

	if (rc < 0 && is_no_domain()) {
		call->view.present = false;
		rc = 0;
	}
	if (domain != NULL) {
		(void)virDomainFree(domain);
	}
	return rc;
}

static int find(struct vrms_hypervisor *hypervisor, const struct vrms_domain_id *id,
		struct vrms_domain_view *ret_view, struct vrms_error *error)
{
	struct vrms_libvirt_call *call VRMS_CLEANUP(vrms_libvirt_call_freep) =
	    vrms_libvirt_call_new(hypervisor, NULL, NULL);

	if (call != NULL) {
		call->id = *id;
		call->on_connection = on_find;
	}
	int rc = vrms_libvirt_call_run(&call, error);
	if (rc == 0) {
		*ret_view = call->view;
	}
	return rc;
}

static int on_get_size(struct vrms_libvirt_call *call, virDomainPtr domain)
{
	virDomainInfo info;

	if (virDomainGetInfo(domain, &info) < 0) {
		return -1;
	}
	call->size.cpu_count = info.nrVirtCpu;
	call->size.memory_mib = info.maxMem / 1024;
	return 0;
}

static int get_size(struct vrms_hypervisor *hypervisor, const char *uuid,
		    struct vrms_domain_size *ret_size, struct vrms_error *error)
{
	struct vrms_libvirt_call *call VRMS_CLEANUP(vrms_libvirt_call_freep) =
	    vrms_libvirt_call_new(hypervisor, uuid, NULL);

	if (call != NULL) {
		call->on_domain = on_get_size;
	}
	int rc = vrms_libvirt_call_run(&call, error);
	if (rc == 0) {
		*ret_size = call->size;
	}
	return rc;
}

static int on_get_xml(struct vrms_libvirt_call *call, virDomainPtr domain)
{
	call->result = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
	return call->result == NULL ? -1 : 0;
}

static int get_xml(struct vrms_hypervisor *hypervisor, const char *uuid, char **ret_xml,
		   struct vrms_error *error)
{
	struct vrms_libvirt_call *call VRMS_CLEANUP(vrms_libvirt_call_freep) =
	    vrms_libvirt_call_new(hypervisor, uuid, NULL);

	if (call != NULL) {
		call->on_domain = on_get_xml;
	}
	int rc = vrms_libvirt_call_run(&call, error);
	if (rc == 0) {
		*ret_xml = VRMS_TAKE(call->result);
	}
	return rc;
}

/* --- Beginning and ending ----------------------------------------------------------------------
 */

static int on_create(struct vrms_libvirt_call *call, virConnectPtr connection)
{
	virDomainPtr domain = virDomainCreateXML(connection, call->text, 0);

	if (domain == NULL) {
		return -1;
	}
	(void)virDomainFree(domain);
	return 0;
}

static int create(struct vrms_hypervisor *hypervisor, const char *xml, struct vrms_error *error)
{
	struct vrms_libvirt_call *call VRMS_CLEANUP(vrms_libvirt_call_freep) =
	    vrms_libvirt_call_new(hypervisor, NULL, xml);

	if (call != NULL) {
		call->on_connection = on_create;
	}
	return vrms_libvirt_call_run(&call, error);
}

/* A driver without TPM state, or an older libvirt, refuses its flag. */
static int on_undefine(struct vrms_libvirt_call *call, virDomainPtr domain)
{
	(void)virDomainSetAutostart(domain, 0);
	int rc = virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_KEEP_NVRAM |
						    VIR_DOMAIN_UNDEFINE_KEEP_TPM);
	const virError *last = virGetLastError();

	if (rc < 0 && last != NULL && last->code == VIR_ERR_INVALID_ARG) {
		rc = virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_KEEP_NVRAM);
		last = virGetLastError();
	}
	if (rc < 0 && last != NULL && last->code == VIR_ERR_OPERATION_INVALID) {
		(void)vrms_libvirt_take_error(&call->job.error);
		return -EBUSY;
	}
	return rc < 0 ? -1 : 0;
}

static int undefine(struct vrms_hypervisor *hypervisor, const char *uuid, struct vrms_error *error)
{
	return vrms_libvirt_do(hypervisor, uuid, on_undefine, error);
}

static int on_shutdown(struct vrms_libvirt_call *call, virDomainPtr domain)
{
	return virDomainShutdownFlags(domain, call->flags) < 0 ? -1 : 0;
}

static int shut_down(struct vrms_hypervisor *hypervisor, const char *uuid, unsigned int flags,
		     struct vrms_error *error)
{
	struct vrms_libvirt_call *call VRMS_CLEANUP(vrms_libvirt_call_freep) =
	    vrms_libvirt_call_new(hypervisor, uuid, NULL);

	if (call != NULL) {
		call->flags = flags;
		call->on_domain = on_shutdown;
	}
	return vrms_libvirt_call_run(&call, error);
}

static int on_destroy(struct vrms_libvirt_call *call, virDomainPtr domain)
{
	(void)call;
	return virDomainDestroyFlags(domain, VIR_DOMAIN_DESTROY_DEFAULT) < 0 ? -1 : 0;
}

static int destroy(struct vrms_hypervisor *hypervisor, const char *uuid, struct vrms_error *error)
{
	return vrms_libvirt_do(hypervisor, uuid, on_destroy, error);
}

static int on_resume(struct vrms_libvirt_call *call, virDomainPtr domain)
{
	(void)call;
	return virDomainResume(domain) < 0 ? -1 : 0;
}

static int resume(struct vrms_hypervisor *hypervisor, const char *uuid, struct vrms_error *error)
{
	return vrms_libvirt_do(hypervisor, uuid, on_resume, error);
}

static int on_ping(struct vrms_libvirt_call *call, virDomainPtr domain)
{
	call->result =
	    virDomainQemuAgentCommand(domain, "{\"execute\":\"guest-ping\"}", (int)call->number, 0);
	return call->result == NULL ? -1 : 0;
}

static int ping_agent(struct vrms_hypervisor *hypervisor, const char *uuid,
		      struct vrms_error *error)
{
	struct vrms_libvirt_call *call VRMS_CLEANUP(vrms_libvirt_call_freep) =
	    vrms_libvirt_call_new(hypervisor, uuid, NULL);
	struct vrms_libvirt *libvirt = vrms_libvirt_of(hypervisor);
	int64_t left_s = (hypervisor->deadline_ms - vrms_clock_now_ms(libvirt->clock)) / 1000 - 1;

	if (call != NULL) {
		call->number = left_s > 1 ? left_s : 1; /* ends before our own deadline does */
		call->on_domain = on_ping;
	}
	return vrms_libvirt_call_run(&call, error);
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

/* --- The adapter itself --------------------------------------------------------------------------
 */

/* libvirt would print every error on stderr, where Pacemaker looks for our reasons. */
static void ignore_error(void *context, virErrorPtr error)
{
	(void)context;
	(void)error;
}

int vrms_hypervisor_libvirt_new(const char *uri, const struct vrms_clock *clock,
				struct vrms_hypervisor **ret_hypervisor, struct vrms_error *error)
{
	struct vrms_libvirt *libvirt = calloc(1, sizeof(*libvirt));

	if (libvirt == NULL) {
		return vrms_error_errno(error, -ENOMEM, "libvirt");
	}
	virSetErrorFunc(NULL, ignore_error);
	libvirt->port = (struct vrms_hypervisor){
	    .ops = &ops,
	    .storage = vrms_libvirt_storage_ops(),
	    .migration = vrms_libvirt_migration_ops(),
	    .context = libvirt,
	};
	libvirt->clock = clock;
	libvirt->uri = uri == NULL || uri[0] == '\0' ? NULL : strdup(uri);
	libvirt->calls = vrms_worker_new();
	libvirt->migrations = vrms_worker_new();
	if (libvirt->calls == NULL || libvirt->migrations == NULL ||
	    (uri != NULL && uri[0] != '\0' && libvirt->uri == NULL)) {
		vrms_hypervisor_libvirt_free(&libvirt->port);
		return vrms_error_errno(error, -ENOMEM, "libvirt");
	}
	*ret_hypervisor = &libvirt->port;
	return 0;
}

static int on_close(struct vrms_libvirt_call *call, virConnectPtr connection)
{
	(void)virConnectClose(connection);
	call->libvirt->connection = NULL;
	return 0;
}

enum { CLOSE_MS = 1000 };

/* A stuck thread still uses what it was given: then everything is left to the process's end. */
void vrms_hypervisor_libvirt_free(struct vrms_hypervisor *hypervisor)
{
	if (hypervisor == NULL) {
		return;
	}
	struct vrms_libvirt *libvirt = vrms_libvirt_of(hypervisor);
	struct vrms_libvirt_call *call VRMS_CLEANUP(vrms_libvirt_call_freep) = NULL;

	if (libvirt->migration != NULL ||
	    (libvirt->calls != NULL && vrms_worker_is_stuck(libvirt->calls))) {
		return;
	}
	if (libvirt->connection != NULL) {
		call = vrms_libvirt_call_new(hypervisor, NULL, NULL);
		hypervisor->deadline_ms = vrms_clock_now_ms(libvirt->clock) + CLOSE_MS;
		if (call != NULL) {
			call->on_connection = on_close;
		}
		if (vrms_libvirt_call_run(&call, NULL) == -ETIMEDOUT) {
			return;
		}
	}
	vrms_worker_free(libvirt->calls);
	vrms_worker_free(libvirt->migrations);
	free(libvirt->uri);
	free(libvirt);
}
