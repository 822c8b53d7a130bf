/* xml.h - building small XML texts with libxml2, where running out of memory is the only failure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_XML_H
#define VRMS_LAB_XML_H

#include <libxml/tree.h>
#include <libxml/xmlwriter.h>
#include <stdbool.h>

/* A text that grows by elements.  After the first failure every call does nothing. */
struct vrms_xml_text {
	xmlBuffer *buffer;
	xmlTextWriter *writer;
	bool failed;
};

void vrms_xml_text_init(struct vrms_xml_text *text);

/* <name key="value" ...> with pairs up to a NULL key; stays open until vrms_xml_text_end(). */
void vrms_xml_text_begin(struct vrms_xml_text *text, const char *name, ...)
    __attribute__((sentinel));
void vrms_xml_text_end(struct vrms_xml_text *text);

/* The same, empty and closed. */
void vrms_xml_text_empty(struct vrms_xml_text *text, const char *name, ...)
    __attribute__((sentinel));

/* <name>content</name> */
void vrms_xml_text_leaf(struct vrms_xml_text *text, const char *name, const char *content);

/* An attribute of the element begun last, with nothing in it yet. */
void vrms_xml_text_attribute(struct vrms_xml_text *text, const char *key, const char *value);
void vrms_xml_text_content(struct vrms_xml_text *text, const char *content);

/* Ends the text and frees what made it.  NULL when out of memory; the caller frees it. */
char *vrms_xml_text_done(struct vrms_xml_text *text);

static inline void vrms_xml_docp(xmlDoc **document)
{
	xmlFreeDoc(*document);
}

#endif
