/* test_fence.c - the fence library as Pacemaker and as an admin see it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/child.h"
#include "common/clock.h"
#include "common/file.h"
#include "ocf/exit.h"
#include "tests/unit/unit.h"

static struct vrms_child_result result;
static char folder[] = "/tmp/vrms-test-fence.XXXXXX";

static int run(const char *const *argv, const char *input)
{
	static const char *const envp[] = {"PCMK_logfacility=none", NULL};
	const struct vrms_child_spec spec = {.argv = argv,
					     .envp = envp,
					     .input = input,
					     .timeout_ms = 20000};
	struct vrms_error error = {""};

	vrms_child_result_done(&result);
	int rc = vrms_child_run(&spec, &result, &error);
	ck_assert_msg(rc == 0, "%s", error.text);
	return result.exit_code;
}

/* As Pacemaker calls it; `lines` are added to the folder. */
static int on_stdin(const char *lines)
{
	static const char *const argv[] = {"tests/fakes/fence_dummy", NULL};
	char input[600];

	snprintf(input, sizeof(input), "folder=%s\n%s", folder, lines);
	return run(argv, input);
}

#define WITH_ARGS(...) \
	run((const char *const[]){"tests/fakes/fence_dummy", __VA_ARGS__, NULL}, NULL)

static void switch_on(const char *node)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, node);
	ck_assert_int_eq(vrms_file_write(path, "", 0, 0600, NULL), 0);
}

static bool is_on(const char *node)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, node);
	return access(path, F_OK) == 0;
}

static void begin(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	switch_on("n1");
}

static void end(void)
{
	DIR *dir = opendir(folder);

	ck_assert_ptr_nonnull(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] != '.') {
			ck_assert_int_eq(unlinkat(dirfd(dir), entry->d_name, 0), 0);
		}
	}
	closedir(dir);
	ck_assert_int_eq(rmdir(folder), 0);
	vrms_child_result_done(&result);
}

START_TEST(the_cluster_passes_the_node_in_three_ways)
{
	begin();
	ck_assert_int_eq(on_stdin("action=off\nplug=n1\nnodename=other\n"), VRMS_FENCE_OK);
	ck_assert_str_eq(result.output, "Success: Powered OFF\n");
	ck_assert(!is_on("n1"));
	ck_assert_int_eq(on_stdin("action=on\nport=n1\n"), VRMS_FENCE_OK);
	ck_assert(is_on("n1"));
	ck_assert_int_eq(on_stdin("# comment\n\n  action = off \r\nnodename=n1"), VRMS_FENCE_OK);
	ck_assert(!is_on("n1"));
	end();
}
END_TEST

START_TEST(status_tells_on_from_off_by_its_exit_code)
{
	begin();
	ck_assert_int_eq(on_stdin("action=status\nplug=n1\n"), VRMS_FENCE_OK);
	ck_assert_str_eq(result.output, "Status: ON\n");
	ck_assert_int_eq(on_stdin("action=status\nplug=n2\n"), VRMS_FENCE_IS_OFF);
	ck_assert_str_eq(result.output, "Status: OFF\n");
	ck_assert_int_eq(on_stdin("action=monitor\n"), VRMS_FENCE_OK);
	ck_assert_int_eq(on_stdin("action=list\n"), VRMS_FENCE_OK);
	ck_assert_str_eq(result.output, "n1,\n");
	end();
}
END_TEST

START_TEST(an_admin_uses_options)
{
	begin();
	ck_assert_int_eq(WITH_ARGS("-o", "off", "-n", "n1", "-f", folder), VRMS_FENCE_OK);
	ck_assert(!is_on("n1"));
	ck_assert_int_eq(WITH_ARGS("--action=enable", "--plug", "n1", "--directory", folder),
			 VRMS_FENCE_OK);
	ck_assert(is_on("n1"));
	ck_assert_int_eq(WITH_ARGS("-o", "off", "--colour"), VRMS_FENCE_FAILED);
	ck_assert_ptr_nonnull(strstr(result.errors, "--colour"));
	ck_assert_int_eq(WITH_ARGS("off"), VRMS_FENCE_FAILED);
	ck_assert_str_eq(result.errors, "fence_dummy: \"off\" is not an option; try --help\n");
	end();
}
END_TEST

START_TEST(options_of_the_cluster_that_are_not_known_do_not_stop_a_fence)
{
	begin();
	ck_assert_int_eq(on_stdin("action=off\nplug=n1\nipaddr=10.0.0.1\nverbose=1\n"),
			 VRMS_FENCE_OK);
	ck_assert_ptr_nonnull(strstr(result.errors, "option ipaddr ignored"));
	ck_assert(!is_on("n1"));
	end();
}
END_TEST

