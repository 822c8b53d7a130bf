/* keep.h - vrms plan --keep: one look at the running cluster, as vrmsd has it done.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_CLI_KEEP_H
#define VRMS_CLI_KEEP_H

#include "cli/desk.h"

/* Writes new lists when those in the CIB are not good any more, and makes room for VMs that
 * found none; leaves everything alone while anything is under way.  With --dry-run it only says
 * what it would do.
 *
 * Prints one line of JSON: {"state": "frozen"|"good"|"stale"|"written"|"room", "text": why,
 * "survives": k, "moves": n}.  Returns an exit status.
 */
int vrms_keep(const struct vrms_desk_options *options);

#endif
