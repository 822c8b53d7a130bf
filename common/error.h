/* error.h - a number for the program, a sentence for the operator.
 *
 * Every fallible function returns 0 or a negative errno and, where it takes a
 * struct vrms_error, leaves one line in it: lower case, no full stop, naming
 * the object, quoting what the user wrote.  Outputs are untouched on failure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_COMMON_ERROR_H
#define VRMS_COMMON_ERROR_H

#include "common/cleanup.h"

/* On the caller's stack; never allocated.  An empty text means "no error yet". */
struct vrms_error {
	char text[512];
};

/* Stores the formatted text (cut at the buffer's end) and returns rc.
 *
 * error: may be NULL, then only rc is passed through.
 * rc:    a negative errno.
 */
int vrms_error_set(struct vrms_error *error, int rc, const char *format, ...) VRMS_PRINTF(3, 4);

/* Puts "<formatted>: " before the text that is already there and returns rc. */
int vrms_error_wrap(struct vrms_error *error, int rc, const char *format, ...) VRMS_PRINTF(3, 4);

/* Stores "<formatted>: <strerror(-rc)>" and returns rc: for failures of system calls. */
int vrms_error_errno(struct vrms_error *error, int rc, const char *format, ...) VRMS_PRINTF(3, 4);

/* Makes the text empty. */
void vrms_error_clear(struct vrms_error *error);

#endif
