/* fence_power.h - the order of steps when power is switched: delay, off, proof, on.
 *
 * Internal to ocf/.  Time passes on call->clock only, so tests need not wait.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_OCF_FENCE_POWER_H
#define VRMS_OCF_FENCE_POWER_H

#include "ocf/fence.h"
#include "ocf/fence_options.h"

/* True when the library makes the reboot: rows for off and on, none for reboot. */
bool vrms_fence_reboots_by_itself(const struct vrms_fence_agent *agent);

const struct vrms_fence_action *vrms_fence_action_find(const struct vrms_fence_agent *agent,
						       const char *name);

/* Performs call->action, whose name is a row's or "reboot".
 *
 * The delay comes before off and reboot, power_wait after on and off; each
 * request gets a deadline of power_timeout.  A reboot without a row of its own
 * is off, status until it says off, on; once the node was off it succeeds even
 * when the on fails, for the cluster needs the node dead, not back (the same
 * choice as fence-agents'); error->text says so then.
 * Returns a vrms_fence_exit or a negative errno.
 */
int vrms_fence_perform(const struct vrms_fence_agent *agent,
		       const struct vrms_fence_standard *standard, struct vrms_fence_call *call,
		       const void *config, struct vrms_error *error);

/* The text of --help. */
void vrms_fence_usage_print(const struct vrms_fence_agent *agent, FILE *out);

#endif
