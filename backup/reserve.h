/* reserve.h - a little space that a repository keeps for when its file system is full.
 *
 * Without it nobody could even write a lock to restore, or to prune.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_RESERVE_H
#define VRMS_BACKUP_RESERVE_H

#include <stdbool.h>

/* Makes ROOT/reserve when it is not there and there is space; that it cannot is no failure. */
void vrms_reserve_make(const char *root);

/* Gives its space free.  Returns whether there was any. */
bool vrms_reserve_give(const char *root);

#endif
