/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/domain_xml.h"

#include <ctype.h>
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <stdlib.h>
#include <string.h>

static void free_document(xmlDoc *document)
{
	xmlFreeDoc(document);
}
VRMS_DEFINE_CLEANUP(xmlDoc *, free_document);

static void free_xpath(xmlXPathContext *xpath)
{
	xmlXPathFreeContext(xpath);
}
VRMS_DEFINE_CLEANUP(xmlXPathContext *, free_xpath);

static void free_object(xmlXPathObject *object)
{
	xmlXPathFreeObject(object);
}
VRMS_DEFINE_CLEANUP(xmlXPathObject *, free_object);

static void free_parser(xmlParserCtxt *parser)
{
	xmlFreeParserCtxt(parser);
}
VRMS_DEFINE_CLEANUP(xmlParserCtxt *, free_parser);

static void free_xml_text(void *variable)
{
	xmlFree(*(void **)variable);
}

int vrms_uuid_normalise(const char *text, char ret_uuid[VRMS_UUID_TEXT_BYTES])
{
	char digits[32];
	size_t count = 0;

	for (; *text != '\0'; text++) {
		if (*text == '-' || isspace((unsigned char)*text)) {
			continue;
		}
		if (!isxdigit((unsigned char)*text) || count == sizeof(digits)) {
			return -EINVAL;
		}
		digits[count++] = (char)tolower((unsigned char)*text);
	}
	if (count != sizeof(digits)) {
		return -EINVAL;
	}
	for (size_t from = 0, to = 0; from < sizeof(digits); from++) {
		if (from == 8 || from == 12 || from == 16 || from == 20) {
			ret_uuid[to++] = '-';
		}
		ret_uuid[to++] = digits[from];
	}
	ret_uuid[VRMS_UUID_TEXT_BYTES - 1] = '\0';
	return 0;
}

static const char tpm_without_state[] =
    "/domain/devices/tpm/backend[@type='emulator' and not(@persistent_state)]";

static void free_list(struct vrms_string_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i]);
	}
	free(list->items);
}

void vrms_domain_xml_free(struct vrms_domain_xml *xml)
{
	if (xml == NULL) {
		return;
	}
	free_list(&xml->disks);
	free_list(&xml->pools);
	free_list(&xml->networks);
	free(xml);
}

static int list_add(struct vrms_string_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], text) == 0) {
			return 0;
		}
	}

	char **items = reallocarray(list->items, list->count + 1, sizeof(*items));
	if (items == NULL) {
		return -ENOMEM;
	}
	list->items = items;
	items[list->count] = strdup(text);
	if (items[list->count] == NULL) {
		return -ENOMEM;
	}
	list->count++;
	return 0;
}

/* Adds what every node of the expression contains. */
static int list_collect(xmlXPathContext *xpath, const char *expression,
			struct vrms_string_list *list)
{
	xmlXPathObject *object VRMS_CLEANUP(free_objectp) =
	    xmlXPathEvalExpression((const xmlChar *)expression, xpath);

	if (object == NULL) {
		return -ENOMEM;
	}
	for (int i = 0; object->nodesetval != NULL && i < object->nodesetval->nodeNr; i++) {
		xmlChar *content VRMS_CLEANUP(free_xml_text) =
		    xmlNodeGetContent(object->nodesetval->nodeTab[i]);
		int rc = content == NULL ? -ENOMEM : list_add(list, (const char *)content);

		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

static bool exists(xmlXPathContext *xpath, const char *expression)
{
	xmlXPathObject *object VRMS_CLEANUP(free_objectp) =
	    xmlXPathEvalExpression((const xmlChar *)expression, xpath);

	return object != NULL && object->nodesetval != NULL && object->nodesetval->nodeNr > 0;
}

/* The text of a child of the root, without blanks at its ends; NULL when there is none. */
static char *child_text(xmlNode *root, const char *name)
{
	for (xmlNode *node = root->children; node != NULL; node = node->next) {
		if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, name) != 0) {
			continue;
		}
		xmlChar *content VRMS_CLEANUP(free_xml_text) = xmlNodeGetContent(node);

		return content == NULL ? NULL : strdup((const char *)content);
	}
	return NULL;
}

static int read_name(xmlNode *root, const char *origin, struct vrms_domain_xml *xml,
		     struct vrms_error *error)
{
	char *name VRMS_CLEANUP(vrms_freep) = child_text(root, "name");

	if (name == NULL || name[strspn(name, " \t\r\n")] == '\0') {
		return vrms_error_set(error, -EINVAL, "%s: the domain has no <name>", origin);
	}
	if (strpbrk(name, "/\n") != NULL || strlen(name) >= sizeof(xml->name)) {
		return vrms_error_set(error, -EINVAL, "%s: \"%s\" cannot be a domain's name",
				      origin, name);
	}
	memcpy(xml->name, name, strlen(name) + 1);
	return 0;
}

static int read_uuid(xmlNode *root, const char *origin, struct vrms_domain_xml *xml,
		     struct vrms_error *error)
{
	char *uuid VRMS_CLEANUP(vrms_freep) = child_text(root, "uuid");

	if (uuid == NULL) {
		return 0; /* libvirt makes one up at the start */
	}
	if (vrms_uuid_normalise(uuid, xml->uuid) < 0) {
		return vrms_error_set(error, -EINVAL, "%s: \"%s\" is not a UUID", origin, uuid);
	}
	return 0;
}

static void read_type(xmlNode *root, struct vrms_domain_xml *xml)
{
	xmlChar *type VRMS_CLEANUP(free_xml_text) = xmlGetProp(root, (const xmlChar *)"type");

	if (type != NULL && strlen((const char *)type) < sizeof(xml->type)) {
		memcpy(xml->type, type, strlen((const char *)type) + 1);
	}
}

