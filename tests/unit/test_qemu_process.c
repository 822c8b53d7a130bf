/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/qemu_process.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "tests/unit/unit.h"

static const char UUID[] = "77000000-0000-4000-9000-00000000000a";
#define UUID_UPPER "77000000-0000-4000-9000-00000000000A"

/* The fake folders of one test. */
static char root[64], proc_path[128], run_path[128];
static struct vrms_qemu_roots roots = {.proc = proc_path, .run = run_path};

static void setup_folders(void)
{
	strcpy(root, "/tmp/vrms-qemu-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	(void)snprintf(proc_path, sizeof(proc_path), "%s/proc", root);
	(void)snprintf(run_path, sizeof(run_path), "%s/run", root);
	ck_assert_int_eq(mkdir(proc_path, 0700), 0);
	ck_assert_int_eq(mkdir(run_path, 0700), 0);
}

static void remove_folders(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
	ck_assert_int_eq(system(command), 0);
}

static void write_file(const char *folder, const char *name, const void *data, size_t bytes)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	ck_assert_int_eq(vrms_file_mkdir_all(folder, 0700, NULL), 0);
	ck_assert_int_eq(vrms_file_write(path, data, bytes, 0600, NULL), 0);
}

/* Makes proc/PID with these arguments and state letter. */
static void put_process(pid_t pid, const char *cmdline, size_t bytes, char letter)
{
	char folder[256], stat_text[128];

	(void)snprintf(folder, sizeof(folder), "%s/%d", proc_path, (int)pid);
	(void)snprintf(stat_text, sizeof(stat_text), "%d (a) b) %c 1 2 3\n", (int)pid, letter);
	write_file(folder, "cmdline", cmdline, bytes);
	write_file(folder, "stat", stat_text, strlen(stat_text));
}

#define PUT_PROCESS(pid, literal) put_process(pid, literal, sizeof(literal), 'S')

static void put_pid_file(const char *name, const char *text)
{
	char file[128];

	(void)snprintf(file, sizeof(file), "%s.pid", name);
	write_file(run_path, file, text, strlen(text));
}

static void put_pid(const char *name, pid_t pid)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%d\n", (int)pid);
	put_pid_file(name, text);
}

