/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What vrmsd makes of vm-watch's words: what it tells Pacemaker, and what it takes for busy.
 */
#include <qb/qbloop.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "quorum/vm_line.h"
#include "quorum/vm_row.h"
#include "quorum/vms.h"
#include "tests/unit/unit.h"

static const struct vrms_settings settings = {
    .hypervisor = "test:///default",
    .vm_flap_count = 3,
    .vm_flap_window_ms = 60000,
};
static struct vrms_daemon vrmsd;
static int line; /* vm-watch's end of it */

static pid_t start_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	return pid;
}

static void begin(void)
{
	int fds[2];

	vrmsd = (struct vrms_daemon){.settings = &settings, .loop = qb_loop_create()};
	ck_assert_int_eq(vrms_vms_start(&vrmsd, NULL), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	vrmsd.vms->fd = fds[0];
	vrmsd.vms->helper = start_child();
	line = fds[1];
}

static void say(enum vrms_vm_word_kind kind)
{
	struct vrms_vm_word word = {.kind = kind,
				    .domain = "vm1",
				    .yes = true,
				    .reason = VRMS_REASON_VM_STOPPED_CRASHED,
				    .process = VRMS_QEMU_PROCESS_NONE};

	vrms_vms_take_word(&vrmsd, &word);
}

static void say_resource(bool is_meant, bool is_busy)
{
	struct vrms_vm_word word = {.kind = VRMS_VM_WORD_RESOURCE,
				    .domain = "vm1",
				    .process = VRMS_QEMU_PROCESS_NONE,
				    .resource = {.id = "r1",
						 .provider = "heartbeat",
						 .type = "VirtualDomain",
						 .is_meant = is_meant,
						 .is_busy = is_busy}};

	vrms_vms_take_word(&vrmsd, &word);
}

static void say_connected(bool yes)
{
	struct vrms_vm_word word = {.kind = VRMS_VM_WORD_LIBVIRT,
				    .yes = yes,
				    .text = "libvirtd",
				    .process = VRMS_QEMU_PROCESS_NONE};

	vrms_vms_take_word(&vrmsd, &word);
}

/* A child whose end is seen as that of a QEMU. */
static pid_t say_process(enum vrms_vm_word_kind kind)
{
	pid_t pid = start_child();
	struct vrms_vm_word word = {.kind = kind,
				    .domain = "vm1",
				    .process = {.pid = pid, .pidfd = pidfd_open(pid, 0)}};

	ck_assert_int_ge(word.process.pidfd, 0);
	vrms_vms_take_word(&vrmsd, &word);
	return pid;
}

static void stop_loop(void *context)
{
	(void)context;
	qb_loop_stop(vrmsd.loop);
}

static void end_process(pid_t pid)
{
	qb_loop_timer_handle timer;

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(qb_loop_timer_add(vrmsd.loop, QB_LOOP_LOW, 50000000, NULL, stop_loop,
					   &timer),
			 0);
	qb_loop_run(vrmsd.loop);
}

/* How often Pacemaker was to be told since the last look. */
static unsigned count_reports(void)
{
	struct vrms_vm_word word;
	unsigned count = 0;

	while (vrms_vm_line_receive(line, &word) == 0) {
		ck_assert_int_eq(word.kind, VRMS_VM_WORD_FAIL);
		ck_assert_str_eq(word.domain, "vm1");
		count++;
	}
	return count;
}

START_TEST(a_dead_machine_is_reported_once)
{
	begin();
	say_resource(true, false);
	pid_t pid = say_process(VRMS_VM_WORD_LISTED);

	end_process(pid);
	ck_assert_uint_eq(count_reports(), 1);
	say(VRMS_VM_WORD_EVIDENCE);
	ck_assert_uint_eq(count_reports(), 0);
	vrms_vms_stop(&vrmsd);
}
END_TEST

START_TEST(a_machine_that_is_stopped_or_moved_is_no_failure)
{
	begin();
	say_resource(true, true);
	end_process(say_process(VRMS_VM_WORD_LISTED));
	say(VRMS_VM_WORD_EVIDENCE);
	ck_assert_uint_eq(count_reports(), 0);

	say_resource(true, false); /* moved by hand, not by the cluster */
	pid_t pid = say_process(VRMS_VM_WORD_LISTED);

	say(VRMS_VM_WORD_MOVING);
	end_process(pid);
	say(VRMS_VM_WORD_MOVED);
	ck_assert_uint_eq(count_reports(), 0);
	ck_assert(!vrmsd.vms->vms[0]->is_migrating);
	vrms_vms_stop(&vrmsd);
}
END_TEST

/* It comes back, and the machine is in the list that it begins. */
static pid_t lose_libvirtd_in_a_migration(void)
{
	begin();
	say_resource(true, false);
	pid_t pid = say_process(VRMS_VM_WORD_LISTED);

	say(VRMS_VM_WORD_MOVING);
	say_connected(false);
	say_connected(true);
	say(VRMS_VM_WORD_LIST_BEGIN);
	say(VRMS_VM_WORD_LISTED);
	return pid;
}

START_TEST(a_migration_that_libvirtd_gave_up_while_it_was_away_is_over)
{
	pid_t pid = lose_libvirtd_in_a_migration();

	say(VRMS_VM_WORD_LIST_END);
	ck_assert_msg(!vrmsd.vms->vms[0]->is_migrating, "load would be announced for ever");
	end_process(pid);
	ck_assert_uint_eq(count_reports(), 1);
	vrms_vms_stop(&vrmsd);
}
END_TEST

START_TEST(a_migration_that_goes_on_while_libvirtd_comes_back_is_one)
{
	pid_t pid = lose_libvirtd_in_a_migration();

	say(VRMS_VM_WORD_MOVING); /* its state says so */
	say(VRMS_VM_WORD_LIST_END);
	end_process(pid);
	ck_assert_uint_eq(count_reports(), 0);
	vrms_vms_stop(&vrmsd);
}
END_TEST

START_TEST(a_migration_ends_with_the_machine_that_it_kills)
{
	begin();
	say_resource(true, false);
	pid_t pid = say_process(VRMS_VM_WORD_LISTED);

	say(VRMS_VM_WORD_MOVING);
	end_process(pid);
	ck_assert_uint_eq(count_reports(), 0); /* perhaps it has arrived: libvirt will say */
	ck_assert_msg(!vrmsd.vms->vms[0]->is_migrating, "load would be announced for ever");
	say(VRMS_VM_WORD_EVIDENCE); /* it crashed */
	ck_assert_uint_eq(count_reports(), 1);
	vrms_vms_stop(&vrmsd);
}
END_TEST

UNIT_MAIN("quorum_vm_rows", a_dead_machine_is_reported_once,
	  a_machine_that_is_stopped_or_moved_is_no_failure,
	  a_migration_that_libvirtd_gave_up_while_it_was_away_is_over,
	  a_migration_that_goes_on_while_libvirtd_comes_back_is_one,
	  a_migration_ends_with_the_machine_that_it_kills)
