/* hypervisor.h - what the agent needs from a hypervisor, as three ports over one connection.
 *
 * Implementations: agents/hypervisor_libvirt.c, tests/fakes/hypervisor.c.
 *
 * No call outlasts the port's deadline: at it, a call returns -ETIMEDOUT and
 * the connection counts as stuck, so that every later call returns at once.
 *
 * Errors that the agent tells apart:
 *   -ESRCH      no such domain
 *   -ENOTCONN   the daemon cannot be reached
 *   -ETIMEDOUT  it did not answer before the deadline
 *   -EBUSY      a disk or the domain is in use elsewhere (image lock, lock manager)
 *   -EEXIST     another domain has this name or UUID
 *   -ENOSYS     this node's hypervisor cannot do it
 *   -EINVAL     what was asked is wrong everywhere (malformed XML)
 *   -EACCES     not allowed
 *   -EIO        anything else; the text is the hypervisor's own
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_HYPERVISOR_H
#define VRMS_AGENTS_HYPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/domain_xml.h"
#include "agents/migrate_options.h"
#include "common/error.h"

struct vrms_hypervisor;

struct vrms_domain_id {
	char name[VRMS_DOMAIN_NAME_BYTES];
	char uuid[VRMS_UUID_TEXT_BYTES]; /* "": not known */
};

/* A domain as the hypervisor knows it. */
struct vrms_domain_view {
	bool present; /* false: not known, the rest is zero */
	struct vrms_domain_id id;
	int state;  /* virDomainState */
	int reason; /* the state's reason */
	bool persistent;
};

struct vrms_domain_size {
	uint64_t cpu_count;
	uint64_t memory_mib; /* maximum */
};

/* The everyday port. */
struct vrms_hypervisor_ops {
	/* The connection's URI, "qemu:///system". */
	int (*get_uri)(struct vrms_hypervisor *hypervisor, char *buffer, size_t buffer_bytes,
		       struct vrms_error *error);
	/* By UUID, or by name when the UUID is "".  Not known is present == false, no error. */
	int (*find)(struct vrms_hypervisor *hypervisor, const struct vrms_domain_id *id,
		    struct vrms_domain_view *ret_view, struct vrms_error *error);
	int (*get_size)(struct vrms_hypervisor *hypervisor, const char *uuid,
			struct vrms_domain_size *ret_size, struct vrms_error *error);
	/* What to start it from again, secrets included; the caller frees *ret_xml. */
	int (*get_xml)(struct vrms_hypervisor *hypervisor, const char *uuid, char **ret_xml,
		       struct vrms_error *error);
	/* Starts a transient domain; returns once its CPUs run. */
	int (*create)(struct vrms_hypervisor *hypervisor, const char *xml,
		      struct vrms_error *error);
	/* Removes a persistent definition and its autostart; keeps UEFI variables and TPM state.
	 * -EBUSY: it has a saved state, snapshots or checkpoints that would be lost. */
	int (*undefine)(struct vrms_hypervisor *hypervisor, const char *uuid,
			struct vrms_error *error);
	/* Asks the guest to shut down.  flags: virDomainShutdownFlagValues. */
	int (*shutdown)(struct vrms_hypervisor *hypervisor, const char *uuid, unsigned int flags,
			struct vrms_error *error);
	/* Switches it off; returns once its process has ended. */
	int (*destroy)(struct vrms_hypervisor *hypervisor, const char *uuid,
		       struct vrms_error *error);
	int (*resume)(struct vrms_hypervisor *hypervisor, const char *uuid,
		      struct vrms_error *error);
	/* A sign of life from the QEMU guest agent. */
	int (*ping_agent)(struct vrms_hypervisor *hypervisor, const char *uuid,
			  struct vrms_error *error);
};

/* State files and what a domain stands on. */
struct vrms_hypervisor_storage_ops {
	/* Writes the memory to `path` and ends the domain. */
	int (*save)(struct vrms_hypervisor *hypervisor, const char *uuid, const char *path,
		    struct vrms_error *error);
	int (*restore)(struct vrms_hypervisor *hypervisor, const char *path,
		       struct vrms_error *error);
	/* Active ones: the pool is refreshed, the network left alone. */
	int (*start_pool)(struct vrms_hypervisor *hypervisor, const char *name,
			  struct vrms_error *error);
	int (*start_network)(struct vrms_hypervisor *hypervisor, const char *name,
			     struct vrms_error *error);
	/* "vda: no space, vdb: error"; "" when no disk has one. */
	int (*get_disk_errors)(struct vrms_hypervisor *hypervisor, const char *uuid, char *buffer,
			       size_t buffer_bytes, struct vrms_error *error);
};

struct vrms_migration {
	const char *uuid;
	const char *target_uri;  /* connection URI of the target's libvirt */
	const char *migrate_uri; /* where the data go; NULL: the target says */
	unsigned int flags;      /* virDomainMigrateFlags, with VIR_MIGRATE_LIVE */
	const struct vrms_migrate_options *options;
	int64_t speed_mibs; /* 0: no limit */
};

enum vrms_migration_phase {
	VRMS_MIGRATION_UNDERWAY,
	VRMS_MIGRATION_SUCCEEDED,
	VRMS_MIGRATION_FAILED,
};

struct vrms_migration_progress {
	enum vrms_migration_phase phase;
	uint64_t total_bytes;
	uint64_t remaining_bytes;
	uint64_t pass_count; /* passes over the memory so far; 1: the first */
	int failure;         /* FAILED: a negative errno; the text is in poll's `error` */
};

/* Live migration.  One at a time. */
struct vrms_hypervisor_migration_ops {
	/* A second hypervisor, connected at its first use; end it with close_peer. */
	int (*open_peer)(struct vrms_hypervisor *hypervisor, const char *uri,
			 struct vrms_hypervisor **ret_peer, struct vrms_error *error);
	void (*close_peer)(struct vrms_hypervisor *peer);
	/* Begins and returns; the migration is not bound to the deadline. */
	int (*begin)(struct vrms_hypervisor *hypervisor, const struct vrms_migration *migration,
		     struct vrms_error *error);
	/* How far it is.  Returns 0 also for FAILED; numbers are 0 while they are not known. */
	int (*poll)(struct vrms_hypervisor *hypervisor, const char *uuid,
		    struct vrms_migration_progress *ret_progress, struct vrms_error *error);
	int (*abort)(struct vrms_hypervisor *hypervisor, const char *uuid,
		     struct vrms_error *error);
	int (*switch_to_post_copy)(struct vrms_hypervisor *hypervisor, const char *uuid,
				   struct vrms_error *error);
	int (*set_downtime)(struct vrms_hypervisor *hypervisor, const char *uuid, int64_t ms,
			    struct vrms_error *error);
	int (*suspend)(struct vrms_hypervisor *hypervisor, const char *uuid,
		       struct vrms_error *error);
};

struct vrms_hypervisor {
	const struct vrms_hypervisor_ops *ops;
	const struct vrms_hypervisor_storage_ops *storage;
	const struct vrms_hypervisor_migration_ops *migration;
	void *context;
	int64_t deadline_ms; /* of every call, on the caller's clock; set it before calling */
};

#endif
