/* pacemaker.h - the one place that speaks to Pacemaker: what it means to run here, and telling it
 * of failures.
 *
 * Lives on the ear's thread: it follows the CIB by its notifications, and hands a report to the
 * controller in the moment in which it is asked to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_PACEMAKER_H
#define VRMS_QUORUM_PACEMAKER_H

#include "common/error.h"
#include "quorum/mailbox.h"
#include "quorum/vm_word.h"

struct vrms_pacemaker; /* opaque */

/* Connects now, or as soon as Pacemaker runs; needs an ear.
 *
 * mailbox: gets struct vrms_vm_word of kinds RESOURCE, REPORTED and CLUSTER; must outlive it.
 */
VRMS_MUST_CHECK int vrms_pacemaker_start(struct vrms_mailbox *mailbox,
					 struct vrms_pacemaker **ret_pacemaker,
					 struct vrms_error *error);

/* Tells the controller of this node that the resource that runs `domain` has failed.
 *
 * Nothing is told when the cluster has begun an operation on it meanwhile.  The outcome comes
 * as a REPORTED word.  Errors: -ENOMEM.
 */
int vrms_pacemaker_fail(struct vrms_pacemaker *pacemaker, const char *domain);

/* Once the ear has ended.  Accepts NULL. */
void vrms_pacemaker_free(struct vrms_pacemaker *pacemaker);

#endif
