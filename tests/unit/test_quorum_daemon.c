/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/beater.h"
#include "quorum/journal.h"
#include "quorum/message.h"
#include "quorum/san.h"
#include "quorum/seen.h"
#include "quorum/ringwatch.h"
#include "quorum/settings.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "tests/unit/unit.h"

static char path[128];

static const char *new_path(const char *name)
{
	snprintf(path, sizeof(path), "test_quorum_daemon.%d.%s", (int)getpid(), name);
	unlink(path);
	return path;
}

/* The message survives encoding, and what is not one is refused. */
START_TEST(a_message_survives_the_round_trip)
{
	struct vrms_message message = {.kind = VRMS_MESSAGE_REPORT,
				       .reason = VRMS_REASON_TUNER_FLOOR,
				       .values = {200, 3650, -1, INT64_MAX, 5}};
	uint8_t bytes[VRMS_MESSAGE_BYTES];
	struct vrms_message got;

	vrms_message_encode(&message, bytes);
	ck_assert_int_eq(vrms_message_decode(bytes, sizeof(bytes), &got), 0);
	ck_assert_mem_eq(got.values, message.values, sizeof(got.values));
	ck_assert_int_eq(got.kind, message.kind);
	ck_assert_int_eq(got.reason, message.reason);
	ck_assert_int_eq(vrms_message_decode(bytes, sizeof(bytes) - 1, &got), -EBADMSG);
	bytes[4] = 77; /* a kind from the future */
	ck_assert_int_eq(vrms_message_decode(bytes, sizeof(bytes), &got), -EBADMSG);
	bytes[4] = 1;
	bytes[7] = 77; /* a reason from the future */
	ck_assert_int_eq(vrms_message_decode(bytes, sizeof(bytes), &got), 0);
	ck_assert_int_eq(got.reason, VRMS_REASON_NONE);
}
END_TEST

static int load(const char *text, struct vrms_settings *settings, struct vrms_error *error)
{
	ck_assert_int_eq(vrms_file_write(new_path("conf"), text, strlen(text), 0600, NULL), 0);
	int rc = vrms_settings_load(path, settings, error);

	unlink(path);
	return rc;
}

START_TEST(settings_have_defaults_and_take_values)
{
	struct vrms_settings settings;
	struct vrms_error error = {""};

	ck_assert_msg(load("# nothing\n\n tuning = off \nbeat_device=/dev/x\nwarmup = 5min",
			   &settings, &error) == 0,
		      "%s", error.text);
	ck_assert(!settings.tuning);
	ck_assert_str_eq(settings.beat_device, "/dev/x");
	ck_assert_int_eq(settings.warmup_ms, 300000);
	ck_assert_int_eq(settings.token_floor_ms, 200);
	ck_assert_int_eq(settings.false_loss_every_ms, 87660LL * 3600000);
	vrms_settings_done(&settings);
}
END_TEST

START_TEST(what_is_wrong_in_the_settings_is_named_with_its_line)
{
	struct vrms_settings settings;
	struct vrms_error error = {""};

	ck_assert_int_eq(load("tuning = on\ntoken = 300\n", &settings, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.text, "line 2: no such setting: \"token\""));
	ck_assert_int_eq(load("tuning = on\ntuning = off\n", &settings, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.text, "twice"));
	ck_assert_int_eq(load("tuning\n", &settings, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.text, "name = value"));
	ck_assert_int_eq(load("beat_interval = 1ms\n", &settings, &error), -ERANGE);
	ck_assert_ptr_nonnull(strstr(error.text, "beat_interval"));
	ck_assert_int_eq(vrms_settings_load("/nonexistent.conf", &settings, &error), -ENOENT);
}
END_TEST

