/* power_client.h - asking the power switch.
 *
 * One request, one answer, one connection: "<verb> [<node>]\n" and
 * "ok\n<lines>" or "error <text>\n".  Verbs: ping, list, status, on, off, reboot.
 * list answers "<node> <on|off>" a line, status "on" or "off".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_POWER_CLIENT_H
#define VRMS_LAB_POWER_CLIENT_H

#include <stdint.h>
#include <sys/un.h>

#include "common/error.h"

enum { VRMS_LAB_ANSWER_SIZE = 4096 };

/* Name of the switch's socket in the shared folder. */
#define VRMS_LAB_POWER_SOCKET ".power"

/* node:   NULL for ping and list.
 * answer: the lines behind "ok", without the last newline.
 *
 * Errors: those of connect(2), -ETIMEDOUT, -EPROTO (no proper answer; the request may
 * have been done), -EIO (refused or failed; the text is the switch's).
 */
VRMS_MUST_CHECK int vrms_lab_power_ask(const char *socket_path, const char *verb, const char *node,
				       int64_t timeout_ms, char answer[VRMS_LAB_ANSWER_SIZE],
				       struct vrms_error *error);

#endif
