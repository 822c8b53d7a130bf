/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libvirt/libvirt.h>
#include <libxml/parser.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "quorum/cib_vms.h"
#include "quorum/vm_line.h"
#include "quorum/vm_sign.h"
#include "tests/unit/unit.h"

/* %s: properties, meta attributes of vm1, history of vm1 on node1. */
static const char CIB[] =
    "<cib><configuration><crm_config><cluster_property_set id='o'>%s</cluster_property_set>"
    "</crm_config><nodes><node id='1' uname='node1'/></nodes><resources>"
    "<primitive id='ip' class='ocf' provider='heartbeat' type='IPaddr2'/>"
    "<template id='big' class='ocf' provider='vrms' type='VirtualMachine'>"
    "<instance_attributes id='t'><nvpair id='t1' name='on_io_error' value='resume'/>"
    "</instance_attributes></template>"
    "<group id='g'><primitive id='vm1' class='ocf' provider='vrms' type='VirtualMachine'>"
    "<instance_attributes id='a'><nvpair id='a1' name='config' value='/srv/vm1.xml'/>"
    "</instance_attributes>%s</primitive></group>"
    "<primitive id='vm2' template='big'/>"
    "</resources></configuration><status>"
    "<node_state id='2' uname='node2'><lrm id='2'><lrm_resources><lrm_resource id='vm1'>"
    "<lrm_rsc_op id='vm1_last_0' operation='stop' op-status='-1' call-id='-1'/>"
    "</lrm_resource></lrm_resources></lrm></node_state>"
    "<node_state id='1' uname='node1'><lrm id='1'><lrm_resources><lrm_resource id='vm1'>"
    "%s</lrm_resource></lrm_resources></lrm></node_state></status></cib>";

#define OP(id, name, status, rc, call)                                                         \
	"<lrm_rsc_op id='vm1_" id "' operation='" name "' op-status='" status "' rc-code='" rc \
	"' call-id='" call "'/>"
#define RUNS OP("last_0", "start", "0", "0", "12") OP("monitor_10000", "monitor", "0", "0", "13")
#define META(n, v) \
	"<meta_attributes id='m'><nvpair id='m1' name='" n "' value='" v "'/></meta_attributes>"

struct found {
	struct vrms_cib_vm vms[4];
	unsigned count;
};

static void take(void *context, const struct vrms_cib_vm *vm)
{
	struct found *found = context;

	ck_assert_uint_lt(found->count, 4);
	found->vms[found->count++] = *vm;
}

static struct found look(const char *properties, const char *meta, const char *history)
{
	struct found found = {.count = 0};
	char text[8192];

	snprintf(text, sizeof(text), CIB, properties, meta, history);
	xmlDoc *doc = xmlReadMemory(text, (int)strlen(text), "cib", NULL, 0);

	ck_assert_ptr_nonnull(doc);
	vrms_cib_vms_each(xmlDocGetRootElement(doc), "node1", take, &found);
	xmlFreeDoc(doc);
	return found;
}

START_TEST(resources_that_run_domains_are_found_with_what_they_inherit)
{
	struct found found = look("", "", RUNS);

	ck_assert_uint_eq(found.count, 2);
	ck_assert_str_eq(found.vms[0].resource.id, "vm1");
	ck_assert_str_eq(found.vms[0].config, "/srv/vm1.xml");
	ck_assert_int_eq(found.vms[0].resource.io_policy, VRMS_VM_IO_FAIL);
	ck_assert_str_eq(found.vms[1].resource.id, "vm2");
	ck_assert_str_eq(found.vms[1].resource.provider, "vrms");
	ck_assert_int_eq(found.vms[1].resource.io_policy, VRMS_VM_IO_AGENT);
	ck_assert(!found.vms[1].resource.is_meant); /* no history here */
}
END_TEST

