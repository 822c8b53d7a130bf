/* san_marks.h - what this node has registered since it was booted, so that a node that was fenced
 * does not let itself in again.
 *
 * A line for each LUN, "GENERATION ADDRESS", in a file that a reboot removes.  A key that is marked
 * and not on the LUN any more was removed by somebody else: a fence.  Unless the target has
 * forgotten everything: its generation counts from 0 again then (SPC-4, 6.13.2), or nobody is shut
 * out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_SAN_MARKS_H
#define VRMS_AGENTS_SAN_MARKS_H

#include "agents/san_settings.h"

/* Before a key is registered.  -EACCES: the node was fenced on a LUN, which the text names; or as
 * vrms_san_look_at(). */
VRMS_MUST_CHECK int vrms_san_marks_check(const struct vrms_san *san, const char *path,
					 struct vrms_error *error);

/* After it was registered on every LUN. */
VRMS_MUST_CHECK int vrms_san_marks_write(const struct vrms_san *san, const char *path,
					 struct vrms_error *error);

/* Removes the key from every LUN, and with it the marks of those LUNs that it was on.  The others'
 * stay: somebody else has removed it there, or nobody knows.  Errors: as vrms_san_run_all(). */
VRMS_MUST_CHECK int vrms_san_marks_release(const struct vrms_san *san, const char *path,
					   struct vrms_error *error);

#endif
