/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/log_line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void vrms_lab_log_lines_done(struct vrms_lab_log_lines *lines)
{
	free(lines->items);
	memset(lines, 0, sizeof(*lines));
}

/* 1..12; 0 for what is no month. */
static int find_month(const char *name)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *at = strlen(name) == 3 ? strstr(months, name) : NULL;

	return at != NULL && (at - months) % 3 == 0 ? (int)(at - months) / 3 + 1 : 0;
}

int vrms_lab_log_moment_parse(const char *line, int64_t *ret_moment_ms)
{
	char name[4] = "";
	int month = 0;
	int day = 0;
	int hour = 0;
	int minute = 0;
	int second = 0;
	int ms = 0;

	if (sscanf(line, "%3[A-Za-z] %2d %2d:%2d:%2d.%3d", name, &day, &hour, &minute, &second,
		   &ms) >= 5) {
		month = find_month(name);
	} else if (sscanf(line, "%*4d-%2d-%2d %2d:%2d:%2d.%3d", &month, &day, &hour, &minute,
			  &second, &ms) < 5) {
		return -EINVAL;
	}
	if (month < 1 || month > 12) {
		return -EINVAL;
	}
	/* Every month is given 31 days: the order is what counts. */
	*ret_moment_ms =
	    ((((month * INT64_C(31) + day) * 24 + hour) * 60 + minute) * 60 + second) * 1000 + ms;
	return 0;
}

static int grow(struct vrms_lab_log_lines *lines)
{
	size_t room = lines->room > 0 ? 2 * lines->room : 256;
	struct vrms_lab_log_line *items = NULL;

	if (lines->count < lines->room) {
		return 0;
	}
	items = reallocarray(lines->items, room, sizeof(*items));
	if (items == NULL) {
		return -ENOMEM;
	}
	lines->items = items;
	lines->room = room;
	return 0;
}

int vrms_lab_log_lines_add(struct vrms_lab_log_lines *lines, const char *source, char *text)
{
	char *rest = NULL;
	int64_t moment_ms = 0;

	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		int rc = grow(lines);
		if (rc < 0) {
			return rc;
		}
		/* On failure it keeps the moment of the line before. */
		(void)!vrms_lab_log_moment_parse(line, &moment_ms);
		lines->items[lines->count] = (struct vrms_lab_log_line){
		    .moment_ms = moment_ms,
		    .sequence = lines->count,
		    .source = source,
		    .text = line,
		};
		lines->count++;
	}
	return 0;
}

static int compare(const void *left_item, const void *right_item)
{
	const struct vrms_lab_log_line *left = left_item;
	const struct vrms_lab_log_line *right = right_item;

	if (left->moment_ms != right->moment_ms) {
		return left->moment_ms < right->moment_ms ? -1 : 1;
	}
	return left->sequence < right->sequence ? -1 : left->sequence > right->sequence;
}

void vrms_lab_log_lines_sort(struct vrms_lab_log_lines *lines)
{
	if (lines->count > 0) {
		qsort(lines->items, lines->count, sizeof(lines->items[0]), compare);
	}
}
