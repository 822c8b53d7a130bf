/* drbd_state, its three readers and drbd_judge: real output of both versions in forty states.
 *
 * tests/drbd/states.expected has a line for each capture.  When a line differs, the whole file as
 * it is now is written to drbd-states.actual in the working folder.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "agents/drbd_judge.h"
#include "agents/drbd_version.h"
#include "common/file.h"
#include "common/random.h"
#include "tests/unit/unit.h"

enum { GOLDEN_BYTES = 64 * 1024 };

/* The standard output within a capture; NULL when there is no such capture. */
static char *capture(const char *folder, const char *name)
{
	char path[512];
	char *text = NULL;

	(void)snprintf(path, sizeof(path), "%s/%s.txt", folder, name);
	if (vrms_file_read(path, 1 << 20, &text, NULL, NULL) < 0) {
		return NULL;
	}
	if (text[0] == '$') {
		char *begin = strchr(text, '\n') + 1;

		memmove(text, begin, strlen(begin) + 1);
		char *end = strstr(text, "--- stderr ---");
		ck_assert_ptr_nonnull(end);
		*end = '\0';
	}
	return text;
}

static struct vrms_drbd_resource read_events(const char *folder, const char *name)
{
	struct vrms_drbd_resource state;
	struct vrms_error error = {.text = ""};
	char *text VRMS_CLEANUP(vrms_freep) = capture(folder, name);

	ck_assert_msg(text != NULL, "%s: no %s", folder, name);
	vrms_drbd_resource_init(&state, "r0");
	ck_assert_msg(vrms_drbd_events2_parse(text, &state, &error) == 0, "%s: %s", folder,
		      error.text);
	return state;
}

static void check_same(const char *folder, const char *what, const struct vrms_drbd_resource *one,
		       const struct vrms_drbd_resource *other)
{
	struct vrms_drbd_judgement a, b;

	vrms_drbd_judge(one, false, &a);
	vrms_drbd_judge(other, false, &b);
	ck_assert_msg(a.score == b.score && a.code == b.code && strcmp(a.reason, b.reason) == 0,
		      "%s: %s differs: %d %d \"%s\", %d %d \"%s\"", folder, what, a.code, a.score,
		      a.reason, b.code, b.score, b.reason);
	ck_assert_msg(memcmp(one, other, sizeof(*one)) == 0, "%s: %s differs", folder, what);
}

static void check_json(const char *folder, const struct vrms_drbd_resource *expected)
{
	struct vrms_drbd_resource state;
	struct vrms_error error = {.text = ""};
	char *text VRMS_CLEANUP(vrms_freep) = capture(folder, "status");

	ck_assert_ptr_nonnull(text);
	vrms_drbd_resource_init(&state, "r0");
	ck_assert_msg(vrms_drbd_json_parse(text, &state, &error) == 0, "%s: %s", folder,
		      error.text);
	check_same(folder, "status --json", expected, &state);
}

/* /proc/drbd knows that I/O is suspended, not why. */
static void check_proc(const char *folder, const struct vrms_drbd_resource *expected)
{
	static const struct vrms_drbd_minor minors[] = {{.volume = 0, .minor = 0}};
	struct vrms_drbd_resource state, coarse = *expected;
	struct vrms_error error = {.text = ""};
	char *text VRMS_CLEANUP(vrms_freep) = capture(folder, "proc");

	ck_assert_ptr_nonnull(text);
	coarse.suspended = expected->suspended != 0 ? VRMS_DRBD_SUSPENDED_OTHER : 0;
	vrms_drbd_resource_init(&state, "r0");
	ck_assert_msg(vrms_drbd_proc_parse(text, minors, 1, &state, &error) == 0, "%s: %s", folder,
		      error.text);
	check_same(folder, "/proc/drbd", &coarse, &state);
}

static void print_line(const char *folder, const struct vrms_drbd_resource *state, char *golden)
{
	struct vrms_drbd_judgement judgement;
	size_t used = strlen(golden);
	char *log VRMS_CLEANUP(vrms_freep) = capture(folder, "dmesg");

	vrms_drbd_judge(state, log != NULL && vrms_drbd_log_tells_split_brain(log, state),
			&judgement);
	(void)snprintf(golden + used, GOLDEN_BYTES - used, "%s exit %d score %d %s\n",
		       strstr(folder, "/captures/") + strlen("/captures/"), judgement.code,
		       judgement.score, judgement.reason);
}

