/* requirements.h - what a lab needs of the machine, and which Debian package has it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_REQUIREMENTS_H
#define VRMS_LAB_REQUIREMENTS_H

#include "common/error.h"
#include "lab/setup.h"

/* -EPERM without root or namespaces; -ENOENT names every program that is missing. */
VRMS_MUST_CHECK int vrms_lab_requirements_check(const struct vrms_lab_setup *setup,
						struct vrms_error *error);

/* -EPERM unless root. */
VRMS_MUST_CHECK int vrms_lab_requirements_root(struct vrms_error *error);

#endif
