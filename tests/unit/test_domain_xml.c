/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/domain_xml.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

#define UUID "77000000-0000-4000-9000-00000000abcd"

static struct vrms_error error;

static int parse(const char *text, struct vrms_domain_xml **ret_xml)
{
	vrms_error_clear(&error);
	return vrms_domain_xml_parse(text, strlen(text), "/srv/vm/web.xml", ret_xml, &error);
}

static struct vrms_domain_xml *good(const char *text)
{
	struct vrms_domain_xml *xml = NULL;

	ck_assert_msg(parse(text, &xml) == 0, "%s", error.text);
	ck_assert_ptr_nonnull(xml);
	return xml;
}

static void refused(const char *text, const char *expected)
{
	struct vrms_domain_xml *xml = NULL;

	ck_assert_int_eq(parse(text, &xml), -EINVAL);
	ck_assert_ptr_null(xml);
	ck_assert_msg(strstr(error.text, "/srv/vm/web.xml: ") == error.text, "%s", error.text);
	ck_assert_msg(strstr(error.text, expected) != NULL, "%s", error.text);
	ck_assert_ptr_null(strchr(error.text, '\n'));
}

START_TEST(name_and_uuid_are_read_wherever_they_stand)
{
	struct vrms_domain_xml *xml VRMS_CLEANUP(vrms_domain_xml_freep) =
	    good("<?xml version='1.0'?>\n<!-- <name>no</name> -->\n"
		 "<domain type=\"kvm\"><metadata><x><name>inner</name></x></metadata>"
		 "<uuid>\n 77000000-0000-4000-9000-00000000ABCD </uuid><name>a&amp;b</name>"
		 "</domain>");

	ck_assert_str_eq(xml->name, "a&b");
	ck_assert_str_eq(xml->uuid, UUID);
	ck_assert_str_eq(xml->type, "kvm");
}
END_TEST

START_TEST(uuid_may_be_missing)
{
	struct vrms_domain_xml *xml VRMS_CLEANUP(vrms_domain_xml_freep) =
	    good("<domain><name>web</name></domain>");

	ck_assert_str_eq(xml->uuid, "");
	ck_assert_str_eq(xml->type, "");
}
END_TEST

START_TEST(disks_pools_and_networks_are_listed_once)
{
	struct vrms_domain_xml *xml VRMS_CLEANUP(vrms_domain_xml_freep) =
	    good("<domain><name>web</name><devices>"
		 "<disk type='file' device='disk'><source file='/srv/a.raw'/></disk>"
		 "<disk type='block'><source dev='/dev/sdb'/></disk>"
		 "<disk type='file' device='cdrom'><source file='/iso'/></disk>"
		 "<disk type='volume' device='disk'><source pool='p1' volume='v'/></disk>"
		 "<disk type='volume' device='disk'><source pool='p1' volume='w'/></disk>"
		 "<interface type='network'><source network='lan'/></interface>"
		 "<interface type='bridge'><source bridge='br0'/></interface>"
		 "</devices></domain>");

	ck_assert_uint_eq(xml->disks.count, 2);
	ck_assert_str_eq(xml->disks.items[0], "/srv/a.raw");
	ck_assert_str_eq(xml->disks.items[1], "/dev/sdb");
	ck_assert_uint_eq(xml->pools.count, 1);
	ck_assert_str_eq(xml->pools.items[0], "p1");
	ck_assert_uint_eq(xml->networks.count, 1);
	ck_assert_str_eq(xml->networks.items[0], "lan");
	ck_assert(!xml->has_guest_agent);
}
END_TEST

START_TEST(guest_agent_channel_is_seen)
{
	struct vrms_domain_xml *xml VRMS_CLEANUP(vrms_domain_xml_freep) =
	    good("<domain><name>web</name><devices><channel type='unix'>"
		 "<target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
		 "</devices></domain>");

	ck_assert(xml->has_guest_agent);
}
END_TEST

