/* tail.h - following a log file from where it ends now.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_TAIL_H
#define VRMS_LAB_TAIL_H

#include <stdbool.h>
#include <stdio.h>

#include "common/error.h"

struct vrms_lab_tail {
	FILE *file;
	char *line; /* the last one that was read */
	size_t size;
};

/* Opens the log at its end; a log that is not there yet is -ENOENT. */
VRMS_MUST_CHECK int vrms_lab_tail_open(const char *path, struct vrms_lab_tail *ret_tail,
				       struct vrms_error *error);
void vrms_lab_tail_close(struct vrms_lab_tail *tail); /* accepts a zeroed one */

/* The next complete line without its newline, valid until the next call; NULL: none yet. */
const char *vrms_lab_tail_next(struct vrms_lab_tail *tail);

#endif
