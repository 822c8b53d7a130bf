/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ocf/xml.h"

/* Writes one character that means the same in data and in a quoted value. */
static void print_character(FILE *out, char character)
{
	switch (character) {
	case '&':
		fputs("&amp;", out);
		break;
	case '<':
		fputs("&lt;", out);
		break;
	case '>': /* "]]>" may not stand in character data */
		fputs("&gt;", out);
		break;
	case '"':
		fputs("&quot;", out);
		break;
	default:
		fputc((unsigned char)character < ' ' ? '?' : character, out);
		break;
	}
}

void vrms_xml_text_print(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n' || *text == '\t') {
			fputc(*text, out);
		} else {
			print_character(out, *text);
		}
	}
}

void vrms_xml_attribute_print(FILE *out, const char *name, const char *value)
{
	if (value == NULL) {
		return;
	}
	fprintf(out, " %s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '\n' || *value == '\t') {
			fprintf(out, "&#%d;", *value);
		} else {
			print_character(out, *value);
		}
	}
	fputc('"', out);
}

void vrms_xml_flag_print(FILE *out, const char *name, bool value)
{
	fprintf(out, " %s=\"%d\"", name, value);
}
