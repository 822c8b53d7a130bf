/* steer.h - moves of VMs in the running cluster, through Pacemaker alone.
 *
 * One batch at a time becomes location constraints in one change of the CIB; when Pacemaker has
 * obeyed and is idle, what is left is decided anew on the cluster as it is then.  The
 * constraints are taken out at the end, also after a failure or a signal, and expire if
 * this process cannot do that.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_CLI_STEER_H
#define VRMS_CLI_STEER_H

#include "cli/desk.h"

struct vrms_steer {
	const struct vrms_desk_options *options;
	/* Decides what is to be done on the cluster that is on the desk: desk->outcome.
	 * NULL: nothing is moved.
	 */
	int (*decide)(struct vrms_desk *desk, const struct vrms_desk_options *options,
		      struct vrms_error *error);
	const char *close, *reopen; /* nodes, in the end; or NULL */
	int moves_max;
	bool quiet; /* no words about the progress on standard error */
};

/* Does it, and brings lists that the CIB had up to date.
 *
 * Returns 0, -EINTR (a signal came), -EBUSY (somebody else is moving VMs), -ETIMEDOUT,
 * -ECANCELED (Pacemaker decided otherwise, or the moves are not possible any more), or
 * another negative errno; the constraints are out again in each case.
 */
VRMS_MUST_CHECK int vrms_steer_run(const struct vrms_steer *steer, struct vrms_error *error);

/* Is somebody moving VMs right now? */
bool vrms_steer_is_busy(const struct vrms_cib_facts *facts);

#endif
