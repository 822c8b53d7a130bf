/* demo_san.h - the demo's second act: the power controller dies with its host.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_DEMO_SAN_H
#define VRMS_LAB_DEMO_SAN_H

#include "lab/command.h"
#include "lab/demo.h"

/* -ENOENT: this machine cannot play it; the text names the package that is missing. */
VRMS_MUST_CHECK int vrms_demo_san_check(struct vrms_error *error);

/* Brings a lab of its own up ("<name>-san" when the context names one), plays the act, takes the
 * lab down.  0 only when every VM of the lost node counts again on another. */
VRMS_MUST_CHECK int vrms_demo_san_play(const struct vrms_lab_context *context,
				       const struct vrms_demo_style *style,
				       struct vrms_error *error);

/* The same, or a note of why not on a machine that cannot play it, which is success. */
VRMS_MUST_CHECK int vrms_demo_san_play_if_possible(const struct vrms_lab_context *context,
						   const struct vrms_demo_style *style,
						   struct vrms_error *error);

#endif
