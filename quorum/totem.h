/* totem.h - reads and sets the token of this node's corosync, and remembers what the admin had.
 *
 * The keys are totem.token and totem.token_coefficient, which corosync takes up
 * while it runs; runtime.config.totem.token says what is in force.  The
 * admin's own values are kept in cmap under vrms.totem.*: they live exactly as long as the
 * corosync that they belong to, whatever becomes of the daemon.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_TOTEM_H
#define VRMS_QUORUM_TOTEM_H

#include <corosync/cmap.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

/* Token in force, in ms. */
VRMS_MUST_CHECK int vrms_totem_read(cmap_handle_t cmap, int64_t *ret_token_ms,
				    struct vrms_error *error);

/* What the admin's configuration gives: as remembered, or else what is in force now. */
VRMS_MUST_CHECK int vrms_totem_configured(cmap_handle_t cmap, int64_t *ret_token_ms,
					  struct vrms_error *error);

/* Puts a token in force.  One equal to the configured value puts the admin's keys back.
 *
 * token_ms: 1..INT32_MAX; corosync itself refuses what is too short for its other timers.
 */
VRMS_MUST_CHECK int vrms_totem_apply(cmap_handle_t cmap, int64_t token_ms,
				     struct vrms_error *error);

/* The admin has set another token meanwhile: what is in force now is the configured value. */
void vrms_totem_forget(cmap_handle_t cmap);

/* Which corosync this is: the same number until it ends, whatever becomes of the daemon, and
 * another one after its restart, also on a host that has not rebooted.  0: not to be had. */
uint64_t vrms_totem_life(cmap_handle_t cmap);

/* Climbs to the configured value, one rung every step_ms: for what outlives a daemon that died.
 *
 * Returns when it is in force, or -errno when corosync cannot be reached.
 */
VRMS_MUST_CHECK int vrms_totem_restore(int64_t step_ms, struct vrms_error *error);

/* "CS_ERR_LIBRARY" and the like as an errno. */
int vrms_corosync_errno(cs_error_t code);

#endif
