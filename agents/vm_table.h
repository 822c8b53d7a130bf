/* vm_table.h - ocf:vrms:VirtualMachine as a table: parameters, actions and texts.
 *
 * Two programs share it: the small front (the installed agent) and the full one (vm-agent,
 * which links libvirt).  Each brings its own dispatcher.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_VM_TABLE_H
#define VRMS_AGENTS_VM_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "ocf/agent.h"

enum vrms_on_io_error {
	VRMS_ON_IO_ERROR_FAIL,   /* a domain paused by an I/O error is a failure */
	VRMS_ON_IO_ERROR_RESUME, /* wait for the disks, resume; a failure when they stay away */
	VRMS_ON_IO_ERROR_IGNORE, /* log it, report success */
};

/* Texts are borrowed from the environment; NULL: not set. */
struct vrms_vm_config {
	const char *config;     /* path of the domain XML */
	const char *hypervisor; /* connection URI; NULL: libvirt's default */
	bool force_stop;
	const char *migration_transport;
	const char *migration_user;
	int64_t migration_downtime_ms; /* 0: libvirt's default */
	int64_t migration_speed_mibs;  /* MiB/s; 0: no limit of ours */
	const char *migration_network_suffix;
	const char *migrateuri;
	const char *migrate_options;
	const char *monitor_scripts;
	bool autoset_utilization_cpu;
	bool autoset_utilization_host_memory;
	bool autoset_utilization_hv_memory;
	bool unset_utilization_cpu;
	bool unset_utilization_host_memory;
	bool unset_utilization_hv_memory;
	int64_t migrateport; /* 0: chosen at random from 49152..49215 */
	const char *remoteuri;
	bool save_config_on_stop;
	bool sync_config_on_stop; /* implies save_config_on_stop */
	const char *snapshot;
	const char *backingfile;
	bool stateless;
	const char *copyindirs;
	const char *shutdown_mode; /* words of vrms_shutdown_mode_parse() */
	bool start_resources;

	/* Beyond ocf:heartbeat:VirtualDomain. */
	int on_io_error; /* enum vrms_on_io_error */
	int64_t io_error_wait_ms;
	int64_t destroy_reserve_ms;
	bool migration_p2p;
	bool migration_tunnelled; /* implies migration_p2p */
	bool migration_tls;
	bool migration_auto_converge;
	bool migration_post_copy;
	const char *peers; /* names of nodes to ask at a start */
};

enum { VRMS_VM_ACTION_COUNT = 9 };

/* The table with its rows' storage; address it by `.agent`. */
struct vrms_vm_agent {
	struct vrms_ocf_agent agent;
	struct vrms_ocf_action actions[VRMS_VM_ACTION_COUNT];
};

/* Fills *ret_table; it must stay where it is while it is used.
 *
 * run: called for every action that the library does not answer itself; it tells
 *      them apart by call->action.  "stop" is called with an empty config
 *      (no_params): a stop reads its parameters by vrms_vm_config_read_leniently().
 */
void vrms_vm_agent_init(struct vrms_vm_agent *ret_table, vrms_ocf_action_run *run);

/* Checks that span parameters: force_stop with snapshot, stateless without backingfile,
 * words of shutdown_mode and migrate_options, relative paths.  Returns 0 or -EINVAL.
 */
VRMS_MUST_CHECK int vrms_vm_config_check(const struct vrms_vm_config *config,
					 struct vrms_error *error);

/* Fills *ret_config for a stop, which must work whatever a parameter says: a value that cannot
 * be read counts as not set.
 *
 * warning: names the last such parameter; empty when all were good.
 */
void vrms_vm_config_read_leniently(const struct vrms_ocf_call *call,
				   struct vrms_vm_config *ret_config, struct vrms_error *warning);

/* Reads shutdown_mode: words of "virsh shutdown --mode", separated by commas.
 *
 * text:      NULL means no mode was chosen: *ret_flags becomes 0, libvirt's choice.
 * ret_flags: virDomainShutdownFlagValues.
 * Returns 0 or -EINVAL naming the unknown word.
 */
VRMS_MUST_CHECK int vrms_shutdown_mode_parse(const char *text, unsigned int *ret_flags,
					     struct vrms_error *error);

#endif
