/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/migrate_options.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct vrms_error error;
static struct vrms_migrate_options options;

static void good(const char *text)
{
	vrms_error_clear(&error);
	ck_assert_msg(vrms_migrate_options_parse(text, &options, &error) == 0, "%s", error.text);
}

static void refused(const char *text, const char *expected)
{
	vrms_error_clear(&error);
	ck_assert_int_eq(vrms_migrate_options_parse(text, &options, &error), -EINVAL);
	ck_assert_msg(strstr(error.text, "migrate_options: ") == error.text, "%s", error.text);
	ck_assert_msg(strstr(error.text, expected) != NULL, "%s", error.text);
}

START_TEST(nothing_gives_nothing)
{
	good(NULL);
	good("  ");
	ck_assert_uint_eq(options.flags, 0);
	ck_assert_uint_eq(options.value_count, 0);
}
END_TEST

START_TEST(words_become_flags)
{
	good("--live --unsafe  --copy-storage-all\t--auto-converge --tunnelled --verbose");
	ck_assert_uint_eq(options.flags, VIR_MIGRATE_UNSAFE | VIR_MIGRATE_NON_SHARED_DISK |
					     VIR_MIGRATE_AUTO_CONVERGE | VIR_MIGRATE_TUNNELLED |
					     VIR_MIGRATE_PEER2PEER);
}
END_TEST

START_TEST(values_follow_after_a_blank_or_an_equals_sign)
{
	good("--bandwidth 100 --migrate-disks=vda,vdb --migrateuri=tcp://%n-mig:49152");
	ck_assert_uint_eq(options.value_count, 2);
	ck_assert_str_eq(options.values[0].field, VIR_MIGRATE_PARAM_BANDWIDTH);
	ck_assert_int_eq(options.values[0].type, VRMS_MIGRATE_ULLONG);
	ck_assert_int_eq(options.values[0].number, 100);
	ck_assert_str_eq(options.values[1].text, "vda,vdb");
	ck_assert_str_eq(options.migrateuri, "tcp://%n-mig:49152");
}
END_TEST

START_TEST(timeout_is_in_seconds_and_suspends_by_default)
{
	good("--timeout 30");
	ck_assert_int_eq(options.timeout_ms, 30000);
	ck_assert_int_eq(options.on_timeout, VRMS_MIGRATE_TIMEOUT_SUSPEND);
	good("--postcopy --timeout=5 --timeout-postcopy --postcopy-after-precopy");
	ck_assert_int_eq(options.on_timeout, VRMS_MIGRATE_TIMEOUT_POSTCOPY);
	ck_assert(options.postcopy_after_precopy);
	good("--timeout 5 --timeout-suspend");
	ck_assert_int_eq(options.on_timeout, VRMS_MIGRATE_TIMEOUT_SUSPEND);
}
END_TEST

START_TEST(unknown_words_are_named)
{
	refused("--unsafe --unsave", "\"--unsave\" is no option");
	refused("unsafe", "\"unsafe\" is not an option");
}
END_TEST

START_TEST(words_that_would_lose_the_machine_are_refused)
{
	refused("--suspend", "--suspend cannot be used");
	refused("--offline", "--offline cannot be used");
	refused("--dname other", "--dname cannot be used");
}
END_TEST

START_TEST(values_must_be_there_and_numbers_be_numbers)
{
	refused("--bandwidth", "--bandwidth lacks its value");
	refused("--bandwidth=", "--bandwidth lacks its value");
	refused("--migrateuri", "--migrateuri lacks its value");
	refused("--comp-mt-level many", "--comp-mt-level: ");
	refused("--timeout -1", "--timeout: ");
}
END_TEST

START_TEST(too_much_is_refused)
{
	char text[VRMS_MIGRATE_TEXT_MAX + 1];

	memset(text, ' ', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(vrms_migrate_options_parse(text, &options, &error), -E2BIG);

	text[0] = '\0';
	for (int i = 0; i <= VRMS_MIGRATE_VALUE_MAX; i++) {
		strcat(text, "--bandwidth 1 ");
	}
	ck_assert_int_eq(vrms_migrate_options_parse(text, &options, &error), -E2BIG);
}
END_TEST

UNIT_MAIN("migrate_options", nothing_gives_nothing, words_become_flags,
	  values_follow_after_a_blank_or_an_equals_sign,
	  timeout_is_in_seconds_and_suspends_by_default, unknown_words_are_named,
	  words_that_would_lose_the_machine_are_refused,
	  values_must_be_there_and_numbers_be_numbers, too_much_is_refused)
