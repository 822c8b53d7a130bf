/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/part_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A guest reads 4 KiB here and there of a block that costs 64 KiB. */
enum { CACHED = 16 };

struct cached {
	bool is_loaded;
	uint64_t block;
	uint64_t used; /* the larger, the later */
	uint8_t *data;
};

struct vrms_part_reader {
	const struct vrms_point_part *part;
	struct vrms_block_reader *blocks;
	struct vrms_tree_cursor *cursor;
	uint32_t block_bytes;
	uint64_t clock;
	struct cached cache[CACHED];
};

int vrms_part_reader_new(struct vrms_repository *repository, const struct vrms_point_part *part,
			 struct vrms_part_reader **ret_reader, struct vrms_error *error)
{
	struct vrms_part_reader *reader VRMS_CLEANUP(vrms_part_reader_freep) =
	    calloc(1, sizeof(*reader));
	int rc;

	if (reader == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	reader->part = part;
	reader->block_bytes = vrms_repository_config(repository)->block_bytes;
	rc = vrms_block_reader_new(repository, &reader->blocks, error);
	if (rc == 0) {
		rc = vrms_tree_cursor_new(reader->blocks, &part->tree, &reader->cursor, error);
	}
	if (rc == 0) {
		*ret_reader = VRMS_TAKE(reader);
	}
	return rc;
}

void vrms_part_reader_free(struct vrms_part_reader *reader)
{
	if (reader == NULL) {
		return;
	}
	for (size_t i = 0; i < CACHED; i++) {
		free(reader->cache[i].data);
	}
	vrms_tree_cursor_free(reader->cursor);
	vrms_block_reader_free(reader->blocks);
	free(reader);
}

static int find_name(struct vrms_part_reader *reader, uint64_t block, struct vrms_name *ret_name,
		     struct vrms_error *error)
{
	const struct vrms_name *names;
	int rc = vrms_tree_cursor_leaf(reader->cursor, block / VRMS_TREE_FAN, &names, error);

	if (rc == 0) {
		*ret_name = names[block % VRMS_TREE_FAN];
	}
	return rc;
}

static struct cached *pick(struct vrms_part_reader *reader, uint64_t block)
{
	struct cached *oldest = &reader->cache[0];

	for (size_t i = 0; i < CACHED; i++) {
		struct cached *row = &reader->cache[i];

		if (row->is_loaded && row->block == block) {
			return row;
		}
		oldest = row->used < oldest->used ? row : oldest;
	}
	return oldest;
}

static int load(struct vrms_part_reader *reader, uint64_t block, const struct cached **ret_row,
		struct vrms_error *error)
{
	struct vrms_want want = {.generation = reader->part->tree.generation,
				 .raw_bytes = reader->block_bytes};
	struct cached *row = pick(reader, block);
	int rc = 0;

	row->used = ++reader->clock;
	*ret_row = row;
	if (row->is_loaded && row->block == block) {
		return 0;
	}
	row->is_loaded = false;
	if (row->data == NULL) {
		row->data = malloc(reader->block_bytes);
	}
	if (row->data == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = find_name(reader, block, &want.name, error);
	if (rc == 0) {
		rc = vrms_block_reader_get(reader->blocks, &want, row->data, error);
	}
	row->block = block;
	row->is_loaded = rc == 0;
	return rc;
}

int vrms_part_reader_read(struct vrms_part_reader *reader, void *ret_data, size_t size,
			  uint64_t offset, struct vrms_error *error)
{
	uint8_t *to = ret_data;

	if (offset > reader->part->bytes || size > reader->part->bytes - offset) {
		return vrms_error_set(error, -EINVAL, "'%s' ends before %llu", reader->part->name,
				      (unsigned long long)(offset + size));
	}
	while (size > 0) {
		size_t from = (size_t)(offset % reader->block_bytes);
		size_t left = reader->block_bytes - from;
		size_t piece = size < left ? size : left;
		const struct cached *row;
		int rc = load(reader, offset / reader->block_bytes, &row, error);

		if (rc < 0) {
			return vrms_error_wrap(error, rc, "'%s'", reader->part->name);
		}
		memcpy(to, row->data + from, piece);
		to += piece;
		offset += piece;
		size -= piece;
	}
	return 0;
}

int vrms_part_reader_extent(struct vrms_part_reader *reader, uint64_t offset, uint64_t max,
			    bool *ret_is_zero, uint64_t *ret_bytes, struct vrms_error *error)
{
	uint64_t block = offset / reader->block_bytes;
	uint64_t end = offset + max;
	uint64_t at = offset;
	struct vrms_name name;
	int rc = find_name(reader, block, &name, error);
	bool is_zero = rc == 0 && vrms_name_is_zero(&name);

	while (rc == 0 && at < end && vrms_name_is_zero(&name) == is_zero) {
		at = ++block * reader->block_bytes;
		rc = at < end ? find_name(reader, block, &name, error) : 0;
	}
	*ret_is_zero = is_zero;
	*ret_bytes = (at < end ? at : end) - offset;
	return rc;
}
