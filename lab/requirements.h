/* requirements.h - what a lab needs of the machine, and which Debian package has it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_REQUIREMENTS_H
#define VRMS_LAB_REQUIREMENTS_H

#include <stdbool.h>

#include "common/error.h"

/* -EPERM without root or namespaces; -ENOENT names every program that is missing. */
VRMS_MUST_CHECK int vrms_lab_requirements_check(bool with_libvirt, struct vrms_error *error);

/* -EPERM unless root. */
VRMS_MUST_CHECK int vrms_lab_requirements_root(struct vrms_error *error);

#endif
