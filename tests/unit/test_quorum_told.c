/* test_quorum_told.c - what fence_vrms_verdict tells this node's vrmsd, and what it prints.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/child.h"
#include "common/clock.h"
#include "common/file.h"
#include "quorum/san.h"
#include "quorum/verdict_line.h"
#include "quorum/verdict_teller.h"
#include "tests/unit/unit.h"

static char path[64];
static int listener;

static void begin(void)
{
	struct vrms_error error = {""};

	snprintf(path, sizeof(path), "test_quorum_told.%d", (int)getpid());
	ck_assert_msg(vrms_verdict_line_listen(path, &listener, &error) == 0, "%s", error.text);
}

static void end(void)
{
	vrms_closep(&listener);
	unlink(path);
}

/* The next word's state, after its number is found right. */
static json_t *expect(const char *state, int64_t after_ms, const char *text)
{
	json_t *object = NULL;

	ck_assert_int_eq(vrms_verdict_line_receive(listener, &object), 0);
	ck_assert_str_eq(json_string_value(json_object_get(object, "target")), "node3");
	ck_assert_str_eq(json_string_value(json_object_get(object, "state")), state);
	if (after_ms >= 0) {
		ck_assert_int_eq(json_integer_value(json_object_get(object, "after_ms")), after_ms);
	}
	ck_assert_str_eq(json_string_value(json_object_get(object, "text")), text);
	return object;
}

static void expect_nothing(void)
{
	json_t *object = NULL;

	ck_assert_int_eq(vrms_verdict_line_receive(listener, &object), -EAGAIN);
}

START_TEST(what_changes_is_told_in_order_and_nothing_twice)
{
	struct vrms_verdict_look look = {.now_ms = 1010,
					 .beat = VRMS_BEAT_READ,
					 .sequence = 7,
					 .unchanged_ms = 40,
					 .member = VRMS_VERDICT_MEMBER_OUT};
	struct vrms_verdict_teller teller;

	begin();
	vrms_verdict_teller_begin(&teller, path, "node3", "off", 1000);
	vrms_verdict_teller_look(&teller, &look);
	look.now_ms = 1060;
	look.unchanged_ms = 90;
	vrms_verdict_teller_look(&teller, &look); /* nothing new */
	look.now_ms = 1110;
	look.sequence = 8;
	vrms_verdict_teller_look(&teller, &look);
	look.now_ms = 1160;
	look.sequence = 9;
	vrms_verdict_teller_look(&teller, &look); /* it moves on */
	look.now_ms = 1210;
	look.member = VRMS_VERDICT_MEMBER_IN;
	vrms_verdict_teller_look(&teller, &look);
	vrms_verdict_teller_end(&teller, VRMS_VERDICT_REFUSE, VRMS_REASON_VERDICT_RETURNED, 1211,
				"");

	json_decref(expect("asked", 0, "is it to be fenced?"));
	json_t *seen = expect("seen", 10, "its beat was read; it is no member");

	ck_assert_int_eq(json_integer_value(json_object_get(seen, "unchanged_ms")), 40);
	ck_assert_int_eq(json_integer_value(json_object_get(seen, "sequence")), 7);
	ck_assert_int_eq(json_integer_value(json_object_get(seen, "at_ms")), 1010);
	json_decref(seen);
	json_decref(expect("seen", 110, "its beat moves; it is no member"));
	json_decref(expect("seen", 210, "its beat moves; it is a member"));
	json_t *last = expect("refused", 211, vrms_reason_text(VRMS_REASON_VERDICT_RETURNED));

	ck_assert_str_eq(json_string_value(json_object_get(last, "reason")), "VERDICT_RETURNED");
	ck_assert_ptr_null(json_object_get(last, "trouble"));
	json_decref(last);
	expect_nothing();
	end();
}
END_TEST

START_TEST(without_a_daemon_it_is_silent)
{
	struct vrms_verdict_look look = {.beat = VRMS_BEAT_PENDING};
	struct vrms_verdict_teller teller;

	begin();
	vrms_verdict_teller_begin(&teller, "nonexistent", "node3", "off", 0);
	ck_assert_int_eq(teller.fd, -1);
	vrms_verdict_teller_look(&teller, &look);
	vrms_verdict_teller_end(&teller, VRMS_VERDICT_DONE, VRMS_REASON_VERDICT_SILENT, 1, "");
	expect_nothing();
	end();
}
END_TEST

START_TEST(what_is_no_object_is_refused)
{
	char long_text[VRMS_VERDICT_LINE_BYTES_MAX + 2];
	json_t *object = NULL;
	struct stat status;
	int fd = -1;

	begin();
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0600); /* root's own */
	ck_assert_int_eq(vrms_verdict_line_open(path, &fd), 0);
	ck_assert_int_eq(send(fd, "[1]", 3, 0), 3);
	ck_assert_int_eq(vrms_verdict_line_receive(listener, &object), -EBADMSG);
	ck_assert_int_eq(send(fd, "{\"a\":", 5, 0), 5);
	ck_assert_int_eq(vrms_verdict_line_receive(listener, &object), -EBADMSG);
	memset(long_text, ' ', sizeof(long_text));
	memcpy(long_text, "{}", 2);
	ck_assert_int_eq(send(fd, long_text, sizeof(long_text), 0), (int)sizeof(long_text));
	ck_assert_int_eq(vrms_verdict_line_receive(listener, &object), -EBADMSG);
	ck_assert_ptr_null(object);
	long_text[sizeof(long_text) - 1] = '\0';
	ck_assert_int_eq(vrms_verdict_line_send(fd, json_pack("{s:s}", "a", long_text)), -EMSGSIZE);
	vrms_closep(&fd);
	end();
}
END_TEST

