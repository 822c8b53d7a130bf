/* command_timers.h - schedule install-timers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_COMMAND_TIMERS_H
#define VRMS_BACKUP_COMMAND_TIMERS_H

#include "backup/cli.h"

/* Writes the policies' times as a drop-in of vrms-backup.timer and switches the timer on. */
VRMS_MUST_CHECK int vrms_install_timers(const struct vrms_cli *cli, struct vrms_error *error);

#endif
