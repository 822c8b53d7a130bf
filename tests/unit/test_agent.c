/* test_agent.c - the agent library as Pacemaker sees it: a process, its environment, its exit code.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/child.h"
#include "common/clock.h"
#include "common/file.h"
#include "ocf/exit.h"
#include "tests/unit/unit.h"

enum { VARIABLES_MAX = 16 };

static struct vrms_child_result result;
static char state[] = "/tmp/vrms-test-agent.XXXXXX";
static char log_file[64];

/* Calls the agent; variables: NULL-terminated "NAME=value", beside the state file and a log. */
static int call(const char *action, const char *const *variables)
{
	const char *const argv[] = {"tests/fakes/ocf_dummy", action, NULL};
	char state_variable[80];
	char log_variable[80];
	const char *envp[VARIABLES_MAX] = {state_variable, log_variable, "PCMK_logfacility=none"};
	const struct vrms_child_spec spec = {.argv = argv, .envp = envp, .timeout_ms = 20000};
	struct vrms_error error = {""};

	snprintf(state_variable, sizeof(state_variable), "OCF_RESKEY_state=%s", state);
	snprintf(log_variable, sizeof(log_variable), "PCMK_logfile=%s", log_file);
	for (size_t i = 3; variables != NULL && *variables != NULL; i++) {
		ck_assert_uint_lt(i, VARIABLES_MAX - 1);
		envp[i] = *variables++;
	}
	vrms_child_result_done(&result);
	int rc = vrms_child_run(&spec, &result, &error);
	ck_assert_msg(rc == 0, "%s", error.text);
	return result.exit_code;
}

#define CALL(action, ...) call(action, (const char *const[]){__VA_ARGS__, NULL})

static void begin(void)
{
	int fd = mkstemp(state);

	ck_assert_int_ge(fd, 0);
	close(fd);
	unlink(state);
	snprintf(log_file, sizeof(log_file), "%s.log", state);
}

static void end(void)
{
	unlink(state);
	unlink(log_file);
	vrms_child_result_done(&result);
}

/* True when a line of the log holds the text. */
static bool is_logged(const char *text)
{
	char *log VRMS_CLEANUP(vrms_freep) = NULL;

	if (vrms_file_read(log_file, 100000, &log, NULL, NULL) < 0) {
		return false;
	}
	return strstr(log, text) != NULL;
}

START_TEST(help_is_no_failure_and_no_action_is_one)
{
	begin();
	ck_assert_int_eq(call("usage", NULL), VRMS_OCF_SUCCESS);
	ck_assert_ptr_nonnull(strstr(result.output, "usage: ocf_dummy ACTION"));
	ck_assert_ptr_null(strstr(result.output, "delay")); /* advanced */
	ck_assert_int_eq(call("-h", NULL), VRMS_OCF_SUCCESS);
	ck_assert_int_eq(call("--version", NULL), VRMS_OCF_SUCCESS);
	ck_assert_str_eq(result.output, "ocf_dummy 0.1.0\n");
	ck_assert_int_eq(call(NULL, NULL), VRMS_OCF_ERR_ARGS);
	ck_assert_str_eq(result.output, "");
	end();
}
END_TEST

START_TEST(an_unknown_action_is_unimplemented)
{
	begin();
	ck_assert_int_eq(call("promote", NULL), VRMS_OCF_ERR_UNIMPLEMENTED);
	ck_assert_ptr_nonnull(strstr(result.errors, "unknown action \"promote\""));
	end();
}
END_TEST

START_TEST(start_monitor_stop)
{
	begin();
	ck_assert_int_eq(CALL("start", "OCF_RESOURCE_INSTANCE=d1",
			      "OCF_RESKEY_CRM_meta_on_node=n1"),
			 VRMS_OCF_SUCCESS);
	ck_assert_str_eq(result.errors, "");
	ck_assert(is_logged("ocf_dummy(d1)"));
	ck_assert(is_logged("info: d1 on n1"));
	ck_assert_int_eq(call("monitor", NULL), VRMS_OCF_SUCCESS);
	ck_assert_int_eq(call("stop", NULL), VRMS_OCF_SUCCESS);
	ck_assert_int_eq(call("stop", NULL), VRMS_OCF_SUCCESS);
	ck_assert_int_eq(call("monitor", NULL), VRMS_OCF_NOT_RUNNING);
	end();
}
END_TEST

START_TEST(a_probe_that_finds_nothing_gives_no_reason_a_monitor_does)
{
	begin();
	ck_assert_int_eq(CALL("monitor", "OCF_RESKEY_CRM_meta_interval=0"), VRMS_OCF_NOT_RUNNING);
	ck_assert_str_eq(result.errors, "");
	ck_assert(is_logged("at a probe, check level 0"));
	ck_assert_int_eq(CALL("monitor", "OCF_RESKEY_CRM_meta_interval=10000",
			      "OCF_CHECK_LEVEL=10"),
			 VRMS_OCF_NOT_RUNNING);
	ck_assert_ptr_nonnull(strstr(result.errors, "ocf-exit-reason:"));
	ck_assert_ptr_nonnull(strstr(result.errors, "no such file, check level 10\n"));
	end();
}
END_TEST

