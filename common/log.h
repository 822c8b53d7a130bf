/* log.h - logging through libqb, by Pacemaker's conventions.
 *
 * Only programs log; libraries return errors.  Targets: syslog (facility from
 * PCMK_logfacility / HA_LOGFACILITY, "none" = off), the file named by
 * PCMK_logfile / HA_logfile ("none" = off), and stderr when asked.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_COMMON_LOG_H
#define VRMS_COMMON_LOG_H

#include <stdbool.h>
#include <syslog.h>

#include "common/cleanup.h"

/* name: program name shown in each line; to_stderr: also write there (programs started by hand). */
void vrms_log_open(const char *name, bool to_stderr);
void vrms_log_close(void);

/* From now on a thread writes the lines to syslog and file: the caller never waits for them.
 * Not before a fork. */
void vrms_log_start_thread(void);

/* priority: LOG_ERR .. LOG_DEBUG of syslog(3).  Debug lines only with PCMK_debug/HA_debug on. */
void vrms_log(int priority, const char *format, ...) VRMS_PRINTF(2, 3);

#endif
