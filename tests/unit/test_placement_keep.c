/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists and moves in a CIB: read back, judged, taken out. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "placement/cib_steer.h"
#include "placement/cib_write.h"
#include "placement/import.h"
#include "placement/keep.h"
#include "tests/unit/unit.h"

enum { NODES = 4, VMS = 8, CELLS = VMS * VRMS_LIST_MAX };

static struct vrms_error error;

/* VM v runs on host[v] (a digit; 'x': nowhere) and needs demand[v]; nodes have 100 each. */
static char *cib_of(const char *host, const int demand[VMS])
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs("<cib epoch=\"1\" num_updates=\"5\" have-quorum=\"1\" dc-uuid=\"2\"><configuration>"
	      "<crm_config/><nodes>",
	      out);
	for (int n = 0; n < NODES; n++) {
		fprintf(out,
			"<node id=\"%d\" uname=\"n%d\"><utilization id=\"u%d\"><nvpair "
			"id=\"m%d\" name=\"memory\" value=\"100\"/></utilization></node>",
			n, n, n, n);
	}
	fputs("</nodes><resources>", out);
	for (int v = 0; v < (int)strlen(host); v++) {
		fprintf(out,
			"<primitive id=\"v%d\" class=\"ocf\" provider=\"vrms\" "
			"type=\"VirtualMachine\"><meta_attributes id=\"a%d\"><nvpair id=\"l%d\" "
			"name=\"allow-migrate\" value=\"true\"/></meta_attributes><utilization "
			"id=\"vu%d\"><nvpair id=\"vm%d\" name=\"memory\" value=\"%d\"/>"
			"</utilization></primitive>",
			v, v, v, v, v, demand[v]);
	}
	fputs("</resources><constraints/></configuration><status>", out);
	for (int n = 0; n < NODES; n++) {
		fprintf(out,
			"<node_state id=\"%d\" uname=\"n%d\" crmd=\"online\" in_ccm=\"true\"><lrm "
			"id=\"%d\"><lrm_resources>",
			n, n, n);
		for (int v = 0; v < (int)strlen(host); v++) {
			fprintf(out,
				"<lrm_resource id=\"v%d\"><lrm_rsc_op id=\"v%d_last_0\" "
				"operation=\"monitor\" call-id=\"%d\" rc-code=\"%d\"/>"
				"</lrm_resource>",
				v, v, v + 1, host[v] == '0' + n ? 0 : 7);
		}
		fputs("</lrm_resources></lrm></node_state>", out);
	}
	fputs("</status></cib>", out);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static struct vrms_model *model_of(const char *cib)
{
	struct vrms_model *model = NULL;

	ck_assert_msg(vrms_import_text(cib, "cib", NULL, &model, &error) == 0, "%s", error.text);
	return model;
}

static struct vrms_failover *lists_of(const struct vrms_model *model)
{
	struct vrms_failover_config config;

	vrms_failover_config_default(&config, model);
	return vrms_failover_new(model, NULL, &config);
}

static const int even[VMS] = {10, 10, 10, 10, 10, 10, 10, 10};

/* What is written for `host` is read back into lists[]. */
static void write_and_read(const char *host, const int *demand, int lists[CELLS])
{
	char *cib VRMS_CLEANUP(vrms_freep) = cib_of(host, demand);
	char *planned VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = model_of(cib);
	struct vrms_failover *fresh VRMS_CLEANUP(vrms_failover_freep) = lists_of(model);

	ck_assert_int_eq(vrms_cib_write(cib, model, fresh, &(struct vrms_cib_write_config){0},
					&planned, &error),
			 0);
	ck_assert_int_eq(vrms_cib_read_lists(planned, model, lists, &error), 0);
	for (int v = 0; v < vrms_model_vm_count(model); v++) {
		int count;
		const int *list = vrms_failover_list(fresh, v, &count);

		ck_assert_int_eq(count, 3);
		for (int i = 0; i < VRMS_LIST_MAX; i++) {
			ck_assert_int_eq(lists[v * VRMS_LIST_MAX + i],
					 i < count ? list[i] : VRMS_NODE_NONE);
		}
	}
}

/* The verdict about lists[] when things are as told here. */
static struct vrms_keep_verdict judge(const int *lists, const char *host, const int *demand)
{
	char *cib VRMS_CLEANUP(vrms_freep) = cib_of(host, demand);
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = model_of(cib);
	struct vrms_failover *fresh VRMS_CLEANUP(vrms_failover_freep) = lists_of(model);
	struct vrms_keep_verdict verdict;

	ck_assert_int_eq(vrms_keep_judge(model, lists, fresh, 0.05, &verdict), 0);
	verdict.name = NULL; /* the model is gone in a moment */
	return verdict;
}