START_TEST(a_journal_line_is_json_with_its_frame)
{
	struct vrms_journal_config config = {.path = new_path("jsonl"),
					     .node = "n1",
					     .size_max = 1 << 20,
					     .keep = 2};
	struct vrms_journal *journal VRMS_CLEANUP(vrms_journal_freep) = NULL;
	char *text VRMS_CLEANUP(vrms_freep) = NULL;

	ck_assert_int_eq(vrms_journal_open(&config, &journal, NULL), 0);
	ck_assert_int_eq(vrms_journal_write(journal, 42, "token",
					    json_pack("{s:i}", "token_ms", 300)),
			 0);
	ck_assert_int_eq(vrms_journal_write(journal, 43, "stop", NULL), 0);
	vrms_journal_free(VRMS_TAKE(journal)); /* waits for its thread */
	ck_assert_int_eq(vrms_file_read(path, 4096, &text, NULL, NULL), 0);
	*strchr(text, '\n') = '\0';
	json_t *line = json_loads(text, 0, NULL);

	ck_assert_ptr_nonnull(line);
	ck_assert_int_eq(json_integer_value(json_object_get(line, "v")), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(line, "mono_ms")), 42);
	ck_assert_int_eq(json_integer_value(json_object_get(line, "token_ms")), 300);
	ck_assert_str_eq(json_string_value(json_object_get(line, "node")), "n1");
	ck_assert_int_eq(strlen(json_string_value(json_object_get(line, "wall"))), 24);
	json_decref(line);
	unlink(path);
}
END_TEST

START_TEST(a_full_journal_is_rotated)
{
	struct vrms_journal_config config = {.path = new_path("rotated"),
					     .node = "n1",
					     .size_max = 500,
					     .keep = 2};
	struct vrms_journal *journal VRMS_CLEANUP(vrms_journal_freep) = NULL;
	char old[160];

	ck_assert_int_eq(vrms_journal_open(&config, &journal, NULL), 0);
	for (int i = 0; i < 40; i++) {
		ck_assert_int_eq(vrms_journal_write(journal, i, "tick", NULL), 0);
	}
	vrms_journal_free(VRMS_TAKE(journal));
	for (int i = 1; i <= 3; i++) {
		snprintf(old, sizeof(old), "%s.%d", path, i);
		ck_assert_int_eq(access(old, F_OK), i <= 2 ? 0 : -1);
		unlink(old);
	}
	unlink(path);
}
END_TEST

/* Every line of the file, as JSON; how many there are. */
static unsigned count_lines(void)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	unsigned count = 0;

	ck_assert_int_eq(vrms_file_read(path, 65536, &text, NULL, NULL), 0);
	for (char *line = text, *end; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		ck_assert_msg(end != NULL, "no end: %s", line);
		*end = '\0';
		json_t *object = json_loads(line, 0, NULL);

		ck_assert_msg(object != NULL, "half a line: %s", line);
		json_decref(object);
		count++;
	}
	return count;
}

START_TEST(a_full_disk_costs_lines_and_leaves_no_half_one)
{
	const struct rlimit full = {.rlim_cur = 300, .rlim_max = RLIM_INFINITY};
	const struct rlimit room = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
	int rc = 0;
	struct vrms_journal_config config = {.path = new_path("disk"),
					     .node = "n1",
					     .size_max = 1 << 20,
					     .keep = 2};
	struct vrms_journal *journal VRMS_CLEANUP(vrms_journal_freep) = NULL;

	ck_assert_int_eq(vrms_journal_open(&config, &journal, NULL), 0);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &full); /* Check's own file is longer: nothing is asserted now */
	for (int i = 0; i < 5; i++) {
		rc |= vrms_journal_write(journal, i, "tick", NULL);
	}
	vrms_journal_free(VRMS_TAKE(journal)); /* waits for its thread */
	setrlimit(RLIMIT_FSIZE, &room);
	ck_assert_int_eq(rc, 0);
	ck_assert_uint_eq(count_lines(), 3); /* of some 90 bytes each */
	unlink(path);
}
END_TEST

