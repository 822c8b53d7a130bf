/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/fork.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static int wait_for(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(a_child_is_heard_until_it_ends)
{
	char word[2] = "";
	int fd;
	pid_t pid = vrms_fork_with_pipe(VRMS_FORK_CHILD_TO_PARENT, &fd, NULL);

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		_exit(write(fd, "x", 1) == 1 ? 0 : 1);
	}
	ck_assert_int_eq(read(fd, word, 1), 1);
	ck_assert_str_eq(word, "x");
	ck_assert_int_eq(read(fd, word, 1), 0); /* nobody here holds the other end */
	ck_assert_int_eq(wait_for(pid), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}
END_TEST

/* So a guardian learns that the daemon has died. */
START_TEST(a_child_sees_its_parents_end)
{
	char word;
	int fd;
	pid_t pid = vrms_fork_with_pipe(VRMS_FORK_PARENT_TO_CHILD, &fd, NULL);

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		bool is_told = read(fd, &word, 1) == 1 && word == 'x';

		_exit(is_told && read(fd, &word, 1) == 0 ? 0 : 1);
	}
	ck_assert_int_eq(write(fd, "x", 1), 1);
	close(fd);
	ck_assert_int_eq(wait_for(pid), 0);
}
END_TEST

START_TEST(without_descriptors_there_is_no_child)
{
	struct rlimit before;
	struct vrms_error error;
	int fd = -7;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max});
	pid_t pid = vrms_fork_with_pipe(VRMS_FORK_CHILD_TO_PARENT, &fd, &error);

	setrlimit(RLIMIT_NOFILE, &before);
	ck_assert_int_eq(pid, -EMFILE);
	ck_assert_int_eq(fd, -7);
	ck_assert_int_eq(strncmp(error.text, "pipe: ", 6), 0);
}
END_TEST

UNIT_MAIN("fork", a_child_is_heard_until_it_ends, a_child_sees_its_parents_end,
	  without_descriptors_there_is_no_child)
