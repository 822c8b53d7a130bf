/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/power_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "tests/unit/unit.h"

/* A power switch that gives one answer to whatever is asked. */
struct fake {
	char folder[256];
	char path[300];
	pid_t pid;
};

/* In a child: answers one request; NULL says nothing and waits. */
static void answer_one(int listen_fd, const char *answer)
{
	char request[64];
	int fd = accept(listen_fd, NULL, NULL);

	if (read(fd, request, sizeof(request)) < 0) {
		_exit(1);
	}
	if (answer == NULL) {
		pause();
	}
	if (write(fd, answer, strlen(answer)) < 0) {
		_exit(1);
	}
	_exit(0);
}

/* The folder's name is longer than an address of a socket may be. */
static void begin(struct fake *fake, const char *answer)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = ".power"};
	char back[4096];
	char base[] = "/tmp/vrms-test-power.XXXXXX";
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_ptr_nonnull(mkdtemp(base));
	snprintf(fake->folder, sizeof(fake->folder), "%s/%0120d", base, 0);
	snprintf(fake->path, sizeof(fake->path), "%s/.power", fake->folder);
	ck_assert_int_eq(mkdir(fake->folder, 0700), 0);
	ck_assert_ptr_nonnull(getcwd(back, sizeof(back)));
	ck_assert_int_eq(chdir(fake->folder), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(chdir(back), 0);
	fake->pid = fork();
	if (fake->pid == 0) {
		answer_one(fd, answer);
	}
	close(fd);
}

static void end(struct fake *fake)
{
	kill(fake->pid, SIGKILL);
	waitpid(fake->pid, NULL, 0);
	unlink(fake->path);
	rmdir(fake->folder);
	*strrchr(fake->folder, '/') = '\0';
	rmdir(fake->folder);
}

static int ask(const char *reply, char answer[VRMS_LAB_ANSWER_SIZE], struct vrms_error *error)
{
	struct fake fake;

	begin(&fake, reply);
	int rc = vrms_lab_power_ask(fake.path, "off", "node1", 300, answer, error);
	end(&fake);
	return rc;
}

START_TEST(an_answer_is_taken)
{
	char answer[VRMS_LAB_ANSWER_SIZE];

	ck_assert_int_eq(ask("ok\n", answer, NULL), 0);
	ck_assert_str_eq(answer, "");
	ck_assert_int_eq(ask("ok\nnode1 on\nnode2 off\n", answer, NULL), 0);
	ck_assert_str_eq(answer, "node1 on\nnode2 off");
}
END_TEST

START_TEST(a_refusal_is_told_in_the_words_of_the_switch)
{
	char answer[VRMS_LAB_ANSWER_SIZE];
	struct vrms_error error = {.text = ""};

	ck_assert_int_eq(ask("error node1 is not off\n", answer, &error), -EIO);
	ck_assert_str_eq(error.text, "the power switch: node1 is not off");
}
END_TEST

START_TEST(a_switch_that_dies_has_not_fenced)
{
	char answer[VRMS_LAB_ANSWER_SIZE];

	ck_assert_int_eq(ask("", answer, NULL), -EPROTO);
	ck_assert_int_eq(ask("ok", answer, NULL), -EPROTO);
	ck_assert_int_eq(ask("ok\nnode1 o", answer, NULL), -EPROTO);
	ck_assert_int_eq(ask("okay\n", answer, NULL), -EPROTO);
	ck_assert_int_eq(ask("\n", answer, NULL), -EPROTO);
}
END_TEST

START_TEST(a_silent_switch_has_not_fenced)
{
	char answer[VRMS_LAB_ANSWER_SIZE];

	ck_assert_int_eq(ask(NULL, answer, NULL), -ETIMEDOUT);
}
END_TEST

START_TEST(a_switch_that_is_not_there_is_named)
{
	char answer[VRMS_LAB_ANSWER_SIZE];
	struct vrms_error error = {.text = ""};

	ck_assert_int_eq(vrms_lab_power_ask("/tmp/none-such", "ping", NULL, 100, answer, &error),
			 -ENOENT);
	ck_assert_ptr_nonnull(strstr(error.text, "/tmp/none-such"));
}
END_TEST

UNIT_MAIN("lab_power", an_answer_is_taken, a_refusal_is_told_in_the_words_of_the_switch,
	  a_switch_that_dies_has_not_fenced, a_silent_switch_has_not_fenced,
	  a_switch_that_is_not_there_is_named)
