/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/render.h"

#include <ctype.h>
#include <libxml/parser.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct vrms_lab_setup setup_of(int node_count, int64_t token_ms)
{
	struct vrms_lab_setup setup = {
	    .name = "lab",
	    .id = "0123456789abcdef",
	    .node_count = node_count,
	    .token_ms = token_ms,
	};
	return setup;
}

static int count(const char *text, const char *wanted)
{
	int found = 0;

	for (const char *at = strstr(text, wanted); at != NULL; at = strstr(at + 1, wanted)) {
		found++;
	}
	return found;
}

START_TEST(each_node_has_two_links)
{
	struct vrms_lab_setup setup = setup_of(3, 0);
	char *text VRMS_CLEANUP(vrms_freep) = vrms_lab_render_corosync(&setup, 0);

	ck_assert_int_eq(count(text, "ring0_addr: 10.77.0."), 3);
	ck_assert_int_eq(count(text, "ring1_addr: 10.77.1."), 3);
	ck_assert_int_eq(count(text, "name: node"), 3);
	ck_assert_ptr_nonnull(strstr(text, "nodeid: 3\n"));
}
END_TEST

START_TEST(a_given_token_is_not_stretched_by_the_number_of_nodes)
{
	struct vrms_lab_setup setup = setup_of(8, 1000);
	char *text VRMS_CLEANUP(vrms_freep) = vrms_lab_render_corosync(&setup, 0);

	ck_assert_ptr_nonnull(strstr(text, "token: 1000\n"));
	ck_assert_ptr_nonnull(strstr(text, "token_coefficient: 0\n"));
}
END_TEST

START_TEST(without_a_token_corosync_has_its_default)
{
	struct vrms_lab_setup setup = setup_of(3, 0);
	char *text VRMS_CLEANUP(vrms_freep) = vrms_lab_render_corosync(&setup, 0);

	ck_assert_ptr_null(strstr(text, "token"));
}
END_TEST

START_TEST(only_two_nodes_are_told_so)
{
	struct vrms_lab_setup two = setup_of(2, 0);
	struct vrms_lab_setup three = setup_of(3, 0);
	char *text_two VRMS_CLEANUP(vrms_freep) = vrms_lab_render_corosync(&two, 0);
	char *text_three VRMS_CLEANUP(vrms_freep) = vrms_lab_render_corosync(&three, 0);

	ck_assert_ptr_nonnull(strstr(text_two, "two_node: 1"));
	ck_assert_ptr_null(strstr(text_three, "two_node"));
}
END_TEST

START_TEST(many_nodes_share_the_processors_fairly)
{
	struct vrms_lab_setup few = setup_of(4, 0);
	struct vrms_lab_setup many = setup_of(5, 0);
	char *text_few VRMS_CLEANUP(vrms_freep) = vrms_lab_render_corosync(&few, 0);
	char *text_many VRMS_CLEANUP(vrms_freep) = vrms_lab_render_corosync(&many, 0);
	char *daemon_few VRMS_CLEANUP(vrms_freep) = vrms_lab_render_vrmsd(&few, 0);
	char *daemon_many VRMS_CLEANUP(vrms_freep) = vrms_lab_render_vrmsd(&many, 0);

	ck_assert(!vrms_lab_is_crowded(&few));
	ck_assert(vrms_lab_is_crowded(&many));
	ck_assert_ptr_nonnull(strstr(text_few, "sched_rr: yes"));
	ck_assert_ptr_nonnull(strstr(text_many, "sched_rr: no\n\tpriority: max\n"));
	ck_assert_ptr_nonnull(strstr(daemon_few, "realtime = yes\n"));
	ck_assert_ptr_nonnull(strstr(daemon_many, "realtime = no\n"));
}
END_TEST

START_TEST(labs_side_by_side_share_the_processors_fairly)
{
	struct vrms_lab_setup shared = setup_of(3, 0);

	shared.is_shared = true;
	char *text VRMS_CLEANUP(vrms_freep) = vrms_lab_render_corosync(&shared, 0);
	char *daemon VRMS_CLEANUP(vrms_freep) = vrms_lab_render_vrmsd(&shared, 0);

	ck_assert(vrms_lab_is_crowded(&shared));
	ck_assert_ptr_nonnull(strstr(text, "sched_rr: no\n\tpriority: max\n"));
	ck_assert_ptr_nonnull(strstr(daemon, "realtime = no\n"));
}
END_TEST

START_TEST(hosts_names_every_node_on_both_networks)
{
	struct vrms_lab_setup setup = setup_of(2, 0);
	char *text VRMS_CLEANUP(vrms_freep) = vrms_lab_render_hosts(&setup, 1);

	ck_assert_ptr_nonnull(strstr(text, "127.0.0.1\tlocalhost\n"));
	ck_assert_ptr_nonnull(strstr(text, "10.77.0.2\tnode2 node2-net0\n"));
	ck_assert_ptr_nonnull(strstr(text, "10.77.1.2\tnode2-net1\n"));
}
END_TEST