START_TEST(lists_just_written_are_good)
{
	int lists[CELLS];

	write_and_read("00112233", even, lists);
	ck_assert_int_eq(judge(lists, "00112233", even).reason, VRMS_KEEP_GOOD);
}
END_TEST

START_TEST(a_little_more_load_is_not_worth_new_lists_and_much_is)
{
	static const int little[VMS] = {10, 10, 10, 10, 10, 10, 10, 11};
	static const int much[VMS] = {60, 10, 10, 10, 10, 10, 10, 10};
	int lists[CELLS];

	write_and_read("00112233", even, lists);
	ck_assert_int_eq(judge(lists, "00112233", little).reason, VRMS_KEEP_GOOD);
	/* Both VMs of n0 to one host. */
	lists[1 * VRMS_LIST_MAX] = lists[0];
	lists[1 * VRMS_LIST_MAX + 1] = lists[1];
	lists[1 * VRMS_LIST_MAX + 2] = lists[2];
	ck_assert_int_eq(judge(lists, "00112233", much).reason, VRMS_KEEP_LOAD);
}
END_TEST

START_TEST(a_vm_that_moved_onto_its_list_or_came_new_needs_new_lists)
{
	char host[] = "00112233";
	int lists[CELLS];

	write_and_read(host, even, lists);
	host[0] = (char)('0' + lists[0]);
	ck_assert_int_eq(judge(lists, host, even).reason, VRMS_KEEP_VM_SHORT);
	for (int i = 0; i < VRMS_LIST_MAX; i++) {
		lists[3 * VRMS_LIST_MAX + i] = VRMS_NODE_NONE;
	}
	ck_assert_int_eq(judge(lists, "00112233", even).reason, VRMS_KEEP_VM_NEW);
	for (int i = 0; i < CELLS; i++) {
		lists[i] = VRMS_NODE_NONE;
	}
	ck_assert_int_eq(judge(lists, "00112233", even).reason, VRMS_KEEP_NONE);
}
END_TEST

START_TEST(a_vm_that_would_stay_down_needs_new_lists)
{
	static const int big[VMS] = {50, 1, 40, 1, 60, 1, 50, 1};
	int lists[CELLS];

	write_and_read("00112233", big, lists);
	ck_assert_int_eq(judge(lists, "00112233", big).reason, VRMS_KEEP_GOOD);
	/* n0 -> n2 only, where 60 + 50 do not fit. */
	lists[0] = lists[1] = lists[2] = 2;
	ck_assert_int_eq(judge(lists, "00112233", big).reason, VRMS_KEEP_DOWN);
}
END_TEST

/* What _write() says when `part` stands where the CIB has `place`. */
static int write_with(const char *place, const char *part)
{
	char *cib VRMS_CLEANUP(vrms_freep) = cib_of("00112233", even);
	char *changed VRMS_CLEANUP(vrms_freep) = NULL, *planned VRMS_CLEANUP(vrms_freep) = NULL;
	char *at = strstr(cib, place);

	ck_assert_ptr_nonnull(at);
	ck_assert_int_gt(asprintf(&changed, "%.*s%s%s", (int)(at - cib), cib, part,
				  at + strlen(place)),
			 0);
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = model_of(changed);
	struct vrms_failover *fresh VRMS_CLEANUP(vrms_failover_freep) = lists_of(model);

	return vrms_cib_write(changed, model, fresh, &(struct vrms_cib_write_config){0}, &planned,
			      &error);
}

#define STICKY(value) "<nvpair id=\"s\" name=\"resource-stickiness\" value=\"" value "\"/>"
#define DEFAULTS(value)                                                                 \
	"<rsc_defaults><meta_attributes id=\"d\">" STICKY(value) "</meta_attributes></" \
								 "rsc_defaults>"
#define END "</configuration>"

START_TEST(lists_that_would_move_a_running_vm_are_refused)
{
	ck_assert_int_eq(write_with(END, DEFAULTS("81") END), 0);
	ck_assert_int_eq(write_with(END, DEFAULTS("INFINITY") END), 0);
	ck_assert_int_eq(write_with(END, DEFAULTS("80") END), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.text, "vm 'v0': resource-stickiness of 80: must be "
						 "above 80, or it would leave 'n0' for 'n"));
	/* One VM of its own mind. */
	ck_assert_int_eq(write_with("<nvpair id=\"l3\"", STICKY("0") "<nvpair id=\"l3\""), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.text, "vm 'v3'"));
	/* What an admin's preference adds. */
	ck_assert_int_eq(
	    write_with("<constraints/></configuration>",
		       "<constraints><rsc_location id=\"l\" rsc=\"v0\" node=\"n1\" score=\"500\"/>"
		       "</constraints>" DEFAULTS("550") END),
	    -EINVAL);
}
END_TEST

