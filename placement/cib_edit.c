/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/cib_edit.h"

#include <errno.h>
#include <inttypes.h>
#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"

int vrms_cib_edit_open(struct vrms_cib_edit *edit, const char *text, struct vrms_error *error)
{
	*edit = (struct vrms_cib_edit){
	    .document = xmlReadMemory(text, (int)strlen(text), "cib", NULL,
				      XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET |
					  XML_PARSE_HUGE | XML_PARSE_NOBLANKS)};
	edit->root = xmlDocGetRootElement(edit->document);
	edit->configuration = vrms_cib_child(edit->root, "configuration");
	return edit->configuration == NULL ? vrms_error_set(error, -EINVAL, "not a CIB") : 0;
}

void vrms_cib_edit_done(struct vrms_cib_edit *edit)
{
	xmlFreeDoc(edit->document);
	edit->document = NULL;
}

static void raise_epoch(xmlNode *root)
{
	const char *text = vrms_cib_peek(root, "epoch");
	char raised[24];
	int64_t epoch;

	if (text == NULL || vrms_int_parse(text, 0, INT64_MAX - 1, &epoch, NULL) < 0) {
		return; /* a file that no cluster has counted */
	}
	snprintf(raised, sizeof(raised), "%" PRId64, epoch + 1);
	vrms_cib_edit_set(root, "epoch", raised);
	vrms_cib_edit_set(root, "num_updates", "0");
}

int vrms_cib_edit_text(struct vrms_cib_edit *edit, char **ret_text, struct vrms_error *error)
{
	xmlChar *text = NULL;
	char *copy = NULL;
	int size;

	if (edit->changed) {
		raise_epoch(edit->root);
		xmlDocDumpMemory(edit->document, &text, &size);
		copy = text == NULL ? NULL : strdup((const char *)text);
		xmlFree(text);
		if (copy == NULL) {
			return vrms_error_set(error, -ENOMEM, "out of memory");
		}
	}
	*ret_text = copy;
	return 0;
}

bool vrms_cib_edit_begins(const xmlNode *element, const char *prefix)
{
	const char *id = vrms_cib_peek(element, "id");

	return id != NULL && strncmp(id, prefix, strlen(prefix)) == 0;
}

void vrms_cib_edit_set(xmlNode *element, const char *name, const char *value)
{
	xmlSetProp(element, (const xmlChar *)name, (const xmlChar *)value);
}

xmlNode *vrms_cib_edit_add(xmlNode *parent, const char *name, const char *id)
{
	xmlNode *element = xmlNewChild(parent, NULL, (const xmlChar *)name, NULL);

	vrms_cib_edit_set(element, "id", id);
	return element;
}

xmlNode *vrms_cib_edit_section(struct vrms_cib_edit *edit, const char *name, const char *before)
{
	xmlNode *found = vrms_cib_child(edit->configuration, name);
	xmlNode *next = before == NULL ? NULL : vrms_cib_child(edit->configuration, before);

	if (found != NULL) {
		return found;
	}
	found = xmlNewNode(NULL, (const xmlChar *)name);
	return next != NULL ? xmlAddPrevSibling(next, found)
			    : xmlAddChild(edit->configuration, found);
}

xmlNode *vrms_cib_edit_find_pair(xmlNode *parent, const char *sets, const char *name)
{
	for (xmlNode *at = vrms_cib_child(parent, sets); at != NULL; at = vrms_cib_next(at, sets)) {
		for (xmlNode *pair = vrms_cib_child(at, "nvpair"); pair != NULL;
		     pair = vrms_cib_next(pair, "nvpair")) {
			if (vrms_cib_is(pair, "name", name)) {
				return pair;
			}
		}
	}
	return NULL;
}

char *vrms_cib_edit_text_of(xmlNode *parent, const char *prefix)
{
	xmlDoc *ours = xmlNewDoc((const xmlChar *)"1.0");
	xmlNode *root = xmlNewDocNode(ours, NULL, (const xmlChar *)"ours", NULL);
	xmlChar *canonical = NULL;
	char *text = NULL;

	xmlDocSetRootElement(ours, root);
	for (xmlNode *at = parent == NULL ? NULL : parent->children; at != NULL; at = at->next) {
		if (at->type == XML_ELEMENT_NODE && vrms_cib_edit_begins(at, prefix)) {
			xmlAddChild(root, xmlDocCopyNode(at, ours, 1));
		}
	}
	/* In canonical form: the order of attributes means nothing. */
	if (root != NULL &&
	    xmlC14NDocDumpMemory(ours, NULL, XML_C14N_1_0, NULL, 0, &canonical) >= 0 &&
	    canonical != NULL) {
		text = strdup((const char *)canonical);
	}
	xmlFree(canonical);
	xmlFreeDoc(ours);
	return text;
}

int vrms_cib_edit_remove(xmlNode *parent, const char *prefix)
{
	int count = 0;

	for (xmlNode *at = parent == NULL ? NULL : parent->children, *next; at != NULL; at = next) {
		next = at->next;
		if (at->type == XML_ELEMENT_NODE && vrms_cib_edit_begins(at, prefix)) {
			xmlUnlinkNode(at);
			xmlFreeNode(at);
			count++;
		}
	}
	return count;
}

void vrms_cib_edit_add_pair(xmlNode *parent, const char *sets, const char *id, const char *name,
			    const char *value)
{
	char pair_id[256];
	xmlNode *into = vrms_cib_edit_add(parent, sets, id), *pair;

	snprintf(pair_id, sizeof(pair_id), "%s-%s", id, name);
	pair = vrms_cib_edit_add(into, "nvpair", pair_id);
	vrms_cib_edit_set(pair, "name", name);
	vrms_cib_edit_set(pair, "value", value);
}
