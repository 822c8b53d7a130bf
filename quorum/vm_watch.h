/* vm_watch.h - libvirt's events about the domains of this host.
 *
 * A thread of its own opens the connection and asks for the states, because both may wait for a
 * libvirtd that does not answer; the events themselves arrive on the thread that runs GLib's
 * main context.  The callbacks are registered before the states are read, so nothing falls between.
 * When the connection breaks (libvirtd restarts), it is made again and all states are read again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_VM_WATCH_H
#define VRMS_QUORUM_VM_WATCH_H

#include "common/error.h"

/* Starts watching, for as long as the process lives.
 *
 * uri: of the hypervisor, "qemu:///system"; borrowed for good.
 * fd:  the line that gets the words.
 */
VRMS_MUST_CHECK int vrms_vm_watch_start(const char *uri, int fd, struct vrms_error *error);

#endif
