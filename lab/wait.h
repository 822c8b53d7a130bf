/* wait.h - waiting for nodes, interruptible and with progress.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_WAIT_H
#define VRMS_LAB_WAIT_H

#include "lab/lab.h"

struct vrms_lab_wait {
	int64_t until_ms; /* on the system clock port */
	const volatile sig_atomic_t *interrupted;
	void (*progress)(void *context, const char *text);
	void *progress_context;
};

/* Until every node that is on has booted.  -EIO: a boot failed, -ETIMEDOUT, -EINTR. */
VRMS_MUST_CHECK int vrms_lab_wait_booted(const struct vrms_lab *lab,
					 const struct vrms_lab_wait *wait,
					 struct vrms_error *error);

/* Until Pacemaker has every node online; as vrms_lab_wait_online(). */
VRMS_MUST_CHECK int vrms_lab_wait_members(const struct vrms_lab *lab,
					  const struct vrms_lab_wait *wait,
					  struct vrms_error *error);

/* -EINTR when a signal came. */
VRMS_MUST_CHECK int vrms_lab_wait_check(const struct vrms_lab_wait *wait, struct vrms_error *error);

#endif