static void compare(const char *golden)
{
	char *expected VRMS_CLEANUP(vrms_freep) = NULL;

	if (vrms_file_read(STATES_EXPECTED, GOLDEN_BYTES, &expected, NULL, NULL) == 0 &&
	    strcmp(expected, golden) == 0) {
		return;
	}
	ck_assert_int_eq(vrms_file_write("drbd-states.actual", golden, strlen(golden), 0644, NULL),
			 0);
	ck_abort_msg("drbd-states.actual differs from %s", STATES_EXPECTED);
}

START_TEST(every_capture_is_understood_alike_by_all_readers)
{
	static char golden[GOLDEN_BYTES];
	glob_t found;

	golden[0] = '\0';
	ck_assert_int_eq(glob(CAPTURES "/[89]*/*/node*", 0, NULL, &found), 0);
	ck_assert_uint_gt(found.gl_pathc, 60);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *folder = found.gl_pathv[i];
		struct vrms_drbd_resource state = read_events(folder, "events");
		struct vrms_drbd_resource more = read_events(folder, "events-s");

		check_same(folder, "--statistics", &state, &more);
		if (strstr(folder, "/captures/9/") != NULL) {
			check_json(folder, &state);
		} else {
			check_proc(folder, &state);
		}
		print_line(folder, &state, golden);
	}
	globfree(&found);
	compare(golden);
}
END_TEST

static struct vrms_drbd_resource parse(const char *text, int expected_rc, struct vrms_error *error)
{
	struct vrms_drbd_resource state;

	vrms_drbd_resource_init(&state, "r0");
	vrms_error_clear(error);
	ck_assert_int_eq(vrms_drbd_events2_parse(text, &state, error), expected_rc);
	return state;
}

START_TEST(an_output_cut_short_is_no_state)
{
	struct vrms_error error = {.text = ""};

	parse("exists resource name:r0 role:Primary suspended:no\n", -EPROTO, &error);
	ck_assert_str_eq(error.text, "r0: events2 ends without \"exists -\"");
	parse("", -EPROTO, &error);
	parse("exists device name:r0 volume:x minor:0\nexists -\n", -EPROTO, &error);
	ck_assert_str_eq(error.text, "events2: a device without a proper volume");
}
END_TEST

START_TEST(other_resources_are_not_this_one)
{
	struct vrms_error error = {.text = ""};
	struct vrms_drbd_resource state =
	    parse("exists resource name:r00 role:Primary suspended:no\n"
		  "exists resource name:r role:Primary suspended:no\nexists -\n",
		  0, &error);

	ck_assert(!state.exists);
}
END_TEST

START_TEST(unknown_words_never_count_as_good)
{
	struct vrms_error error = {.text = ""};
	struct vrms_drbd_judgement judgement;
	struct vrms_drbd_resource state =
	    parse("exists resource name:r0 role:Secondary suspended:moon\n"
		  "exists device name:r0 volume:0 minor:0 disk:Shiny\n"
		  "exists connection name:r0 peer-node-id:1 connection:Humming role:King\n"
		  "exists peer-device name:r0 peer-node-id:1 volume:0 replication:Osmosis "
		  "peer-disk:UpToDate\nexists -\n",
		  0, &error);

	vrms_drbd_judge(&state, false, &judgement);
	ck_assert_int_eq(judgement.score, VRMS_DRBD_SCORE_NONE);
	ck_assert_int_eq(judgement.code, VRMS_OCF_DEGRADED);
	ck_assert_str_eq(judgement.reason,
			 "I/O suspended, volume 0: in a state that is not known here");
}
END_TEST

START_TEST(the_worst_volume_decides)
{
	struct vrms_error error = {.text = ""};
	struct vrms_drbd_resource state =
	    parse("exists resource name:r0 role:Secondary suspended:no\n"
		  "exists device name:r0 volume:1 minor:1 disk:Outdated\n"
		  "exists device name:r0 volume:0 minor:0 disk:UpToDate\nexists -\n",
		  0, &error);

	ck_assert_int_eq(state.volumes[0].number, 0);
	ck_assert_int_eq(vrms_drbd_score_of(&state), VRMS_DRBD_SCORE_NONE);
	state.volumes[1].disk = VRMS_DRBD_UPTODATE;
	ck_assert_int_eq(vrms_drbd_score_of(&state), VRMS_DRBD_SCORE_BEST);
}
END_TEST

START_TEST(too_many_volumes_are_an_error)
{
	static char text[16384];
	struct vrms_error error = {.text = ""};
	size_t used = 0;

	for (int i = 0; i <= VRMS_DRBD_VOLUMES_MAX; i++) {
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "exists device name:r0 volume:%d minor:%d disk:UpToDate\n",
					 i, i);
	}
	(void)snprintf(text + used, sizeof(text) - used, "exists -\n");
	parse(text, -E2BIG, &error);
}
END_TEST

