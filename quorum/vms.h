/* vms.h - the machines of this host: libvirt's, the kernel's and Pacemaker's words about them go to
 * the fault core, its reports to Pacemaker.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_VMS_H
#define VRMS_QUORUM_VMS_H

#include <jansson.h>

#include "quorum/daemon.h"

struct vrms_vms; /* opaque */

/* Begins to watch, as daemon->vms.  libvirtd and Pacemaker may come later. */
VRMS_MUST_CHECK int vrms_vms_start(struct vrms_daemon *daemon, struct vrms_error *error);
void vrms_vms_stop(struct vrms_daemon *daemon);

/* Reports that are owed are repeated.  A few times a second. */
void vrms_vms_tick(struct vrms_daemon *daemon);

/* For people: {"libvirt": bool, "pacemaker": bool, "vms": [{"vm", "resource", "pid", "managed",
 * "busy", "running", "failed", "flapping", "reports", "reason", "since_ms"}]}, since_ms being
 * monotonic.  The caller owns it; NULL when out of memory or not watching. */
json_t *vrms_vms_status(const struct vrms_daemon *daemon);

#endif
