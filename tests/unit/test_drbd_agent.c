/* ocf:vrms:Drbd as a program, with made-up tools in PATH that say what real ones said.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/child.h"
#include "common/file.h"
#include "tests/unit/unit.h"

static char root[64];
static struct vrms_child_result result;

static void put(const char *name, const char *text, mode_t mode)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	ck_assert_int_eq(vrms_file_write(path, text, strlen(text), mode, NULL), 0);
}

static char *get(const char *name)
{
	char path[128];
	char *text = NULL;

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	return vrms_file_read(path, 65536, &text, NULL, NULL) == 0 ? text : strdup("");
}

/* The kernel's state is a folder of captures; "drbdadm primary" and its like change to another. */
static void be_in(const char *state)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%s/%s", CAPTURES, state);
	put("state", text, 0600);
}

static const char drbdsetup[] =
    "#!/bin/sh\n"
    "echo \"drbdsetup $*\" >>$ROOT/calls\n"
    "[ ! -e $ROOT/broken ] || { echo rubbish; exit 0; }\n"
    "if [ $1 = down ]; then cp $ROOT/after-orphan $ROOT/state; exit 0; fi\n"
    "case $1 in status) f=status ;; *) f=events ;; esac\n"
    "sed -n '2,/^--- stderr/p' \"$(cat $ROOT/state)/$f.txt\" | grep -v '^---'\n";

static const char drbdadm[] =
    "#!/bin/sh\n"
    "echo \"drbdadm $*\" >>$ROOT/calls\n"
    "[ $1 != -c ] || shift 2\n"
    "case $1 in\n"
    "--version) echo DRBDADM_VERSION=$(cat $ROOT/tools) ;;\n"
    "sh-minor) echo 0 ;;\n"
    "sh-dev) [ $2 = r0 ] || { echo \"'$2' not defined in your config (for this host).\" >&2; "
    "exit 10; } ;;\n"
    "*) [ ! -e $ROOT/says ] || cat $ROOT/says >&2\n"
    "   [ ! -e $ROOT/after-$1 ] || cp $ROOT/after-$1 $ROOT/state\n"
    "   [ ! -e $ROOT/code ] || exit $(cat $ROOT/code) ;;\n"
    "esac\n";

static const char crm_attribute[] = "#!/bin/sh\n"
				    "echo \"crm_attribute $*\" >>$ROOT/calls\n";

static void put_after(const char *verb, const char *state)
{
	char name[32], text[512];

	(void)snprintf(name, sizeof(name), "after-%s", verb);
	(void)snprintf(text, sizeof(text), "%s/%s", CAPTURES, state);
	put(name, text, 0600);
}

static void set(const char *name, const char *value)
{
	ck_assert_int_eq(setenv(name, value, 1), 0);
}