START_TEST(half_a_line_of_a_dead_daemon_spoils_no_other)
{
	static const char torn[] = "{\"v\":1,\"seq\":7,\"mono";
	struct vrms_journal_config config = {.path = new_path("torn"),
					     .node = "n1",
					     .size_max = 1 << 20,
					     .keep = 2};
	struct vrms_journal *journal VRMS_CLEANUP(vrms_journal_freep) = NULL;
	char *text VRMS_CLEANUP(vrms_freep) = NULL;

	ck_assert_int_eq(vrms_file_write(path, torn, strlen(torn), 0600, NULL), 0);
	ck_assert_int_eq(vrms_journal_open(&config, &journal, NULL), 0);
	ck_assert_int_eq(vrms_journal_write(journal, 1, "start", NULL), 0);
	vrms_journal_free(VRMS_TAKE(journal));
	ck_assert_int_eq(vrms_file_read(path, 4096, &text, NULL, NULL), 0);
	ck_assert_int_eq(strncmp(text, torn, strlen(torn)), 0);
	ck_assert_int_eq(text[strlen(torn)], '\n');
	ck_assert_int_eq(text[strlen(torn) + 1], '{');
	unlink(path);
}
END_TEST

START_TEST(the_token_is_overdue_beyond_the_time_it_may_be_held)
{
	const struct vrms_ringwatch_sample held = {.age_us = 40000, .hold_us = 48000};
	const struct vrms_ringwatch_sample late = {.age_us = 90000, .hold_us = 48000};

	ck_assert_uint_eq(vrms_ringwatch_overdue_us(&held), 0);
	ck_assert_uint_eq(vrms_ringwatch_overdue_us(&late), 42000);
}
END_TEST

static void pause_ms(int64_t ms)
{
	vrms_clock_sleep_ms(vrms_clock_system(), ms);
}

static char seen[160];

/* Node 1 of an area that was just made.  The path stays in `path` and `seen`. */
static struct vrms_beater_config first_of_new_area(const char *name)
{
	struct vrms_beater_config config = {.device = new_path(name),
					    .cluster = "lab",
					    .seen_path = seen,
					    .node_name = "node1",
					    .node_id = 1,
					    .interval_ms = 50,
					    .silent_count = 4};

	snprintf(seen, sizeof(seen), "%s.seen", path);
	ck_assert_int_eq(vrms_san_init(path, "lab", false, NULL), 0);
	return config;
}

static struct vrms_beater *start_beater(const struct vrms_beater_config *config)
{
	struct vrms_beater *beater = NULL;

	ck_assert_int_eq(vrms_beater_start(config, &beater, NULL), 0);
	return beater;
}

static void stop_both(struct vrms_beater *one, struct vrms_beater *two)
{
	vrms_beater_stop(two, 2000);
	vrms_beater_stop(one, 2000);
	unlink(path);
	unlink(seen);
}

START_TEST(two_beaters_see_each_other_beat_and_stop)
{
	struct vrms_beater_config config = first_of_new_area("area");
	struct vrms_beater *one = start_beater(&config);
	struct vrms_beater_state state;

	pause_ms(200);
	config.node_name = "node2";
	config.node_id = 2;
	struct vrms_beater *two = start_beater(&config);

	/* A busy machine may run the other one's thread late. */
	do {
		pause_ms(100);
		vrms_beater_state(one, &state);
	} while (state.rows[1].sequence <= 2); /* or Check's time is over */
	ck_assert(state.is_open && state.has_slot && !state.is_contested);
	ck_assert_uint_eq(state.rows[state.slot].node_id, 1);
	ck_assert_str_eq(state.rows[1].name, "node2");
	ck_assert_uint_gt(state.rows[1].sequence, 2);
	vrms_beater_stop(two, 2000);
	do {
		pause_ms(100);
		vrms_beater_state(one, &state);
	} while (!state.rows[1].is_stopped);
	vrms_beater_stop(one, 2000);
	unlink(path);
	unlink(seen);
}
END_TEST

/* Both start at once on an empty area and want its first slot; in the end each has one. */
START_TEST(two_nodes_that_want_one_slot_part)
{
	struct vrms_beater_config config = first_of_new_area("race");
	struct vrms_beater *one = start_beater(&config);
	struct vrms_beater_state first = {0}, second = {0};

	config.node_name = "node2";
	config.node_id = 2;
	struct vrms_beater *two = start_beater(&config);

	for (int i = 0; i < 300 && !(first.rows[0].node_id != 0 && first.rows[1].node_id != 0);
	     i++) {
		pause_ms(100);
		vrms_beater_state(one, &first);
	}
	pause_ms(500);
	vrms_beater_state(one, &first);
	vrms_beater_state(two, &second);
	ck_assert(first.has_slot && second.has_slot);
	ck_assert_uint_ne(first.slot, second.slot);
	ck_assert(!first.is_contested && !second.is_contested);
	ck_assert_uint_eq(first.rows[first.slot].node_id, 1);
	ck_assert_uint_eq(first.rows[second.slot].node_id, 2);
	stop_both(one, two);
}
END_TEST

