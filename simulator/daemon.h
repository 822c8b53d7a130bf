/* daemon.h - the vrmsd of each node in the simulated world.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_DAEMON_H
#define VRMS_SIMULATOR_DAEMON_H

#include "simulator/world.h"

/* All nodes that are on, and their first ring. */
void vrms_sim_daemon_begin(struct vrms_sim_world *world);

/* A node's operating system has started.  Sets the configured token, also without vrmsd. */
void vrms_sim_daemon_boot(struct vrms_sim_world *world, int node);
void vrms_sim_daemon_free(struct vrms_sim_node *node); /* accepts a node without */

/* A membership has formed; its quorum has changed. */
void vrms_sim_daemon_ring(struct vrms_sim_world *world, int ring);
void vrms_sim_daemon_quorum(struct vrms_sim_world *world, int ring);

/* A node goes on after a stall. */
void vrms_sim_daemon_stalled(struct vrms_sim_world *world, int node, int64_t for_us);

/* "vrms announce" on a node; for_us 0: it is over. */
void vrms_sim_daemon_announce(struct vrms_sim_world *world, int node, int64_t for_us);

void vrms_sim_daemon_look(struct vrms_sim_world *world, const struct vrms_sim_event *event);
void vrms_sim_daemon_message(struct vrms_sim_world *world, const struct vrms_sim_event *event);

#endif
