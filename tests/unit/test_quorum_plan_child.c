/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What vrmsd makes of the plan's end.  In place of the plan: a "nice" of this test's own folder.
 */
#include "quorum/plan_child.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "tests/unit/unit.h"

static const struct vrms_settings settings = {.plan = VRMS_SETTINGS_PLAN_ADVISE,
					      .plan_interval_ms = 3600000};
static uint64_t cluster[65536]; /* nothing of it is used but the node's id, which is 0 */
static char folder[64], program[80];

/* What a daemon knows of the plan after one look, in which that script stood for it. */
static json_t *look(const char *script)
{
	struct vrms_daemon vrmsd = {
	    .settings = &settings,
	    .cluster = (struct vrms_cluster *)cluster,
	    .quorate = true,
	    .group_count = 1,
	    .ring_ms = -3600000,
	};
	json_t *found = NULL;

	snprintf(folder, sizeof(folder), "test_plan_child.%d", (int)getpid());
	snprintf(program, sizeof(program), "%s/nice", folder);
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	ck_assert_int_eq(vrms_file_write(program, script, strlen(script), 0700, NULL), 0);
	ck_assert_int_eq(setenv("PATH", folder, 1), 0);
	ck_assert_int_eq(vrms_plan_child_start(&vrmsd, NULL), 0);
	for (int i = 0; found == NULL && i < 500; i++) {
		vrms_plan_child_tick(&vrmsd);
		vrms_clock_sleep_ms(vrms_clock_system(), 20);
		found = vrms_plan_child_describe(&vrmsd);
	}
	vrms_plan_child_stop(&vrmsd);
	unlink(program);
	rmdir(folder);
	ck_assert_msg(found != NULL, "nothing is known");
	return found;
}

static const char *text_of(const json_t *found, const char *key)
{
	const char *text = json_string_value(json_object_get(found, key));

	return text == NULL ? "" : text;
}

START_TEST(what_the_plan_found_is_known)
{
	json_t *found = look("#!/bin/sh\necho '{\"state\":\"good\",\"survives\":1}'\n");

	ck_assert_str_eq(text_of(found, "state"), "good");
	json_decref(found);
}
END_TEST

START_TEST(a_plan_that_crashes_is_told_of)
{
	json_t *found = look("#!/bin/sh\nkill -SEGV $$\n");

	ck_assert_str_eq(text_of(found, "state"), "failed");
	ck_assert_int_eq(json_integer_value(json_object_get(found, "signal")), 11);
	ck_assert_int_eq(strncmp(text_of(found, "text"), "ended by signal ", 16), 0);
	json_decref(found);
}
END_TEST

START_TEST(whatever_it_says_is_told)
{
	json_t *found = look("#!/bin/sh\nprintf 'no such file: B\\344r' >&2\nexit 1\n");

	ck_assert_str_eq(text_of(found, "state"), "failed");
	ck_assert_str_eq(text_of(found, "text"), "no such file: B?r");
	ck_assert_int_eq(json_integer_value(json_object_get(found, "status")), 1);
	json_decref(found);
}
END_TEST

UNIT_MAIN("quorum_plan_child", what_the_plan_found_is_known, a_plan_that_crashes_is_told_of,
	  whatever_it_says_is_told)
