/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/vm_peers.h"

#include <ctype.h>
#include <errno.h>
#include <libvirt/libvirt.h>
#include <libxml/uri.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"

static void free_uri(xmlURI *uri)
{
	xmlFreeURI(uri);
}
VRMS_DEFINE_CLEANUP(xmlURI *, free_uri);

static void free_xml_text(void *variable)
{
	xmlFree(*(void **)variable);
}

static bool is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static int copy_uri(char ret_uri[VRMS_URI_BYTES], const char *text, struct vrms_error *error)
{
	if (strlen(text) >= VRMS_URI_BYTES) {
		return vrms_error_set(error, -ENAMETOOLONG, "\"%.64s...\" is too long for a URI",
				      text);
	}
	memcpy(ret_uri, text, strlen(text) + 1);
	return 0;
}

/* Puts `node` in place of every %n. */
static int fill_in_node(const char *pattern, const char *node, char ret_uri[VRMS_URI_BYTES],
			struct vrms_error *error)
{
	char text[VRMS_URI_BYTES];
	size_t used = 0;

	while (*pattern != '\0') {
		bool is_node = strncmp(pattern, "%n", 2) == 0;
		const char *piece = is_node ? node : pattern;
		size_t size = is_node ? strlen(node) : 1;

		if (used + size >= sizeof(text)) {
			return vrms_error_set(error, -ENAMETOOLONG, "URI for node \"%s\" too long",
					      node);
		}
		memcpy(text + used, piece, size);
		used += size;
		pattern += is_node ? 2 : 1;
	}
	text[used] = '\0';
	return copy_uri(ret_uri, text, error);
}

/* "node2.example.org" and "-mig" give "node2-mig.example.org". */
static int make_host(const struct vrms_vm_config *config, const char *node,
		     char ret_host[VRMS_URI_BYTES], struct vrms_error *error)
{
	const char *suffix =
	    is_set(config->migration_network_suffix) ? config->migration_network_suffix : "";
	int label = (int)strcspn(node, ".");
	int length =
	    snprintf(ret_host, VRMS_URI_BYTES, "%.*s%s%s", label, node, suffix, node + label);

	if (length < 0 || length >= VRMS_URI_BYTES) {
		return vrms_error_set(error, -ENAMETOOLONG, "host name of node \"%s\" too long",
				      node);
	}
	return 0;
}

