/* powerd.h - the power switch: a daemon outside the nodes that the fence agent asks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_POWERD_H
#define VRMS_LAB_POWERD_H

#include "lab/lab.h"

/* Starts the daemon and returns when it listens. */
VRMS_MUST_CHECK int vrms_lab_powerd_start(const struct vrms_lab *lab, struct vrms_error *error);

/* Ends it, however it is; its absence is success. */
VRMS_MUST_CHECK int vrms_lab_powerd_stop(const struct vrms_lab *lab, struct vrms_error *error);

/* From now on the switch gives no answer about this node to the nodes, or answers again. */
VRMS_MUST_CHECK int vrms_lab_powerd_set_dead(const struct vrms_lab *lab, int index, bool is_dead,
					     struct vrms_error *error);

bool vrms_lab_powerd_is_running(const struct vrms_lab *lab);

#endif
