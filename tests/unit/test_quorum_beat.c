/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/beat.h"
#include "quorum/san.h"
#include "quorum/seen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "tests/unit/unit.h"

static const struct vrms_beat_header header = {.block_bytes = 4096,
					       .area_id = {1, 2, 3},
					       .created_ms = 1700000000000,
					       .cluster = "lab"};

static struct vrms_beat a_beat(uint32_t node_id)
{
	struct vrms_beat beat = {
	    .node_id = node_id,
	    .boot_id = {9, 8, 7},
	    .sequence = 41,
	    .age_ms = 123456,
	    .claim = 0x1122334455667788,
	    .state = VRMS_BEAT_BEATING,
	    .interval_ms = 150,
	    .fresh_bits = 7,
	    .last_us = 300,
	    .slowest_us = 900,
	};

	snprintf(beat.name, sizeof(beat.name), "node%u", node_id);
	return beat;
}

START_TEST(a_header_survives_the_round_trip)
{
	uint8_t record[VRMS_BEAT_RECORD_BYTES];
	struct vrms_beat_header got;

	ck_assert_int_eq(vrms_beat_header_encode(&header, record, NULL), 0);
	ck_assert_int_eq(vrms_beat_header_decode(record, &got, NULL), 0);
	ck_assert_mem_eq(&got, &header, sizeof(got));
}
END_TEST

START_TEST(a_beat_survives_the_round_trip)
{
	uint8_t record[VRMS_BEAT_RECORD_BYTES];
	struct vrms_beat beat = a_beat(3), got;

	ck_assert_int_eq(vrms_beat_encode(&beat, record, NULL), 0);
	ck_assert_int_eq(vrms_beat_decode(record, &got, NULL), 0);
	ck_assert_mem_eq(&got, &beat, sizeof(got));
}
END_TEST

