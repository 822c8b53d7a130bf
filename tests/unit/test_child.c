/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/unit/unit.h"

static struct vrms_child_result result;
static struct vrms_error error;

static int shell(const char *script, const char *input, int64_t timeout_ms)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	const struct vrms_child_spec spec = {.argv = argv,
					     .input = input,
					     .timeout_ms = timeout_ms};

	return vrms_child_run(&spec, &result, &error);
}

static int64_t now_ms(void)
{
	return vrms_clock_now_ms(vrms_clock_system());
}

START_TEST(output_errors_and_exit_code_come_back)
{
	ck_assert_int_eq(shell("echo out; echo err >&2; exit 7", NULL, 5000), 0);
	ck_assert_int_eq(result.exit_code, 7);
	ck_assert_str_eq(result.output, "out\n");
	ck_assert_str_eq(result.errors, "err\n");
	ck_assert(!result.timed_out);
	vrms_child_result_done(&result);
	ck_assert_int_eq(shell("kill -9 $$", NULL, 5000), 0);
	ck_assert_int_eq(result.exit_code, 128 + 9);
	ck_assert_str_eq(result.output, "");
	vrms_child_result_done(&result);
}
END_TEST

START_TEST(input_reaches_the_program_and_none_is_an_empty_one)
{
	ck_assert_int_eq(shell("cat", "one\ntwo", 5000), 0);
	ck_assert_str_eq(result.output, "one\ntwo");
	vrms_child_result_done(&result);
	ck_assert_int_eq(shell("cat", NULL, 5000), 0);
	ck_assert_str_eq(result.output, "");
	vrms_child_result_done(&result);
}
END_TEST

START_TEST(a_program_that_does_not_read_its_input_is_no_problem)
{
	char *large VRMS_CLEANUP(vrms_freep) = malloc(1 << 20);

	memset(large, 'x', (1 << 20) - 1);
	large[(1 << 20) - 1] = '\0';
	ck_assert_int_eq(shell("exit 0", large, 5000), 0);
	ck_assert_int_eq(result.exit_code, 0);
	vrms_child_result_done(&result);
}
END_TEST

START_TEST(a_missing_program_is_enoent)
{
	const char *const argv[] = {"vrms-no-such-program", NULL};
	const struct vrms_child_spec spec = {.argv = argv, .timeout_ms = 1000};

	ck_assert_int_eq(vrms_child_run(&spec, &result, &error), -ENOENT);
	ck_assert_str_eq(error.text, "vrms-no-such-program: No such file or directory");
	vrms_child_result_done(&result);
}
END_TEST

START_TEST(at_the_deadline_the_whole_group_ends)
{
	int64_t begin_ms = now_ms();
	pid_t pid = 0;

	ck_assert_int_eq(shell("sleep 60 & echo $!; wait", NULL, 200), -ETIMEDOUT);
	ck_assert(result.timed_out);
	ck_assert_int_lt(now_ms() - begin_ms, 5000);
	ck_assert_str_eq(error.text, "sh: not finished after 200 ms");
	ck_assert_int_eq(sscanf(result.output, "%d", &pid), 1);
	/* The grandchild is init's now; it may take a moment to vanish. */
	for (int i = 0; i < 200 && kill(pid, 0) == 0; i++) {
		vrms_clock_sleep_ms(vrms_clock_system(), 10);
	}
	char path[64];
	char state = 'Z';
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *stat = fopen(path, "re");
	if (stat != NULL) {
		ck_assert_int_eq(fscanf(stat, "%*d %*s %c", &state), 1);
		fclose(stat);
	}
	ck_assert_int_eq(state, 'Z'); /* gone, or nobody reaps orphans here */
	vrms_child_result_done(&result);
}
END_TEST

START_TEST(who_ignores_term_is_killed)
{
	int64_t begin_ms = now_ms();

	ck_assert_int_eq(shell("trap '' TERM; echo up; while :; do sleep 0.05; done", NULL, 300),
			 -ETIMEDOUT);
	ck_assert_int_ge(now_ms() - begin_ms, 1300);
	ck_assert_int_lt(now_ms() - begin_ms, 8000);
	ck_assert_str_eq(result.output, "up\n");
	ck_assert_int_eq(result.exit_code, 128 + SIGKILL);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no zombie of ours */
	vrms_child_result_done(&result);
}
END_TEST

START_TEST(a_daemon_left_behind_with_our_pipe_does_not_hold_us)
{
	int64_t begin_ms = now_ms();
	pid_t pid = 0;

	ck_assert_int_eq(shell("setsid sleep 5 & echo $!", NULL, 30000), 0);
	ck_assert_int_lt(now_ms() - begin_ms, 4000);
	ck_assert_int_eq(sscanf(result.output, "%d", &pid), 1);
	kill(pid, SIGKILL);
	vrms_child_result_done(&result);
}
END_TEST

START_TEST(output_is_kept_up_to_the_limit_and_the_rest_dropped)
{
	ck_assert_int_eq(shell("head -c 6000000 /dev/zero | tr '\\0' x; echo end >&2", NULL, 30000),
			 0);
	ck_assert_int_eq(result.exit_code, 0);
	ck_assert_uint_eq(strlen(result.output), 4 * 1024 * 1024);
	ck_assert_str_eq(result.errors, "end\n");
	vrms_child_result_done(&result);
}
END_TEST

START_TEST(the_environment_can_be_replaced)
{
	const char *const argv[] = {"sh", "-c", "echo $A$HOME", NULL};
	const char *const envp[] = {"A=b", NULL};
	const struct vrms_child_spec spec = {.argv = argv, .envp = envp, .timeout_ms = 5000};

	ck_assert_int_eq(vrms_child_run(&spec, &result, &error), 0);
	ck_assert_str_eq(result.output, "b\n");
	vrms_child_result_done(&result);
}
END_TEST

START_TEST(check_gives_the_last_line_of_stderr)
{
	const char *argv[] = {"sh", "-c", "echo a >&2; echo 'no such disk' >&2; exit 3", NULL};
	struct vrms_child_spec spec = {.argv = argv, .timeout_ms = 5000};

	ck_assert_int_eq(vrms_child_check(&spec, &error), -EIO);
	ck_assert_str_eq(error.text, "sh: no such disk");
	argv[2] = "exit 3";
	ck_assert_int_eq(vrms_child_check(&spec, &error), -EIO);
	ck_assert_str_eq(error.text, "sh: exit code 3");
	argv[2] = "exit 0";
	ck_assert_int_eq(vrms_child_check(&spec, &error), 0);
	spec.passthrough = true;
	argv[2] = "exit 4";
	ck_assert_int_eq(vrms_child_check(&spec, &error), -EIO);
	ck_assert_str_eq(error.text, "sh: exit code 4");
}
END_TEST

UNIT_MAIN("child", output_errors_and_exit_code_come_back,
	  input_reaches_the_program_and_none_is_an_empty_one,
	  a_program_that_does_not_read_its_input_is_no_problem, a_missing_program_is_enoent,
	  at_the_deadline_the_whole_group_ends, who_ignores_term_is_killed,
	  a_daemon_left_behind_with_our_pipe_does_not_hold_us,
	  output_is_kept_up_to_the_limit_and_the_rest_dropped, the_environment_can_be_replaced,
	  check_gives_the_last_line_of_stderr)
