/* pacemaker.h - the one place that speaks to Pacemaker: what it means to run here, and telling it
 * of failures.
 *
 * Lives on the thread that runs GLib's main context: it follows the CIB by its notifications, and
 * hands a report to the controller when all notifications before it have been read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_PACEMAKER_H
#define VRMS_QUORUM_PACEMAKER_H

#include "common/error.h"
#include "quorum/vm_word.h"

struct vrms_pacemaker; /* opaque */

/* Connects as soon as Pacemaker runs, again when it has been restarted; one only in a process.
 *
 * fd: the line that gets words of kinds RESOURCE, REPORTED and CLUSTER.
 */
VRMS_MUST_CHECK int vrms_pacemaker_start(int fd, struct vrms_pacemaker **ret_pacemaker,
					 struct vrms_error *error);

/* Tells the controller of this node that the resource that runs `domain` has failed.
 *
 * Nothing is told when the cluster has begun an operation on it meanwhile.  The outcome comes
 * as a REPORTED word.
 *
 * incident: its number, > 0.  One that the controller has taken already is not told again: each
 *           time would count against the resource's migration-threshold.
 */
void vrms_pacemaker_fail(struct vrms_pacemaker *pacemaker, const char *domain, unsigned incident);

#endif
