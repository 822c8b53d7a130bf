/* down.h - taking a lab down, for those who hold its lock already.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_DOWN_H
#define VRMS_LAB_DOWN_H

#include "lab/lab.h"

/* As vrms_lab_down(), without taking the lock. */
VRMS_MUST_CHECK int vrms_lab_take_down(const struct vrms_lab *lab, bool keep,
				       struct vrms_error *error);

/* Removes a folder and all below it, but nothing on another file system. */
VRMS_MUST_CHECK int vrms_lab_remove_tree(const char *path, struct vrms_error *error);

#endif
