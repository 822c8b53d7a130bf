/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "backup/index.h"
#include "backup/pack_window.h"
#include "common/random.h"
#include "tests/fakes/store_memory.h"
#include "tests/unit/unit.h"

enum { BLOCKS = 400, BYTES = 40000 };

/* The memory's store, watched: how many reads of records there are, and the largest it allows. */
static struct {
	struct vrms_store port;
	int (*read)(void *file, void *buffer, size_t size, uint64_t offset);
	unsigned int reads;
	size_t size_max;
} watched;

static int watched_read(void *file, void *buffer, size_t size, uint64_t offset)
{
	watched.reads++;
	return size > watched.size_max ? -EIO : watched.read(file, buffer, size, offset);
}

static struct world {
	struct store_memory *memory;
	struct vrms_key master;
	struct vrms_pack_reader *reader;
	struct vrms_pack_window *window;
	uint8_t data[BLOCKS][BYTES];
	struct vrms_pack_entry entries[BLOCKS]; /* in the order of the pack */
} world;

static struct vrms_block block(size_t i)
{
	return (struct vrms_block){
	    .name = {{(uint8_t)(i * 37), (uint8_t)(i >> 8), (uint8_t)i, 1}},
	    .encoding = VRMS_ENCODING_RAW,
	    .raw_bytes = BYTES,
	    .size = BYTES,
	    .data = world.data[i],
	};
}

static struct vrms_pack_writer *new_writer(bool is_encrypted)
{
	struct vrms_pack_options options = {
	    .master = is_encrypted ? &world.master : NULL,
	    .generation = 1,
	    .kind = VRMS_PACK_DATA,
	    .bytes_max = 1 << 30,
	};
	struct vrms_pack_writer *writer;

	ck_assert_int_eq(vrms_pack_writer_new(&watched.port, &options, &writer, NULL), 0);
	return writer;
}

static void begin(void)
{
	struct vrms_random random;

	world.memory = store_memory_new();
	watched.port = *store_memory_port(world.memory);
	watched.read = watched.port.read;
	watched.port.read = watched_read;
	watched.size_max = SIZE_MAX;
	memset(&world.master, 7, sizeof(world.master));
	vrms_random_init(&random, 1);
	for (size_t i = 0; i < sizeof(world.data); i++) {
		(&world.data[0][0])[i] = (uint8_t)vrms_random_next(&random);
	}
}

static void make_pack(bool is_encrypted)
{
	struct vrms_pack_writer *writer = new_writer(is_encrypted);
	const struct vrms_pack_entry *entries;
	struct vrms_index_pack pack;
	size_t count;

	for (size_t i = 0; i < BLOCKS; i++) {
		struct vrms_block one = block(i);

		ck_assert_int_eq(vrms_pack_writer_append(writer, &one, NULL), 0);
	}
	ck_assert_int_eq(vrms_pack_writer_finish(writer, NULL), 0);
	ck_assert_int_eq(vrms_pack_writer_wait(writer, &pack, NULL), 0);
	entries = vrms_pack_writer_entries(writer, &count);
	ck_assert_uint_eq(count, BLOCKS);
	for (size_t i = 0; i < count; i++) {
		world.entries[entries[i].offset / BYTES] = entries[i];
	}
	vrms_pack_writer_free(writer);
	ck_assert_int_eq(vrms_pack_reader_open(&watched.port, &pack.pack, &world.master,
					       &world.reader, NULL),
			 0);
	world.window = vrms_pack_window_new();
	watched.reads = 0;
}

static void end(void)
{
	vrms_pack_window_free(world.window);
	vrms_pack_reader_close(world.reader);
	store_memory_free(world.memory);
	world.window = NULL;
	world.reader = NULL;
}

static void must_get(size_t i)
{
	struct vrms_block one;

	ck_assert_int_eq(vrms_pack_window_get(world.window, world.reader, &world.entries[i], &one,
					      NULL),
			 0);
	ck_assert_uint_eq(one.size, BYTES);
	ck_assert_msg(memcmp(one.data, world.data[i], BYTES) == 0, "record %zu differs", i);
}

START_TEST(records_in_a_row_cost_few_reads)
{
	begin();
	make_pack(false);
	for (size_t i = 0; i < BLOCKS; i++) {
		must_get(i);
	}
	ck_assert_uint_le(watched.reads, BLOCKS / 16);
	end();
}
END_TEST

START_TEST(records_here_and_there_are_read_one_by_one)
{
	begin();
	make_pack(false);
	watched.size_max = VRMS_RECORD_HEADER_BYTES + BYTES;
	for (size_t i = 0; i < BLOCKS; i++) {
		must_get(i * 7 % BLOCKS);
	}
	ck_assert_uint_eq(watched.reads, BLOCKS);
	end();
}
END_TEST