START_TEST(two_daemons_under_one_node_id_are_noticed)
{
	struct vrms_beater_config config = first_of_new_area("contested");
	struct vrms_beater *one = start_beater(&config);
	struct vrms_beater_state state = {0};

	pause_ms(500);
	vrms_beater_state(one, &state);
	ck_assert(state.is_open && !state.is_contested);
	struct vrms_beater *two = start_beater(&config);

	for (int i = 0; i < 300 && !state.is_contested; i++) {
		pause_ms(20);
		vrms_beater_state(one, &state);
	}
	ck_assert(state.is_contested);
	ck_assert_uint_eq(state.rows[1].node_id, 0); /* nobody else's slot is taken */
	stop_both(one, two);
}
END_TEST

START_TEST(a_beater_without_its_area_says_why)
{
	struct vrms_beater_config config = {.device = "/nonexistent/area",
					    .cluster = "lab",
					    .seen_path = "/nonexistent/seen",
					    .node_name = "node1",
					    .node_id = 1,
					    .interval_ms = 50,
					    .silent_count = 4};
	struct vrms_beater *beater = NULL;
	struct vrms_beater_state state;

	ck_assert_int_eq(vrms_beater_start(&config, &beater, NULL), 0);
	pause_ms(300);
	vrms_beater_state(beater, &state);
	ck_assert(!state.is_open);
	ck_assert_ptr_nonnull(strstr(state.error.text, "/nonexistent/area"));
	vrms_beater_stop(beater, 1000);
}
END_TEST

/* A beater tries the area at `path`: what it says about it. */
static void refuse_area(const struct vrms_beater_config *config, const char *expected)
{
	struct vrms_beater *beater = start_beater(config);
	struct vrms_beater_state state;

	do {
		pause_ms(20);
		vrms_beater_state(beater, &state);
	} while (state.error.text[0] == '\0'); /* or Check's time is over */
	ck_assert_ptr_nonnull(strstr(state.error.text, expected));
	ck_assert(!state.is_open && !state.has_slot);
	vrms_beater_stop(beater, 2000);
}

START_TEST(an_area_that_is_not_ours_is_left_as_it_is)
{
	struct vrms_beater_config config = first_of_new_area("foreign");
	char *before VRMS_CLEANUP(vrms_freep) = NULL, *after VRMS_CLEANUP(vrms_freep) = NULL;
	size_t size = 0, size_after = 0;

	config.cluster = "other";
	ck_assert_int_eq(vrms_file_read(path, 1 << 20, &before, &size, NULL), 0);
	refuse_area(&config, "\"lab\"");
	ck_assert_int_eq(vrms_file_read(path, 1 << 20, &after, &size_after, NULL), 0);
	ck_assert_uint_eq(size_after, size);
	ck_assert_mem_eq(after, before, size);

	ck_assert_int_eq(truncate(path, 8192), 0);
	config.cluster = "lab";
	refuse_area(&config, "too small");
	ck_assert_int_eq(truncate(path, 0), 0);
	refuse_area(&config, "too small");
	unlink(path);
	unlink(seen);
}
END_TEST

UNIT_MAIN("quorum_daemon", a_message_survives_the_round_trip,
	  settings_have_defaults_and_take_values,
	  what_is_wrong_in_the_settings_is_named_with_its_line,
	  a_journal_line_is_json_with_its_frame, a_full_journal_is_rotated,
	  a_full_disk_costs_lines_and_leaves_no_half_one,
	  half_a_line_of_a_dead_daemon_spoils_no_other,
	  the_token_is_overdue_beyond_the_time_it_may_be_held,
	  two_beaters_see_each_other_beat_and_stop, two_nodes_that_want_one_slot_part,
	  two_daemons_under_one_node_id_are_noticed, a_beater_without_its_area_says_why,
	  an_area_that_is_not_ours_is_left_as_it_is)
