/* power.h - the power button, in the pieces that the power switch and the commands need.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_POWER_H
#define VRMS_LAB_POWER_H

#include <time.h>

#include "lab/lab.h"

/* Returns 0 only when nothing of the node lives.
 *
 * ret_moment: names this "off" for vrms_lab_power_on_later(); may be NULL.
 */
VRMS_MUST_CHECK int vrms_lab_power_off(const struct vrms_lab *lab, int index,
				       struct timespec *ret_moment, struct vrms_error *error);

/* Returns when the node has begun to boot. */
VRMS_MUST_CHECK int vrms_lab_power_on(const struct vrms_lab *lab, int index,
				      struct vrms_error *error);

/* The second half of a power cycle: waits for the lab's boot delay, then switches on.
 *
 * -ECANCELED: the node was switched off again while it waited, and stays off.
 */
VRMS_MUST_CHECK int vrms_lab_power_on_later(const struct vrms_lab *lab, int index,
					    const struct timespec *moment,
					    struct vrms_error *error);

/* One line with the time in log/powerd.log.  A line that cannot be written is lost: no power
 * button fails for the sake of its log. */
void vrms_lab_power_note(const struct vrms_lab *lab, const char *format, ...) VRMS_PRINTF(2, 3);

#endif