START_TEST(a_bad_value_is_named_in_every_action)
{
	static const char *const actions[] = {"start", "stop", "monitor", "validate-all",
					      "reload-agent"};

	begin();
	for (size_t i = 0; i < VRMS_COUNT_OF(actions); i++) {
		ck_assert_int_eq(CALL(actions[i], "OCF_RESKEY_count=many"),
				 VRMS_OCF_ERR_CONFIGURED);
		ck_assert_str_eq(result.errors,
				 "ocf-exit-reason:count: \"many\" is not an integer\n");
	}
	ck_assert_int_eq(CALL("monitor", "OCF_RESKEY_count=10"), VRMS_OCF_ERR_CONFIGURED);
	ck_assert_str_eq(result.errors, "ocf-exit-reason:count: \"10\" is not 1 to 9\n");
	ck_assert_int_eq(CALL("stop", "OCF_RESKEY_low=7", "OCF_RESKEY_high=6"),
			 VRMS_OCF_ERR_CONFIGURED);
	ck_assert_str_eq(result.errors, "ocf-exit-reason:low: 7 is above high, 6\n");
	ck_assert(is_logged("error: stop: low: 7 is above high, 6 (OCF_ERR_CONFIGURED)"));
	end();
}
END_TEST

START_TEST(a_missing_required_parameter_is_named)
{
	begin();
	state[0] = '\0';
	ck_assert_int_eq(call("start", NULL), VRMS_OCF_ERR_CONFIGURED);
	ck_assert_str_eq(result.errors, "ocf-exit-reason:state: required, not set\n");
	ck_assert_int_eq(call("meta-data", NULL), VRMS_OCF_SUCCESS);
	end();
}
END_TEST

START_TEST(the_deadline_is_that_of_pacemaker)
{
	const struct vrms_clock *clock = vrms_clock_system();

	begin();
	int64_t start_ms = vrms_clock_now_ms(clock);
	ck_assert_int_eq(CALL("start", "OCF_RESKEY_delay=10s", "OCF_RESKEY_CRM_meta_timeout=600"),
			 VRMS_OCF_ERR_GENERIC);
	ck_assert_int_ge(vrms_clock_now_ms(clock) - start_ms, 450);
	ck_assert_int_lt(vrms_clock_now_ms(clock) - start_ms, 5000);
	ck_assert_ptr_nonnull(strstr(result.errors, "out of time\n"));
	/* Without one the table's 20 s hold, so that 0.1 s are no problem. */
	ck_assert_int_eq(CALL("start", "OCF_RESKEY_delay=100ms"), VRMS_OCF_SUCCESS);
	ck_assert_int_eq(CALL("start", "OCF_RESKEY_delay=100ms",
			      "OCF_RESKEY_CRM_meta_timeout=soon"),
			 VRMS_OCF_SUCCESS);
	end();
}
END_TEST

START_TEST(a_reason_is_one_line_with_the_prefix_of_the_caller)
{
	begin();
	ck_assert_int_eq(CALL("start", "OCF_RESKEY_fail=1", "OCF_EXIT_REASON_PREFIX=why:"),
			 VRMS_OCF_ERR_GENERIC);
	ck_assert_int_eq(strncmp(result.errors, "why:/tmp/", 9), 0);
	ck_assert_ptr_nonnull(strstr(result.errors, ": told to fail in two lines\n"));
	end();
}
END_TEST

START_TEST(validate_all_at_level_0_looks_at_parameters_only)
{
	begin();
	strcpy(state, "/dev/x");
	ck_assert_int_eq(CALL("validate-all", "OCF_CHECK_LEVEL=0"), VRMS_OCF_SUCCESS);
	ck_assert_int_eq(CALL("validate-all", "OCF_CHECK_LEVEL=10"), VRMS_OCF_ERR_INSTALLED);
	ck_assert_int_eq(call("validate-all", NULL), VRMS_OCF_ERR_INSTALLED);
	ck_assert_str_eq(result.errors, "ocf-exit-reason:/dev/x: not a place for files\n");
	end();
}
END_TEST

UNIT_MAIN("agent", help_is_no_failure_and_no_action_is_one, an_unknown_action_is_unimplemented,
	  start_monitor_stop, a_probe_that_finds_nothing_gives_no_reason_a_monitor_does,
	  a_bad_value_is_named_in_every_action, a_missing_required_parameter_is_named,
	  the_deadline_is_that_of_pacemaker, a_reason_is_one_line_with_the_prefix_of_the_caller,
	  validate_all_at_level_0_looks_at_parameters_only)
