/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "placement/import.h"
#include "placement/planner.h"
#include "tests/unit/unit.h"

static struct vrms_model *read_well(const char *text)
{
	struct vrms_model *model = NULL;
	struct vrms_error error = {""};

	ck_assert_msg(vrms_import_text(text, "state", NULL, &model, &error) == 0, "%s", error.text);
	return model;
}

/* The text is refused, with exactly this message. */
static void refuse(const char *text, const char *message)
{
	struct vrms_model *model = NULL;
	struct vrms_error error = {""};

	ck_assert_int_lt(vrms_import_text(text, "state", NULL, &model, &error), 0);
	ck_assert_str_eq(error.text, message);
	ck_assert_ptr_null(model);
}

#define HEAD "{\"version\": 1, \"dimensions\": [{\"name\": \"memory\"}],\n"
#define NODE "\"nodes\": [{\"name\": \"n1\", \"capacity\": {\"memory\": 8}}],\n"

START_TEST(the_shipped_example_is_read)
{
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = NULL;
	struct vrms_error error = {""};
	int rc = vrms_import_file(EXAMPLES "/state.json", NULL, &model, &error);

	ck_assert_msg(rc == 0, "%s", error.text);
	ck_assert_int_eq(vrms_model_node_count(model), 4);
	ck_assert_int_eq(vrms_model_vm_count(model), 10);
	ck_assert_int_eq(vrms_model_vm_host(model, vrms_model_find_vm(model, "cache")),
			 vrms_model_find_node(model, "elm"));
}
END_TEST

START_TEST(bad_json_names_line_and_key)
{
	refuse("{\"version\": 1,\n \"nodes\": [{\"name\": \"n1\",\n  \"capacity\": {\"mem",
	       "state:3: after key 'capacity': premature end of input near '\"mem'");
	refuse(HEAD NODE "\"vms\": [{\"name\": \"a\", \"host\": \"n9\"}]}",
	       "state:3: vm 'a': unknown node 'n9'");
	refuse(HEAD NODE "\"vms\": [{\"name\": \"a\", \"prio\": 1}]}",
	       "state:3: vm 'a': unknown key 'prio'");
	refuse(HEAD NODE "\"vms\": [{\"name\": \"a\", \"demand\": {\"memory\": -1}}]}",
	       "state:3: vm 'a': demand: memory of -1: must be 0 to 9007199254740992");
	refuse(HEAD NODE "\"vms\": [{\"name\": \"a\", \"demand\": {\"cpu\": 1}}]}",
	       "state:3: vm 'a': demand: 'cpu': unknown dimension");
	refuse(HEAD NODE "\"vms\": [{\"name\": \"a\"},\n{\"name\": \"a\"}]}",
	       "state:4: vm 'a': declared twice");
	refuse(HEAD NODE "\"rules\": [{\"name\": \"r\", \"type\": \"deny\", \"nodes\": [\"n7\"]}]}",
	       "state:3: rule 'r': unknown node 'n7'");
	refuse(HEAD "\"nodes\": [{\"name\": \"n1\"}, {\"name\": \"n1\"}]}",
	       "state:2: node 'n1': declared twice");
	refuse(HEAD NODE
	       "\"vms\": [{\"name\": \"a\", \"demand\": {\"memory\": 9007199254740993}}]}",
	       "state:3: vm 'a': demand: memory of 9007199254740993: must be 0 to "
	       "9007199254740992");
	refuse(HEAD NODE "\"vms\": [{\"name\": \"a\"}],\n\"rules\": [{\"name\": \"r\", \"type\": "
			 "\"allow\", \"vms\": [\"a\"], \"nodes\": [\"n1\"]},\n{\"name\": \"s\", "
			 "\"type\": \"deny\", \"vms\": [\"a\"], \"nodes\": [\"n1\"]}]}",
	       "state: rules contradict each other: 's' leave no node for vm 'a'");
	refuse("{\"version\": 2}", "state: version: must be 1");
	refuse("", "state: the file is empty");
}
END_TEST

