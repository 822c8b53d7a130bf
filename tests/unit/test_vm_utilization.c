/* vm-utilization as a program, on a CIB in a file (Pacemaker's CIB_file).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/child.h"
#include "common/file.h"
#include "tests/unit/unit.h"

static const char CIB[] =
    "<cib crm_feature_set='3.16.1' validate-with='pacemaker-3.9' epoch='1' num_updates='0' "
    "admin_epoch='0'><configuration><crm_config/><nodes/><resources>"
    "<group id='g'><primitive id='vm1' class='ocf' provider='vrms' type='VirtualMachine'/></group>"
    "<primitive id='vm2' class='ocf' provider='vrms' type='VirtualMachine'>"
    "<utilization id='u'><nvpair id='x' name='cpu' value='9'/>"
    "<nvpair id='y' name='hv_memory' value='9'/></utilization></primitive>"
    "</resources><constraints/></configuration><status/></cib>";

static char root[64], cib[128];
static struct vrms_child_result result;

static void begin(const char *text)
{
	strcpy(root, "/tmp/vrms-cib-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	(void)snprintf(cib, sizeof(cib), "%s/cib.xml", root);
	ck_assert_int_eq(vrms_file_write(cib, text, strlen(text), 0600, NULL), 0);
	/* As root Pacemaker changes only a file of its own user. */
	const struct passwd *owner = getpwnam("hacluster");
	if (geteuid() == 0 && owner != NULL) {
		ck_assert_int_eq(chown(cib, owner->pw_uid, owner->pw_gid), 0);
	}
	ck_assert_int_eq(setenv("CIB_file", cib, 1), 0);
	ck_assert_int_eq(setenv("HA_RSCTMP", root, 1), 0);
	ck_assert_int_eq(setenv("PCMK_logfacility", "none", 1), 0);
}

static void end(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
	ck_assert_int_eq(system(command), 0);
	vrms_child_result_done(&result);
}

static int run(const char *resource)
{
	const char *const argv[] = {UTILIZATION_PROGRAM,
				    "--resource",
				    resource,
				    "--exit",
				    "7",
				    "--timeout",
				    "20000",
				    "cpu=2",
				    "host_memory=512",
				    "hv_memory=",
				    NULL};
	const struct vrms_child_spec spec = {.argv = argv, .timeout_ms = 20000};

	vrms_child_result_done(&result);
	ck_assert_int_eq(vrms_child_run(&spec, &result, NULL), 0);
	return result.exit_code;
}

static bool cib_has(const char *text)
{
	char *content VRMS_CLEANUP(vrms_freep) = NULL;

	ck_assert_int_eq(vrms_file_read(cib, 1 << 20, &content, NULL, NULL), 0);
	return strstr(content, text) != NULL;
}

static bool is_recorded(const char *resource)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/VirtualMachine-%s.utilization", root, resource);
	return access(path, F_OK) == 0;
}

START_TEST(attributes_are_set_also_inside_a_group)
{
	begin(CIB);
	ck_assert_int_eq(run("vm1"), 7);
	ck_assert(cib_has("<nvpair id=\"vm1-utilization-cpu\" name=\"cpu\" value=\"2\"/>"));
	ck_assert(cib_has(
	    "<nvpair id=\"vm1-utilization-host_memory\" name=\"host_memory\" value=\"512\"/>"));
	ck_assert(cib_has("epoch=\"2\""));
	ck_assert(is_recorded("vm1"));
	/* And nothing is written when all is so. */
	ck_assert_int_eq(run("vm1"), 7);
	ck_assert(cib_has("epoch=\"2\""));
	end();
}
END_TEST

START_TEST(attributes_are_changed_in_place_and_removed)
{
	begin(CIB);
	ck_assert_int_eq(run("vm2"), 7);
	ck_assert(cib_has("<nvpair id=\"x\" name=\"cpu\" value=\"2\"/>"));
	ck_assert(!cib_has("name=\"hv_memory\""));
	ck_assert(is_recorded("vm2"));
	end();
}
END_TEST

START_TEST(what_cannot_be_done_keeps_the_exit_code_and_is_not_recorded)
{
	begin(CIB);
	ck_assert_int_eq(run("vm3"), 7);
	ck_assert_int_eq(run("vm'1"), 7);
	ck_assert(!is_recorded("vm3"));
	end();
	begin("<cib");
	ck_assert_int_eq(run("vm1"), 7);
	ck_assert(!is_recorded("vm1"));
	end();
}
END_TEST

UNIT_MAIN("vm_utilization", attributes_are_set_also_inside_a_group,
	  attributes_are_changed_in_place_and_removed,
	  what_cannot_be_done_keeps_the_exit_code_and_is_not_recorded)
