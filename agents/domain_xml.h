/* domain_xml.h - what the agent needs to know from a libvirt domain's XML.
 *
 * Source: libvirt's formatdomain documentation.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_DOMAIN_XML_H
#define VRMS_AGENTS_DOMAIN_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

enum {
	VRMS_UUID_TEXT_BYTES = 37,    /* 36 characters and the NUL */
	VRMS_DOMAIN_NAME_BYTES = 256, /* longest name that the agent takes, with the NUL */
	VRMS_DOMAIN_XML_BYTES_MAX = 16U << 20U, /* larger files are refused */
};

/* Strings in document order, each once. */
struct vrms_string_list {
	char **items;
	size_t count;
};

struct vrms_domain_xml {
	char name[VRMS_DOMAIN_NAME_BYTES];
	char uuid[VRMS_UUID_TEXT_BYTES]; /* lower case with dashes; "" when the XML has none */
	char type[32];                   /* "kvm", "qemu", "xen", "lxc", ... */
	bool has_guest_agent;            /* a channel named org.qemu.guest_agent.* */
	bool loses_tpm_state; /* an emulated TPM whose state ends with a transient domain */
	struct vrms_string_list disks; /* paths of file and block disks that are written or read */
	struct vrms_string_list pools; /* storage pools of its volumes */
	struct vrms_string_list networks; /* virtual networks of its interfaces */
};

/* Reads a domain's XML.
 *
 * text:   `bytes` bytes; no external entity or DTD is loaded.
 * origin: names the text in errors, e.g. the file's path.
 * Errors: -EINVAL: not well-formed (with the line), not a <domain>, no usable
 * <name> (empty, with '/', too long) or a malformed <uuid>; -ENOMEM.
 */
VRMS_MUST_CHECK int vrms_domain_xml_parse(const char *text, size_t bytes, const char *origin,
					  struct vrms_domain_xml **ret_xml,
					  struct vrms_error *error);

void vrms_domain_xml_free(struct vrms_domain_xml *xml); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_domain_xml *, vrms_domain_xml_free);

/* Gives a copy of the XML in which an emulated TPM keeps its state when the domain ends.
 *
 * Without persistent_state="yes" libvirt deletes it at the end of a transient
 * domain, and a guest that sealed its disk key in it would not boot again.
 * Source: libvirt's formatdomain, "TPM device", persistent_state (since 7.0).
 * ret_text: freed by the caller.
 * Errors: those of vrms_domain_xml_parse().
 */
VRMS_MUST_CHECK int vrms_domain_xml_keep_tpm_state(const char *text, size_t bytes, char **ret_text,
						   struct vrms_error *error);

/* Writes a UUID as libvirt does: lower case, with dashes.
 *
 * text: 32 hexadecimal digits, dashes and blanks anywhere between them are ignored.
 * Source: virUUIDParse() of libvirt.
 * Returns 0 or -EINVAL.
 */
VRMS_MUST_CHECK int vrms_uuid_normalise(const char *text, char ret_uuid[VRMS_UUID_TEXT_BYTES]);

#endif