START_TEST(the_last_finished_operation_says_whether_it_is_meant_to_run)
{
	static const struct {
		const char *history;
		bool is_meant, is_busy, is_moving;
	} rows[] = {
	    {RUNS, true, false, false},
	    {OP("last_0", "monitor", "0", "0", "5"), true, false, false}, /* a probe found it */
	    {OP("last_0", "monitor", "0", "7", "5"), false, false, false},
	    {OP("last_0", "stop", "0", "0", "20") OP("monitor_10000", "monitor", "0", "0", "13"),
	     false, false, false},
	    {OP("last_0", "start", "0", "1", "12"), false, false, false},
	    {OP("migrate_to_0", "migrate_to", "0", "0", "9")
		 OP("last_0", "migrate_from", "0", "0", "21"),
	     true, false, false},
	    {OP("last_0", "migrate_to", "0", "0", "21")
		 OP("monitor_10000", "monitor", "0", "0", "13"),
	     false, false, false},
	    {OP("last_0", "asyncmon", "0", "1", "22"), true, false, false}, /* reported, no more */
	    {RUNS OP("last_failure_0", "monitor", "0", "7", "99"), true, false, false},
	    {OP("last_0", "stop", "-1", "193", "-1") OP("monitor_10000", "monitor", "0", "0", "13"),
	     true, true, false},
	    {OP("last_0", "start", "-1", "193", "-1"), false, true, false},
	    {OP("last_0", "migrate_to", "-1", "193", "-1")
		 OP("monitor_10000", "monitor", "0", "0", "13"),
	     true, true, true},
	    {RUNS OP("monitor_20000", "monitor", "-1", "193", "-1"), true, false, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct found found = look("", "", rows[i].history);
		const struct vrms_vm_resource *vm = &found.vms[0].resource;

		ck_assert_msg(vm->is_meant == rows[i].is_meant, "meant: %s", rows[i].history);
		ck_assert_msg(vm->is_busy == rows[i].is_busy, "busy: %s", rows[i].history);
		ck_assert_msg(vm->is_moving == rows[i].is_moving, "moving: %s", rows[i].history);
	}
}
END_TEST

START_TEST(what_the_cluster_does_not_manage_is_not_meant_to_run)
{
	static const char maintenance[] = "<nvpair id='x' name='maintenance-mode' value='true'/>";

	ck_assert(!look(maintenance, "", RUNS).vms[0].resource.is_meant);
	ck_assert(!look("", META("is-managed", "false"), RUNS).vms[0].resource.is_meant);
	ck_assert(!look("", META("maintenance", "yes"), RUNS).vms[0].resource.is_meant);
	ck_assert(!look("", META("target-role", "stopped"), RUNS).vms[0].resource.is_meant);
	ck_assert(look("", META("target-role", "Started"), RUNS).vms[0].resource.is_meant);
}
END_TEST

static void expect(struct vrms_vm_sign sign, enum vrms_vm_word_kind kind, enum vrms_reason reason)
{
	ck_assert_int_eq(sign.kind, kind);
	ck_assert_str_eq(vrms_reason_name(sign.reason), vrms_reason_name(reason));
	ck_assert_uint_gt(strlen(sign.text), 0);
}

START_TEST(events_mean_what_the_table_says)
{
	expect(vrms_vm_sign_lifecycle(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FAILED),
	       VRMS_VM_WORD_EVIDENCE, VRMS_REASON_VM_STOPPED_FAILED);
	expect(vrms_vm_sign_lifecycle(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_MIGRATED),
	       VRMS_VM_WORD_MOVED, VRMS_REASON_NONE);
	expect(vrms_vm_sign_lifecycle(VIR_DOMAIN_EVENT_SUSPENDED,
				      VIR_DOMAIN_EVENT_SUSPENDED_PAUSED),
	       VRMS_VM_WORD_NOTE, VRMS_REASON_NONE);
	expect(vrms_vm_sign_lifecycle(VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_PANICKED),
	       VRMS_VM_WORD_EVIDENCE, VRMS_REASON_VM_PANICKED);
	expect(vrms_vm_sign_lifecycle(4711, 1), VRMS_VM_WORD_NOTE, VRMS_REASON_NONE);
	expect(vrms_vm_sign_io_error(VIR_DOMAIN_EVENT_IO_ERROR_PAUSE, "enospc"),
	       VRMS_VM_WORD_EVIDENCE, VRMS_REASON_VM_IO_NO_SPACE);
	expect(vrms_vm_sign_io_error(VIR_DOMAIN_EVENT_IO_ERROR_REPORT, ""), VRMS_VM_WORD_NOTE,
	       VRMS_REASON_NONE);
	expect(vrms_vm_sign_watchdog(VIR_DOMAIN_EVENT_WATCHDOG_RESET), VRMS_VM_WORD_NOTE,
	       VRMS_REASON_NONE);
	expect(vrms_vm_sign_memory_failure(VIR_DOMAIN_EVENT_MEMORY_FAILURE_ACTION_FATAL),
	       VRMS_VM_WORD_EVIDENCE, VRMS_REASON_VM_MEMORY_FAILURE);
	expect(vrms_vm_sign_state(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR),
	       VRMS_VM_WORD_EVIDENCE, VRMS_REASON_VM_IO_ERROR);
	expect(vrms_vm_sign_state(VIR_DOMAIN_RUNNING, 1), VRMS_VM_WORD_LISTED, VRMS_REASON_NONE);
	ck_assert(vrms_vm_sign_is_moving(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION));
	ck_assert(!vrms_vm_sign_is_moving(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR));
	ck_assert(!vrms_vm_sign_is_moving(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_MIGRATED));
}
END_TEST

START_TEST(words_and_descriptors_cross_the_line_whole)
{
	struct vrms_vm_word word = {.kind = VRMS_VM_WORD_LISTED, .domain = "vm1"}, got;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	word.process = (struct vrms_qemu_process){.pid = 17, .pidfd = fds[0]};
	ck_assert_int_eq(vrms_vm_line_send(fds[0], &word), 0);
	ck_assert_int_eq(vrms_vm_line_receive(fds[1], &got), 0);
	ck_assert_str_eq(got.domain, "vm1");
	ck_assert_int_eq(got.process.pid, 17);
	ck_assert_int_ne(got.process.pidfd, fds[0]);
	ck_assert_int_ge(fcntl(got.process.pidfd, F_GETFD), 0);
	close(got.process.pidfd);

	ck_assert_int_eq(vrms_vm_line_receive(fds[1], &got), -EAGAIN);
	ck_assert_int_eq(send(fds[0], "short", 5, 0), 5);
	ck_assert_int_eq(vrms_vm_line_receive(fds[1], &got), -EBADMSG);
	close(fds[0]);
	ck_assert_int_eq(vrms_vm_line_receive(fds[1], &got), -EPIPE);
	close(fds[1]);
}
END_TEST

/* libvirt's paths are UTF-8, and cut to length; JSON takes whole characters only. */
START_TEST(a_text_that_is_cut_in_a_character_still_goes_into_the_journal)
{
	static const struct {
		const char *sent, *got;
	} rows[] = {
	    {"B\xc3\xa4r \xe2\x82\xac \xf0\x9f\x98\x80",
	     "B\xc3\xa4r \xe2\x82\xac \xf0\x9f\x98\x80"},
	    {"paused (vda, /B\xc3)", "paused (vda, /B?)"},
	    {"/\xe2\x82", "/??"},
	    {"\xa4\xff\xc0\xaf\xed\xa0\x80", "???????"},
	};
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vrms_vm_word word = {.kind = VRMS_VM_WORD_NOTE, .domain = "vm1"}, got;

		snprintf(word.text, sizeof(word.text), "%s", rows[i].sent);
		ck_assert_int_eq(vrms_vm_line_send(fds[0], &word), 0);
		ck_assert_int_eq(vrms_vm_line_receive(fds[1], &got), 0);
		ck_assert_str_eq(got.text, rows[i].got);
	}
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(without_libvirtd_and_pacemaker_the_helper_says_so_and_stays)
{
	struct vrms_error error = {""};
	int attempts = 0, pid, fd;
	bool is_pacemaker_missed = false;

	ck_assert_msg(vrms_vm_line_start("quorum/vm-watch", "qemu+unix:///system?socket=/none",
					 &pid, &fd, &error) == 0,
		      "%s", error.text);
	while (attempts < 2 || !is_pacemaker_missed) {
		struct pollfd line = {.fd = fd, .events = POLLIN};
		struct vrms_vm_word word;

		ck_assert_int_eq(poll(&line, 1, 20000), 1);
		ck_assert_int_eq(vrms_vm_line_receive(fd, &word), 0);
		if (word.kind == VRMS_VM_WORD_CLUSTER && word.yes) {
			unit_skip("Pacemaker runs on this host");
			break;
		}
		attempts += word.kind == VRMS_VM_WORD_LIBVIRT;
		is_pacemaker_missed |= word.kind == VRMS_VM_WORD_CLUSTER;
		ck_assert(!word.yes);
		ck_assert_str_ne(word.text, "");
	}
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	close(fd);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid); /* it ends with the daemon */
}
END_TEST