START_TEST(emulated_tpm_keeps_its_state)
{
	static const char text[] = "<domain><name>web</name><devices><tpm>"
				   "<backend type='emulator' version='2.0'/></tpm></devices>"
				   "</domain>";
	char *changed VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_domain_xml *before VRMS_CLEANUP(vrms_domain_xml_freep) = good(text);

	ck_assert(before->loses_tpm_state);
	ck_assert_int_eq(vrms_domain_xml_keep_tpm_state(text, strlen(text), &changed, &error), 0);
	ck_assert_ptr_nonnull(strstr(changed, "persistent_state=\"yes\""));
	struct vrms_domain_xml *after VRMS_CLEANUP(vrms_domain_xml_freep) = good(changed);
	ck_assert(!after->loses_tpm_state);

	char *none = NULL;
	ck_assert_int_eq(vrms_domain_xml_keep_tpm_state("<", 1, &none, &error), -EINVAL);
	ck_assert_ptr_null(none);
}
END_TEST

START_TEST(decided_or_real_tpms_are_left_alone)
{
	struct vrms_domain_xml *decided VRMS_CLEANUP(vrms_domain_xml_freep) =
	    good("<domain><name>web</name><devices><tpm>"
		 "<backend type='emulator' persistent_state='no'/></tpm></devices></domain>");
	struct vrms_domain_xml *real VRMS_CLEANUP(vrms_domain_xml_freep) =
	    good("<domain><name>web</name><devices><tpm><backend type='passthrough'/></tpm>"
		 "</devices></domain>");

	ck_assert(!decided->loses_tpm_state);
	ck_assert(!real->loses_tpm_state);
}
END_TEST

START_TEST(broken_xml_names_file_and_line)
{
	refused("<domain>\n<name>web</nam>\n</domain>", "line 2: not well-formed XML");
	refused("", "not well-formed XML");
	refused("<domain><name>web</name></domain><x/>", "not well-formed XML");
}
END_TEST

START_TEST(other_documents_are_refused)
{
	refused("<network><name>web</name></network>", "the root is <network>, not <domain>");
}
END_TEST

START_TEST(unusable_names_are_refused)
{
	char text[VRMS_DOMAIN_NAME_BYTES + 64];

	refused("<domain/>", "no <name>");
	refused("<domain><name> </name></domain>", "no <name>");
	refused("<domain><name>../x</name></domain>", "\"../x\" cannot be a domain's name");

	memset(text, 'x', sizeof(text));
	memcpy(text, "<domain><name>", 14);
	memcpy(text + sizeof(text) - 17, "</name></domain>", 17);
	refused(text, "cannot be a domain's name");
}
END_TEST

START_TEST(malformed_uuids_are_refused)
{
	refused("<domain><name>web</name><uuid>1234</uuid></domain>", "\"1234\" is not a UUID");
	refused("<domain><name>web</name><uuid>" UUID "0</uuid></domain>", "is not a UUID");
	refused("<domain><name>web</name><uuid>x7000000-0000-4000-9000-00000000abcd</uuid>"
		"</domain>",
		"is not a UUID");
}
END_TEST

START_TEST(external_entities_are_not_read)
{
	struct vrms_domain_xml *xml VRMS_CLEANUP(vrms_domain_xml_freep) = NULL;

	/* Either refused or left out; never the file's content. */
	int rc = parse("<!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/hostname'>]>"
		       "<domain><name>a&x;b</name></domain>",
		       &xml);
	ck_assert(rc == -EINVAL || strcmp(xml->name, "ab") == 0);
}
END_TEST

START_TEST(oversized_text_is_refused)
{
	struct vrms_domain_xml *xml = NULL;

	ck_assert_int_eq(vrms_domain_xml_parse("", VRMS_DOMAIN_XML_BYTES_MAX + 1, "big", &xml,
					       &error),
			 -EINVAL);
}
END_TEST

UNIT_MAIN("domain_xml", name_and_uuid_are_read_wherever_they_stand, uuid_may_be_missing,
	  disks_pools_and_networks_are_listed_once, guest_agent_channel_is_seen,
	  emulated_tpm_keeps_its_state, decided_or_real_tpms_are_left_alone,
	  broken_xml_names_file_and_line, other_documents_are_refused, unusable_names_are_refused,
	  malformed_uuids_are_refused, external_entities_are_not_read, oversized_text_is_refused)