static void begin(const char *state)
{
	char text[256];

	strcpy(root, "/tmp/vrms-drbd-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	put("drbdsetup", drbdsetup, 0700);
	put("drbdadm", drbdadm, 0700);
	put("crm_attribute", crm_attribute, 0700);
	put("tools", "9.22.0", 0600);
	put("proc", "version: 8.4.11 (api:1/proto:86-101)\n", 0600);
	put("log", "", 0600);
	be_in(state);
	set("ROOT", root);
	(void)snprintf(text, sizeof(text), "%s:/usr/bin:/bin", root);
	set("PATH", text);
	(void)snprintf(text, sizeof(text), "%s/proc", root);
	set("VRMS_PROC_DRBD", text);
	(void)snprintf(text, sizeof(text), "%s/log", root);
	set("VRMS_KMSG", text);
	set("HA_RSCTMP", root);
	set("VRMS_LIBEXECDIR", FULL_AGENT_FOLDER);
	set("PCMK_logfile", "none");
	set("PCMK_logfacility", "none");
	set("OCF_RESOURCE_INSTANCE", "disk");
	set("OCF_RESKEY_drbd_resource", "r0");
	set("OCF_RESKEY_CRM_meta_timeout", "5000");
	set("OCF_RESKEY_CRM_meta_interval", "10000");
}

static void end(void)
{
	char command[128];

	vrms_child_result_done(&result);
	result = (struct vrms_child_result){0};
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
	ck_assert_int_eq(system(command), 0);
}

static int agent(const char *action)
{
	const char *const argv[] = {AGENT, action, NULL};
	const struct vrms_child_spec spec = {.argv = argv, .timeout_ms = 30000};

	vrms_child_result_done(&result);
	ck_assert_int_eq(vrms_child_run(&spec, &result, NULL), 0);
	return result.exit_code;
}

static void expect_reason(const char *text)
{
	char line[600];

	(void)snprintf(line, sizeof(line), "ocf-exit-reason:%s\n", text);
	ck_assert_str_eq(result.errors, line);
}

static void expect_call(const char *line, bool is_made)
{
	char *calls VRMS_CLEANUP(vrms_freep) = get("calls");

	ck_assert_msg((strstr(calls, line) != NULL) == is_made, "\"%s\" in \"%s\"", line, calls);
}

START_TEST(a_quiet_monitor_is_one_child)
{
	begin("84/05-Connected-UpToDate-Primary-Secondary/node1");
	ck_assert_int_eq(agent("monitor"), 8);
	ck_assert_str_eq(result.errors, "");
	expect_call("crm_attribute --promotion --lifetime reboot --update 10000\n", true);
	put("calls", "", 0600);
	ck_assert_int_eq(agent("monitor"), 8);
	char *calls VRMS_CLEANUP(vrms_freep) = get("calls");
	ck_assert_str_eq(calls, "drbdsetup events2 --now r0\n");
	end();
}
END_TEST

START_TEST(a_score_that_changes_is_told_at_once)
{
	begin("84/05-Connected-UpToDate-Primary-Secondary/node2");
	ck_assert_int_eq(agent("monitor"), 0);
	be_in("84/10-PowerCut-survivor-WFConnection/node2");
	ck_assert_int_eq(agent("monitor"), 0);
	expect_call("--update 1000\n", true);
	be_in("84/08-Outdated-StandAlone/node2");
	ck_assert_int_eq(agent("monitor"), 190);
	expect_call("crm_attribute --promotion --lifetime reboot --delete\n", true);
	expect_reason("r0: peer: StandAlone: a split brain, or disconnected by an administrator, "
		      "volume 0: Outdated: a peer has newer data");
	end();
}
END_TEST

START_TEST(a_probe_asks_only_what_runs)
{
	begin("84/08-Outdated-StandAlone/node2");
	set("OCF_RESKEY_CRM_meta_interval", "0");
	ck_assert_int_eq(agent("monitor"), 0);
	be_in("84/15-SplitBrain/node1");
	ck_assert_int_eq(agent("monitor"), 8);
	be_in("84/01-Unconfigured/node1");
	ck_assert_int_eq(agent("monitor"), 7);
	end();
}
END_TEST

START_TEST(without_the_module_nothing_runs)
{
	begin("84/05-Connected-UpToDate-Primary-Secondary/node1");
	set("VRMS_PROC_DRBD", "/nowhere/drbd");
	ck_assert_int_eq(agent("monitor"), 7);
	expect_call("drbdsetup", false);
	ck_assert_int_eq(agent("stop"), 0);
	end();
}
END_TEST

START_TEST(an_output_that_cannot_be_read_has_a_second_source)
{
	begin("84/05-Connected-UpToDate-Primary-Secondary/node1");
	put("broken", "", 0600);
	put("proc", "version: 9.2.16 (api:2/proto:118-123)\n", 0600);
	ck_assert_int_eq(agent("monitor"), 1);
	expect_call("drbdsetup status --json\n", true);
	expect_reason("r0: events2 ends without \"exists -\"");
	put("proc",
	    "version: 8.4.11 (api:1/proto:86-101)\n"
	    " 0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----\n",
	    0600);
	ck_assert_int_eq(agent("monitor"), 8);
	expect_call("drbdadm sh-minor r0\n", true);
	set("OCF_RESKEY_drbdconf", "/etc/other.conf");
	ck_assert_int_eq(agent("monitor"), 8);
	expect_call("drbdadm -c /etc/other.conf sh-minor r0\n", true);
	end();
}
END_TEST

START_TEST(an_unknown_resource_and_versions_that_do_not_fit_are_not_installed)
{
	begin("84/01-Unconfigured/node1");
	set("OCF_RESKEY_drbd_resource", "r9");
	ck_assert_int_eq(agent("start"), 5);
	expect_reason("drbd_resource: \"r9\" is not in this node's configuration: drbdadm sh-dev "
		      "r9: 'r9' not defined in your config (for this host). (exit code 10)");
	set("OCF_RESKEY_drbd_resource", "r0");
	put("tools", "8.9.6", 0600);
	put("proc", "version: 9.2.16 (api:2/proto:118-123)\n", 0600);
	ck_assert_int_eq(agent("validate-all"), 5);
	expect_reason("drbd-utils 8.9.6 cannot drive the kernel's drbd module 9.2.16");
	put("proc", "version: 8.3.11 (api:88/proto:86-96)\n", 0600);
	ck_assert_int_eq(agent("monitor"), 5);
	set("OCF_RESKEY_drbd_resource", "all");
	ck_assert_int_eq(agent("start"), 6);
	expect_reason("drbd_resource: \"all\" is no name of a DRBD resource");
	end();
}
END_TEST

START_TEST(a_start_waits_a_while_for_the_peer)
{
	begin("84/01-Unconfigured/node1");
	put_after("adjust", "84/10-PowerCut-survivor-WFConnection/node2");
	set("OCF_RESKEY_wfc_timeout", "700ms");
	ck_assert_int_eq(agent("start"), 0);
	expect_call("drbdsetup events2 --now r0\ndrbdsetup events2 --now r0\ndrbdsetup events2",
		    true);
	expect_call("--update 1000\n", true);
	put("calls", "", 0600);
	put_after("adjust", "84/05-Connected-UpToDate-Primary-Secondary/node2");
	ck_assert_int_eq(agent("start"), 0);
	expect_call("drbdsetup events2 --now r0\ndrbdsetup", false);
	expect_call("--update 10000\n", true);
	end();
}
END_TEST

START_TEST(promote_waits_for_a_peer_that_is_still_primary)
{
	begin("84/05-Connected-UpToDate-Primary-Secondary/node2");
	put("code", "11", 0600);
	put("says", "State change failed: (-1) Multiple primaries not allowed by config\n", 0600);
	ck_assert_int_eq(agent("promote"), 1);
	expect_reason("drbdadm primary r0: State change failed: (-1) Multiple primaries not "
		      "allowed by config (exit code 11)");
	put_after("primary", "84/05-Connected-UpToDate-Primary-Secondary/node1");
	put("code", "0", 0600);
	ck_assert_int_eq(agent("promote"), 0);
	end();
}
END_TEST

START_TEST(stale_data_are_not_promoted_even_when_ordered)
{
	begin("84/08-Outdated-StandAlone/node2");
	ck_assert_int_eq(agent("promote"), 1);
	expect_call("drbdadm primary", false);
	be_in("9/03-Connected-Secondaries-Inconsistent/node1");
	ck_assert_int_eq(agent("promote"), 1);
	expect_reason("r0: not promoted: volume 0: Inconsistent, and not being synchronized");
	expect_call("drbdadm primary", false);
	/* UpToDate when the connection was broken off, and the peer has gone on writing since. */
	be_in("84/07-StandAlone-by-disconnect/node2");
	ck_assert_int_eq(agent("promote"), 1);
	expect_reason("r0: not promoted: peer: StandAlone: a split brain, or disconnected by an "
		      "administrator");
	expect_call("drbdadm primary", false);
	end();
}
END_TEST

START_TEST(stop_demotes_first_and_is_done_only_when_it_is_gone)
{
	begin("84/05-Connected-UpToDate-Primary-Secondary/node1");
	put_after("secondary", "84/05-Connected-UpToDate-Primary-Secondary/node2");
	put_after("down", "84/01-Unconfigured/node1");
	ck_assert_int_eq(agent("stop"), 0);
	expect_call("drbdadm secondary r0\n", true);
	expect_call("drbdadm down r0\n", true);
	expect_call("--delete\n", true);
	ck_assert_int_eq(agent("stop"), 0);
	end();
}
END_TEST

START_TEST(what_is_not_configured_any_more_is_stopped_all_the_same)
{
	begin("84/05-Connected-UpToDate-Primary-Secondary/node2");
	put("drbdadm", "#!/bin/sh\necho \"'$2' not defined in your config\" >&2\nexit 1\n", 0700);
	put_after("orphan", "84/01-Unconfigured/node1");
	ck_assert_int_eq(agent("stop"), 0);
	expect_call("drbdsetup down r0\n", true);
	end();
}
END_TEST

START_TEST(a_device_in_use_is_not_stopped)
{
	begin("84/05-Connected-UpToDate-Primary-Secondary/node1");
	put("code", "11", 0600);
	put("says", "State change failed: (-12) Device is held open by someone\n", 0600);
	ck_assert_int_eq(agent("stop"), 1);
	expect_reason("not demoted; is it in use: drbdadm secondary r0: State change failed: (-12) "
		      "Device is held open by someone (exit code 11)");
	expect_call("drbdadm down", false);
	end();
}
END_TEST

START_TEST(a_split_brain_is_told_from_a_disconnect_by_the_log)
{
	begin("84/15-SplitBrain/node1");
	ck_assert_int_eq(agent("monitor"), 191);
	expect_reason("r0: peer: StandAlone: a split brain, or disconnected by an administrator");
	put("log",
	    "3,1,2,-;block drbd0: Split-Brain detected but unresolved, dropping connection!\n",
	    0600);
	ck_assert_int_eq(agent("monitor"), 191);
	expect_reason("r0: peer: split brain: the data have diverged");
	end();
}
END_TEST

UNIT_MAIN("drbd_agent", a_quiet_monitor_is_one_child, a_score_that_changes_is_told_at_once,
	  a_probe_asks_only_what_runs, without_the_module_nothing_runs,
	  an_output_that_cannot_be_read_has_a_second_source,
	  an_unknown_resource_and_versions_that_do_not_fit_are_not_installed,
	  a_start_waits_a_while_for_the_peer, promote_waits_for_a_peer_that_is_still_primary,
	  stale_data_are_not_promoted_even_when_ordered,
	  stop_demotes_first_and_is_done_only_when_it_is_gone,
	  what_is_not_configured_any_more_is_stopped_all_the_same, a_device_in_use_is_not_stopped,
	  a_split_brain_is_told_from_a_disconnect_by_the_log)
