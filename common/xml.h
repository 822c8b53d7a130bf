/* xml.h - looking at libxml2's trees without copying out of them.
 *
 * Source: libxml2's tree.h; an attribute's text is one node, unless a DTD has entities.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_COMMON_XML_H
#define VRMS_COMMON_XML_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <string.h>

static inline bool vrms_xml_is_named(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

/* Borrowed from the tree; NULL when it is not there, or empty.  Takes no element, too. */
static inline const char *vrms_xml_get(const xmlNode *element, const char *name)
{
	const xmlAttr *attribute =
	    element == NULL ? NULL : xmlHasProp((xmlNode *)element, (const xmlChar *)name);

	return attribute == NULL || attribute->children == NULL
		   ? NULL
		   : (const char *)attribute->children->content;
}

/* Does it have the attribute with that value?  NULL is no value. */
static inline bool vrms_xml_has(const xmlNode *element, const char *name, const char *value)
{
	const char *found = vrms_xml_get(element, name);

	return found != NULL && value != NULL && strcmp(found, value) == 0;
}

#endif
