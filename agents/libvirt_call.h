/* libvirt_call.h - one call into libvirt as a worker's job; shared by the adapter's files.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_LIBVIRT_CALL_H
#define VRMS_AGENTS_LIBVIRT_CALL_H

#include <libvirt/libvirt.h>

#include "agents/hypervisor.h"
#include "agents/worker.h"

/* A connection, the thread that makes the calls on it, and a thread for a migration, which has a
 * connection of its own.  `connection` belongs to the first thread. */
struct vrms_libvirt {
	struct vrms_hypervisor port; /* what the callers hold */
	const struct vrms_clock *clock;
	char *uri; /* NULL: libvirt's default */
	virConnectPtr connection;
	struct vrms_worker *calls;
	struct vrms_worker *migrations;
	struct vrms_job *migration; /* NULL: none was begun */
};

/* A call: inputs are copies, results are read after it has ended in time. */
struct vrms_libvirt_call {
	struct vrms_job job; /* first */
	struct vrms_libvirt *libvirt;
	/* One of the two.  They return 0, or -1 with libvirt's error set, or another -errno. */
	int (*on_connection)(struct vrms_libvirt_call *call, virConnectPtr connection);
	int (*on_domain)(struct vrms_libvirt_call *call, virDomainPtr domain);
	struct vrms_domain_id id; /* the domain; by name when the UUID is "" */
	char *text;               /* XML, path, name */
	unsigned int flags;
	int64_t number;

	struct vrms_domain_view view;
	struct vrms_domain_size size;
	struct vrms_migration_progress progress;
	char *result; /* freed with the call */
};

struct vrms_libvirt *vrms_libvirt_of(struct vrms_hypervisor *hypervisor);

/* uuid, text: may be NULL.  Returns NULL only when out of memory. */
struct vrms_libvirt_call *vrms_libvirt_call_new(struct vrms_hypervisor *hypervisor,
						const char *uuid, const char *text);
void vrms_libvirt_call_free(struct vrms_libvirt_call *call); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_libvirt_call *, vrms_libvirt_call_free);

/* Runs it until the port's deadline.  On -ETIMEDOUT *call becomes NULL: it is the worker's. */
VRMS_MUST_CHECK int vrms_libvirt_call_run(struct vrms_libvirt_call **call,
					  struct vrms_error *error);

/* Makes a call for the domain and runs it, for those without further inputs or results. */
VRMS_MUST_CHECK int vrms_libvirt_do(struct vrms_hypervisor *hypervisor, const char *uuid,
				    int (*on_domain)(struct vrms_libvirt_call *, virDomainPtr),
				    struct vrms_error *error);

/* libvirt's error of this thread. */
int vrms_libvirt_take_error(struct vrms_error *error);

/* The lookup of a call's domain; NULL with libvirt's error set. */
virDomainPtr vrms_libvirt_lookup(virConnectPtr connection, const struct vrms_domain_id *id);

const struct vrms_hypervisor_migration_ops *vrms_libvirt_migration_ops(void);
const struct vrms_hypervisor_storage_ops *vrms_libvirt_storage_ops(void);

#endif
