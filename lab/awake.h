/* awake.h - keeps the machine's processors from sleeping while something is measured.
 *
 * A processor that has nothing to do halts.  In a virtual machine its host may then run somebody
 * else, and bring it back late: measured on one such machine, a thread of real-time priority that
 * wakes up every 5 ms was 1 to 15 ms late once in a hundred times, and 0.1 to 4 ms when the idle
 * processor went round in a loop instead.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_AWAKE_H
#define VRMS_LAB_AWAKE_H

#include "common/error.h"

#define VRMS_LAB_AWAKE_PATH "/dev/cpu_dma_latency"

/* Asks the kernel that no processor takes time to wake up, for as long as the descriptor is open.
 *
 * path: VRMS_LAB_AWAKE_PATH, or a test's file.
 * Returns the descriptor or -errno (-ENOENT: this kernel has no such thing; -EACCES: not root).
 * Source: the kernel's Documentation/power/pm_qos_interface.rst.
 */
VRMS_MUST_CHECK int vrms_lab_stay_awake(const char *path, struct vrms_error *error);

#endif