static int count_of(const char *text, const char *part)
{
	int count = 0;

	for (const char *at = text; (at = strstr(at, part)) != NULL; at++) {
		count++;
	}
	return count;
}

START_TEST(moves_are_written_once_expire_and_are_no_rules)
{
	const struct vrms_cib_move moves[] = {{"v0", "n3"}, {"v1", "n2"}};
	const struct vrms_cib_steering steering = {.moves = moves,
						   .move_count = 2,
						   .until = "2030-01-01T00:00:00Z",
						   .close = "n0"};
	char *cib VRMS_CLEANUP(vrms_freep) = cib_of("00112233", even);
	char *moved VRMS_CLEANUP(vrms_freep) = NULL, *again = NULL;
	struct vrms_cib_facts facts;

	ck_assert_int_eq(vrms_cib_steer(cib, &steering, &moved, &error), 0);
	ck_assert_ptr_nonnull(strstr(moved, "epoch=\"2\""));
	ck_assert_int_eq(vrms_cib_steer(moved, &steering, &again, &error), 0);
	ck_assert_ptr_null(again);
	ck_assert_int_eq(vrms_cib_facts_read(moved, &facts, &error), 0);
	ck_assert_int_eq(facts.moves, 2);
	ck_assert_str_eq(facts.until, "2030-01-01T00:00:00Z");
	ck_assert_str_eq(facts.controller, "n2");
	ck_assert(facts.has_quorum && !facts.has_lists);

	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = model_of(moved);

	ck_assert_int_eq(vrms_model_node_state(model, 0), VRMS_NODE_STANDBY);

	const struct vrms_cib_steering none = {.reopen = "n0"};

	ck_assert_int_eq(vrms_cib_steer(moved, &none, &again, &error), 0);
	ck_assert_int_eq(count_of(again, VRMS_CIB_MOVE_PREFIX), 0);
	ck_assert_int_eq(count_of(again, "standby"), 0);
	free(again);
}
END_TEST

START_TEST(the_order_of_attributes_and_blanks_between_elements_mean_nothing)
{
	const struct vrms_cib_move move = {"v0", "n3"};
	const struct vrms_cib_steering steering = {.moves = &move,
						   .move_count = 1,
						   .until = "2030-01-01T00:00:00Z"};
	static const char there[] =
	    "<cib epoch=\"1\"><configuration><constraints>\n  <rsc_location rsc=\"v0\" "
	    "id=\"vrms-move-v0\">\n <rule boolean-op=\"and\" score=\"INFINITY\" "
	    "id=\"vrms-move-v0-rule\">\n <expression id=\"vrms-move-v0-node\" value=\"n3\" "
	    "operation=\"eq\" attribute=\"#uname\"/>\n<date_expression id=\"vrms-move-v0-end\" "
	    "end=\"2030-01-01T00:00:00Z\" operation=\"lt\"/> </rule></rsc_location>\n"
	    "</constraints></configuration></cib>";
	char *after = NULL;

	ck_assert_int_eq(vrms_cib_steer(there, &steering, &after, &error), 0);
	ck_assert_ptr_null(after);
}
END_TEST

START_TEST(what_is_no_cib_or_names_no_node_is_refused)
{
	char *cib VRMS_CLEANUP(vrms_freep) = cib_of("0", even), *after = NULL;
	struct vrms_cib_facts facts;

	ck_assert_int_eq(vrms_cib_steer(cib, &(struct vrms_cib_steering){.close = "oak"}, &after,
					&error),
			 -ENOENT);
	ck_assert_str_eq(error.text, "unknown node 'oak'");
	ck_assert_int_eq(vrms_cib_steer("<cib/>", &(struct vrms_cib_steering){0}, &after, &error),
			 -EINVAL);
	ck_assert_int_eq(vrms_cib_facts_read("<cib", &facts, &error), -EINVAL);
	ck_assert_ptr_null(after);
}
END_TEST

UNIT_MAIN("placement_keep", lists_just_written_are_good,
	  a_little_more_load_is_not_worth_new_lists_and_much_is,
	  a_vm_that_moved_onto_its_list_or_came_new_needs_new_lists,
	  a_vm_that_would_stay_down_needs_new_lists, lists_that_would_move_a_running_vm_are_refused,
	  moves_are_written_once_expire_and_are_no_rules,
	  the_order_of_attributes_and_blanks_between_elements_mean_nothing,
	  what_is_no_cib_or_names_no_node_is_refused)
