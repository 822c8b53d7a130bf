/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "tests/unit/unit.h"

/* A child that sleeps until it is killed. */
static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (;;) {
			pause();
		}
	}
	ck_assert_int_gt(pid, 0);
	return pid;
}

START_TEST(a_live_process_is_opened)
{
	struct vrms_lab_process self;

	ck_assert_int_eq(vrms_lab_process_read(getpid(), &self), 0);
	int fd VRMS_CLEANUP(vrms_closep) = vrms_lab_process_open(&self);
	ck_assert_int_ge(fd, 0);
}
END_TEST

START_TEST(another_process_of_the_same_number_is_not_taken_for_it)
{
	struct vrms_lab_process self;

	ck_assert_int_eq(vrms_lab_process_read(getpid(), &self), 0);
	self.start_ticks++;
	ck_assert_int_eq(vrms_lab_process_open(&self), -ESRCH);
}
END_TEST

START_TEST(a_number_of_an_earlier_boot_is_void)
{
	struct vrms_lab_process self;

	ck_assert_int_eq(vrms_lab_process_read(getpid(), &self), 0);
	self.boot_id[0] = 'x';
	ck_assert_int_eq(vrms_lab_process_open(&self), -ESRCH);
}
END_TEST

START_TEST(a_zombie_is_dead)
{
	struct vrms_lab_process child;
	pid_t pid = start_sleeper();

	ck_assert_int_eq(vrms_lab_process_read(pid, &child), 0);
	kill(pid, SIGKILL);
	siginfo_t info;
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(vrms_lab_process_open(&child), -ESRCH);
	ck_assert_uint_eq(vrms_lab_process_pid_ns(pid), 0);
	waitpid(pid, NULL, 0);
}
END_TEST

START_TEST(killing_returns_when_it_is_dead)
{
	struct vrms_lab_process child;
	pid_t pid = start_sleeper();

	ck_assert_int_eq(vrms_lab_process_read(pid, &child), 0);
	ck_assert_int_eq(vrms_lab_process_kill(&child, 5000, NULL), 0);
	ck_assert_int_eq(vrms_lab_process_state(pid), 'Z');
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(vrms_lab_process_kill(&child, 5000, NULL), 0);
}
END_TEST

START_TEST(a_stopped_process_is_seen_as_such)
{
	pid_t pid = start_sleeper();

	ck_assert(!vrms_lab_process_is_stopped(pid));
	kill(pid, SIGSTOP);
	for (int i = 0; i < 100 && !vrms_lab_process_is_stopped(pid); i++) {
		vrms_clock_sleep_ms(vrms_clock_system(), 10);
	}
	ck_assert(vrms_lab_process_is_stopped(pid));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
END_TEST

START_TEST(a_record_is_read_as_it_was_written)
{
	char path[] = "/tmp/vrms-test-record.XXXXXX";
	struct vrms_lab_process self;
	struct vrms_lab_process read;
	int fd VRMS_CLEANUP(vrms_closep) = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(vrms_lab_process_read(getpid(), &self), 0);
	ck_assert_int_eq(vrms_lab_process_save(path, &self, NULL), 0);
	ck_assert_int_eq(vrms_lab_process_load(path, &read, NULL), 0);
	ck_assert_int_eq(read.pid, self.pid);
	ck_assert_uint_eq(read.start_ticks, self.start_ticks);
	ck_assert_uint_eq(read.pid_ns, self.pid_ns);
	ck_assert_str_eq(read.boot_id, self.boot_id);
	ck_assert_int_eq(vrms_file_write(path, "{}", 2, 0600, NULL), 0);
	ck_assert_int_eq(vrms_lab_process_load(path, &read, NULL), -EINVAL);
	unlink(path);
	ck_assert_int_eq(vrms_lab_process_load(path, &read, NULL), -ENOENT);
}
END_TEST

static int visit_self(void *context, pid_t pid)
{
	(void)context;
	return pid == getpid() ? 42 : 0;
}

START_TEST(the_walk_comes_by_here)
{
	ck_assert_int_eq(vrms_lab_process_walk(visit_self, NULL), 42);
	ck_assert(!vrms_lab_process_is_ns_init(getpid()));
}
END_TEST

UNIT_MAIN("lab_process", a_live_process_is_opened,
	  another_process_of_the_same_number_is_not_taken_for_it,
	  a_number_of_an_earlier_boot_is_void, a_zombie_is_dead, killing_returns_when_it_is_dead,
	  a_stopped_process_is_seen_as_such, a_record_is_read_as_it_was_written,
	  the_walk_comes_by_here)
