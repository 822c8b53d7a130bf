/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/cluster_xml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include "common/file.h"

enum { DOMAIN_XML_BYTES_MAX = 4 << 20 };

static const char vms[] = "//primitive[@type='VirtualMachine' or @type='VirtualDomain']";

int vrms_cluster_xml_read(const char *text, const char *root, xmlDocPtr *ret_doc,
			  struct vrms_error *error)
{
	xmlDocPtr doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL,
				      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
					  XML_PARSE_NOBLANKS);
	xmlNodePtr top = doc != NULL ? xmlDocGetRootElement(doc) : NULL;

	if (top == NULL || strcmp((const char *)top->name, root) != 0) {
		xmlFreeDoc(doc);
		return vrms_error_set(error, -EBADMSG, "not a <%s> document", root);
	}
	*ret_doc = doc;
	return 0;
}

/* The caller frees the result with xmlXPathFreeObject(). */
static xmlXPathObjectPtr evaluate(xmlDocPtr doc, const char *expression, const char *id)
{
	xmlXPathContextPtr context = xmlXPathNewContext(doc);
	xmlXPathObjectPtr object = NULL;

	if (context == NULL) {
		return NULL;
	}
	if (id == NULL ||
	    xmlXPathRegisterVariable(context, (const xmlChar *)"id", xmlXPathNewCString(id)) == 0) {
		object = xmlXPathEvalExpression((const xmlChar *)expression, context);
	}
	xmlXPathFreeContext(context);
	return object;
}

char *vrms_cluster_xml_text(xmlDocPtr doc, const char *expression, const char *id)
{
	xmlXPathObjectPtr object = evaluate(doc, expression, id);
	char *text = NULL;

	if (object != NULL && object->type == XPATH_STRING && object->stringval[0] != '\0') {
		text = strdup((const char *)object->stringval);
	}
	xmlXPathFreeObject(object);
	return text;
}

/* Calls `take` with each node of a path, in the document's order, until it says so. */
static void each_node(xmlDocPtr doc, const char *path, const char *id,
		      bool (*take)(void *context, xmlNodePtr node), void *context)
{
	xmlXPathObjectPtr object = evaluate(doc, path, id);
	xmlNodeSetPtr nodes = object != NULL ? object->nodesetval : NULL;

	for (int i = 0; nodes != NULL && i < nodes->nodeNr; i++) {
		if (!take(context, nodes->nodeTab[i])) {
			break;
		}
	}
	xmlXPathFreeObject(object);
}

struct search {
	xmlDocPtr cib;
	const char *vm;
	char *found;
};

/* Does the file that the resource starts its domain from name this VM? */
static bool config_names(const char *path, const char *vm)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	xmlDocPtr doc = NULL;
	bool is_same = false;

	if (vrms_file_read(path, DOMAIN_XML_BYTES_MAX, &text, NULL, NULL) < 0 ||
	    vrms_cluster_xml_read(text, "domain", &doc, NULL) < 0) {
		return false;
	}
	char *name VRMS_CLEANUP(vrms_freep) =
	    vrms_cluster_xml_text(doc, "string(/domain/name)", NULL);

	is_same = name != NULL && strcmp(name, vm) == 0;
	xmlFreeDoc(doc);
	return is_same;
}

static bool try_resource(void *context, xmlNodePtr node)
{
	struct search *search = context;
	xmlChar *id = xmlGetProp(node, (const xmlChar *)"id");
	char *path VRMS_CLEANUP(vrms_freep) = NULL;

	if (id == NULL) {
		return true;
	}
	path = vrms_cluster_xml_text(
	    search->cib,
	    "string(//primitive[@id=$id]/instance_attributes/nvpair[@name='config']/@value)",
	    (const char *)id);
	if (path != NULL && config_names(path, search->vm)) {
		free(search->found);
		search->found = strdup((const char *)id);
		xmlFree(id);
		return false;
	}
	/* Its name alone is second best: another one's file may say better. */
	if (strcmp((const char *)id, search->vm) == 0 && search->found == NULL) {
		search->found = strdup((const char *)id);
	}
	xmlFree(id);
	return true;
}

