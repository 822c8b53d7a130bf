/* libexec.h - the other half of an agent that is two programs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_LIBEXEC_H
#define VRMS_AGENTS_LIBEXEC_H

#include <limits.h>

/* Where a program of LIBEXECDIR/vrms is; VRMS_LIBEXECDIR in the environment is another folder, for
 * runs from a build tree. */
void vrms_libexec_path(const char *program, char ret_path[PATH_MAX]);

/* Becomes that program: exec, no fork.  Returns only when that fails, with the reason told to
 * Pacemaker: OCF_ERR_INSTALLED. */
int vrms_libexec_become(const char *program, char **argv);

#endif
