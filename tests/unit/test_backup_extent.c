/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "backup/extent.h"
#include "common/random.h"
#include "tests/unit/unit.h"

/* One letter a byte: '.' skip, '0' zero, 'd' data, 'a' audit. */
static void from_text(const char *text, struct vrms_extents *extents)
{
	vrms_extents_init(extents);
	for (size_t i = 0; text[i] != '\0'; i++) {
		struct vrms_extent extent = {
		    .offset = i,
		    .bytes = 1,
		    .kind = text[i] == 'd'   ? VRMS_EXTENT_DATA
			    : text[i] == '0' ? VRMS_EXTENT_ZERO
					     : VRMS_EXTENT_SKIP,
		};

		ck_assert_int_eq(vrms_extents_append(extents, &extent), 0);
	}
}

static const char *to_text(const struct vrms_extents *extents)
{
	static char text[4096];

	for (size_t i = 0; i < extents->count; i++) {
		ck_assert(i == 0 || extents->rows[i].kind != extents->rows[i - 1].kind);
		memset(text + extents->rows[i].offset, ".0da"[extents->rows[i].kind],
		       extents -> rows[i].bytes);
	}
	text[vrms_extents_end(extents)] = '\0';
	return text;
}

START_TEST(a_discarded_block_becomes_zeros)
{
	struct vrms_extents dirty VRMS_CLEANUP(vrms_extents_done);
	struct vrms_extents content VRMS_CLEANUP(vrms_extents_done);
	struct vrms_extents result VRMS_CLEANUP(vrms_extents_done) = {0};

	from_text("ddd...ddd...", &dirty);
	from_text("dd00000ddddd", &content);
	ck_assert_int_eq(vrms_extents_combine(&dirty, &content, &result), 0);
	ck_assert_str_eq(to_text(&result), "dd0...0dd...");
}
END_TEST

START_TEST(lists_of_other_lengths_do_not_combine)
{
	struct vrms_extents dirty VRMS_CLEANUP(vrms_extents_done);
	struct vrms_extents content VRMS_CLEANUP(vrms_extents_done);
	struct vrms_extents result VRMS_CLEANUP(vrms_extents_done) = {0};

	from_text("dd", &dirty);
	from_text("ddd", &content);
	ck_assert_int_eq(vrms_extents_combine(&dirty, &content, &result), -EINVAL);
}
END_TEST

static void expect_aligned(const char *from, const char *to)
{
	struct vrms_extents extents VRMS_CLEANUP(vrms_extents_done);
	struct vrms_extents aligned VRMS_CLEANUP(vrms_extents_done) = {0};

	from_text(from, &extents);
	ck_assert_int_eq(vrms_extents_align(&extents, 4, strlen(from), &aligned), 0);
	ck_assert_str_eq(to_text(&aligned), to);
}

START_TEST(blocks_are_read_when_any_byte_of_them_must_be)
{
	expect_aligned("..d.........", "dddd........");
	expect_aligned("0000....dddd", "0000....dddd");
	expect_aligned("00..........", "dddd........"); /* what the rest holds is unknown here */
	expect_aligned("...dd.......", "dddddddd....");
	expect_aligned("0000000d0000", "0000dddd0000");
	expect_aligned("d", "d");
	expect_aligned("....0", "....0");
	expect_aligned(".....d", "....dd");
	expect_aligned("000000", "000000");
}
END_TEST

/* The same by brute force. */
START_TEST(alignment_agrees_with_looking_at_every_byte)
{
	struct vrms_random random;

	vrms_random_init(&random, 42);
	for (int round = 0; round < 2000; round++) {
		size_t size = 1 + vrms_random_below(&random, 40);
		char text[64], wanted[64];

		for (size_t i = 0; i < size; i++) {
			text[i] = i % 8 != 0 && vrms_random_below(&random, 4) != 0
				      ? text[i - 1]
				      : ".0d"[vrms_random_below(&random, 3)];
		}
		text[size] = '\0';
		strcpy(wanted, text);
		for (size_t block = 0; block < size; block += 4) {
			size_t length = size - block < 4 ? size - block : 4;
			bool has_data = memchr(text + block, 'd', length) != NULL;
			bool has_zero = memchr(text + block, '0', length) != NULL;
			bool has_skip = memchr(text + block, '.', length) != NULL;

			memset(wanted + block,
			       has_data || (has_zero && has_skip) ? 'd'
			       : has_zero                         ? '0'
								  : '.',
			       length);
		}
		expect_aligned(text, wanted);
	}
}
END_TEST

START_TEST(a_sample_takes_only_clean_blocks)
{
	struct vrms_extents extents VRMS_CLEANUP(vrms_extents_done);
	struct vrms_extents sampled VRMS_CLEANUP(vrms_extents_done) = {0};
	struct vrms_extents all VRMS_CLEANUP(vrms_extents_done) = {0};
	struct vrms_random random;

	vrms_random_init(&random, 1);
	from_text("dddd............0000........dddd..", &extents);
	ck_assert_int_eq(vrms_extents_sample(&extents, 4, 3, &random, &sampled), 0);
	ck_assert_uint_eq(vrms_extents_bytes(&sampled, VRMS_EXTENT_DATA), 8);
	ck_assert_uint_eq(vrms_extents_bytes(&sampled, VRMS_EXTENT_ZERO), 4);
	ck_assert_uint_ge(vrms_extents_bytes(&sampled, VRMS_EXTENT_AUDIT), 10);
	ck_assert_uint_le(vrms_extents_bytes(&sampled, VRMS_EXTENT_AUDIT), 12);
	ck_assert_int_eq(vrms_extents_sample(&extents, 4, 99, &random, &all), 0);
	ck_assert_str_eq(to_text(&all), "ddddaaaaaaaaaaaa0000aaaaaaaaddddaa");
}
END_TEST

START_TEST(going_back_is_refused)
{
	struct vrms_extents extents VRMS_CLEANUP(vrms_extents_done) = {0};
	struct vrms_extent first = {.offset = 8, .bytes = 4, .kind = VRMS_EXTENT_DATA};
	struct vrms_extent back = {.offset = 11, .bytes = 4, .kind = VRMS_EXTENT_DATA};
	struct vrms_extent huge = {.offset = 12, .bytes = UINT64_MAX, .kind = VRMS_EXTENT_DATA};

	ck_assert_int_eq(vrms_extents_append(&extents, &first), 0);
	ck_assert_int_eq(vrms_extents_append(&extents, &back), -EINVAL);
	ck_assert_int_eq(vrms_extents_append(&extents, &huge), -EINVAL);
	ck_assert_uint_eq(vrms_extents_end(&extents), 12);
}
END_TEST

UNIT_MAIN("backup_extent", a_discarded_block_becomes_zeros, lists_of_other_lengths_do_not_combine,
	  blocks_are_read_when_any_byte_of_them_must_be,
	  alignment_agrees_with_looking_at_every_byte, a_sample_takes_only_clean_blocks,
	  going_back_is_refused)
