/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/vm_xml.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "common/cleanup.h"

VRMS_DEFINE_CLEANUP(xmlDocPtr, xmlFreeDoc);

void vrms_vm_xml_done(struct vrms_vm_xml *vm)
{
	for (size_t i = 0; i < vm->disk_count; i++) {
		free(vm->disks[i].target);
		free(vm->disks[i].path);
		free(vm->disks[i].format);
	}
	free(vm->disks);
	free(vm->name);
	free(vm->uuid);
	free(vm->nvram);
	memset(vm, 0, sizeof(*vm));
}

static bool is_named(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static xmlNode *child(const xmlNode *parent, const char *name)
{
	for (xmlNode *node = parent != NULL ? parent->children : NULL; node != NULL;
	     node = node->next) {
		if (is_named(node, name)) {
			return node;
		}
	}
	return NULL;
}

/* The attribute's value on the heap, "" when it is not there; NULL out of memory. */
static char *attribute(const xmlNode *node, const char *name)
{
	xmlChar *value = node != NULL ? xmlGetProp(node, (const xmlChar *)name) : NULL;
	char *text = strdup(value != NULL ? (const char *)value : "");

	xmlFree(value);
	return text;
}

static char *content(const xmlNode *node)
{
	xmlChar *value = node != NULL ? xmlNodeGetContent(node) : NULL;
	char *text = strdup(value != NULL ? (const char *)value : "");

	xmlFree(value);
	return text;
}

static bool attribute_is(const xmlNode *node, const char *name, const char *wanted)
{
	char *text VRMS_CLEANUP(vrms_freep) = attribute(node, name);

	return text != NULL && strcmp(text, wanted) == 0;
}

static bool is_writable_disk(const xmlNode *node)
{
	bool is_disk = attribute_is(node, "device", "disk") || attribute_is(node, "device", "");

	return is_disk && child(node, "source") != NULL && child(node, "readonly") == NULL &&
	       child(node, "target") != NULL;
}

/* Where QEMU's programs find a disk that is on the network, by libvirt's protocol name. */
static const struct {
	const char *protocol, *port;
	const char *suffix; /* of a name that has no '/' */
} networks[] = {
    {"nbd", "10809", ""},
    {"iscsi", "3260", "/0"},
};

static char *print_uri(const xmlNode *source, size_t row)
{
	const xmlNode *host = child(source, "host");
	char *name VRMS_CLEANUP(vrms_freep) = attribute(source, "name");
	char *address VRMS_CLEANUP(vrms_freep) = attribute(host, "name");
	char *port VRMS_CLEANUP(vrms_freep) = attribute(host, "port");
	char *socket VRMS_CLEANUP(vrms_freep) = attribute(host, "socket");
	const char *suffix;
	char *uri = NULL;
	int length;

	if (name == NULL || address == NULL || port == NULL || socket == NULL) {
		return NULL;
	}
	suffix = strchr(name, '/') == NULL ? networks[row].suffix : "";
	if (socket[0] != '\0') {
		length =
		    asprintf(&uri, "%s+unix:///%s?socket=%s", networks[row].protocol, name, socket);
	} else {
		bool is_ipv6 = strchr(address, ':') != NULL;

		length = asprintf(&uri, "%s://%s%s%s:%s/%s%s", networks[row].protocol,
				  is_ipv6 ? "[" : "", address, is_ipv6 ? "]" : "",
				  port[0] != '\0' ? port : networks[row].port, name, suffix);
	}
	return length < 0 ? NULL : uri;
}

/* "" where a URI alone does not do: other protocols, passwords, TLS. */
static char *network_uri(const xmlNode *source)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(networks); i++) {
		if (attribute_is(source, "protocol", networks[i].protocol) &&
		    !attribute_is(source, "tls", "yes") && child(source, "auth") == NULL &&
		    child(source, "encryption") == NULL) {
			return print_uri(source, i);
		}
	}
	return strdup("");
}

static char *disk_path(const xmlNode *disk)
{
	const xmlNode *source = child(disk, "source");

	return attribute_is(disk, "type", "network")
		   ? network_uri(source)
		   : attribute(source, attribute_is(disk, "type", "block") ? "dev" : "file");
}

static int take_disk(const xmlNode *node, struct vrms_vm_xml *vm)
{
	struct vrms_vm_disk *disks = realloc(vm->disks, (vm->disk_count + 1) * sizeof(*disks));
	struct vrms_vm_disk *disk;

	if (disks == NULL) {
		return -ENOMEM;
	}
	vm->disks = disks;
	disk = &disks[vm->disk_count++];
	disk->target = attribute(child(node, "target"), "dev");
	disk->format = attribute(child(node, "driver"), "type");
	disk->path = disk_path(node);
	disk->is_encrypted =
	    child(node, "encryption") != NULL || child(child(node, "source"), "encryption") != NULL;
	return disk->target == NULL || disk->format == NULL || disk->path == NULL ? -ENOMEM : 0;
}