START_TEST(a_json_state_cut_anywhere_is_an_error_not_a_crash)
{
	static const char whole[] = HEAD NODE
	    "\"vms\": [{\"name\": \"a\", \"host\": \"n1\", \"demand\": {\"memory\": 4}}],\n"
	    "\"rules\": [{\"name\": \"r\", \"type\": \"apart\", \"vms\": [\"a\"]}]}";

	vrms_model_free(read_well(whole));
	for (size_t size = 1; size + 1 < sizeof(whole) - 1; size++) {
		char part[sizeof(whole)];
		struct vrms_model *model = NULL;
		struct vrms_error error = {""};

		memcpy(part, whole, size);
		part[size] = '\0';
		ck_assert_int_lt(vrms_import_text(part, "state", NULL, &model, &error), 0);
		ck_assert_int_eq(strncmp(error.text, "state:", 6), 0);
	}
}
END_TEST

static const char ganeti[] = "g|uuid-1|preferred||\n"
			     "\n"
			     "n1|1000|100|400|10|10|4|N|uuid-1|1|rack:a\n"
			     "n2|1000|100|900|10|10|4|Y|uuid-1|1|rack:b\n"
			     "n3|1000|100|900|10|10|4|M|uuid-1|1|rack:b\n"
			     "\n"
			     "shared|300|0|2|running|Y|n1||ext|web:1|1\n"
			     "mirror|100|0|1|running|Y|n2|n3|drbd|web:1|1\n"
			     "local|100|0|1|running|Y|n1||plain||1\n"
			     "off|100|0|1|ADMIN_down|Y|n1||plain||1\n"
			     "\n"
			     "htools:iextags:web\n"
			     "htools:nlocation:rack\n";

START_TEST(ganeti_text_is_read)
{
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = read_well(ganeti);
	struct vrms_planner *planner VRMS_CLEANUP(vrms_planner_freep) = vrms_planner_new(model);
	struct vrms_outcome *outcome VRMS_CLEANUP(vrms_outcome_freep) = vrms_outcome_new(model);

	ck_assert_int_eq(vrms_model_vm_count(model), 3);
	ck_assert_int_eq(vrms_model_node_state(model, 1), VRMS_NODE_OFFLINE);
	vrms_planner_fail(planner, NULL, 0, outcome);
	ck_assert_int_eq(outcome->move_count, 1); /* the mirrored one goes to its other node */
	ck_assert_int_eq(outcome->moves[0].to, 2);
	ck_assert_int_eq(outcome->before[0], 600); /* total less free */
}
END_TEST

START_TEST(bad_ganeti_text_names_the_line)
{
	refuse("g|uuid-1|preferred||\n\nn1|1000|x|400|10|10|4|N|uuid-1|1\n\n",
	       "state:3: 'n1': memory of the node: \"x\" is not an integer");
	refuse("g|uuid-1|preferred||\n\nn1|1000|1|400|10|10|4|N|uuid-9|1\n\n",
	       "state:3: node 'n1': unknown group 'uuid-9'");
	refuse("g|uuid-1|preferred||\n\nn1|1000|1|400|10|10|4|N|uuid-1|1\n\n"
	       "i|100|0|1|running|Y|n7||ext||1\n",
	       "state:5: vm 'i': unknown primary node 'n7'");
	/* Cut off in the middle, an amount below 0 or too large, a name that comes twice. */
	refuse("g|uuid-1|preferred||\n\nn1|1000|1|400|10|10|4|N|uuid-1|1\n\ni|100|0",
	       "state:5: cut off: the line has no end");
	refuse("g|uuid-1|preferred||\n\nn1|1000|1|400|10|10|4|N|uuid-1|1\n\n"
	       "i|-100|0|1|running|Y|n1||ext||1\n",
	       "state:5: 'i': memory: \"-100\" is not between 0 and 9007199254740992");
	refuse("g|uuid-1|preferred||\n\nn1|99999999999999999999|1|400|10|10|4|N|uuid-1|1\n\n",
	       "state:3: 'n1': total memory: \"99999999999999999999\" is not between 0 and "
	       "9007199254740992");
	refuse("g|uuid-1|preferred||\n\nn1|1000|1|400|10|10|4|N|uuid-1|1\n\n"
	       "i|100|0|1|running|Y|n1||ext||1\ni|100|0|1|running|Y|n1||ext||1\n",
	       "state:6: vm 'i': declared twice");
	refuse("nonsense\n", "state:1: group with 1 fields: needs at least 2");
}
END_TEST

