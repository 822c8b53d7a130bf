/* vms.h - the machines of this host: libvirt's, the kernel's and Pacemaker's words about them go to
 * the fault core, its reports to Pacemaker.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_VMS_H
#define VRMS_QUORUM_VMS_H

#include <jansson.h>

#include "quorum/daemon.h"
#include "quorum/vm_word.h"

struct vrms_vms; /* opaque */

/* Begins to watch, as daemon->vms.  libvirtd and Pacemaker may come later. */
VRMS_MUST_CHECK int vrms_vms_start(struct vrms_daemon *daemon, struct vrms_error *error);
void vrms_vms_stop(struct vrms_daemon *daemon);

/* Takes in what vm-watch has said; owns the word's descriptor from then on. */
void vrms_vms_take_word(struct vrms_daemon *daemon, struct vrms_vm_word *word);

/* Reports that are owed are repeated.  A few times a second. */
void vrms_vms_tick(struct vrms_daemon *daemon);

/* For people: {"libvirt": bool, "pacemaker": bool, "vms": [...]}, each of them with
 *   "vm", "resource", "pid"
 *   "state"       "running", "not running", "operation" (of the cluster, on it), "failed"
 *   "managed"     the cluster means it to run here
 *   "running"     it was seen to run
 *   "limited_ms"  so long its failures are left to the monitor; 0: they are reported
 *   "reports"     failures told to Pacemaker since vrmsd started
 *   "reason", "text", "since_ms" (monotonic), "age_ms"  of the last change
 * The caller owns it; NULL when out of memory or not watching. */
json_t *vrms_vms_status(const struct vrms_daemon *daemon);

#endif