static bool is_agent_channel(const xmlNode *node)
{
	return is_named(node, "channel") &&
	       attribute_is(child(node, "target"), "name", "org.qemu.guest_agent.0");
}

static int take_domain(const xmlNode *root, struct vrms_vm_xml *vm)
{
	const xmlNode *devices = child(root, "devices");
	int rc = 0;

	vm->name = content(child(root, "name"));
	vm->uuid = content(child(root, "uuid"));
	vm->nvram = content(child(child(root, "os"), "nvram"));
	vm->has_tpm = child(devices, "tpm") != NULL;
	if (vm->name == NULL || vm->uuid == NULL || vm->nvram == NULL) {
		return -ENOMEM;
	}
	for (const xmlNode *node = devices != NULL ? devices->children : NULL;
	     node != NULL && rc == 0; node = node->next) {
		if (is_named(node, "disk") && is_writable_disk(node)) {
			rc = take_disk(node, vm);
		}
		vm->has_agent = vm->has_agent || is_agent_channel(node);
	}
	return rc;
}

static int read_domain(const char *text, xmlDocPtr *ret_document, struct vrms_error *error)
{
	xmlDocPtr document =
	    xmlReadMemory(text, (int)strlen(text), "domain.xml", NULL,
			  XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	const xmlNode *root = document != NULL ? xmlDocGetRootElement(document) : NULL;

	if (root == NULL || !is_named(root, "domain")) {
		xmlFreeDoc(document);
		return vrms_error_set(error, -EINVAL, "not the XML of a domain");
	}
	*ret_document = document;
	return 0;
}

int vrms_vm_xml_parse(const char *text, struct vrms_vm_xml *ret_vm, struct vrms_error *error)
{
	xmlDocPtr document VRMS_CLEANUP(xmlFreeDocp) = NULL;
	struct vrms_vm_xml vm VRMS_CLEANUP(vrms_vm_xml_done) = {0};
	int rc = read_domain(text, &document, error);

	if (rc < 0) {
		return rc;
	}
	if (take_domain(xmlDocGetRootElement(document), &vm) < 0) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	if (vm.name[0] == '\0') {
		return vrms_error_set(error, -EINVAL, "the XML names no domain");
	}
	*ret_vm = vm;
	memset(&vm, 0, sizeof(vm));
	return 0;
}

static xmlNode *add(xmlNode *parent, const char *name, const char *text)
{
	return xmlNewTextChild(parent, NULL, (const xmlChar *)name, (const xmlChar *)text);
}

static void set(xmlNode *node, const char *name, const char *value)
{
	xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)value);
}

static xmlNode *start(xmlDocPtr *ret_document, const char *name)
{
	xmlNode *root = xmlNewNode(NULL, (const xmlChar *)name);

	*ret_document = xmlNewDoc((const xmlChar *)"1.0");
	xmlDocSetRootElement(*ret_document, root);
	return root;
}

static char *print(xmlDocPtr document)
{
	xmlChar *dumped = NULL;
	int size;
	char *text;

	xmlDocDumpFormatMemory(document, &dumped, &size, 1);
	text = dumped != NULL ? strdup((const char *)dumped) : NULL;
	xmlFree(dumped);
	return text;
}

static void add_backup_disk(xmlNode *disks, const struct vrms_vm_xml_disk *disk)
{
	xmlNode *node = add(disks, "disk", NULL);

	set(node, "name", disk->target);
	set(node, "backup", disk->is_taken ? "yes" : "no");
	if (!disk->is_taken) {
		return;
	}
	set(node, "type", "file");
	set(node, "exportname", disk->target);
	set(node, "backupmode", disk->base != NULL ? "incremental" : "full");
	if (disk->base != NULL) {
		set(node, "incremental", disk->base);
		set(node, "exportbitmap", VRMS_VM_XML_EXPORT_BITMAP);
	}
	set(add(node, "scratch", NULL), "file", disk->scratch);
}

char *vrms_vm_xml_backup(const struct vrms_vm_xml_disk *disks, size_t count, const char *socket)
{
	xmlDocPtr document VRMS_CLEANUP(xmlFreeDocp) = NULL;
	xmlNode *root = start(&document, "domainbackup");
	xmlNode *server = add(root, "server", NULL);
	xmlNode *list = add(root, "disks", NULL);

	set(root, "mode", "pull");
	set(server, "transport", "unix");
	set(server, "socket", socket);
	for (size_t i = 0; i < count; i++) {
		add_backup_disk(list, &disks[i]);
	}
	return print(document);
}

