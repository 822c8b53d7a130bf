/* mdoc.h - writes texts of the tables as mdoc(7) source.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_OCF_MDOC_H
#define VRMS_OCF_MDOC_H

#include <stdio.h>

#include "ocf/param.h"

/* Writes a text filled to 72 columns, each sentence on a line of its own; an empty line in it
 * begins a paragraph.  Characters with a meaning in roff are escaped.
 */
void vrms_mdoc_text_print(FILE *out, const char *text);

/* Writes one argument of a macro line, quoted. */
void vrms_mdoc_argument_print(FILE *out, const char *text);

/* Writes the head of a page: .Dd, .Dt, .Os and NAME.  The date is that of SOURCE_DATE_EPOCH
 * (reproducible builds) or, when that is not set, today's.
 */
void vrms_mdoc_head_print(FILE *out, const char *title, const char *section,
			  const char *description);

/* Writes default, limits and other columns of a row, as a list item's last paragraph. */
void vrms_mdoc_param_facts_print(FILE *out, const struct vrms_param *param);

/* Writes a section made of mdoc source; nothing for NULL. */
void vrms_mdoc_section_print(FILE *out, const char *title, const char *source);

#endif
