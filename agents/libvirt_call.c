/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/libvirt_call.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <string.h>

#include "agents/libvirt_error.h"

struct vrms_libvirt *vrms_libvirt_of(struct vrms_hypervisor *hypervisor)
{
	return hypervisor->context;
}

int vrms_libvirt_take_error(struct vrms_error *error)
{
	const virError *last = virGetLastError();

	if (last == NULL) {
		return vrms_error_set(error, -EIO, "libvirt gives no reason");
	}
	const struct vrms_libvirt_failure failure = {
	    .code = last->code,
	    .domain = last->domain,
	    .system_errno = last->code == VIR_ERR_SYSTEM_ERROR ? last->int1 : 0,
	    .message = last->message,
	};
	return vrms_libvirt_error_from(&failure, error);
}

void vrms_libvirt_call_free(struct vrms_libvirt_call *call)
{
	if (call == NULL) {
		return;
	}
	free(call->text);
	free(call->result);
	free(call);
}

/* --- In the worker's thread -------------------------------------------------------------- */

static void disconnect(struct vrms_libvirt *libvirt)
{
	if (libvirt->connection != NULL) {
		(void)virConnectClose(libvirt->connection);
		libvirt->connection = NULL;
	}
}

static int connect_to(struct vrms_libvirt *libvirt, struct vrms_error *error)
{
	if (libvirt->connection != NULL && virConnectIsAlive(libvirt->connection) == 1) {
		return 0;
	}
	disconnect(libvirt);
	libvirt->connection = virConnectOpen(libvirt->uri);
	if (libvirt->connection != NULL) {
		return 0;
	}
	int rc = vrms_libvirt_take_error(error);
	return vrms_error_wrap(error, rc, "connection to %s",
			       libvirt->uri == NULL ? "libvirt's default hypervisor"
						    : libvirt->uri);
}

virDomainPtr vrms_libvirt_lookup(virConnectPtr connection, const struct vrms_domain_id *id)
{
	return id->uuid[0] == '\0' ? virDomainLookupByName(connection, id->name)
				   : virDomainLookupByUUIDString(connection, id->uuid);
}

static int call_on_domain(struct vrms_libvirt_call *call, virConnectPtr connection)
{
	virDomainPtr domain = vrms_libvirt_lookup(connection, &call->id);

	if (domain == NULL) {
		return vrms_libvirt_take_error(&call->job.error);
	}
	int rc = call->on_domain(call, domain);
	if (rc == -1) {
		const virError *last = virGetLastError();
		bool is_invalid = last != NULL && last->code == VIR_ERR_OPERATION_INVALID;

		rc = vrms_libvirt_take_error(&call->job.error);
		/* So libvirt says of what is asked of a domain that has just ended. */
		if (is_invalid && virDomainIsActive(domain) == 0) {
			rc = -ESRCH;
		}
	}
	(void)virDomainFree(domain);
	return rc;
}

static int run_call(struct vrms_job *job)
{
	struct vrms_libvirt_call *call = (struct vrms_libvirt_call *)job;
	int rc = connect_to(call->libvirt, &job->error);

	if (rc < 0) {
		return rc;
	}
	virConnectPtr connection = call->libvirt->connection;
	if (call->on_domain != NULL) {
		rc = call_on_domain(call, connection);
	} else {
		rc = call->on_connection(call, connection);
		rc = rc == -1 ? vrms_libvirt_take_error(&job->error) : rc;
	}
	return rc < 0 && virConnectIsAlive(connection) != 1 ? -ENOTCONN : rc;
}

/* --- In the caller's thread ---------------------------------------------------------------- */

static void free_job(struct vrms_job *job)
{
	vrms_libvirt_call_free((struct vrms_libvirt_call *)job);
}

static char *copy_or_null(const char *text)
{
	return text == NULL ? NULL : strdup(text);
}

struct vrms_libvirt_call *vrms_libvirt_call_new(struct vrms_hypervisor *hypervisor,
						const char *uuid, const char *text)
{
	struct vrms_libvirt_call *call = calloc(1, sizeof(*call));

	if (call == NULL) {
		return NULL;
	}
	call->job.run = run_call;
	call->job.free = free_job;
	call->libvirt = vrms_libvirt_of(hypervisor);
	call->text = copy_or_null(text);
	(void)snprintf(call->id.uuid, sizeof(call->id.uuid), "%s", uuid == NULL ? "" : uuid);
	if (text != NULL && call->text == NULL) {
		vrms_libvirt_call_free(call);
		return NULL;
	}
	return call;
}

static int give_up(const struct vrms_libvirt *libvirt, int rc, struct vrms_error *error)
{
	if (rc != -ETIMEDOUT) {
		return vrms_error_errno(error, rc, "a thread for libvirt");
	}
	return vrms_error_set(error, rc, "%s does not answer",
			      libvirt->uri == NULL ? "the hypervisor" : libvirt->uri);
}

int vrms_libvirt_call_run(struct vrms_libvirt_call **call, struct vrms_error *error)
{
	if (*call == NULL) {
		return vrms_error_errno(error, -ENOMEM, "a call to libvirt");
	}
	struct vrms_libvirt *libvirt = (*call)->libvirt;
	int rc = vrms_worker_begin(libvirt->calls, &(*call)->job);

	if (rc == 0) {
		rc = vrms_worker_wait(libvirt->calls, libvirt->clock, libvirt->port.deadline_ms,
				      true);
		if (rc < 0) {
			*call = NULL; /* the worker's, for as long as it hangs */
		}
	}
	if (rc < 0) {
		return give_up(libvirt, rc, error);
	}
	if ((*call)->job.rc < 0 && error != NULL) {
		*error = (*call)->job.error;
	}
	return (*call)->job.rc;
}

int vrms_libvirt_do(struct vrms_hypervisor *hypervisor, const char *uuid,
		    int (*on_domain)(struct vrms_libvirt_call *, virDomainPtr),
		    struct vrms_error *error)
{
	struct vrms_libvirt_call *call VRMS_CLEANUP(vrms_libvirt_call_freep) =
	    vrms_libvirt_call_new(hypervisor, uuid, NULL);

	if (call != NULL) {
		call->on_domain = on_domain;
	}
	return vrms_libvirt_call_run(&call, error);
}