START_TEST(the_format_is_the_one_that_is_written_down)
{
	uint8_t record[VRMS_BEAT_RECORD_BYTES];
	struct vrms_beat beat = a_beat(3);

	ck_assert_int_eq(vrms_beat_encode(&beat, record, NULL), 0);
	ck_assert_mem_eq(record, "VRMSBEAT\1\0\0\0\3\0\0\0", 16);
	ck_assert_mem_eq(record + 32, "\11\10\7\0", 4);
	ck_assert_mem_eq(record + 48, "\51\0\0\0\0\0\0\0", 8);
	ck_assert_mem_eq(record + 64, "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
	ck_assert_mem_eq(record + 72, "\1\0\0\0\x96\0\0\0", 8);
	ck_assert_mem_eq(record + 96, "node3\0", 6);
}
END_TEST

START_TEST(every_flipped_bit_is_noticed)
{
	uint8_t record[VRMS_BEAT_RECORD_BYTES];
	struct vrms_beat beat = a_beat(3), got;
	struct vrms_beat_header got_header;

	ck_assert_int_eq(vrms_beat_encode(&beat, record, NULL), 0);
	for (unsigned bit = 0; bit < 8 * VRMS_BEAT_RECORD_BYTES; bit++) {
		record[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_lt(vrms_beat_decode(record, &got, NULL), 0);
		record[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_int_eq(vrms_beat_header_encode(&header, record, NULL), 0);
	for (unsigned bit = 0; bit < 8 * VRMS_BEAT_RECORD_BYTES; bit++) {
		record[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_lt(vrms_beat_header_decode(record, &got_header, NULL), 0);
		record[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
	uint8_t record[VRMS_BEAT_RECORD_BYTES] = {0};
	struct vrms_beat beat = a_beat(3);
	struct vrms_error error;

	ck_assert_int_eq(vrms_beat_decode(record, &beat, &error), -ENODATA);
	ck_assert_int_eq(vrms_beat_encode(&beat, record, NULL), 0);
	ck_assert_int_eq(vrms_beat_header_decode(record, &(struct vrms_beat_header){0}, &error),
			 -EMEDIUMTYPE);
	record[8] = 2;
	ck_assert_int_eq(vrms_beat_decode(record, &beat, &error), -EPROTONOSUPPORT);
	ck_assert_ptr_nonnull(strstr(error.text, "version 2"));
	record[8] = 1;
	record[50] = 1;
	ck_assert_int_eq(vrms_beat_decode(record, &beat, &error), -EBADMSG);
}
END_TEST

START_TEST(a_beat_that_makes_no_sense_is_not_written)
{
	uint8_t record[VRMS_BEAT_RECORD_BYTES];
	struct vrms_beat beat = a_beat(0);

	ck_assert_int_eq(vrms_beat_encode(&beat, record, NULL), -EINVAL);
	beat = a_beat(1);
	beat.interval_ms = 0;
	ck_assert_int_eq(vrms_beat_encode(&beat, record, NULL), -EINVAL);
	beat = a_beat(1);
	beat.name[0] = '\0';
	ck_assert_int_eq(vrms_beat_encode(&beat, record, NULL), -EINVAL);
}
END_TEST

/* Files for O_DIRECT live in the build folder: a tmpfs may not know it. */
static void path_of(char *path, size_t size, const char *name)
{
	snprintf(path, size, "test_quorum_beat.%d.%s", (int)getpid(), name);
	unlink(path);
}

START_TEST(an_area_takes_beats_and_gives_them_back_in_one_read)
{
	char path[64];
	struct vrms_san *san VRMS_CLEANUP(vrms_san_freep) = NULL;
	struct vrms_san_view view;
	struct vrms_error error;
	struct vrms_beat beat = a_beat(7);
	int64_t latency_us;
	unsigned slot;

	path_of(path, sizeof(path), "area");
	ck_assert_msg(vrms_san_init(path, "lab", false, &error) == 0, "%s", error.text);
	ck_assert_msg(vrms_san_open(path, "lab", true, &san, &error) == 0, "%s", error.text);
	unlink(path);
	ck_assert_int_eq(vrms_san_read(san, &view, &error), 0);
	ck_assert_int_eq(vrms_san_find_slot(&view, 7, &slot, &error), 0);
	ck_assert_uint_eq(slot, 0);
	ck_assert_msg(vrms_san_write(san, 5, &beat, &latency_us, &error) == 0, "%s", error.text);
	ck_assert_int_eq(vrms_san_read(san, &view, &error), 0);
	ck_assert_int_eq(view.states[5], VRMS_SLOT_VALID);
	ck_assert_int_eq(view.states[4], VRMS_SLOT_FREE);
	ck_assert_mem_eq(&view.beats[5], &beat, sizeof(beat));
	ck_assert_int_eq(vrms_san_find_slot(&view, 7, &slot, &error), 0);
	ck_assert_uint_eq(slot, 5);
	ck_assert_int_eq(vrms_san_find_slot(&view, 8, &slot, &error), 0);
	ck_assert_uint_eq(slot, 0);
}
END_TEST

START_TEST(an_area_that_exists_is_not_made_again_unless_forced)
{
	char path[64];
	struct vrms_error error;

	path_of(path, sizeof(path), "twice");
	ck_assert_int_eq(vrms_san_init(path, "lab", false, &error), 0);
	ck_assert_int_eq(vrms_san_init(path, "other", false, &error), -EEXIST);
	ck_assert_ptr_nonnull(strstr(error.text, "\"lab\""));
	ck_assert_int_eq(vrms_san_init(path, "other", true, &error), 0);
	unlink(path);
}
END_TEST

START_TEST(anything_that_looks_used_is_refused)
{
	char path[64];
	struct vrms_error error;
	static const off_t places[] = {0, 700000, 3000000 - 1};

	for (unsigned i = 0; i < 3; i++) {
		path_of(path, sizeof(path), "used");
		int fd VRMS_CLEANUP(vrms_closep) = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		ck_assert_int_eq(ftruncate(fd, 3000320), 0);
		ck_assert_int_eq(pwrite(fd, "x", 1, places[i]), 1);
		ck_assert_int_eq(vrms_san_init(path, "lab", false, &error), -EEXIST);
		ck_assert_ptr_nonnull(strstr(error.text, "looks used"));
		unlink(path);
	}
}
END_TEST

START_TEST(an_area_that_is_too_small_is_refused)
{
	char path[64];
	struct vrms_error error;

	path_of(path, sizeof(path), "small");
	int fd VRMS_CLEANUP(vrms_closep) = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_eq(ftruncate(fd, 4096 * 64), 0);
	ck_assert_int_eq(vrms_san_init(path, "lab", false, &error), -ENOSPC);
	unlink(path);
}
END_TEST

START_TEST(the_area_of_another_cluster_is_refused)
{
	char path[64];
	struct vrms_error error;
	struct vrms_san *san = NULL;

	path_of(path, sizeof(path), "foreign");
	ck_assert_int_eq(vrms_san_init(path, "lab", false, &error), 0);
	ck_assert_int_eq(vrms_san_open(path, "other", false, &san, &error), -ENXIO);
	ck_assert_ptr_nonnull(strstr(error.text, "\"lab\", not of \"other\""));
	ck_assert_ptr_null(san);
	unlink(path);
}
END_TEST

START_TEST(an_area_of_another_version_is_refused_and_stays_as_it_is)
{
	char path[64];
	struct vrms_error error;
	struct vrms_san *san = NULL;
	uint8_t version = 2;

	path_of(path, sizeof(path), "version");
	ck_assert_int_eq(vrms_san_init(path, "lab", false, &error), 0);
	int fd VRMS_CLEANUP(vrms_closep) = open(path, O_RDWR | O_CLOEXEC);

	ck_assert_int_eq(pwrite(fd, &version, 1, 8), 1);
	ck_assert_int_eq(vrms_san_open(path, "lab", true, &san, &error), -EPROTONOSUPPORT);
	ck_assert_ptr_nonnull(strstr(error.text, "version 2"));
	ck_assert_ptr_null(san);
	ck_assert_int_eq(vrms_san_init(path, "lab", false, &error), -EEXIST);
	version = 0;
	ck_assert_int_eq(pread(fd, &version, 1, 8), 1);
	ck_assert_uint_eq(version, 2);
	unlink(path);
}
END_TEST

START_TEST(an_area_that_has_shrunk_is_refused)
{
	char path[64];
	struct vrms_error error;
	struct vrms_san *san = NULL;

	path_of(path, sizeof(path), "shrunk");
	ck_assert_int_eq(vrms_san_init(path, "lab", false, &error), 0);
	ck_assert_int_eq(truncate(path, 4096 * 64), 0);
	ck_assert_int_eq(vrms_san_open(path, "lab", true, &san, &error), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(error.text, path));
	ck_assert_ptr_null(san);
	unlink(path);
}
END_TEST

START_TEST(an_area_made_anew_under_a_reader_is_noticed)
{
	char path[64];
	struct vrms_error error;
	struct vrms_san *san VRMS_CLEANUP(vrms_san_freep) = NULL;
	struct vrms_san_view view;

	path_of(path, sizeof(path), "anew");
	ck_assert_int_eq(vrms_san_init(path, "lab", false, &error), 0);
	ck_assert_msg(vrms_san_open(path, NULL, false, &san, &error) == 0, "%s", error.text);
	ck_assert_int_eq(vrms_san_init(path, "lab", true, &error), 0);
	ck_assert_int_eq(vrms_san_read(san, &view, &error), -ESTALE);
	unlink(path);
}
END_TEST

START_TEST(what_the_daemon_saw_survives_the_round_trip)
{
	static const struct vrms_seen seen = {
	    .read_ms = 5000, .rows[2] = {.node_id = 3, .sequence = 9, .changed_ms = 4400}};
	uint8_t bytes[VRMS_SEEN_BYTES];
	struct vrms_seen got;

	vrms_seen_encode(&seen, bytes);
	ck_assert_int_eq(vrms_seen_decode(bytes, &got, NULL), 0);
	ck_assert_int_eq(got.read_ms, 5000);
	ck_assert_uint_eq(got.rows[1].node_id, 0);
	ck_assert_uint_eq(got.rows[2].node_id, 3);
	ck_assert_uint_eq(got.rows[2].sequence, 9);
	ck_assert_int_eq(got.rows[2].changed_ms, 4400);
	bytes[40] ^= 1;
	ck_assert_int_eq(vrms_seen_decode(bytes, &got, NULL), -EBADMSG);
}
END_TEST

START_TEST(old_knowledge_and_other_sequences_say_nothing)
{
	static const struct vrms_seen seen = {
	    .read_ms = 5000, .rows[2] = {.node_id = 3, .sequence = 9, .changed_ms = 4400}};

	ck_assert_int_eq(vrms_seen_unchanged_ms(&seen, 3, 9, 5100, 300), 600);
	ck_assert_int_eq(vrms_seen_unchanged_ms(&seen, 3, 9, 5301, 300), -1);
	ck_assert_int_eq(vrms_seen_unchanged_ms(&seen, 3, 10, 5100, 300), -1);
	ck_assert_int_eq(vrms_seen_unchanged_ms(&seen, 4, 9, 5100, 300), -1);
}
END_TEST

UNIT_MAIN("quorum_beat", a_header_survives_the_round_trip, a_beat_survives_the_round_trip,
	  the_format_is_the_one_that_is_written_down, every_flipped_bit_is_noticed,
	  what_is_wrong_is_said, a_beat_that_makes_no_sense_is_not_written,
	  an_area_takes_beats_and_gives_them_back_in_one_read,
	  an_area_that_exists_is_not_made_again_unless_forced, anything_that_looks_used_is_refused,
	  an_area_that_is_too_small_is_refused, the_area_of_another_cluster_is_refused,
	  an_area_of_another_version_is_refused_and_stays_as_it_is,
	  an_area_that_has_shrunk_is_refused, an_area_made_anew_under_a_reader_is_noticed,
	  what_the_daemon_saw_survives_the_round_trip,
	  old_knowledge_and_other_sequences_say_nothing)
