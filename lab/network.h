/* network.h - the lab's switch: a net namespace of its own with two bridges.
 *
 * It is held by a mount on <lab>/run/switch.net, not by a process, so it
 * survives every crash; the machine's own network never sees an interface.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_NETWORK_H
#define VRMS_LAB_NETWORK_H

#include <sys/types.h>

#include "lab/lab.h"

/* Makes the switch; -EEXIST when it is there. */
VRMS_MUST_CHECK int vrms_lab_network_create(const struct vrms_lab *lab, struct vrms_error *error);

/* Takes it away; its absence is success. */
VRMS_MUST_CHECK int vrms_lab_network_remove(const struct vrms_lab *lab, struct vrms_error *error);

bool vrms_lab_network_is_there(const struct vrms_lab *lab);

/* Plugs both cables of a node in: its eth0 and eth1, made inside the namespace of `pid`. */
VRMS_MUST_CHECK int vrms_lab_network_plug(const struct vrms_lab *lab, int index, pid_t pid,
					  struct vrms_error *error);

/* Cuts both cables at once; nothing the node still sends gets through.  Missing ones are fine. */
VRMS_MUST_CHECK int vrms_lab_network_cut(const struct vrms_lab *lab, int index,
					 struct vrms_error *error);

/* Removes both cables.  Missing ones are fine. */
VRMS_MUST_CHECK int vrms_lab_network_unplug(const struct vrms_lab *lab, int index,
					    struct vrms_error *error);

#endif
