/* log_line.h - lines of several logs in the order of their time stamps.
 *
 * Pure but for the caller's memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_LOG_LINE_H
#define VRMS_LAB_LOG_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct vrms_lab_log_line {
	int64_t moment_ms;  /* since the beginning of the year, local time */
	size_t sequence;    /* keeps lines of one moment in the order they were added */
	const char *source; /* borrowed: "node1 corosync" */
	const char *text;   /* borrowed, without its newline */
};

struct vrms_lab_log_lines {
	struct vrms_lab_log_line *items;
	size_t count;
	size_t room;
};

void vrms_lab_log_lines_done(struct vrms_lab_log_lines *lines); /* accepts a zeroed one */

/* Reads the time stamp of "Nov 23 02:39:00.123 ..." (corosync, pacemaker) or
 * "2026-11-23 02:39:00.123 ..." (the power switch).  -EINVAL: the line begins otherwise.
 */
VRMS_MUST_CHECK int vrms_lab_log_moment_parse(const char *line, int64_t *ret_moment_ms);

/* Cuts `text` into lines (it is changed and must live on) and adds them.
 *
 * A line without time stamp stays behind the one before it.  -ENOMEM.
 */
VRMS_MUST_CHECK int vrms_lab_log_lines_add(struct vrms_lab_log_lines *lines, const char *source,
					   char *text);

/* Sorts by time. */
void vrms_lab_log_lines_sort(struct vrms_lab_log_lines *lines);

#endif