#define CIB_HEAD                                                                            \
	"<cib><configuration><crm_config/>\n<nodes>"                                        \
	"<node id=\"1\" uname=\"n1\"><utilization id=\"u1\">"                               \
	"<nvpair id=\"m1\" name=\"memory\" value=\"8\"/></utilization>"                     \
	"<instance_attributes id=\"a1\"><nvpair id=\"r1\" name=\"rack\" value=\"x\"/>"      \
	"</instance_attributes></node>\n"                                                   \
	"<node id=\"2\" uname=\"n2\"><utilization id=\"u2\">"                               \
	"<nvpair id=\"m2\" name=\"memory\" value=\"8\"/></utilization></node></nodes>\n"    \
	"<resources>"                                                                       \
	"<primitive id=\"a\" class=\"ocf\" provider=\"vrms\" type=\"VirtualMachine\">"      \
	"<meta_attributes id=\"am\"><nvpair id=\"ap\" name=\"priority\" value=\"7\"/>"      \
	"</meta_attributes><utilization id=\"au\">"                                         \
	"<nvpair id=\"aum\" name=\"memory\" value=\"4\"/></utilization></primitive>\n"      \
	"<primitive id=\"b\" class=\"ocf\" provider=\"heartbeat\" type=\"VirtualDomain\"/>" \
	"<primitive id=\"ip\" class=\"ocf\" provider=\"heartbeat\" type=\"IPaddr2\"/>"      \
	"</resources>\n<constraints>"
#define CIB_STATUS                                                                           \
	"</constraints></configuration><status>\n"                                           \
	"<node_state id=\"1\" uname=\"n1\" in_ccm=\"true\" crmd=\"online\"><lrm id=\"1\">"   \
	"<lrm_resources><lrm_resource id=\"a\">"                                             \
	"<lrm_rsc_op id=\"1\" operation=\"start\" call-id=\"5\" rc-code=\"0\"/>"             \
	"<lrm_rsc_op id=\"2\" operation=\"stop\" call-id=\"9\" rc-code=\"0\"/>"              \
	"</lrm_resource><lrm_resource id=\"b\">"                                             \
	"<lrm_rsc_op id=\"3\" operation=\"monitor\" call-id=\"3\" rc-code=\"7\"/>"           \
	"</lrm_resource></lrm_resources></lrm></node_state>\n"                               \
	"<node_state id=\"2\" uname=\"n2\" in_ccm=\"false\" crmd=\"offline\"><lrm id=\"2\">" \
	"<lrm_resources><lrm_resource id=\"a\">"                                             \
	"<lrm_rsc_op id=\"4\" operation=\"migrate_from\" call-id=\"8\" rc-code=\"0\"/>"      \
	"</lrm_resource></lrm_resources></lrm></node_state></status></cib>\n"

START_TEST(a_cib_tells_where_vms_ran)
{
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = read_well(CIB_HEAD CIB_STATUS);

	ck_assert_int_eq(vrms_model_vm_count(model), 2); /* an address is no VM */
	ck_assert_int_eq(vrms_model_node_state(model, 1), VRMS_NODE_OFFLINE);
	ck_assert_int_eq(vrms_model_vm_host(model, 0), 1); /* where it had been migrated to */
	ck_assert_int_eq(vrms_model_vm_host(model, 1), VRMS_NODE_NONE);
	ck_assert_int_eq(vrms_model_vm_priority(model, 0), 7);
	ck_assert_int_eq(vrms_model_vm_demand(model, 0, 0), 4);
}
END_TEST

/* The nodes that the VM is kept from, as bits. */
static unsigned denied(struct vrms_model *model, const char *vm)
{
	unsigned bits = 0;

	for (int n = 0; n < vrms_model_node_count(model); n++) {
		struct vrms_planner *planner VRMS_CLEANUP(vrms_planner_freep) =
		    vrms_planner_new(model);
		struct vrms_outcome *outcome VRMS_CLEANUP(vrms_outcome_freep) =
		    vrms_outcome_new(model);
		int others[2], count = 0, at;

		for (int k = 0; k < vrms_model_node_count(model); k++) {
			if (k != n) {
				others[count++] = k;
			}
		}
		vrms_planner_fail(planner, others, count, outcome);
		at = vrms_planner_where(planner, vrms_model_find_vm(model, vm));
		bits |= at == n ? 0 : 1U << n;
	}
	return bits;
}

