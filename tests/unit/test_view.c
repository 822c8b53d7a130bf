/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/view.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

/* As crm_mon 2.1.5 writes it, shortened. */
static const char ANSWER[] =
    "<pacemaker-result api-version=\"2.25\" request=\"crm_mon -1 --output-as=xml\">"
    "<summary><stack type=\"corosync\"/></summary>"
    "<nodes><node name=\"node1\" id=\"1\" online=\"true\"/></nodes>"
    "<resources>"
    "<resource id=\"fence\" resource_agent=\"stonith:fence_vrms_lab\" role=\"Started\" "
    "active=\"true\" orphaned=\"false\" blocked=\"false\" managed=\"true\" failed=\"false\" "
    "nodes_running_on=\"1\"><node name=\"node1\" id=\"1\" cached=\"true\"/></resource>"
    "<resource id=\"vm1\" resource_agent=\"ocf:vrms:VirtualMachine\" role=\"Started\" "
    "active=\"true\" orphaned=\"false\" blocked=\"false\" managed=\"true\" failed=\"false\" "
    "nodes_running_on=\"1\"><node name=\"node3\" id=\"3\" cached=\"true\"/></resource>"
    "<resource id=\"vm2\" resource_agent=\"ocf:heartbeat:VirtualDomain\" role=\"Started\" "
    "active=\"true\" orphaned=\"false\" blocked=\"true\" managed=\"true\" failed=\"true\" "
    "nodes_running_on=\"2\"><node name=\"node1\" id=\"1\" cached=\"true\"/>"
    "<node name=\"node2\" id=\"2\" cached=\"true\"/></resource>"
    "<resource id=\"vm3\" resource_agent=\"ocf:vrms:VirtualMachine\" role=\"Stopped\" "
    "active=\"false\" orphaned=\"false\" blocked=\"false\" managed=\"true\" failed=\"false\" "
    "pending=\"Starting\" nodes_running_on=\"0\"/>"
    "<resource id=\"vm4\" resource_agent=\"ocf:vrms:VirtualMachine\" role=\"Started\" "
    "active=\"true\" orphaned=\"false\" blocked=\"false\" managed=\"true\" failed=\"false\" "
    "pending=\"Migrating\" nodes_running_on=\"1\"><node name=\"node1\" id=\"1\"/></resource>"
    "</resources></pacemaker-result>";

static struct vrms_lab_view parse(void)
{
	struct vrms_lab_view view;
	struct vrms_error error = {.text = ""};

	ck_assert_int_eq(vrms_lab_view_parse(ANSWER, &view, &error), 0);
	return view;
}

START_TEST(a_running_vm_is_found_with_its_node)
{
	struct vrms_lab_view view = parse();
	const struct vrms_lab_resource *vm = vrms_lab_view_find(&view, "vm1");

	ck_assert_uint_eq(view.count, 5);
	ck_assert_ptr_nonnull(vm);
	ck_assert_str_eq(vm->node, "node3");
	ck_assert(vrms_lab_resource_is_vm(vm));
	ck_assert(vrms_lab_resource_is_settled(vm));
	ck_assert_ptr_null(vrms_lab_view_find(&view, "vm9"));
	vrms_lab_view_done(&view);
}
END_TEST

START_TEST(two_copies_or_a_failure_are_not_settled)
{
	struct vrms_lab_view view = parse();
	const struct vrms_lab_resource *vm = vrms_lab_view_find(&view, "vm2");

	ck_assert_int_eq(vm->node_count, 2);
	ck_assert(vm->failed && vm->blocked);
	ck_assert(vrms_lab_resource_is_vm(vm));
	ck_assert(!vrms_lab_resource_is_settled(vm));
	vrms_lab_view_done(&view);
}
END_TEST

START_TEST(what_is_under_way_is_not_settled)
{
	struct vrms_lab_view view = parse();
	const struct vrms_lab_resource *vm = vrms_lab_view_find(&view, "vm3");

	ck_assert_str_eq(vm->pending, "Starting");
	ck_assert_str_eq(vm->node, "");
	ck_assert(!vrms_lab_resource_is_settled(vm));
	ck_assert(!vrms_lab_resource_is_settled(vrms_lab_view_find(&view, "vm4")));
	vrms_lab_view_done(&view);
}
END_TEST

START_TEST(a_fence_device_is_no_vm)
{
	struct vrms_lab_view view = parse();

	ck_assert(!vrms_lab_resource_is_vm(vrms_lab_view_find(&view, "fence")));
	vrms_lab_view_done(&view);
}
END_TEST

START_TEST(anything_else_is_refused)
{
	struct vrms_lab_view view;
	struct vrms_error error = {.text = ""};

	ck_assert_int_eq(vrms_lab_view_parse("", &view, &error), -EINVAL);
	ck_assert_int_eq(vrms_lab_view_parse("<html/>", &view, &error), -EINVAL);
	ck_assert_int_eq(vrms_lab_view_parse("<pacemaker-result/>", &view, &error), -EINVAL);
	ck_assert_int_eq(vrms_lab_view_parse("crm_mon: not connected", &view, &error), -EINVAL);
}
END_TEST

UNIT_MAIN("view", a_running_vm_is_found_with_its_node, two_copies_or_a_failure_are_not_settled,
	  what_is_under_way_is_not_settled, a_fence_device_is_no_vm, anything_else_is_refused)
