/* live.h - the running cluster's CIB, by Pacemaker's own programs.
 *
 * Those rather than its libraries: they are what an admin would use, their words are stable over
 * Pacemaker's versions, and `vrms` starts in a millisecond for everybody who asks something else.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_CLI_LIVE_H
#define VRMS_CLI_LIVE_H

#include <stdbool.h>

#include "common/cleanup.h"
#include "common/error.h"

/* The whole CIB, status included; to be freed.  -EIO: no cluster runs here. */
VRMS_MUST_CHECK int vrms_live_query(char **ret_text, struct vrms_error *error);

/* What cibadmin --patch takes to make `after` of `before`; to be freed. */
VRMS_MUST_CHECK int vrms_live_diff(const char *before, const char *after, char **ret_patch,
				   struct vrms_error *error);

/* Makes `after` of `before` in one change.
 *
 * Returns 0, or -ESTALE when the CIB is not `before` any more: nothing was changed then, and
 * nothing of whoever changed it is lost.  Without quorum -ENOTCONN.
 */
VRMS_MUST_CHECK int vrms_live_change(const char *before, const char *after,
				     struct vrms_error *error);

/* Has the controller (its node's name) nothing to do? */
VRMS_MUST_CHECK int vrms_live_is_idle(const char *controller, bool *ret_idle,
				      struct vrms_error *error);

#endif
