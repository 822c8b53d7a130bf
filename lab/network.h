/* network.h - the lab's switch: a net namespace of its own with two bridges,
 * and a third one for the storage where VMs are on LUNs.
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

/* Plugs the cables of a node in: its eth0, eth1 (eth2: storage), made inside the namespace of
 * `pid`. */
VRMS_MUST_CHECK int vrms_lab_network_plug(const struct vrms_lab *lab, int index, pid_t pid,
					  struct vrms_error *error);

/* Cuts both cables at once; nothing the node still sends gets through.  Missing ones are fine. */
VRMS_MUST_CHECK int vrms_lab_network_cut(const struct vrms_lab *lab, int index,
					 struct vrms_error *error);

/* Removes both cables.  Missing ones are fine. */
VRMS_MUST_CHECK int vrms_lab_network_unplug(const struct vrms_lab *lab, int index,
					    struct vrms_error *error);

/* Pulls or puts back the cable to the storage network.  -EINVAL: this lab has none. */
VRMS_MUST_CHECK int vrms_lab_network_san_set(const struct vrms_lab *lab, int index, bool is_plugged,
					     struct vrms_error *error);

/* Limits what the storage sends to a node; 0: no limit any more (-EIO: there was none). */
VRMS_MUST_CHECK int vrms_lab_network_san_slow(const struct vrms_lab *lab, int index,
					      int64_t rate_kbit, struct vrms_error *error);

#endif