char *vrms_cluster_xml_find_vm(xmlDocPtr cib, const char *vm)
{
	struct search search = {cib, vm, NULL};

	each_node(cib, vms, NULL, try_resource, &search);
	return search.found;
}

struct copy {
	xmlDocPtr doc;
	xmlNodePtr to;
	bool failed;
};

static bool copy_node(void *context, xmlNodePtr node)
{
	struct copy *copy = context;
	xmlNodePtr made = xmlDocCopyNode(node, copy->doc, 1);

	copy->failed = copy->failed || made == NULL || xmlAddChild(copy->to, made) == NULL;
	return !copy->failed;
}

/* The primitive, in bare copies of the groups and clones around it, so that it finds its place. */
static bool copy_primitive(void *context, xmlNodePtr node)
{
	struct copy *copy = context;
	xmlNodePtr made = xmlDocCopyNode(node, copy->doc, 1);

	for (xmlNodePtr parent = node->parent;
	     made != NULL && parent != NULL && strcmp((const char *)parent->name, "resources") != 0;
	     parent = parent->parent) {
		xmlNodePtr around = xmlDocCopyNode(parent, copy->doc, 2);

		if (around != NULL) {
			xmlAddChild(around, made);
		}
		made = around;
	}
	copy->failed = made == NULL || xmlAddChild(copy->to, made) == NULL;
	return false;
}

static char *print(xmlDocPtr doc, xmlNodePtr node)
{
	xmlBufferPtr buffer = xmlBufferCreate();
	char *text = NULL;

	if (buffer != NULL && xmlNodeDump(buffer, doc, node, 0, 1) >= 0) {
		text = strdup((const char *)xmlBufferContent(buffer));
	}
	xmlBufferFree(buffer);
	return text;
}

static xmlNodePtr begin(xmlDocPtr doc, const char *vm, const char *resource)
{
	xmlNodePtr root = xmlNewNode(NULL, (const xmlChar *)"vrms-cluster-config");

	if (root != NULL) {
		xmlDocSetRootElement(doc, root);
		xmlNewProp(root, (const xmlChar *)"version", (const xmlChar *)"1");
		xmlNewProp(root, (const xmlChar *)"vm", (const xmlChar *)vm);
		xmlNewProp(root, (const xmlChar *)"resource", (const xmlChar *)resource);
	}
	return root;
}

int vrms_cluster_xml_extract(xmlDocPtr cib, const char *vm, const char *resource, char **ret_text,
			     struct vrms_error *error)
{
	struct copy copy = {.doc = xmlNewDoc((const xmlChar *)"1.0")};
	xmlNodePtr root = copy.doc != NULL ? begin(copy.doc, vm, resource) : NULL;
	char *text = NULL;

	if (root != NULL) {
		copy.to = xmlNewChild(root, NULL, (const xmlChar *)"resources", NULL);
		each_node(cib, "/cib/configuration/resources//primitive[@id=$id]", resource,
			  copy_primitive, &copy);
		copy.to = xmlNewChild(root, NULL, (const xmlChar *)"constraints", NULL);
		each_node(cib,
			  "/cib/configuration/constraints/*[@rsc=$id or @with-rsc=$id or "
			  "@first=$id or @then=$id or .//resource_ref/@id=$id]",
			  resource, copy_node, &copy);
		text = copy.failed ? NULL : print(copy.doc, root);
	}
	xmlFreeDoc(copy.doc);
	if (text == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	*ret_text = text;
	return 0;
}

static bool take_first(void *context, xmlNodePtr node)
{
	*(xmlNodePtr *)context = node;
	return false;
}

char *vrms_cluster_xml_dump(xmlDocPtr doc, const char *path)
{
	xmlNodePtr node = NULL;

	each_node(doc, path, NULL, take_first, &node);
	return node != NULL ? print(doc, node) : NULL;
}
