/* vm_peers.h - the URIs of other nodes' libvirts, and questions to them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_VM_PEERS_H
#define VRMS_AGENTS_VM_PEERS_H

#include "agents/vm.h"

enum { VRMS_URI_BYTES = 512 };

/* Makes the URI by which the libvirt of `node` is reached, from remoteuri, or from the local
 * URI with migration_transport, migration_user and migration_network_suffix.
 *
 * local_uri: "qemu:///system"; a host and port in it: the host is replaced.
 * Pure.  Errors: -EINVAL (not a URI), -ENAMETOOLONG.
 */
VRMS_MUST_CHECK int vrms_vm_peer_uri(const struct vrms_vm_config *config, const char *local_uri,
				     const char *node, char ret_uri[VRMS_URI_BYTES],
				     struct vrms_error *error);

/* Makes the URI that the migration data go to: migrateuri, --migrateuri of migrate_options, or
 * from migration_network_suffix and migrateport.
 *
 * options_uri: of --migrateuri; NULL: none.
 * port:        used when migrateport is not set.
 * ret_uri:     "": the target's libvirt decides.
 * Pure.  Errors: -ENAMETOOLONG.
 */
VRMS_MUST_CHECK int vrms_vm_migrate_uri(const struct vrms_vm_config *config, const char *local_uri,
					const char *node, const char *options_uri, int port,
					char ret_uri[VRMS_URI_BYTES], struct vrms_error *error);

/* The local connection's URI: the parameter, or what libvirt chose. */
VRMS_MUST_CHECK int vrms_vm_local_uri(struct vrms_vm *vm, char ret_uri[VRMS_URI_BYTES],
				      struct vrms_error *error);

/* Asks the nodes in `peers` whether this machine is active there.
 *
 * Returns -EBUSY naming the node where it is; 0 when none of those that answer has it.  Nodes
 * that do not answer are logged.
 */
VRMS_MUST_CHECK int vrms_vm_ask_peers(struct vrms_vm *vm, struct vrms_error *error);

#endif
