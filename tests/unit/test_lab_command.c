/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/parse.h"
#include "tests/unit/unit.h"

struct settings {
	int64_t number;
	bool is_loud;
};

static int set_option(void *settings, const char *name, const char *value, struct vrms_error *error)
{
	struct settings *given = settings;

	if (strcmp(name, "number") == 0) {
		return vrms_int_parse(value, 1, 9, &given->number, error);
	}
	given->is_loud = true;
	return 0;
}

/* Tells what it was given by its exit status: 10 * number + arguments, + 5 when loud. */
static int run(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
	       struct vrms_error *error)
{
	const struct settings *given = settings;

	(void)context;
	(void)error;
	ck_assert_ptr_null(argv[argc]);
	return (int)given->number * 10 + argc + (given->is_loud ? 5 : 0);
}

static const struct vrms_lab_option options[] = {
    {'n', "number", "N", "a number"},
    {0, "loud", NULL, "louder"},
};

static const struct vrms_lab_command command = {
    .name = "try",
    .arguments = "NODE [PROGRAM...]",
    .summary = "Try",
    .options = options,
    .option_count = VRMS_COUNT_OF(options),
    .argument_min = 1,
    .argument_max = 3,
    .run = run,
    .set_option = set_option,
    .settings_size = sizeof(struct settings),
};

/* Runs it with the words of a line. */
static int call(const char *line)
{
	static const struct vrms_lab_context context;
	char copy[256];
	char *argv[32] = {NULL};
	char *rest = NULL;
	int argc = 0;

	snprintf(copy, sizeof(copy), "try %s", line);
	for (char *word = strtok_r(copy, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		argv[argc++] = word;
	}
	return vrms_lab_command_run(&command, &context, argc, argv);
}

START_TEST(options_reach_the_command)
{
	ck_assert_int_eq(call("node1"), 1);
	ck_assert_int_eq(call("-n 3 node1"), 31);
	ck_assert_int_eq(call("--number=4 --loud node1 a"), 47);
}
END_TEST

START_TEST(what_follows_the_first_argument_is_not_ours)
{
	ck_assert_int_eq(call("node1 ls --loud"), 3);
	ck_assert_int_eq(call("-- node1 -n 3"), 3);
}
END_TEST

START_TEST(bad_input_is_a_usage_error)
{
	static const char *const lines[] = {"",         "-x node1",         "--frob node1",
					    "--number", "--number x node1", "-n 10 node1",
					    "a b c d",  "--loud=yes node1"};

	for (size_t i = 0; i < VRMS_COUNT_OF(lines); i++) {
		ck_assert_msg(call(lines[i]) == VRMS_LAB_EXIT_USAGE, "\"%s\"", lines[i]);
	}
}
END_TEST

START_TEST(help_is_no_error)
{
	ck_assert_int_eq(call("--help"), VRMS_LAB_EXIT_OK);
}
END_TEST

UNIT_MAIN("lab_command", options_reach_the_command, what_follows_the_first_argument_is_not_ours,
	  bad_input_is_a_usage_error, help_is_no_error)