#define TWO_UP                                                                              \
	"</constraints></configuration><status>"                                            \
	"<node_state id=\"1\" uname=\"n1\" crmd=\"online\"/>"                               \
	"<node_state id=\"2\" uname=\"n2\" crmd=\"online\"><transient_attributes id=\"2\">" \
	"<instance_attributes id=\"t2\"><nvpair id=\"t2h\" name=\"health\" value=\"10\"/>"  \
	"</instance_attributes></transient_attributes></node_state></status></cib>\n"

static unsigned denied_by(const char *constraint, const char *vm)
{
	char text[8192];

	snprintf(text, sizeof(text), "%s%s%s", CIB_HEAD, constraint, TWO_UP);
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = read_well(text);

	return denied(model, vm);
}

#define DENY(rules)                                                                  \
	"<rsc_location id=\"l\" rsc=\"a\"><rule id=\"r\" score=\"-INFINITY\" " rules \
	"</rule></rsc_location>"
#define WHEN(attribute, operation, value) \
	"<expression id=\"e\" attribute=\"" attribute "\" operation=\"" operation "\" " value "/>"

START_TEST(rules_on_node_attributes_are_decided_for_each_node)
{
	ck_assert_uint_eq(denied_by(DENY(">" WHEN("#uname", "eq", "value=\"n2\"")), "a"), 2);
	ck_assert_uint_eq(denied_by(DENY(">" WHEN("#uname", "ne", "value=\"n2\"")), "a"), 1);
	ck_assert_uint_eq(denied_by(DENY(">" WHEN("rack", "eq", "value=\"x\"")), "a"), 1);
	ck_assert_uint_eq(denied_by(DENY(">" WHEN("rack", "not_defined", "")), "a"), 2);
	ck_assert_uint_eq(denied_by(DENY(">" WHEN("rack", "defined", "")), "a"), 1);
	/* What the node has until it restarts counts, too; 10 is more than 9. */
	ck_assert_uint_eq(denied_by(DENY(">" WHEN("health", "gt", "value=\"9\"")), "a"), 2);
	ck_assert_uint_eq(denied_by(DENY(">" WHEN("health", "lte", "value=\"9\"")), "a"), 0);
	ck_assert_uint_eq(denied_by(DENY("boolean-op=\"or\">" WHEN("rack", "defined", "")
					     WHEN("health", "lt", "value=\"5\"")),
				    "a"),
			  1);
	ck_assert_uint_eq(
	    denied_by(DENY(">" WHEN("rack", "defined", "") WHEN("health", "defined", "")), "a"), 0);
}
END_TEST

START_TEST(a_rule_with_dates_is_noted_and_left_to_pacemaker)
{
	struct vrms_import_notes notes;
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = NULL;
	struct vrms_error error = {""};

	ck_assert_int_eq(vrms_import_text(CIB_HEAD DENY(
					      "><date_expression id=\"d\" operation=\"gt\" "
					      "start=\"2020-01-01\"/>") TWO_UP,
					  "state", &notes, &model, &error),
			 0);
	ck_assert_int_eq(notes.count, 1);
	ck_assert_str_eq(notes.text[0], "state:6: constraint 'l': a rule with dates, roles or "
					"scores from attributes");
	ck_assert_uint_eq(denied(model, "a"), 0);
}
END_TEST

START_TEST(patterns_name_resources)
{
	ck_assert_uint_eq(denied_by("<rsc_location id=\"l\" rsc-pattern=\"^[ax]$\" node=\"n1\" "
				    "score=\"-INFINITY\"/>",
				    "a"),
			  1);
	ck_assert_uint_eq(denied_by("<rsc_location id=\"l\" rsc-pattern=\"^[ax]$\" node=\"n1\" "
				    "score=\"-INFINITY\"/>",
				    "b"),
			  0);
	refuse(CIB_HEAD "<rsc_location id=\"l\" rsc-pattern=\"(\" node=\"n1\" score=\"1\"/>" TWO_UP,
	       "state:6: constraint 'l': rsc-pattern '('");
}
END_TEST