/* Readers of damaged texts refuse or find something; they never read or write past the end. */
START_TEST(damaged_texts_do_no_harm)
{
	static const struct vrms_drbd_minor minors[] = {{.volume = 0, .minor = 0}};
	static const char *const names[] = {"events", "status", "dmesg"};
	struct vrms_random random;
	struct vrms_drbd_resource state;

	vrms_random_init(&random, 5);
	for (int i = 0; i < 3000; i++) {
		char *text VRMS_CLEANUP(vrms_freep) =
		    capture(CAPTURES "/9/15-SplitBrain/node1", names[i % 3]);
		char *proc VRMS_CLEANUP(vrms_freep) =
		    capture(CAPTURES "/84/15-SplitBrain/node1", "proc");

		for (int k = 0; k < 4; k++) {
			text[vrms_random_below(&random, strlen(text))] =
			    (char)vrms_random_below(&random, 256);
			proc[13 + vrms_random_below(&random, strlen(proc) - 13)] =
			    (char)(1 + vrms_random_below(&random, 255));
			if (text[0] == '\0') {
				break;
			}
		}
		vrms_drbd_resource_init(&state, "r0");
		(void)(vrms_drbd_events2_parse(text, &state, NULL) == 0);
		(void)(vrms_drbd_json_parse(text, &state, NULL) == 0);
		(void)vrms_drbd_log_tells_split_brain(text, &state);
		ck_assert_int_eq(vrms_drbd_proc_parse(proc, minors, 1, &state, NULL), 0);
	}
}
END_TEST

START_TEST(a_handshake_ends_a_split_brain)
{
	static const char split[] =
	    "drbd r0 node1: Handshake to peer 1 successful: Agreed network protocol version 123\n"
	    "drbd r0/0 drbd0 node1: Split-Brain detected but unresolved, dropping connection!\n";
	char log[1024];
	struct vrms_drbd_resource state;

	vrms_drbd_resource_init(&state, "r0");
	ck_assert(vrms_drbd_log_tells_split_brain(split, &state));
	(void)snprintf(log, sizeof(log), "%s%s", split,
		       "drbd r0 node1: Handshake to peer 1 successful: Agreed\n");
	ck_assert(!vrms_drbd_log_tells_split_brain(log, &state));
	vrms_drbd_resource_init(&state, "r");
	ck_assert(!vrms_drbd_log_tells_split_brain(split, &state));
}
END_TEST

START_TEST(versions_that_do_not_fit_are_named)
{
	static const struct vrms_drbd_version old = {8, 3, 11}, stock = {8, 4, 11},
					      nine = {9, 2, 16}, utils8 = {8, 9, 6},
					      utils84 = {8, 4, 3}, utils9 = {9, 22, 0};
	struct vrms_drbd_version version;
	struct vrms_error error = {.text = ""};

	ck_assert_int_eq(vrms_drbd_versions_check(&stock, &utils9, &error), 0);
	ck_assert_int_eq(vrms_drbd_versions_check(&nine, &utils9, &error), 0);
	ck_assert_int_eq(vrms_drbd_versions_check(&stock, &utils84, &error), 0);
	ck_assert_int_eq(vrms_drbd_versions_check(&nine, &utils8, &error), -ENOSYS);
	ck_assert_str_eq(error.text,
			 "drbd-utils 8.9.6 cannot drive the kernel's drbd module 9.2.16");
	ck_assert_int_eq(vrms_drbd_versions_check(&old, &utils9, &error), -ENOSYS);
	ck_assert_str_eq(error.text,
			 "the kernel's drbd module is version 8.3.11; 8.4 or 9 is needed");
	ck_assert_int_eq(vrms_drbd_module_version_parse("version: 8.4.11 (api:1/proto:86-101)\n",
							&version, &error),
			 0);
	ck_assert_int_eq(version.patch, 11);
	ck_assert_int_eq(vrms_drbd_tools_version_parse("rubbish", &version, &error), -EPROTO);
}
END_TEST

UNIT_MAIN("drbd_state", every_capture_is_understood_alike_by_all_readers,
	  an_output_cut_short_is_no_state, other_resources_are_not_this_one,
	  unknown_words_never_count_as_good, the_worst_volume_decides,
	  too_many_volumes_are_an_error, damaged_texts_do_no_harm, a_handshake_ends_a_split_brain,
	  versions_that_do_not_fit_are_named)