/* In place of Pacemaker's: a CIB with a fence behind the second opinion. */
static void write_cibadmin(const char *folder)
{
	static const char text[] =
	    "#!/bin/sh\n"
	    "echo '<x><fencing-level target=\"node3\" index=\"1\" devices=\"verdict,power\"/>'\n"
	    "echo '<primitive id=\"verdict\" class=\"stonith\" "
	    "type=\"fence_vrms_verdict\"/></x>'\n";
	char program[120];
	struct vrms_error error = {""};

	snprintf(program, sizeof(program), "%s/cibadmin", folder);
	ck_assert(mkdir(folder, 0700) == 0 || errno == EEXIST);
	ck_assert_msg(vrms_file_write(program, text, strlen(text), 0700, &error) == 0, "%s",
		      error.text);
}

static void remove_cibadmin(const char *folder)
{
	char program[120];

	snprintf(program, sizeof(program), "%s/cibadmin", folder);
	unlink(program);
	rmdir(folder);
}

/* Runs the agent about a node that has no slot; its exit code. */
static int run_agent(const char *action, char *ret_output, size_t bytes)
{
	char area[80], folder[80], path_setting[120];
	const char *const envp[] = {path_setting, "PCMK_logfacility=none", NULL};
	struct vrms_child_result result = {0};
	struct vrms_error error = {""};

	snprintf(area, sizeof(area), "%s.area", path);
	snprintf(folder, sizeof(folder), "%s.bin", path);
	snprintf(path_setting, sizeof(path_setting), "PATH=%s:/usr/bin:/bin", folder);
	write_cibadmin(folder);
	unlink(area);
	ck_assert_msg(vrms_san_init(area, "lab", false, &error) == 0, "%s", error.text);
	const char *const argv[] = {"./fence_vrms_verdict",
				    "-o",
				    action,
				    "-n",
				    "node3",
				    "-d",
				    area,
				    "-J",
				    path,
				    "-g",
				    "20s",
				    NULL};
	const struct vrms_child_spec spec = {.argv = argv, .envp = envp, .timeout_ms = 60000};

	ck_assert_msg(vrms_child_run(&spec, &result, &error) == 0, "%s", error.text);
	int code = result.exit_code;

	snprintf(ret_output, bytes, "%s", result.output);
	vrms_child_result_done(&result);
	unlink(area);
	remove_cibadmin(folder);
	return code;
}

START_TEST(the_agent_tells_and_claims_no_power_off)
{
	char output[200];
	json_t *object = NULL;
	int count = 0;

	begin();
	ck_assert_int_eq(run_agent("off", output, sizeof(output)), 0);
	ck_assert_str_eq(output, "To be fenced: by the device after this one\n");
	json_decref(expect("asked", 0, "is it to be fenced?"));
	while (vrms_verdict_line_receive(listener, &object) == 0) {
		if (strcmp(json_string_value(json_object_get(object, "state")), "done") == 0) {
			ck_assert_str_eq(json_string_value(json_object_get(object, "reason")),
					 "VERDICT_NO_SLOT");
			count++;
		}
		json_decref(object);
	}
	ck_assert_int_eq(count, 1);
	ck_assert_int_eq(run_agent("on", output, sizeof(output)), 0);
	ck_assert_str_eq(output, "Nothing to switch on\n");
	end();
}
END_TEST

START_TEST(a_daemon_that_does_not_listen_delays_no_fence)
{
	char output[200];
	int fd = -1, rc, count = 0;

	begin();
	ck_assert_int_eq(vrms_verdict_line_open(path, &fd), 0);
	while ((rc = vrms_verdict_line_send(fd, json_object())) == 0 && count < 100000) {
		count++;
	}
	ck_assert_int_eq(rc, -EAGAIN); /* full, and nobody takes anything out */
	int64_t begin_ms = vrms_clock_now_ms(vrms_clock_system());

	ck_assert_int_eq(run_agent("off", output, sizeof(output)), 0);
	/* Of a grace of 20 s, that a busy machine does not make the difference. */
	ck_assert_int_lt(vrms_clock_now_ms(vrms_clock_system()) - begin_ms, 10000);
	vrms_closep(&fd);
	end();
}
END_TEST

UNIT_MAIN("quorum_told", what_changes_is_told_in_order_and_nothing_twice,
	  without_a_daemon_it_is_silent, what_is_no_object_is_refused,
	  the_agent_tells_and_claims_no_power_off, a_daemon_that_does_not_listen_delays_no_fence)