START_TEST(a_constraint_on_a_member_holds_for_its_group)
{
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = read_well(
	    "<cib><configuration><crm_config/><nodes><node id=\"1\" uname=\"n1\"/>"
	    "<node id=\"2\" uname=\"n2\"/></nodes><resources><group id=\"g\">"
	    "<primitive id=\"vm\" class=\"ocf\" provider=\"vrms\" type=\"VirtualMachine\"/>"
	    "<primitive id=\"ip\" class=\"ocf\" provider=\"heartbeat\" type=\"IPaddr2\"/>"
	    "</group></resources><constraints><rsc_location id=\"l\" rsc=\"ip\" node=\"n2\" "
	    "score=\"-INFINITY\"/>" TWO_UP);

	ck_assert_uint_eq(denied(model, "g"), 2);
}
END_TEST

START_TEST(any_attribute_that_a_colocation_names_is_a_failure_domain)
{
	static const char apart[] =
	    "<rsc_colocation id=\"c\" rsc=\"a\" with-rsc=\"b\" score=\"-INFINITY\" "
	    "node-attribute=\"%s\"/>";
	char text[8192], constraint[256];
	struct vrms_import_notes notes;
	struct vrms_error error = {""};

	for (int known = 0; known < 2; known++) {
		struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = NULL;

		snprintf(constraint, sizeof(constraint), apart, known ? "rack" : "building");
		snprintf(text, sizeof(text), "%s%s%s", CIB_HEAD, constraint, TWO_UP);
		ck_assert_int_eq(vrms_import_text(text, "state", &notes, &model, &error), 0);
		ck_assert_int_eq(notes.count, known ? 0 : 1);
	}
}
END_TEST

START_TEST(bad_cibs_name_the_line)
{
	refuse(CIB_HEAD "<rsc_location id=\"l\" rsc=\"a\" node=\"n9\" score=\"1\"/>" CIB_STATUS,
	       "state:6: constraint 'l': unknown node 'n9'");
	refuse(CIB_HEAD "<rsc_location id=\"l\" rsc=\"a\" node=\"n1\" score=\"much\"/>" CIB_STATUS,
	       "state:6: score: \"much\" is not an integer");
	refuse(CIB_HEAD
	       "<rsc_location id=\"l1\" rsc=\"a\" node=\"n1\" score=\"-INFINITY\"/>"
	       "<rsc_location id=\"l2\" rsc=\"a\" node=\"n2\" score=\"-INFINITY\"/>" CIB_STATUS,
	       "state: rules contradict each other: 'l1', 'l2' leave no node for vm 'a'");
	refuse("<cib><configuration><nodes><node id=\"1\" uname=\"n1\"/>\n<node id=\"2\" "
	       "uname=\"n1\"/></nodes></configuration></cib>",
	       "state:2: node 'n1': declared twice");
	refuse("<cib><configuration><nodes>\n<node id=\"1\" uname=\"n1\"><utilization id=\"u\">\n"
	       "<nvpair id=\"m\" name=\"memory\" value=\"-5\"/></utilization></node></nodes>"
	       "</configuration></cib>",
	       "state:3: utilization 'memory': \"-5\" is not between 0 and 9007199254740992");
	refuse("<cib><configuration><nodes>\n<node id=\"1\" uname=\"n1\">",
	       "state:2: Premature end of data in tag node line 2");
	refuse("<html/>", "state:1: not a CIB: <html> where <cib> is expected");
}
END_TEST

UNIT_MAIN("placement_import", the_shipped_example_is_read, bad_json_names_line_and_key,
	  a_json_state_cut_anywhere_is_an_error_not_a_crash, ganeti_text_is_read,
	  bad_ganeti_text_names_the_line, a_cib_tells_where_vms_ran,
	  rules_on_node_attributes_are_decided_for_each_node,
	  a_rule_with_dates_is_noted_and_left_to_pacemaker, patterns_name_resources,
	  a_constraint_on_a_member_holds_for_its_group,
	  any_attribute_that_a_colocation_names_is_a_failure_domain, bad_cibs_name_the_line)