START_TEST(the_helper_does_not_inherit_the_urgency_of_the_daemon)
{
	char script[64], out[64], *text VRMS_CLEANUP(vrms_freep) = NULL;
	int pid, fd, status;

	if (setpriority(PRIO_PROCESS, 0, -20) < 0) {
		unit_skip("a negative nice value is refused here");
		return;
	}
	snprintf(script, sizeof(script), "test_quorum_vms.%d.sh", (int)getpid());
	snprintf(out, sizeof(out), "test_quorum_vms.%d.out", (int)getpid());
	FILE *file = fopen(script, "w");

	ck_assert_ptr_nonnull(file);
	fprintf(file, "nice >%s\n", out);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(vrms_vm_line_start("/bin/sh", script, &pid, &fd, NULL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	close(fd);
	ck_assert_int_eq(vrms_file_read(out, 64, &text, NULL, NULL), 0);
	unlink(script);
	unlink(out);
	ck_assert_str_eq(text, "0\n");
}
END_TEST

UNIT_MAIN("quorum_vms", resources_that_run_domains_are_found_with_what_they_inherit,
	  the_last_finished_operation_says_whether_it_is_meant_to_run,
	  what_the_cluster_does_not_manage_is_not_meant_to_run, events_mean_what_the_table_says,
	  words_and_descriptors_cross_the_line_whole,
	  a_text_that_is_cut_in_a_character_still_goes_into_the_journal,
	  without_libvirtd_and_pacemaker_the_helper_says_so_and_stays,
	  the_helper_does_not_inherit_the_urgency_of_the_daemon)
