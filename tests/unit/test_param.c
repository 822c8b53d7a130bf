/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ocf/param.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

struct config {
	const char *name;
	int64_t count;
	bool flag;
	int64_t wait_ms;
	int mode;
};

static const char *const modes[] = {"acpi", "agent", NULL};

static const struct vrms_param params[] = {
    {.name = "name",
     .type = VRMS_PARAM_STRING,
     .offset = VRMS_PARAM_FIELD(struct config, name, const char *),
     .required = true},
    {.name = "count",
     .type = VRMS_PARAM_INTEGER,
     .offset = VRMS_PARAM_FIELD(struct config, count, int64_t),
     .fallback = "3",
     .minimum = 1,
     .maximum = 65535},
    {.name = "flag",
     .type = VRMS_PARAM_BOOLEAN,
     .offset = VRMS_PARAM_FIELD(struct config, flag, bool),
     .fallback = "yes"},
    {.name = "wait",
     .type = VRMS_PARAM_DURATION_MS,
     .offset = VRMS_PARAM_FIELD(struct config, wait_ms, int64_t),
     .fallback = "90s",
     .minimum = 1000,
     .maximum = 3600000},
    {.name = "mode",
     .type = VRMS_PARAM_CHOICE,
     .offset = VRMS_PARAM_FIELD(struct config, mode, int),
     .fallback = "agent",
     .choices = modes},
};

/* context: NULL-terminated list of name, value, name, value... */
static const char *lookup(void *context, const char *name)
{
	for (const char **pair = context; *pair != NULL; pair += 2) {
		if (strcmp(pair[0], name) == 0) {
			return pair[1];
		}
	}
	return NULL;
}

static struct config config;
static struct vrms_error error;

static int read_pairs(const char **pairs)
{
	memset(&config, 0, sizeof(config));
	error.text[0] = '\0';
	return vrms_params_read(params, VRMS_COUNT_OF(params), lookup, pairs, &config, &error);
}

/* The text of the error when `name` has `value`. */
static const char *complaint(const char *name, const char *value, int rc)
{
	const char *pairs[] = {"name", "x", name, value, NULL};

	ck_assert_int_eq(read_pairs(pairs), rc);
	return error.text;
}

START_TEST(defaults_come_from_the_table)
{
	const char *pairs[] = {"name", "vm1", NULL};

	ck_assert_int_eq(read_pairs(pairs), 0);
	ck_assert_str_eq(config.name, "vm1");
	ck_assert_int_eq(config.count, 3);
	ck_assert(config.flag);
	ck_assert_int_eq(config.wait_ms, 90000);
	ck_assert_int_eq(config.mode, 1);
}
END_TEST

START_TEST(values_of_the_user_replace_them)
{
	const char *pairs[] = {"name", "a",      "count", "65535", "flag", "off",
			       "wait", "1000ms", "mode",  "acpi",  NULL};

	ck_assert_int_eq(read_pairs(pairs), 0);
	ck_assert_int_eq(config.count, 65535);
	ck_assert(!config.flag);
	ck_assert_int_eq(config.wait_ms, 1000);
	ck_assert_int_eq(config.mode, 0);
}
END_TEST

START_TEST(an_empty_value_is_not_set)
{
	const char *pairs[] = {"name", "a", "count", "", "mode", "", NULL};
	const char *nothing[] = {"name", "", NULL};

	ck_assert_int_eq(read_pairs(pairs), 0);
	ck_assert_int_eq(config.count, 3);
	ck_assert_int_eq(config.mode, 1);
	ck_assert_int_eq(read_pairs(nothing), -EINVAL);
	ck_assert_str_eq(error.text, "name: required, not set");
}
END_TEST

START_TEST(errors_name_parameter_value_and_remedy)
{
	ck_assert_str_eq(complaint("count", "x", -EINVAL), "count: \"x\" is not an integer");
	ck_assert_str_eq(complaint("count", "0", -ERANGE), "count: \"0\" is not 1 to 65535");
	ck_assert_str_eq(complaint("flag", "2", -EINVAL), "flag: \"2\" is neither true nor false");
	ck_assert_str_eq(complaint("wait", "2x", -EINVAL),
			 "wait: \"2x\" is not a duration such as \"90s\"");
	ck_assert_str_eq(complaint("wait", "500ms", -ERANGE), "wait: \"500ms\" is not 1s to 1h");
	ck_assert_str_eq(complaint("wait", "3601", -ERANGE), "wait: \"3601\" is not 1s to 1h");
	ck_assert_str_eq(complaint("mode", "ACPI", -EINVAL),
			 "mode: \"ACPI\" is not one of acpi, agent");
}
END_TEST

START_TEST(limits_read_well)
{
	static const char *const with_empty[] = {"", "fail", "resume", NULL};
	struct vrms_param row = {.type = VRMS_PARAM_INTEGER};
	char text[256];

	vrms_param_limits_print(&row, text, sizeof(text));
	ck_assert_str_eq(text, "");
	row.maximum = INT64_MAX;
	vrms_param_limits_print(&row, text, sizeof(text));
	ck_assert_str_eq(text, "at least 0");
	row =
	    (struct vrms_param){.type = VRMS_PARAM_DURATION_MS, .minimum = 1500, .maximum = 120000};
	vrms_param_limits_print(&row, text, sizeof(text));
	ck_assert_str_eq(text, "1500ms to 2min");
	row = (struct vrms_param){.type = VRMS_PARAM_CHOICE, .choices = with_empty};
	vrms_param_limits_print(&row, text, sizeof(text));
	ck_assert_str_eq(text, "one of fail, resume");
	vrms_param_limits_print(&row, text, 10);
	ck_assert_str_eq(text, "one of fa");
}
END_TEST

UNIT_MAIN("param", defaults_come_from_the_table, values_of_the_user_replace_them,
	  an_empty_value_is_not_set, errors_name_parameter_value_and_remedy, limits_read_well)