/* Others are ignored, as ocf:heartbeat:VirtualDomain does. */
static bool is_user_name(const char *text)
{
	if (!is_set(text) || !islower((unsigned char)text[0])) {
		return false;
	}
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static int set_text(char **field, const char *text)
{
	char *copy = (char *)xmlStrdup((const xmlChar *)text);

	if (copy == NULL) {
		return -ENOMEM;
	}
	xmlFree(*field);
	*field = copy;
	return 0;
}

static int set_transport(xmlURI *uri, const char *transport)
{
	char scheme[VRMS_URI_BYTES];

	if (!is_set(transport)) {
		return 0;
	}
	int driver = (int)strcspn(uri->scheme, "+");
	int length = snprintf(scheme, sizeof(scheme), "%.*s+%s", driver, uri->scheme, transport);
	if (length < 0 || (size_t)length >= sizeof(scheme)) {
		return -ENAMETOOLONG;
	}
	return set_text(&uri->scheme, scheme);
}

static int derive_uri(const struct vrms_vm_config *config, xmlURI *uri, const char *host)
{
	int rc = set_transport(uri, config->migration_transport);

	if (rc == 0) {
		rc = set_text(&uri->server, host);
	}
	if (rc == 0 && is_user_name(config->migration_user)) {
		rc = set_text(&uri->user, config->migration_user);
	}
	return rc;
}

int vrms_vm_peer_uri(const struct vrms_vm_config *config, const char *local_uri, const char *node,
		     char ret_uri[VRMS_URI_BYTES], struct vrms_error *error)
{
	char host[VRMS_URI_BYTES];

	if (is_set(config->remoteuri)) {
		return fill_in_node(config->remoteuri, node, ret_uri, error);
	}

	xmlURI *uri VRMS_CLEANUP(free_urip) = xmlParseURI(local_uri);
	if (uri == NULL || uri->scheme == NULL) {
		return vrms_error_set(error, -EINVAL, "hypervisor: \"%s\" is not a URI", local_uri);
	}
	int rc = make_host(config, node, host, error);
	if (rc < 0) {
		return rc;
	}
	rc = derive_uri(config, uri, host);
	if (rc < 0) {
		return vrms_error_errno(error, rc, "URI of node \"%s\"", node);
	}
	xmlChar *text VRMS_CLEANUP(free_xml_text) = xmlSaveUri(uri);
	if (text == NULL) {
		return vrms_error_errno(error, -ENOMEM, "URI of node \"%s\"", node);
	}
	return copy_uri(ret_uri, (const char *)text, error);
}

static bool has_driver(const char *uri, const char *driver)
{
	size_t size = strlen(driver);

	return strncmp(uri, driver, size) == 0 && (uri[size] == ':' || uri[size] == '+');
}

static int make_migrate_uri(const char *local_uri, const char *host, int64_t port,
			    char ret_uri[VRMS_URI_BYTES], struct vrms_error *error)
{
	int length = 0;

	ret_uri[0] = '\0';
	if (has_driver(local_uri, "qemu")) {
		length = snprintf(ret_uri, VRMS_URI_BYTES, "tcp://%s:%lld", host, (long long)port);
	} else if (has_driver(local_uri, "xen")) {
		length = snprintf(ret_uri, VRMS_URI_BYTES, "%s", host);
	}
	if (length < 0 || length >= VRMS_URI_BYTES) {
		return vrms_error_set(error, -ENAMETOOLONG, "migration URI for \"%s\" too long",
				      host);
	}
	return 0;
}

int vrms_vm_migrate_uri(const struct vrms_vm_config *config, const char *local_uri,
			const char *node, const char *options_uri, int port,
			char ret_uri[VRMS_URI_BYTES], struct vrms_error *error)
{
	char host[VRMS_URI_BYTES];
	int rc = make_host(config, node, host, error);

	if (rc < 0) {
		return rc;
	}
	const char *pattern = is_set(config->migrateuri) ? config->migrateuri : options_uri;
	if (is_set(pattern)) {
		/* Source: what VirtualDomain does with %n; its documentation contradicts itself. */
		return fill_in_node(pattern, is_set(config->remoteuri) ? node : host, ret_uri,
				    error);
	}
	if (!is_set(config->migration_network_suffix)) {
		ret_uri[0] = '\0';
		return 0;
	}
	return make_migrate_uri(local_uri, host,
				config->migrateport > 0 ? config->migrateport : port, ret_uri,
				error);
}

int vrms_vm_local_uri(struct vrms_vm *vm, char ret_uri[VRMS_URI_BYTES], struct vrms_error *error)
{
	if (is_set(vm->config->hypervisor)) {
		return copy_uri(ret_uri, vm->config->hypervisor, error);
	}
	return vm->hypervisor->ops->get_uri(vm->hypervisor, ret_uri, VRMS_URI_BYTES, error);
}

/* --- peers ----------------------------------------------------------------------------- */

enum {
	PEER_MS_MAX = 3000, /* each; and all together no more than this share of the time left: */
	PEERS_PERCENT = 25,
};

static int find_at_peer(struct vrms_vm *vm, const char *uri, int64_t deadline_ms,
			struct vrms_domain_view *ret_domain, struct vrms_error *error)
{
	struct vrms_hypervisor *peer = NULL;
	const struct vrms_domain_id id = vm->ids[vm->id_count - 1];
	int rc = vm->hypervisor->migration->open_peer(vm->hypervisor, uri, &peer, error);

	if (rc < 0) {
		return rc;
	}
	peer->deadline_ms = deadline_ms;
	rc = peer->ops->find(peer, &id, ret_domain, error);
	vm->hypervisor->migration->close_peer(peer);
	return rc;
}

static int ask_peer(struct vrms_vm *vm, const char *local_uri, const char *node,
		    int64_t deadline_ms, struct vrms_error *error)
{
	char uri[VRMS_URI_BYTES];
	struct vrms_error reason = {.text = ""};
	struct vrms_domain_view domain = {.present = false};
	int rc = vrms_vm_peer_uri(vm->config, local_uri, node, uri, error);

	if (rc < 0) {
		return rc;
	}
	rc = find_at_peer(vm, uri, deadline_ms, &domain, &reason);
	if (rc < 0) {
		vrms_log(LOG_NOTICE, "%s: node %s cannot be asked whether it runs there: %s",
			 vrms_vm_name(vm), node, reason.text);
		return 0;
	}
	if (domain.present && domain.state != VIR_DOMAIN_SHUTOFF) {
		return vrms_error_set(
		    error, -EBUSY, "\"%s\" (UUID %s) is active on node \"%s\": not started twice",
		    domain.id.name, domain.id.uuid, node);
	}
	return 0;
}

int vrms_vm_ask_peers(struct vrms_vm *vm, struct vrms_error *error)
{
	char local_uri[VRMS_URI_BYTES];

	if (!is_set(vm->config->peers)) {
		return 0;
	}
	int rc = vrms_vm_local_uri(vm, local_uri, error);
	char *peers VRMS_CLEANUP(vrms_freep) = strdup(vm->config->peers);
	char *rest = NULL;
	int64_t last_ms = vrms_vm_share_ms(vm, PEERS_PERCENT);

	if (peers == NULL) {
		return vrms_error_errno(error, -ENOMEM, "peers");
	}
	for (char *node = strtok_r(peers, " \t\n", &rest); node != NULL && rc == 0;
	     node = strtok_r(NULL, " \t\n", &rest)) {
		int64_t until_ms = vrms_clock_now_ms(vm->call->clock) + PEER_MS_MAX;

		if (strcmp(node, vm->call->node) == 0) {
			continue;
		}
		rc = ask_peer(vm, local_uri, node, until_ms < last_ms ? until_ms : last_ms, error);
	}
	return rc;
}
