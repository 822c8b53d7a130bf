/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/xml.h"

#include <stdarg.h>
#include <string.h>

#define X(text) ((const xmlChar *)(text))

static void note(struct vrms_xml_text *text, int rc)
{
	text->failed = text->failed || rc < 0;
}

void vrms_xml_text_init(struct vrms_xml_text *text)
{
	text->buffer = xmlBufferCreate();
	text->writer = text->buffer != NULL ? xmlNewTextWriterMemory(text->buffer, 0) : NULL;
	text->failed = text->writer == NULL;
	if (!text->failed) {
		note(text, xmlTextWriterSetIndent(text->writer, 1));
	}
}

void vrms_xml_text_attribute(struct vrms_xml_text *text, const char *key, const char *value)
{
	if (!text->failed) {
		note(text, xmlTextWriterWriteAttribute(text->writer, X(key), X(value)));
	}
}

static void begin(struct vrms_xml_text *text, const char *name, va_list pairs)
{
	const char *key;

	if (text->failed) {
		return;
	}
	note(text, xmlTextWriterStartElement(text->writer, X(name)));
	while ((key = va_arg(pairs, const char *)) != NULL) {
		vrms_xml_text_attribute(text, key, va_arg(pairs, const char *));
	}
}

void vrms_xml_text_begin(struct vrms_xml_text *text, const char *name, ...)
{
	va_list pairs;

	va_start(pairs, name);
	begin(text, name, pairs);
	va_end(pairs);
}

void vrms_xml_text_end(struct vrms_xml_text *text)
{
	if (!text->failed) {
		note(text, xmlTextWriterEndElement(text->writer));
	}
}

void vrms_xml_text_empty(struct vrms_xml_text *text, const char *name, ...)
{
	va_list pairs;

	va_start(pairs, name);
	begin(text, name, pairs);
	va_end(pairs);
	vrms_xml_text_end(text);
}

void vrms_xml_text_content(struct vrms_xml_text *text, const char *content)
{
	if (!text->failed) {
		note(text, xmlTextWriterWriteString(text->writer, X(content)));
	}
}

void vrms_xml_text_leaf(struct vrms_xml_text *text, const char *name, const char *content)
{
	if (!text->failed) {
		note(text, xmlTextWriterWriteElement(text->writer, X(name), X(content)));
	}
}

char *vrms_xml_text_done(struct vrms_xml_text *text)
{
	char *result = NULL;

	if (!text->failed) {
		note(text, xmlTextWriterEndDocument(text->writer));
	}
	xmlFreeTextWriter(text->writer); /* flushes into the buffer */
	if (!text->failed) {
		result = strdup((const char *)xmlBufferContent(text->buffer));
	}
	xmlBufferFree(text->buffer);
	return result;
}