START_TEST(machine_ids_are_32_digits_and_differ)
{
	struct vrms_lab_setup here = setup_of(2, 0);
	struct vrms_lab_setup there = here;

	strcpy(there.id, "fedcba9876543210");
	char *first VRMS_CLEANUP(vrms_freep) = vrms_lab_render_machine_id(&here, 0);
	char *second VRMS_CLEANUP(vrms_freep) = vrms_lab_render_machine_id(&here, 1);
	char *elsewhere VRMS_CLEANUP(vrms_freep) = vrms_lab_render_machine_id(&there, 0);
	ck_assert_str_ne(first, second);
	ck_assert_str_ne(first, elsewhere);
	ck_assert_uint_eq(strlen(first), 33);
	for (size_t i = 0; i < 32; i++) {
		ck_assert(isxdigit((unsigned char)first[i]));
	}
}
END_TEST

START_TEST(host_uuids_differ_and_have_their_form)
{
	struct vrms_lab_setup setup = setup_of(2, 0);
	char *text VRMS_CLEANUP(vrms_freep) = vrms_lab_render_libvirtd(&setup, 1);

	ck_assert_ptr_nonnull(
	    strstr(text, "host_uuid = \"01234567-89ab-4cde-8def-000000000002\"\n"));
	ck_assert_ptr_nonnull(strstr(text, "listen_addr = \"10.77.0.2\"\n"));
}
END_TEST

START_TEST(guests_migrate_to_a_name_of_the_node)
{
	struct vrms_lab_setup setup = setup_of(2, 0);
	char *text VRMS_CLEANUP(vrms_freep) = vrms_lab_render_qemu(&setup, 1);

	ck_assert_ptr_nonnull(strstr(text, "migration_host = \"node2\"\n"));
	ck_assert_ptr_nonnull(strstr(text, "migration_address = \"10.77.0.2\"\n"));
}
END_TEST

START_TEST(only_nodes_with_a_storage_network_have_a_third_cable)
{
	struct vrms_lab_setup setup = setup_of(3, 0);
	char *without VRMS_CLEANUP(vrms_freep) = vrms_lab_render_addresses(&setup, 1);

	setup.has_iscsi = true;
	char *with VRMS_CLEANUP(vrms_freep) = vrms_lab_render_addresses(&setup, 1);
	ck_assert_ptr_null(strstr(without, "eth2"));
	ck_assert_ptr_nonnull(strstr(with, "addr add 10.77.2.2/24 dev eth2\nlink set eth2 up\n"));
}
END_TEST

START_TEST(libvirt_locks_only_where_it_is_told_to)
{
	struct vrms_lab_setup setup = setup_of(3, 0);
	char *without VRMS_CLEANUP(vrms_freep) = vrms_lab_render_qemu(&setup, 0);

	setup.has_locks = true;
	char *with VRMS_CLEANUP(vrms_freep) = vrms_lab_render_qemu(&setup, 0);
	ck_assert_ptr_null(strstr(without, "lock_manager"));
	ck_assert_ptr_nonnull(strstr(with, "lock_manager = \"lockd\"\n"));
}
END_TEST

START_TEST(the_first_cib_does_not_wait_for_a_dc)
{
	struct vrms_lab_setup setup = setup_of(3, 0);
	char *text VRMS_CLEANUP(vrms_freep) = vrms_lab_render_cib(&setup, 0);
	xmlDoc *document = xmlReadMemory(text, (int)strlen(text), NULL, NULL, 0);

	ck_assert_ptr_nonnull(document);
	ck_assert_str_eq((const char *)xmlDocGetRootElement(document)->name, "cib");
	ck_assert_ptr_nonnull(strstr(text, "name=\"dc-deadtime\" value=\"2s\""));
	xmlFreeDoc(document);
}
END_TEST

UNIT_MAIN("lab_render", each_node_has_two_links,
	  a_given_token_is_not_stretched_by_the_number_of_nodes,
	  without_a_token_corosync_has_its_default, only_two_nodes_are_told_so,
	  many_nodes_share_the_processors_fairly, labs_side_by_side_share_the_processors_fairly,
	  hosts_names_every_node_on_both_networks, machine_ids_are_32_digits_and_differ,
	  host_uuids_differ_and_have_their_form, guests_migrate_to_a_name_of_the_node,
	  only_nodes_with_a_storage_network_have_a_third_cable,
	  libvirt_locks_only_where_it_is_told_to, the_first_cib_does_not_wait_for_a_dc)
