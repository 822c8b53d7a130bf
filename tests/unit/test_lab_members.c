/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/members.h"

#include <errno.h>

#include "tests/unit/unit.h"

static const char three[] =
    "<pacemaker-result api-version=\"2.25\"><summary><stack type=\"corosync\"/></summary><nodes>"
    "<node name=\"node1\" id=\"1\" online=\"true\" standby=\"false\" pending=\"false\" "
    "unclean=\"false\" is_dc=\"true\"/>"
    "<node name=\"node2\" id=\"2\" online=\"true\" standby=\"false\" pending=\"true\" "
    "unclean=\"false\" is_dc=\"false\"/>"
    "<node name=\"node3\" id=\"3\" online=\"false\" standby=\"false\" pending=\"false\" "
    "unclean=\"true\" is_dc=\"false\"/>"
    "<node name=\"stranger\" id=\"9\" online=\"true\"/>"
    "</nodes></pacemaker-result>";

START_TEST(members_are_read)
{
	struct vrms_lab_member members[VRMS_LAB_NODES_MAX];

	ck_assert_int_eq(vrms_lab_members_parse(three, 3, members, NULL), 0);
	ck_assert(members[0].is_online && members[0].is_dc && !members[0].is_pending);
	ck_assert_str_eq(vrms_lab_member_name(&members[0]), "online");
	ck_assert_str_eq(vrms_lab_member_name(&members[1]), "pending");
	ck_assert_str_eq(vrms_lab_member_name(&members[2]), "unclean");
}
END_TEST

START_TEST(a_node_that_pacemaker_has_not_heard_of_is_unknown)
{
	struct vrms_lab_member members[VRMS_LAB_NODES_MAX];

	ck_assert_int_eq(vrms_lab_members_parse(three, 4, members, NULL), 0);
	ck_assert(!members[3].is_known && !members[3].is_online);
	ck_assert_str_eq(vrms_lab_member_name(&members[3]), "unknown");
}
END_TEST

START_TEST(an_answer_without_nodes_is_none)
{
	struct vrms_lab_member members[VRMS_LAB_NODES_MAX];
	static const char *const answers[] = {
	    "",
	    "crm_mon: error",
	    "<pacemaker-result><status code=\"102\"/></pacemaker-result>",
	    "<pacemaker-result><nodes>",
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(answers); i++) {
		ck_assert_int_eq(vrms_lab_members_parse(answers[i], 3, members, NULL), -EINVAL);
	}
}
END_TEST

UNIT_MAIN("lab_members", members_are_read, a_node_that_pacemaker_has_not_heard_of_is_unknown,
	  an_answer_without_nodes_is_none)
