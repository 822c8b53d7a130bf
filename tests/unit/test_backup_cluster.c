/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backup/cluster.h"
#include "common/file.h"
#include "tests/unit/unit.h"

static char config_path[64];

static const char cib_format[] =
    "<cib dc-uuid='1'><configuration><crm_config/><nodes/>"
    "<resources>"
    "<primitive id='web1' class='ocf' provider='heartbeat' type='VirtualDomain'>"
    "<instance_attributes id='web1-p'><nvpair id='web1-c' name='config' value='%s'/>"
    "</instance_attributes></primitive>"
    "<primitive id='db' class='ocf' provider='vrms' type='VirtualMachine'>"
    "<meta_attributes id='db-m'><nvpair id='db-m-i' name='is-managed' value='true'/>"
    "</meta_attributes></primitive>"
    "<group id='g'><primitive id='inner' class='ocf' provider='vrms' type='VirtualMachine'>"
    "<utilization id='inner-u'><nvpair id='inner-u-m' name='hv_memory' value='64'/></utilization>"
    "</primitive><primitive id='ip' class='ocf' provider='heartbeat' type='IPaddr2'/></group>"
    "</resources>"
    "<constraints>"
    "<rsc_location id='l1' rsc='inner' node='n1' score='5'/>"
    "<rsc_location id='l2' rsc='db' node='n1' score='5'/>"
    "<rsc_colocation id='c1' rsc='ip' with-rsc='inner' score='-5'/>"
    "<rsc_order id='o1'><resource_set id='o1-s'><resource_ref id='inner'/></resource_set>"
    "</rsc_order>"
    "</constraints></configuration><status/></cib>";

static const char state[] =
    "<pacemaker-result><summary><current_dc present='true' name='n2' with_quorum='true'/>"
    "</summary><resources>"
    "<resource id='web1' active='true' role='Started'><node name='n1' id='1'/></resource>"
    "<resource id='db' active='false' role='Stopped'/>"
    "<group id='g'><resource id='inner' active='true'><node name='n2' id='2'/></resource></group>"
    "</resources></pacemaker-result>";

static struct vrms_cluster *cluster(const char *node)
{
	struct vrms_cluster *made = NULL;
	char cib[4096];
	struct vrms_error error = {0};

	snprintf(cib, sizeof(cib), cib_format, config_path);
	ck_assert_msg(vrms_cluster_parse(cib, state, node, &made, &error) == 0, "%s", error.text);
	return made;
}

START_TEST(a_vm_is_found_by_its_configuration_file_then_by_its_name)
{
	static const char domain[] = "<domain type='kvm'><name>shop</name></domain>";
	int fd;

	strcpy(config_path, "/tmp/test-cluster.XXXXXX");
	fd = mkstemp(config_path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(vrms_file_write(config_path, domain, strlen(domain), 0600, NULL), 0);
	struct vrms_cluster *made VRMS_CLEANUP(vrms_cluster_closep) = cluster("n1");

	ck_assert_str_eq(vrms_cluster_resource(made, "shop"), "web1");
	ck_assert_str_eq(vrms_cluster_resource(made, "db"), "db");
	ck_assert_ptr_null(vrms_cluster_resource(made, "ip")); /* is no VM */
	ck_assert_ptr_null(vrms_cluster_resource(made, "other"));
	unlink(config_path);
}
END_TEST

START_TEST(where_it_is_active_is_known_also_within_groups)
{
	struct vrms_cluster *made VRMS_CLEANUP(vrms_cluster_closep) = cluster("n1");

	ck_assert_str_eq(vrms_cluster_active_on(made, "web1"), "n1");
	ck_assert_str_eq(vrms_cluster_active_on(made, "inner"), "n2");
	ck_assert_ptr_null(vrms_cluster_active_on(made, "db"));
	ck_assert_str_eq(vrms_cluster_managed(made, "db"), "true");
	ck_assert_ptr_null(vrms_cluster_managed(made, "web1"));
}
END_TEST

START_TEST(one_node_is_the_coordinator)
{
	struct vrms_cluster *one VRMS_CLEANUP(vrms_cluster_closep) = cluster("n1");
	struct vrms_cluster *two VRMS_CLEANUP(vrms_cluster_closep) = cluster("n2");

	ck_assert(!vrms_cluster_is_coordinator(one));
	ck_assert(vrms_cluster_is_coordinator(two));
	ck_assert(vrms_cluster_has_quorum(one));
}
END_TEST

START_TEST(what_is_saved_is_the_resource_and_what_names_it)
{
	struct vrms_cluster *made VRMS_CLEANUP(vrms_cluster_closep) = cluster("n1");
	char *text VRMS_CLEANUP(vrms_freep) = NULL;

	ck_assert_int_eq(vrms_cluster_config(made, "inner", "inner", &text, NULL), 0);
	ck_assert_ptr_nonnull(strstr(text, "<group id=\"g\">"));
	ck_assert_ptr_nonnull(strstr(text, "value=\"64\""));
	ck_assert_ptr_nonnull(strstr(text, "\"l1\""));
	ck_assert_ptr_nonnull(strstr(text, "\"c1\""));
	ck_assert_ptr_nonnull(strstr(text, "\"o1\""));
	ck_assert_ptr_null(strstr(text, "\"l2\""));
	ck_assert_ptr_null(strstr(text, "IPaddr2"));
}
END_TEST

START_TEST(other_texts_are_refused)
{
	struct vrms_cluster *made = NULL;
	struct vrms_error error = {0};

	ck_assert_int_eq(vrms_cluster_parse("<cib", state, "n1", &made, &error), -EBADMSG);
	ck_assert_int_eq(vrms_cluster_parse("<cib/>", "<x/>", "n1", &made, &error), -EBADMSG);
	ck_assert_ptr_null(made);
}
END_TEST

UNIT_MAIN("backup_cluster", a_vm_is_found_by_its_configuration_file_then_by_its_name,
	  where_it_is_active_is_known_also_within_groups, one_node_is_the_coordinator,
	  what_is_saved_is_the_resource_and_what_names_it, other_texts_are_refused)
