/* plan_child.h - the plan keeper of a daemon: starts "vrms plan --keep", reads what it says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_PLAN_CHILD_H
#define VRMS_QUORUM_PLAN_CHILD_H

#include <jansson.h>

#include "quorum/daemon.h"

/* Does nothing when the setting `plan` is off.  -ENOMEM. */
VRMS_MUST_CHECK int vrms_plan_child_start(struct vrms_daemon *daemon, struct vrms_error *error);

/* To be called often; never waits. */
void vrms_plan_child_tick(struct vrms_daemon *daemon);

/* Ends a look under way. */
void vrms_plan_child_stop(struct vrms_daemon *daemon);

/* What the last look has found, for `vrms status`; NULL: nothing yet. */
json_t *vrms_plan_child_describe(const struct vrms_daemon *daemon);

#endif
