/* crowd.h - how the services of many nodes share the processors of one machine.
 *
 * Corosync passes one token round all nodes: most of the time one of them works.  After a cut all
 * their Pacemaker daemons wake up at once, and corosyncs spin while they form a ring.  On
 * processors that all of them share in turns of milliseconds the token is late at each of many
 * hops, and a ring that has just formed breaks again: half a second or more in every other cut of
 * eight nodes on two processors.  So the ring has processors of its own and short turns there, and
 * Pacemaker has the rest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_CROWD_H
#define VRMS_LAB_CROWD_H

#include <sched.h>

enum vrms_lab_share {
	VRMS_LAB_SHARE_ALL,
	VRMS_LAB_SHARE_RING, /* the last quarter of the processors, at least one */
	VRMS_LAB_SHARE_REST, /* the others */
};

/* Pure.  Of a single processor both shares are that one. */
void vrms_lab_crowd_split(const cpu_set_t *all, enum vrms_lab_share share, cpu_set_t *ret_share);

/* Gives the calling process, the leader of a session, its processors (in the ring short turns,
 * too), and the session its nice value.  What the kernel refuses is said on stderr: it is slower
 * without.  Source: sched(7), "The autogroup feature"; sched_setaffinity(2), sched_setattr(2). */
void vrms_lab_crowd_join(enum vrms_lab_share share, int nice);

#endif
