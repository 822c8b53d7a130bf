/* xml.h - writes the little XML that meta-data needs, correctly escaped.
 *
 * Not libxml2: linking it costs an agent 3 ms of CPU in each call, and all but
 * the rarest calls do not write XML.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_OCF_XML_H
#define VRMS_OCF_XML_H

#include <stdbool.h>
#include <stdio.h>

/* Writes character data.  Characters that XML 1.0 has no way to write become '?'. */
void vrms_xml_text_print(FILE *out, const char *text);

/* Writes ` name="value"`, line ends as references so that they survive; nothing for NULL. */
void vrms_xml_attribute_print(FILE *out, const char *name, const char *value);

/* Writes ` name="0"` or ` name="1"`. */
void vrms_xml_flag_print(FILE *out, const char *name, bool value);

#endif