START_TEST(an_encrypted_record_can_be_wanted_twice)
{
	begin();
	make_pack(true);
	for (size_t i = 0; i < BLOCKS; i++) {
		must_get(i);
		must_get(i);
		must_get(i > 3 ? i - 3 : 0);
	}
	end();
}
END_TEST

START_TEST(what_cannot_be_read_behind_a_record_does_not_matter)
{
	begin();
	make_pack(false);
	watched.size_max = VRMS_RECORD_HEADER_BYTES + BYTES;
	for (size_t i = 0; i < BLOCKS; i++) {
		must_get(i);
	}
	end();
}
END_TEST

START_TEST(a_write_that_fails_behind_is_told_and_nothing_is_published)
{
	begin();
	for (uint64_t call = 1; call < 12; call++) {
		struct vrms_pack_writer *writer = new_writer(false);
		struct vrms_error error = {0};
		struct vrms_index_pack pack;
		int rc = 0;

		store_memory_fail_at(world.memory, call); /* of create, eight writes, sync */
		for (size_t i = 0; i < BLOCKS && rc == 0; i++) {
			struct vrms_block one = block(i);

			rc = vrms_pack_writer_append(writer, &one, &error);
		}
		if (rc == 0) {
			rc = vrms_pack_writer_finish(writer, &error);
		}
		if (rc == 0) {
			rc = vrms_pack_writer_wait(writer, &pack, &error);
		}
		ck_assert_msg(rc < 0 && error.text[0] != '\0', "call %d", (int)call);
		ck_assert_uint_eq(store_memory_count(world.memory, "packs/"), 0);
		store_memory_fail_at(world.memory, 0);
		vrms_pack_writer_free(writer);
	}
	end();
}
END_TEST

enum { MANY = 40000 }; /* more than are held in memory */

static struct vrms_name name_of(size_t i)
{
	return (struct vrms_name){{(uint8_t)(i * 37), (uint8_t)(i >> 8), (uint8_t)i, 1}};
}

static void make_large_pack(void)
{
	struct vrms_pack_writer *writer = new_writer(false);
	struct vrms_index_pack pack;

	for (size_t i = 0; i < MANY; i++) {
		struct vrms_block one = {name_of(i), VRMS_ENCODING_RAW, 8, 8, world.data[0]};

		ck_assert_int_eq(vrms_pack_writer_append(writer, &one, NULL), 0);
	}
	ck_assert_int_eq(vrms_pack_writer_finish(writer, NULL), 0);
	ck_assert_int_eq(vrms_pack_writer_wait(writer, &pack, NULL), 0);
	vrms_pack_writer_free(writer);
}

static size_t count_found(struct vrms_index *index)
{
	size_t found = 0;

	for (size_t i = 0; i < MANY; i++) {
		struct vrms_name name = name_of(i);
		struct vrms_location location;

		found += vrms_index_find(index, &name, &location, 1) == 1;
	}
	return found;
}

/* Entries of a large file are read one by one: a check finds what is damaged, and the packs have
 * it all once more. */
START_TEST(a_large_index_file_that_is_damaged_is_made_anew)
{
	struct vrms_id repository = {{0}};
	struct vrms_error error = {0};
	struct vrms_index *index;

	begin();
	make_large_pack();
	ck_assert_int_eq(vrms_index_open(&watched.port, &repository, &index, &error), 0);
	ck_assert_uint_eq(vrms_index_adopted_count(index), 1);
	ck_assert_int_eq(vrms_index_save(index, &error), 0);
	ck_assert_uint_eq(vrms_index_check(index), 0);
	vrms_index_free(index);

	ck_assert_ptr_nonnull(store_memory_damage(world.memory, "index/", 0, -86));
	ck_assert_int_eq(vrms_index_open(&watched.port, &repository, &index, &error), 0);
	ck_assert_uint_eq(count_found(index), MANY - 1);
	ck_assert_uint_eq(vrms_index_check(index), 1);
	ck_assert_msg(vrms_index_rewrite(index, NULL, &error) == 0, "%s", error.text);
	ck_assert_uint_eq(count_found(index), MANY);
	ck_assert_uint_eq(vrms_index_check(index), 0);
	ck_assert_uint_eq(store_memory_count(world.memory, "index/"), 1);
	vrms_index_free(index);
	end();
}
END_TEST

UNIT_MAIN("backup_pack", records_in_a_row_cost_few_reads,
	  records_here_and_there_are_read_one_by_one, an_encrypted_record_can_be_wanted_twice,
	  what_cannot_be_read_behind_a_record_does_not_matter,
	  a_write_that_fails_behind_is_told_and_nothing_is_published,
	  a_large_index_file_that_is_damaged_is_made_anew)
