/* line.h - walks through a text line by line without changing it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_LINE_H
#define VRMS_SIMULATOR_LINE_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { VRMS_SIM_LINE_BYTES = 4096 };

struct vrms_sim_lines {
	const char *next;
	int number;                     /* of the line in text[], from 1 */
	bool is_cut;                    /* it was longer than text[] */
	char text[VRMS_SIM_LINE_BYTES]; /* without the end of line, blanks at both ends removed */
};

/* Begin with {.next = text}; false at the end. */
static inline bool vrms_sim_lines_next(struct vrms_sim_lines *lines)
{
	size_t length = strcspn(lines->next, "\n"), kept = length;
	const char *begin = lines->next;

	if (*begin == '\0') {
		return false;
	}
	lines->next += length + (begin[length] == '\n' ? 1 : 0);
	lines->number++;
	while (kept > 0 && strchr(" \t\r", begin[kept - 1]) != NULL) {
		kept--;
	}
	while (kept > 0 && (*begin == ' ' || *begin == '\t')) {
		begin++;
		kept--;
	}
	lines->is_cut = kept >= sizeof(lines->text);
	snprintf(lines->text, sizeof(lines->text), "%.*s", (int)kept, begin);
	return true;
}

/* Takes the next word off a line, separated by any of the characters; NULL at the end. */
static inline char *vrms_sim_word(char **rest, const char *separators)
{
	char *word;

	do {
		word = strsep(rest, separators);
	} while (word != NULL && *word == '\0');
	return word;
}

/* Ends the text before a "#" at its beginning or after a blank, and before the blanks there. */
static inline void vrms_sim_drop_comment(char *text)
{
	for (char *at = text; *at != '\0'; at++) {
		if (*at == '#' && (at == text || at[-1] == ' ' || at[-1] == '\t')) {
			while (at > text && strchr(" \t", at[-1]) != NULL) {
				at--;
			}
			*at = '\0';
			return;
		}
	}
}

/* Cuts "key = value" into its parts; false, and unchanged, where there is no "=". */
static inline bool vrms_sim_key_value(char *text, const char **ret_key, const char **ret_value)
{
	char *equals = strchr(text, '=');

	if (equals == NULL) {
		return false;
	}
	*ret_key = text;
	*ret_value = equals + 1 + strspn(equals + 1, " \t");
	for (*equals = '\0'; equals > text && strchr(" \t", equals[-1]) != NULL; equals--) {
		equals[-1] = '\0';
	}
	return true;
}

#endif