/* A child that sleeps; it dies with the test. */
static pid_t start_child(bool ignores_term)
{
	int ready[2];
	char byte = 0;

	ck_assert_int_eq(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)signal(SIGTERM, ignores_term ? SIG_IGN : SIG_DFL);
		(void)!write(ready[1], &byte, 1);
		for (;;) {
			pause();
		}
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq((int)read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void end_child(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static int find(const char *name, struct vrms_qemu_process *process)
{
	struct vrms_error error = {{0}};

	*process = VRMS_QEMU_PROCESS_NONE;
	int rc = vrms_qemu_process_find(&roots, name, UUID, process, &error);
	ck_assert_int_eq(rc == 0, process->pidfd >= 0);
	return rc;
}

#define OURS                                                                         \
	"/usr/bin/qemu-system-x86_64\0-name\0guest=vm1\0-uuid\0" UUID_UPPER "\0-m\0" \
	"16"
#define OTHERS                                       \
	"/usr/bin/qemu-system-x86_64\0-uuid\0"       \
	"77000000-0000-4000-9000-00000000000b\0-m\0" \
	"16"

START_TEST(the_pid_file_leads_to_the_process)
{
	struct vrms_qemu_process process;
	pid_t pid = start_child(false);

	setup_folders();
	PUT_PROCESS(pid, OURS);
	put_pid("vm1", pid);
	ck_assert_int_eq(find("vm1", &process), 0);
	ck_assert_int_eq(process.pid, pid);
	vrms_qemu_process_done(&process);
	ck_assert_int_eq(process.pidfd, -1);
	end_child(pid);
	remove_folders();
}
END_TEST

START_TEST(a_wrong_or_broken_pid_file_is_passed_over)
{
	static const char *const texts[] = {"",          "0\n", "-1", "1x", "99999999999999999999",
					    "4194303\n", "\n1"};
	struct vrms_qemu_process process;
	pid_t pid = start_child(false);
	pid_t other = start_child(false);

	setup_folders();
	PUT_PROCESS(pid, OURS);
	PUT_PROCESS(other, OTHERS);
	for (size_t i = 0; i < VRMS_COUNT_OF(texts); i++) {
		put_pid_file("vm1", texts[i]);
		ck_assert_int_eq(find("vm1", &process), 0);
		ck_assert_int_eq(process.pid, pid);
		vrms_qemu_process_done(&process);
	}
	put_pid("vm1", other);
	ck_assert_int_eq(find("vm1", &process), 0);
	ck_assert_int_eq(process.pid, pid);
	vrms_qemu_process_done(&process);
	ck_assert_int_eq(find("../vm1", &process), 0);
	vrms_qemu_process_done(&process);
	ck_assert_int_eq(find(NULL, &process), 0);
	vrms_qemu_process_done(&process);
	end_child(pid);
	end_child(other);
	remove_folders();
}
END_TEST

START_TEST(only_the_exact_argument_counts)
{
	struct vrms_qemu_process process;
	pid_t pid = start_child(false);

	setup_folders();
	PUT_PROCESS(pid, OTHERS);
	ck_assert_int_eq(find("vm1", &process), -ESRCH);
	PUT_PROCESS(pid, "grep\0-uuid " UUID_UPPER); /* one word */
	ck_assert_int_eq(find("vm1", &process), -ESRCH);
	PUT_PROCESS(pid, "tail\0-f\0/var/log/" UUID_UPPER);
	ck_assert_int_eq(find("vm1", &process), -ESRCH);
	PUT_PROCESS(pid, "qemu\0-uuid");
	ck_assert_int_eq(find("vm1", &process), -ESRCH);
	PUT_PROCESS(pid, "qemu\0-uuid\0\0" UUID_UPPER);
	ck_assert_int_eq(find("vm1", &process), -ESRCH);
	/* No NUL at the end: a process may have written over its arguments. */
	put_process(pid, "qemu\0-uuid\0" UUID_UPPER, sizeof("qemu\0-uuid\0" UUID_UPPER) - 1, 'S');
	ck_assert_int_eq(find("vm1", &process), 0);
	vrms_qemu_process_done(&process);
	end_child(pid);
	remove_folders();
}
END_TEST

START_TEST(the_name_decides_when_the_uuid_is_not_known)
{
	struct vrms_qemu_process process;
	pid_t pid = start_child(false);

	setup_folders();
	PUT_PROCESS(pid, "qemu\0-name\0guest=vm1,debug-threads=on\0-uuid\0" UUID_UPPER);
	ck_assert_int_eq(vrms_qemu_process_find(&roots, "vm1", "", &process, NULL), 0);
	vrms_qemu_process_done(&process);
	ck_assert_int_eq(vrms_qemu_process_find(&roots, "vm", NULL, &process, NULL), -ESRCH);
	ck_assert_int_eq(vrms_qemu_process_find(&roots, "vm11", "", &process, NULL), -ESRCH);
	ck_assert_int_eq(vrms_qemu_process_find(&roots, "", "", &process, NULL), -EINVAL);

	PUT_PROCESS(pid, "qemu\0-name\0guest=a,,b");
	ck_assert_int_eq(vrms_qemu_process_find(&roots, "a,b", "", &process, NULL), 0);
	vrms_qemu_process_done(&process);
	ck_assert_int_eq(vrms_qemu_process_find(&roots, "a", "", &process, NULL), -ESRCH);
	PUT_PROCESS(pid, "qemu\0-name\0vm1");
	ck_assert_int_eq(vrms_qemu_process_find(&roots, "vm1", "", &process, NULL), -ESRCH);
	end_child(pid);
	remove_folders();
}
END_TEST

START_TEST(dead_processes_and_kernel_threads_are_none)
{
	struct vrms_qemu_process process;
	pid_t gone = start_child(false);
	pid_t zombie = start_child(false);

	setup_folders();
	end_child(gone);
	(void)kill(zombie, SIGKILL);
	siginfo_t info;
	ck_assert_int_eq(waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT), 0);
	PUT_PROCESS(gone, OURS);   /* /proc as it was a moment ago */
	PUT_PROCESS(zombie, OURS); /* likewise */
	put_process(2, "", 0, 'I');
	put_pid("vm1", zombie);
	ck_assert_int_eq(find("vm1", &process), -ESRCH);
	end_child(zombie);
	remove_folders();
}
END_TEST

START_TEST(not_being_able_to_look_is_not_none)
{
	struct vrms_qemu_process process;
	struct vrms_qemu_roots nowhere = {.proc = "/nonexistent", .run = run_path};
	struct vrms_error error = {{0}};
	char folder[256];

	setup_folders();
	ck_assert_int_eq(vrms_qemu_process_find(&nowhere, "vm1", UUID, &process, &error), -EIO);
	ck_assert_ptr_nonnull(strstr(error.text, "/nonexistent"));

	/* A command line that cannot be read could be the one. */
	(void)snprintf(folder, sizeof(folder), "%s/%d/cmdline", proc_path, (int)getpid());
	ck_assert_int_eq(vrms_file_mkdir_all(folder, 0700, NULL), 0);
	ck_assert_int_eq(find("vm1", &process), -EISDIR);
	remove_folders();
}
END_TEST

static void *sleep_forever(void *context)
{
	(void)!write(*(int *)context, "", 1);
	for (;;) {
		pause();
	}
	return NULL;
}

/* A process whose first thread has ended; the other one lives on. */
static pid_t start_headless_child(void)
{
	int ready[2];
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		pthread_t thread;
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (pthread_create(&thread, NULL, sleep_forever, &ready[1]) != 0) {
			_exit(1);
		}
		(void)syscall(SYS_exit, 0);
	}
	ck_assert_int_eq((int)read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* So looks a QEMU that was killed while a write to a dead SAN hangs in the kernel. */
START_TEST(a_killed_process_with_a_hanging_thread_still_counts)
{
	struct vrms_qemu_process process;
	enum vrms_qemu_process_state state;
	char folder[256];
	pid_t pid = start_headless_child();

	setup_folders();
	put_process(pid, "", 0, 'Z');
	(void)snprintf(folder, sizeof(folder), "%s/%d/task/%d", proc_path, (int)pid, (int)pid);
	write_file(folder, "cmdline", "", 0);
	(void)snprintf(folder, sizeof(folder), "%s/%d/task/%d", proc_path, (int)pid, (int)pid + 1);
	write_file(folder, "cmdline", OURS, sizeof(OURS));

	ck_assert_int_eq(find("vm1", &process), 0);
	ck_assert_int_eq(vrms_qemu_process_state(&roots, &process, &state, NULL), 0);
	ck_assert_int_eq(state, VRMS_QEMU_RUNNING);
	/* And KILL reaches the thread. */
	const struct vrms_clock *clock = vrms_clock_system();
	ck_assert_int_eq(vrms_qemu_process_end(&process, clock, 0, vrms_clock_now_ms(clock) + 5000,
					       NULL),
			 0);
	ck_assert_int_eq(vrms_qemu_process_state(&roots, &process, &state, NULL), 0);
	ck_assert_int_eq(state, VRMS_QEMU_DEAD);
	vrms_qemu_process_done(&process);
	end_child(pid);
	remove_folders();
}
END_TEST

/* The real /proc, a real process with QEMU's arguments. */
START_TEST(the_real_proc_shows_a_process_through_its_life)
{
	const struct vrms_qemu_roots *system_roots = vrms_qemu_roots_system();
	struct vrms_qemu_process process;
	enum vrms_qemu_process_state state;
	char uuid[64], word[80];
	int input[2];

	ck_assert_int_eq(pipe(input), 0);
	(void)snprintf(uuid, sizeof(uuid), "77000000-0000-4000-9000-%012d", (int)getpid());
	ck_assert_int_eq(vrms_qemu_process_find(system_roots, NULL, uuid, &process, NULL), -ESRCH);
	pid_t pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(input[0], 0);
		execlp("sh", "sh", "-c", "read x; exit", "qemu", "-uuid", uuid, (char *)NULL);
		_exit(127);
	}
	int rc = -ESRCH;
	for (int i = 0; i < 500 && rc == -ESRCH; i++) {
		usleep(10000);
		rc = vrms_qemu_process_find(system_roots, NULL, uuid, &process, NULL);
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(process.pid, pid);
	ck_assert_int_eq(vrms_qemu_process_state(system_roots, &process, &state, NULL), 0);
	ck_assert_int_eq(state, VRMS_QEMU_RUNNING);

	(void)kill(pid, SIGSTOP);
	ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
	ck_assert_int_eq(vrms_qemu_process_state(system_roots, &process, &state, NULL), 0);
	ck_assert_int_eq(state, VRMS_QEMU_STOPPED);

	(void)kill(pid, SIGKILL);
	siginfo_t info;
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(vrms_qemu_process_state(system_roots, &process, &state, NULL), 0);
	ck_assert_int_eq(state, VRMS_QEMU_DEAD); /* a zombie */
	ck_assert_int_eq(vrms_qemu_process_find(system_roots, NULL, uuid, &process, NULL), -ESRCH);
	(void)waitpid(pid, NULL, 0);
	ck_assert_int_eq(vrms_qemu_process_state(system_roots, &process, &state, NULL), 0);
	ck_assert_int_eq(state, VRMS_QEMU_DEAD); /* nothing */
	(void)snprintf(word, sizeof(word), "%s", uuid);
	vrms_qemu_process_done(&process);
}
END_TEST

static int64_t end_with_grace(pid_t pid, int64_t grace_ms, int64_t timeout_ms, int *ret_rc)
{
	const struct vrms_clock *clock = vrms_clock_system();
	struct vrms_qemu_process process = {.pid = pid,
					    .pidfd = (int)syscall(SYS_pidfd_open, pid, 0)};
	int64_t start_ms = vrms_clock_now_ms(clock);

	ck_assert_int_ge(process.pidfd, 0);
	*ret_rc = vrms_qemu_process_end(&process, clock, grace_ms, start_ms + timeout_ms, NULL);
	vrms_qemu_process_done(&process);
	return vrms_clock_now_ms(clock) - start_ms;
}

static int death_signal(pid_t pid)
{
	int status = 0;

	ck_assert_int_eq(waitpid(pid, &status, WNOHANG), pid); /* proved dead: no waiting */
	return WTERMSIG(status);
}

START_TEST(an_obedient_process_ends_by_term)
{
	int rc;
	pid_t pid = start_child(false);

	ck_assert_int_lt(end_with_grace(pid, 5000, 10000, &rc), 4000);
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(death_signal(pid), SIGTERM);
}
END_TEST

START_TEST(a_deaf_process_is_killed_after_its_grace)
{
	int rc;
	pid_t pid = start_child(true);

	int64_t spent_ms = end_with_grace(pid, 300, 10000, &rc);
	ck_assert_int_eq(rc, 0);
	ck_assert_int_ge(spent_ms, 299);
	ck_assert_int_lt(spent_ms, 5000);
	ck_assert_int_eq(death_signal(pid), SIGKILL);
}
END_TEST

START_TEST(kill_comes_before_the_deadline_even_with_a_long_grace)
{
	int rc;
	pid_t pid = start_child(true);

	ck_assert_int_lt(end_with_grace(pid, 60000, 400, &rc), 390);
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(death_signal(pid), SIGKILL);
}
END_TEST

START_TEST(a_stopped_process_gets_its_chance)
{
	int rc;
	pid_t pid = start_child(false);

	(void)kill(pid, SIGSTOP);
	ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
	ck_assert_int_lt(end_with_grace(pid, 5000, 10000, &rc), 4000);
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(death_signal(pid), SIGTERM);
}
END_TEST

START_TEST(ending_what_is_dead_succeeds)
{
	const struct vrms_clock *clock = vrms_clock_system();
	pid_t pid = start_child(false);
	struct vrms_qemu_process process = {.pid = pid,
					    .pidfd = (int)syscall(SYS_pidfd_open, pid, 0)};

	end_child(pid);
	ck_assert_int_eq(vrms_qemu_process_end(&process, clock, 1000,
					       vrms_clock_now_ms(clock) + 1000, NULL),
			 0);
	vrms_qemu_process_done(&process);
}
END_TEST

UNIT_MAIN("qemu_process", the_pid_file_leads_to_the_process,
	  a_wrong_or_broken_pid_file_is_passed_over, only_the_exact_argument_counts,
	  the_name_decides_when_the_uuid_is_not_known, dead_processes_and_kernel_threads_are_none,
	  not_being_able_to_look_is_not_none, a_killed_process_with_a_hanging_thread_still_counts,
	  the_real_proc_shows_a_process_through_its_life, an_obedient_process_ends_by_term,
	  a_deaf_process_is_killed_after_its_grace,
	  kill_comes_before_the_deadline_even_with_a_long_grace, a_stopped_process_gets_its_chance,
	  ending_what_is_dead_succeeds)
