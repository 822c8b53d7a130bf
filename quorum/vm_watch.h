/* vm_watch.h - libvirt's events about the domains of this host.
 *
 * A thread of its own opens the connection and asks for the states, because both may wait for a
 * libvirtd that does not answer; the events themselves arrive on the ear's thread.  The
 * callbacks are registered before the states are read, so nothing falls between.  When the
 * connection breaks (libvirtd restarts), it is made again and all states are read again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_VM_WATCH_H
#define VRMS_QUORUM_VM_WATCH_H

#include <stdint.h>

#include "common/error.h"
#include "quorum/mailbox.h"

struct vrms_vm_watch; /* opaque */

/* Starts watching; needs an ear.
 *
 * uri:     of the hypervisor, "qemu:///system"; copied.
 * mailbox: gets struct vrms_vm_word; must outlive the watch.
 */
VRMS_MUST_CHECK int vrms_vm_watch_start(const char *uri, struct vrms_mailbox *mailbox,
					struct vrms_vm_watch **ret_watch, struct vrms_error *error);

/* Reads all states again. */
void vrms_vm_watch_relist(struct vrms_vm_watch *watch);

/* Ends it, once the ear has ended.  False: libvirtd keeps its thread waiting; the watch and the
 * mailbox must stay.  Accepts NULL. */
bool vrms_vm_watch_stop(struct vrms_vm_watch *watch, int64_t timeout_ms);

#endif
