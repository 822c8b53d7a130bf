/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/partition.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct vrms_lab_partition parse(const char *spec, int node_count)
{
	struct vrms_lab_partition partition = {.network = -2};
	struct vrms_error error = {.text = ""};

	ck_assert_msg(vrms_lab_partition_parse(spec, node_count, -1, &partition, &error) == 0, "%s",
		      error.text);
	return partition;
}

START_TEST(groups_are_read)
{
	struct vrms_lab_partition partition = parse("node1,node3 / node2", 3);

	ck_assert_int_eq(partition.group_count, 2);
	ck_assert_uint_eq(partition.groups[0], 0x5);
	ck_assert_uint_eq(partition.groups[1], 0x2);
}
END_TEST

START_TEST(blanks_do_not_matter)
{
	struct vrms_lab_partition partition = parse("  node1 , node3/node2 ", 3);

	ck_assert_int_eq(partition.group_count, 2);
	ck_assert_uint_eq(partition.groups[0], 0x5);
}
END_TEST

START_TEST(nodes_that_are_not_named_form_one_more_group)
{
	struct vrms_lab_partition partition = parse("node2", 4);

	ck_assert_int_eq(partition.group_count, 2);
	ck_assert_uint_eq(partition.groups[0], 0x2);
	ck_assert_uint_eq(partition.groups[1], 0xd);
}
END_TEST

START_TEST(every_node_may_be_alone_in_the_largest_lab)
{
	char spec[VRMS_LAB_NODES_MAX * 12] = "node1";

	for (int i = 1; i < VRMS_LAB_NODES_MAX; i++) {
		size_t length = strlen(spec);
		snprintf(spec + length, sizeof(spec) - length, "/node%d", i + 1);
	}
	struct vrms_lab_partition partition = parse(spec, VRMS_LAB_NODES_MAX);
	ck_assert_int_eq(partition.group_count, VRMS_LAB_NODES_MAX);
	ck_assert_uint_eq(partition.groups[31], UINT32_C(1) << 31);
}
END_TEST

START_TEST(nonsense_is_refused_and_quoted)
{
	static const char *const specs[] = {
	    "",
	    "/",
	    "node1 /",
	    "/ node1",
	    "node1 // node2",
	    "node9",
	    "node1,node1",
	    "node1 / node1",
	    "node1,node2,node3",
	    "node1;node2",
	    "node1 / node2 / node3 / node1",
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(specs); i++) {
		struct vrms_lab_partition partition = {.group_count = 77};
		struct vrms_error error = {.text = ""};

		ck_assert_int_eq(vrms_lab_partition_parse(specs[i], 3, -1, &partition, &error),
				 -EINVAL);
		ck_assert_int_eq(partition.group_count, 77);
		ck_assert_msg(strstr(error.text, specs[i]) != NULL, "%s", error.text);
	}
}
END_TEST

START_TEST(there_are_two_networks)
{
	struct vrms_lab_partition partition;

	ck_assert_int_eq(vrms_lab_partition_parse("node1", 3, 2, &partition, NULL), -ERANGE);
	ck_assert_int_eq(vrms_lab_partition_parse("node1", 3, 1, &partition, NULL), 0);
}
END_TEST

START_TEST(what_is_printed_is_read_again)
{
	struct vrms_lab_partition partition = parse("node3 / node1,node2", 3);
	char *text VRMS_CLEANUP(vrms_freep) = vrms_lab_partition_print(&partition);

	ck_assert_str_eq(text, "node3 / node1,node2");
}
END_TEST

START_TEST(nobody_is_heard_in_either_direction)
{
	struct vrms_lab_partition partition = parse("node1 / node2,node3", 3);
	char *rules VRMS_CLEANUP(vrms_freep) = vrms_lab_partition_rules(&partition);

	ck_assert_ptr_nonnull(strstr(rules, "iifname {\"n1-0\"} oifname {\"n2-0\",\"n3-0\"} drop"));
	ck_assert_ptr_nonnull(strstr(rules, "iifname {\"n2-0\",\"n3-0\"} oifname {\"n1-0\"} drop"));
	ck_assert_ptr_nonnull(strstr(rules, "iifname {\"n1-1\"} oifname {\"n2-1\",\"n3-1\"} drop"));
	ck_assert_ptr_null(strstr(rules, "iifname {\"n2-0\",\"n3-0\"} oifname {\"n2-0\""));
}
END_TEST

START_TEST(one_network_can_be_split_alone)
{
	struct vrms_lab_partition partition = parse("node1", 3);
	partition.network = 1;
	char *rules VRMS_CLEANUP(vrms_freep) = vrms_lab_partition_rules(&partition);

	ck_assert_ptr_nonnull(strstr(rules, "n1-1"));
	ck_assert_ptr_null(strstr(rules, "n1-0"));
}
END_TEST

START_TEST(no_groups_let_everything_through)
{
	const struct vrms_lab_partition whole = {.network = -1};
	char *rules VRMS_CLEANUP(vrms_freep) = vrms_lab_partition_rules(&whole);

	ck_assert_ptr_null(strstr(rules, "drop"));
	ck_assert_ptr_nonnull(strstr(rules, "delete table bridge lab"));
}
END_TEST

UNIT_MAIN("lab_partition", groups_are_read, blanks_do_not_matter,
	  nodes_that_are_not_named_form_one_more_group, every_node_may_be_alone_in_the_largest_lab,
	  nonsense_is_refused_and_quoted, there_are_two_networks, what_is_printed_is_read_again,
	  nobody_is_heard_in_either_direction, one_network_can_be_split_alone,
	  no_groups_let_everything_through)