START_TEST(wrong_options_are_named)
{
	begin();
	ck_assert_int_eq(on_stdin("action=off\n"), VRMS_FENCE_FAILED);
	ck_assert_str_eq(result.errors, "fence_dummy: plug: required by off, not set\n");
	ck_assert_int_eq(on_stdin("\n"), VRMS_FENCE_FAILED); /* a reboot by default */
	ck_assert_str_eq(result.errors, "fence_dummy: plug: required by reboot, not set\n");
	ck_assert_int_eq(on_stdin("action=diag\nplug=n1\n"), VRMS_FENCE_FAILED);
	ck_assert_str_eq(result.errors, "fence_dummy: unknown action \"diag\"\n");
	ck_assert_int_eq(on_stdin("action=off\nplug=n1\nretry_on=0\n"), VRMS_FENCE_FAILED);
	ck_assert_str_eq(result.errors, "fence_dummy: retry_on: \"0\" is not 1 to 100\n");
	ck_assert_int_eq(on_stdin("action=off\nnonsense\n"), VRMS_FENCE_FAILED);
	ck_assert_str_eq(result.errors, "fence_dummy: \"nonsense\" is not name=value\n");
	ck_assert_int_eq(WITH_ARGS("-o", "validate-all"), VRMS_FENCE_FAILED);
	ck_assert_str_eq(result.errors, "fence_dummy: folder: required, not set\n");
	ck_assert_int_eq(on_stdin("action=validate-all\n"), VRMS_FENCE_OK);
	ck_assert_int_eq(on_stdin("action=validate-all\nmethod=fast\n"), VRMS_FENCE_FAILED);
	ck_assert(is_on("n1"));
	end();
}
END_TEST

START_TEST(a_reboot_is_off_and_on)
{
	begin();
	ck_assert_int_eq(on_stdin("action=reboot\nplug=n1\n"), VRMS_FENCE_OK);
	ck_assert_str_eq(result.output, "Success: Rebooted\n");
	ck_assert(is_on("n1"));
	end();
}
END_TEST

START_TEST(a_reboot_fails_when_the_node_stays_on)
{
	begin();
	ck_assert_int_eq(on_stdin("action=reboot\nplug=n1\nstuck=1\npower_timeout=500ms\n"),
			 VRMS_FENCE_FAILED);
	ck_assert_str_eq(result.errors, "fence_dummy: n1: still on 500 ms after off\n");
	ck_assert_str_eq(result.output, "");
	end();
}
END_TEST

START_TEST(a_reboot_that_only_gets_to_off_has_fenced)
{
	begin();
	ck_assert_int_eq(on_stdin("action=reboot\nplug=n1\nno_on=1\n"), VRMS_FENCE_OK);
	ck_assert_str_eq(result.errors, "fence_dummy: off, but not on again: n1: no power\n");
	ck_assert(!is_on("n1"));
	ck_assert_int_eq(on_stdin("action=on\nplug=n1\nno_on=1\n"), VRMS_FENCE_FAILED);
	ck_assert_str_eq(result.errors, "fence_dummy: n1: no power\n");
	end();
}
END_TEST

START_TEST(the_delay_is_for_off_and_reboot_only)
{
	const struct vrms_clock *clock = vrms_clock_system();
	int64_t start_ms = vrms_clock_now_ms(clock);

	begin();
	ck_assert_int_eq(on_stdin("action=off\nplug=n1\ndelay=700ms\n"), VRMS_FENCE_OK);
	ck_assert_int_ge(vrms_clock_now_ms(clock) - start_ms, 700);
	start_ms = vrms_clock_now_ms(clock);
	ck_assert_int_eq(on_stdin("action=status\nplug=n1\ndelay=60\n"), VRMS_FENCE_IS_OFF);
	ck_assert_int_lt(vrms_clock_now_ms(clock) - start_ms, 10000);
	end();
}
END_TEST

START_TEST(about_the_agent_itself_nothing_is_required)
{
	begin();
	ck_assert_int_eq(WITH_ARGS("--version"), VRMS_FENCE_OK);
	ck_assert_str_eq(result.output, "fence_dummy 0.1.0\n");
	ck_assert_int_eq(WITH_ARGS("-h"), VRMS_FENCE_OK);
	ck_assert_ptr_nonnull(strstr(result.output, "-f, --directory=VALUE"));
	ck_assert_int_eq(WITH_ARGS("-o", "meta-data"), VRMS_FENCE_OK);
	ck_assert_ptr_nonnull(strstr(result.output, "<parameter name=\"dir\""));
	ck_assert_ptr_nonnull(strstr(result.output, "<action name=\"reboot\"/>"));
	ck_assert_int_eq(run((const char *const[]){"tests/fakes/fence_dummy", NULL},
			     "action=metadata\n"),
			 VRMS_FENCE_OK);
	ck_assert_ptr_nonnull(strstr(result.output, "</resource-agent>"));
	end();
}
END_TEST

UNIT_MAIN("fence", the_cluster_passes_the_node_in_three_ways,
	  status_tells_on_from_off_by_its_exit_code, an_admin_uses_options,
	  options_of_the_cluster_that_are_not_known_do_not_stop_a_fence, wrong_options_are_named,
	  a_reboot_is_off_and_on, a_reboot_fails_when_the_node_stays_on,
	  a_reboot_that_only_gets_to_off_has_fenced, the_delay_is_for_off_and_reboot_only,
	  about_the_agent_itself_nothing_is_required)
