/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/vm.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <string.h>

#include "lab/xml.h"
#include "tests/unit/unit.h"

static struct vrms_lab_vm small_vm(void)
{
	return (struct vrms_lab_vm){.name = "vm1",
				    .uuid = "77000000-0000-4000-9000-000000000001",
				    .memory_mib = 16};
}

/* Evaluates an XPath expression to a text in `to`; frees `text`. */
static void ask(char *text, const char *expression, char to[128])
{
	ck_assert_ptr_nonnull(text);
	xmlDoc *document = xmlReadMemory(text, (int)strlen(text), "t", NULL, 0);
	ck_assert_ptr_nonnull(document);
	xmlXPathContext *context = xmlXPathNewContext(document);
	xmlXPathObject *object = xmlXPathEvalExpression((const xmlChar *)expression, context);
	ck_assert_ptr_nonnull(object);
	xmlChar *value = xmlXPathCastToString(object);

	snprintf(to, 128, "%s", (const char *)value);
	xmlFree(value);
	xmlXPathFreeObject(object);
	xmlXPathFreeContext(context);
	xmlFreeDoc(document);
	free(text);
}

static void expect_domain(const struct vrms_lab_vm *vm, const char *expression, const char *value)
{
	char got[128];

	ask(vrms_lab_vm_domain_xml(vm), expression, got);
	ck_assert_str_eq(got, value);
}

static void expect_primitive(const struct vrms_lab_vm *vm, const char *expression,
			     const char *value)
{
	char got[128];

	ask(vrms_lab_vm_primitive_xml(vm), expression, got);
	ck_assert_str_eq(got, value);
}

START_TEST(a_disk_on_a_lun_is_connected_by_qemu_with_the_key_of_the_nodes_guests)
{
	struct vrms_lab_vm vm = small_vm();

	vm.target = "iqn.2026-01.local.vrms-lab:lab";
	vm.lun = 3;
	expect_domain(&vm, "string(//disk/@type)", "network");
	expect_domain(&vm, "string(//disk/source/@name)", "iqn.2026-01.local.vrms-lab:lab/3");
	expect_domain(&vm, "string(//disk/driver/@error_policy)", "stop");
	expect_domain(&vm, "string(//disk/source/initiator/iqn/@name)",
		      "iqn.2026-01.local.vrms-lab.vm:vm1");
	expect_domain(&vm, "string(//*[local-name()='env']/@name)", "LD_PRELOAD");
	expect_domain(&vm, "count(//lease)", "0");
}
END_TEST

START_TEST(a_lease_is_named_after_the_machine)
{
	struct vrms_lab_vm vm = small_vm();

	vm.has_lease = true;
	expect_domain(&vm, "string(//devices/lease/key)", "vm1");
	expect_domain(&vm, "string(//devices/lease/lockspace)", "lockd");
	expect_domain(&vm, "string(//devices/lease/target/@path)", "/srv/lease");
}
END_TEST

START_TEST(a_failing_disk_stops_the_guest)
{
	struct vrms_lab_vm vm = small_vm();

	expect_domain(&vm, "string(//disk/driver/@error_policy)", "stop");
	expect_domain(&vm, "string(//disk/source/@file)", "/srv/disk/vm1.raw");
	expect_domain(&vm, "string(/domain/name)", "vm1");
	expect_domain(&vm, "string(/domain/memory[@unit='MiB'])", "16");
	expect_domain(&vm, "count(//kernel)", "0");
}
END_TEST

START_TEST(a_linux_guest_has_a_kernel_and_a_disk_may_be_elsewhere)
{
	struct vrms_lab_vm vm = small_vm();

	vm.guest = VRMS_GUEST_LINUX;
	vm.disk = "/run/full/vm1.raw";
	expect_domain(&vm, "string(//kernel)", "/srv/guest/vmlinuz");
	expect_domain(&vm, "string(//disk/source/@file)", "/run/full/vm1.raw");
}
END_TEST

START_TEST(the_two_agents_differ_in_their_name_only)
{
	struct vrms_lab_vm vm = small_vm();

	expect_primitive(&vm, "concat(/primitive/@provider, ':', /primitive/@type)",
			 "vrms:VirtualMachine");
	vm.agent = VRMS_LAB_AGENT_HEARTBEAT;
	expect_primitive(&vm, "concat(/primitive/@provider, ':', /primitive/@type)",
			 "heartbeat:VirtualDomain");
	expect_primitive(&vm, "string(//nvpair[@name='config']/@value)", "/srv/vm/vm1.xml");
	expect_primitive(&vm, "string(//utilization/nvpair[@name='hv_memory']/@value)", "16");
	expect_primitive(&vm, "string(//nvpair[@name='allow-migrate']/@value)", "true");
}
END_TEST

START_TEST(the_user_s_parameters_win_and_the_last_of_them)
{
	struct vrms_lab_vm vm = small_vm();

	vm.params[vm.param_count++] = "migration_transport=tls";
	vm.params[vm.param_count++] = "on_io_error=fail";
	vm.params[vm.param_count++] = "on_io_error=resume";
	vm.params[vm.param_count++] = "migrate_options=";
	expect_primitive(&vm, "count(//nvpair[@name='migration_transport'])", "1");
	expect_primitive(&vm, "string(//nvpair[@name='migration_transport']/@value)", "tls");
	expect_primitive(&vm, "count(//nvpair[@name='on_io_error'])", "1");
	expect_primitive(&vm, "string(//nvpair[@name='on_io_error']/@value)", "resume");
	expect_primitive(&vm, "count(//nvpair[@name='migrate_options'])", "0");
}
END_TEST

START_TEST(intervals_and_deadlines_can_be_set)
{
	struct vrms_lab_vm vm = small_vm();

	expect_primitive(&vm, "string(//op[@name='monitor']/@interval)", "10s");
	expect_primitive(&vm, "string(//op[@name='stop']/@timeout)", "90s");
	vm.monitor = "2s";
	vm.deadline = "25s";
	expect_primitive(&vm, "string(//op[@name='monitor']/@interval)", "2s");
	expect_primitive(&vm, "string(//op[@name='stop']/@timeout)", "25s");
}
END_TEST

START_TEST(names_that_no_xml_id_can_have_are_refused)
{
	struct vrms_error error = {.text = ""};

	ck_assert_int_eq(vrms_lab_vm_name_check("web-1.a_b", &error), 0);
	ck_assert_int_eq(vrms_lab_vm_name_check("1web", &error), -EINVAL);
	ck_assert_int_eq(vrms_lab_vm_name_check("", &error), -EINVAL);
	ck_assert_int_eq(vrms_lab_vm_name_check("../etc", &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.text, "\"../etc\""));
}
END_TEST

UNIT_MAIN("vm_xml", a_disk_on_a_lun_is_connected_by_qemu_with_the_key_of_the_nodes_guests,
	  a_lease_is_named_after_the_machine, a_failing_disk_stops_the_guest,
	  a_linux_guest_has_a_kernel_and_a_disk_may_be_elsewhere,
	  the_two_agents_differ_in_their_name_only, the_user_s_parameters_win_and_the_last_of_them,
	  intervals_and_deadlines_can_be_set, names_that_no_xml_id_can_have_are_refused)