char *vrms_vm_xml_checkpoint(const char *name, int64_t time_s, const struct vrms_vm_xml_disk *disks,
			     size_t count)
{
	xmlDocPtr document VRMS_CLEANUP(xmlFreeDocp) = NULL;
	xmlNode *root = start(&document, "domaincheckpoint");
	xmlNode *list;
	char time[24];

	add(root, "name", name);
	if (time_s != 0) {
		snprintf(time, sizeof(time), "%" PRId64, time_s);
		add(root, "creationTime", time);
	}
	list = add(root, "disks", NULL);
	for (size_t i = 0; i < count; i++) {
		xmlNode *node = add(list, "disk", NULL);

		set(node, "name", disks[i].target);
		set(node, "checkpoint", disks[i].has_bitmap ? "bitmap" : "no");
		if (disks[i].has_bitmap) {
			set(node, "bitmap", name);
		}
	}
	return print(document);
}

static void drop(xmlNode *node)
{
	if (node != NULL) {
		xmlUnlinkNode(node);
		xmlFreeNode(node);
	}
}

/* libvirt makes new ones for what is missing. */
static void rename_domain(xmlNode *root, const char *name)
{
	xmlNode *devices = child(root, "devices");

	xmlNodeSetContent(child(root, "name"), (const xmlChar *)"");
	xmlNodeAddContent(child(root, "name"), (const xmlChar *)name);
	drop(child(root, "uuid"));
	drop(child(child(root, "os"), "nvram"));
	for (xmlNode *node = devices != NULL ? devices->children : NULL; node != NULL;
	     node = node->next) {
		if (is_named(node, "interface")) {
			drop(child(node, "mac"));
		}
	}
}

static void move_disk(xmlNode *node, const struct vrms_vm_xml_move *disk)
{
	xmlNode *driver = child(node, "driver");
	xmlNode *source;

	drop(child(node, "source"));
	drop(child(node, "backingStore"));
	drop(child(node, "encryption"));
	source = add(node, "source", NULL);
	set(node, "type", "file");
	set(source, "file", disk->path);
	if (driver == NULL) {
		driver = add(node, "driver", NULL);
		set(driver, "name", "qemu");
	}
	set(driver, "type", disk->format);
}

static bool is_moved(const xmlNode *disk, const struct vrms_vm_xml_change *change)
{
	for (size_t i = 0; i < change->disk_count; i++) {
		if (attribute_is(child(disk, "target"), "dev", change->disks[i].target)) {
			return true;
		}
	}
	return false;
}

/* Two VMs that write to one disk destroy it. */
static void drop_shared_disks(xmlNode *devices, const struct vrms_vm_xml_change *change)
{
	xmlNode *node = devices != NULL ? devices->children : NULL;

	while (node != NULL) {
		xmlNode *next = node->next;

		if (is_named(node, "disk") && is_writable_disk(node) && !is_moved(node, change)) {
			drop(node);
		}
		node = next;
	}
}

/* What would reach beyond the trial, or can be there only once. */
static bool is_shared(const xmlNode *node, const struct vrms_vm_xml_change *change)
{
	static const char *const names[] = {"interface", "hostdev",  "filesystem", "redirdev",
					    "graphics",  "vsock",    "lease",      "shmem",
					    "serial",    "parallel", "console",    "smartcard"};

	for (size_t i = 0; i < VRMS_COUNT_OF(names); i++) {
		if (is_named(node, names[i])) {
			return true;
		}
	}
	if (is_named(node, "disk")) {
		return !is_moved(node, change);
	}
	return is_named(node, "channel") && !is_agent_channel(node);
}

static void isolate(xmlNode *devices, const struct vrms_vm_xml_change *change)
{
	xmlNode *node = devices != NULL ? devices->children : NULL;
	xmlNode *serial;

	while (node != NULL) {
		xmlNode *next = node->next;

		if (is_shared(node, change)) {
			drop(node);
		} else if (is_named(node, "channel")) {
			drop(child(node, "source"));
		}
		node = next;
	}
	serial = add(devices, "serial", NULL);
	set(serial, "type", "file");
	set(add(serial, "source", NULL), "path", change->trial_console);
	set(add(serial, "target", NULL), "port", "0");
}

int vrms_vm_xml_edit(const char *text, const struct vrms_vm_xml_change *change, char **ret_text,
		     struct vrms_error *error)
{
	xmlDocPtr document VRMS_CLEANUP(xmlFreeDocp) = NULL;
	int rc = read_domain(text, &document, error);
	xmlNode *root, *devices;

	if (rc < 0) {
		return rc;
	}
	root = xmlDocGetRootElement(document);
	devices = child(root, "devices");
	if (change->name != NULL) {
		rename_domain(root, change->name);
	}
	for (xmlNode *node = devices != NULL ? devices->children : NULL; node != NULL;
	     node = node->next) {
		for (size_t i = 0; i < change->disk_count && is_named(node, "disk"); i++) {
			if (attribute_is(child(node, "target"), "dev", change->disks[i].target)) {
				move_disk(node, &change->disks[i]);
			}
		}
	}
	if (change->name != NULL) {
		drop_shared_disks(devices, change);
	}
	if (change->trial_console != NULL) {
		isolate(devices, change);
	}
	*ret_text = print(document);
	return *ret_text != NULL ? 0 : vrms_error_set(error, -ENOMEM, "out of memory");
}
