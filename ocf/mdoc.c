/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ocf/mdoc.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COLUMNS = 72 };

static void print_character(FILE *out, char character)
{
	if (character == '\\') {
		fputs("\\e", out);
	} else if (character == '"') {
		fputs("\\(dq", out);
	} else if (character == '-') {
		fputs("\\-", out);
	} else {
		fputc(character, out);
	}
}

/* A word at the beginning of a line must not be taken for a request. */
static void print_word(FILE *out, const char *word, size_t length, bool begins_line)
{
	if (begins_line && (*word == '.' || *word == '\'')) {
		fputs("\\&", out);
	}
	for (size_t i = 0; i < length; i++) {
		print_character(out, word[i]);
	}
}

void vrms_mdoc_text_print(FILE *out, const char *text)
{
	size_t column = 0;
	bool sentence_ended = false;

	while (*text != '\0') {
		size_t blanks = strspn(text, " \n\t");
		bool paragraph = memmem(text, blanks, "\n\n", 2) != NULL;
		const char *word = text + blanks;
		size_t length = strcspn(word, " \n\t");

		text = word + length;
		if (length == 0) {
			break;
		}
		if (column > 0 && (paragraph || sentence_ended || column + length > COLUMNS)) {
			fputs(paragraph ? "\n.Pp\n" : "\n", out);
			column = 0;
		}
		if (column > 0) {
			fputc(' ', out);
		}
		print_word(out, word, length, column == 0);
		column += length + 1;
		sentence_ended = strchr(".!?", word[length - 1]) != NULL;
	}
	if (column > 0) {
		fputc('\n', out);
	}
}

void vrms_mdoc_argument_print(FILE *out, const char *text)
{
	/* The zero-width character keeps a name such as "No" from being a macro. */
	fputs(" \"\\&", out);
	print_word(out, text, strlen(text), false);
	fputc('"', out);
}

/* Today as mdoc wants it: "November 3, 2026". */
static void print_date(FILE *out)
{
	static const char *const months[] = {"January",   "February", "March",    "April",
					     "May",       "June",     "July",     "August",
					     "September", "October",  "November", "December"};
	const char *fixed = getenv("SOURCE_DATE_EPOCH");
	time_t now = fixed != NULL ? (time_t)atoll(fixed) : time(NULL);
	struct tm day;

	gmtime_r(&now, &day);
	/* Not strftime(): the names must not follow the locale. */
	fprintf(out, ".Dd %s %d, %d\n", months[day.tm_mon], day.tm_mday, day.tm_year + 1900);
}

void vrms_mdoc_head_print(FILE *out, const char *title, const char *section,
			  const char *description)
{
	print_date(out);
	fputs(".Dt ", out);
	for (const char *c = title; *c != '\0'; c++) {
		fputc(toupper((unsigned char)*c), out);
	}
	fprintf(out, " %s\n.Os\n.Sh NAME\n.Nm %s\n.Nd", section, title);
	vrms_mdoc_argument_print(out, description);
	fputc('\n', out);
}

void vrms_mdoc_param_facts_print(FILE *out, const struct vrms_param *param)
{
	char limits[256];
	char sentence[300];

	vrms_param_limits_print(param, limits, sizeof(limits));
	if (param->fallback != NULL && *param->fallback != '\0') {
		fputs("Default:\n.Ql", out);
		vrms_mdoc_argument_print(out, param->fallback);
		fputs(" .\n", out);
	}
	if (limits[0] != '\0') {
		snprintf(sentence, sizeof(sentence), "Allowed: %s.", limits);
		vrms_mdoc_text_print(out, sentence);
	}
	if (param->required) {
		fputs("Required.\n", out);
	}
	if (param->unique) {
		fputs("Differs between resources.\n", out);
	}
	if (param->reloadable) {
		fputs("May be changed while the resource runs.\n", out);
	}
}

void vrms_mdoc_section_print(FILE *out, const char *title, const char *source)
{
	if (source != NULL) {
		size_t length = strlen(source);

		fprintf(out, ".Sh %s\n%s%s", title, source,
			length > 0 && source[length - 1] == '\n' ? "" : "\n");
	}
}
