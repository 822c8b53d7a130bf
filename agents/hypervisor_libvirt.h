/* hypervisor_libvirt.h - the hypervisor port on libvirt's C API.
 *
 * Every call into libvirt runs in a worker's thread, so that the caller's
 * deadline holds whatever libvirtd does.  After a call was given up, leave the
 * process by _exit().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_HYPERVISOR_LIBVIRT_H
#define VRMS_AGENTS_HYPERVISOR_LIBVIRT_H

#include "agents/hypervisor.h"
#include "common/clock.h"

/* uri:   NULL or "": libvirt's default.  Connects at the first use, and again after a loss.
 * clock: must be the system's; deadlines are counted on it.
 * Errors: -ENOMEM.
 */
VRMS_MUST_CHECK int vrms_hypervisor_libvirt_new(const char *uri, const struct vrms_clock *clock,
						struct vrms_hypervisor **ret_hypervisor,
						struct vrms_error *error);
void vrms_hypervisor_libvirt_free(struct vrms_hypervisor *hypervisor); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_hypervisor *, vrms_hypervisor_libvirt_free);

#endif
