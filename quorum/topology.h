/* topology.h - may a second opinion be asked about a node? What the fencing topology says.
 *
 * A second opinion alone would be taken for a fence: Pacemaker goes by the exit status, and the
 * node would run on, and its machines start elsewhere.  So it may be asked only where the
 * topology puts another device beside it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_TOPOLOGY_H
#define VRMS_QUORUM_TOPOLOGY_H

#include <stddef.h>

#include "common/error.h"

/* What of the CIB is looked at, as an XPath. */
#define VRMS_TOPOLOGY_XPATH \
	"//fencing-level|//nodes/node|//primitive[@class='stonith']|//template[@class='stonith']"

/* Looks at the levels for the node: by its name, a pattern or a node attribute.  Only one of these
 * kinds is used by Pacemaker; here all of them have to be right.
 *
 * cib:    XML that holds the elements of VRMS_TOPOLOGY_XPATH, in whatever is around them.
 * agent:  which type of fence device is no fence, such as "fence_vrms_verdict".
 * Returns 0, -ENOENT (no level for the node has such a device), -EPERM (one has nothing else) or
 * -EBADMSG (not XML).  Source: Pacemaker Explained, "Fencing Topologies".
 */
VRMS_MUST_CHECK int vrms_topology_check(const char *cib, const char *node, const char *agent,
					struct vrms_error *error);

#endif