static int read_devices(xmlDoc *document, struct vrms_domain_xml *xml, struct vrms_error *error)
{
	xmlXPathContext *xpath VRMS_CLEANUP(free_xpathp) = xmlXPathNewContext(document);

	if (xpath == NULL) {
		return vrms_error_errno(error, -ENOMEM, "domain XML");
	}

	int rc = list_collect(xpath,
			      "/domain/devices/disk[not(@device) or @device='disk' or "
			      "@device='lun']/source/@*[name()='file' or name()='dev']",
			      &xml->disks);
	if (rc == 0) {
		rc = list_collect(xpath, "/domain/devices/*/source/@pool", &xml->pools);
	}
	if (rc == 0) {
		rc = list_collect(xpath, "/domain/devices/interface/source/@network",
				  &xml->networks);
	}
	if (rc < 0) {
		return vrms_error_errno(error, rc, "domain XML");
	}
	xml->has_guest_agent =
	    exists(xpath,
		   "/domain/devices/channel/target[starts-with(@name, 'org.qemu.guest_agent.')]");
	xml->loses_tpm_state = exists(xpath, tpm_without_state);
	return 0;
}

/* libxml2's message ends with a line break; ours are one line. */
static int set_parse_error(xmlParserCtxt *parser, const char *origin, struct vrms_error *error)
{
	const xmlError *cause = xmlCtxtGetLastError(parser);

	if (cause == NULL || cause->message == NULL) {
		return vrms_error_set(error, -EINVAL, "%s: not well-formed XML", origin);
	}
	return vrms_error_set(error, -EINVAL, "%s: line %d: not well-formed XML: %.*s", origin,
			      cause->line, (int)strcspn(cause->message, "\n"), cause->message);
}

static int read_document(xmlDoc *document, const char *origin, struct vrms_domain_xml *xml,
			 struct vrms_error *error)
{
	xmlNode *root = xmlDocGetRootElement(document);

	if (root == NULL || strcmp((const char *)root->name, "domain") != 0) {
		return vrms_error_set(error, -EINVAL, "%s: the root is <%s>, not <domain>", origin,
				      root == NULL ? "" : (const char *)root->name);
	}
	read_type(root, xml);

	int rc = read_name(root, origin, xml, error);
	if (rc == 0) {
		rc = read_uuid(root, origin, xml, error);
	}
	if (rc == 0) {
		rc = read_devices(document, xml, error);
	}
	return rc;
}

int vrms_domain_xml_parse(const char *text, size_t bytes, const char *origin,
			  struct vrms_domain_xml **ret_xml, struct vrms_error *error)
{
	xmlParserCtxt *parser VRMS_CLEANUP(free_parserp) = xmlNewParserCtxt();
	struct vrms_domain_xml *xml VRMS_CLEANUP(vrms_domain_xml_freep) = calloc(1, sizeof(*xml));

	if (parser == NULL || xml == NULL) {
		return vrms_error_errno(error, -ENOMEM, "%s", origin);
	}
	if (bytes > VRMS_DOMAIN_XML_BYTES_MAX) {
		return vrms_error_set(error, -EINVAL, "%s: larger than any domain XML", origin);
	}

	xmlDoc *document VRMS_CLEANUP(free_documentp) =
	    xmlCtxtReadMemory(parser, text, (int)bytes, NULL, NULL,
			      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (document == NULL) {
		return set_parse_error(parser, origin, error);
	}

	int rc = read_document(document, origin, xml, error);
	if (rc < 0) {
		return rc;
	}
	*ret_xml = VRMS_TAKE(xml);
	return 0;
}

static int keep_tpm_state(xmlDoc *document)
{
	xmlXPathContext *xpath VRMS_CLEANUP(free_xpathp) = xmlXPathNewContext(document);
	xmlXPathObject *object VRMS_CLEANUP(free_objectp) =
	    xpath == NULL ? NULL
			  : xmlXPathEvalExpression((const xmlChar *)tpm_without_state, xpath);

	if (object == NULL) {
		return -ENOMEM;
	}
	for (int i = 0; object->nodesetval != NULL && i < object->nodesetval->nodeNr; i++) {
		if (xmlSetProp(object->nodesetval->nodeTab[i], (const xmlChar *)"persistent_state",
			       (const xmlChar *)"yes") == NULL) {
			return -ENOMEM;
		}
	}
	return 0;
}

int vrms_domain_xml_keep_tpm_state(const char *text, size_t bytes, char **ret_text,
				   struct vrms_error *error)
{
	xmlParserCtxt *parser VRMS_CLEANUP(free_parserp) = xmlNewParserCtxt();
	xmlChar *printed VRMS_CLEANUP(free_xml_text) = NULL;
	int size = 0;

	if (parser == NULL) {
		return vrms_error_errno(error, -ENOMEM, "domain XML");
	}
	xmlDoc *document VRMS_CLEANUP(free_documentp) =
	    xmlCtxtReadMemory(parser, text, (int)bytes, NULL, NULL,
			      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (document == NULL) {
		return set_parse_error(parser, "domain XML", error);
	}
	int rc = keep_tpm_state(document);
	if (rc == 0) {
		xmlDocDumpMemory(document, &printed, &size);
		*ret_text = printed == NULL ? NULL : strdup((const char *)printed);
		rc = *ret_text == NULL ? -ENOMEM : 0;
	}
	return rc < 0 ? vrms_error_errno(error, rc, "domain XML") : 0;
}
