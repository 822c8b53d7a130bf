/* cluster_xml.h - reading Pacemaker's XML: which resource is a VM's, what belongs to it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_CLUSTER_XML_H
#define VRMS_BACKUP_CLUSTER_XML_H

#include <libxml/tree.h>

#include "common/error.h"

/* root: the name that the root element must have; else -EBADMSG. */
VRMS_MUST_CHECK int vrms_cluster_xml_read(const char *text, const char *root, xmlDocPtr *ret_doc,
					  struct vrms_error *error);

/* A string() expression, in which $id may stand for a name.  NULL when it is empty; else the
 * caller frees it. */
char *vrms_cluster_xml_text(xmlDocPtr doc, const char *expression, const char *id);

/* The id of the resource that runs a VM; NULL none.  The caller frees it. */
char *vrms_cluster_xml_find_vm(xmlDocPtr cib, const char *vm);

/* See vrms_cluster_config(). */
VRMS_MUST_CHECK int vrms_cluster_xml_extract(xmlDocPtr cib, const char *vm, const char *resource,
					     char **ret_text, struct vrms_error *error);

/* The first node of a path as text; NULL when there is none.  The caller frees it. */
char *vrms_cluster_xml_dump(xmlDocPtr doc, const char *path);

#endif
