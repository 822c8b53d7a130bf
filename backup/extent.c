/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/extent.h"

#include <errno.h>
#include <string.h>

void vrms_extents_init(struct vrms_extents *extents)
{
	memset(extents, 0, sizeof(*extents));
}

void vrms_extents_done(struct vrms_extents *extents)
{
	free(extents->rows);
	vrms_extents_init(extents);
}

uint64_t vrms_extents_end(const struct vrms_extents *extents)
{
	const struct vrms_extent *last;

	if (extents->count == 0) {
		return 0;
	}
	last = &extents->rows[extents->count - 1];
	return last->offset + last->bytes;
}

static int grow(struct vrms_extents *extents)
{
	size_t capacity = extents->capacity == 0 ? 64 : extents->capacity * 2;
	struct vrms_extent *rows;

	if (extents->count < extents->capacity) {
		return 0;
	}
	rows = realloc(extents->rows, capacity * sizeof(*rows));
	if (rows == NULL) {
		return -ENOMEM;
	}
	extents->rows = rows;
	extents->capacity = capacity;
	return 0;
}

static int push(struct vrms_extents *extents, const struct vrms_extent *extent)
{
	struct vrms_extent *last = extents->count > 0 ? &extents->rows[extents->count - 1] : NULL;
	int rc;

	if (last != NULL && last->kind == extent->kind) {
		last->bytes += extent->bytes;
		return 0;
	}
	rc = grow(extents);
	if (rc < 0) {
		return rc;
	}
	extents->rows[extents->count++] = *extent;
	return 0;
}

int vrms_extents_append(struct vrms_extents *extents, const struct vrms_extent *extent)
{
	uint64_t end = vrms_extents_end(extents);
	struct vrms_extent gap = {.offset = end, .kind = VRMS_EXTENT_SKIP};
	int rc = 0;

	if (extent->offset < end || extent->bytes > UINT64_MAX - extent->offset) {
		return -EINVAL;
	}
	if (extent->bytes == 0) {
		return 0;
	}
	gap.bytes = extent->offset - end;
	if (gap.bytes > 0) {
		rc = push(extents, &gap);
	}
	return rc < 0 ? rc : push(extents, extent);
}

uint64_t vrms_extents_bytes(const struct vrms_extents *extents, enum vrms_extent_kind kind)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < extents->count; i++) {
		if (extents->rows[i].kind == kind) {
			bytes += extents->rows[i].bytes;
		}
	}
	return bytes;
}

static enum vrms_extent_kind combine_kinds(enum vrms_extent_kind dirty,
					   enum vrms_extent_kind content)
{
	if (dirty != VRMS_EXTENT_DATA) {
		return VRMS_EXTENT_SKIP;
	}
	return content == VRMS_EXTENT_ZERO ? VRMS_EXTENT_ZERO : VRMS_EXTENT_DATA;
}

int vrms_extents_combine(const struct vrms_extents *dirty, const struct vrms_extents *content,
			 struct vrms_extents *ret_extents)
{
	uint64_t at = 0;
	size_t d = 0, c = 0;

	if (vrms_extents_end(dirty) != vrms_extents_end(content)) {
		return -EINVAL;
	}
	while (d < dirty->count && c < content->count) {
		uint64_t dirty_end = dirty->rows[d].offset + dirty->rows[d].bytes;
		uint64_t content_end = content->rows[c].offset + content->rows[c].bytes;
		uint64_t end = dirty_end < content_end ? dirty_end : content_end;
		struct vrms_extent part = {
		    .offset = at,
		    .bytes = end - at,
		    .kind = combine_kinds(dirty->rows[d].kind, content->rows[c].kind),
		};
		int rc = vrms_extents_append(ret_extents, &part);

		if (rc < 0) {
			return rc;
		}
		at = end;
		d += dirty_end == end;
		c += content_end == end;
	}
	return 0;
}

/* The kinds that touch one block, as bits. */
static unsigned int kinds_in(const struct vrms_extents *extents, size_t *row, uint64_t from,
			     uint64_t to)
{
	unsigned int kinds = 0;

	while (*row < extents->count && extents->rows[*row].offset < to) {
		const struct vrms_extent *extent = &extents->rows[*row];
		uint64_t end = extent->offset + extent->bytes;

		if (end > from) {
			kinds |= 1U << extent->kind;
		}
		if (end >= to) {
			break;
		}
		(*row)++;
	}
	return kinds;
}

static enum vrms_extent_kind block_kind(unsigned int kinds)
{
	if (kinds == 1U << VRMS_EXTENT_ZERO) {
		return VRMS_EXTENT_ZERO;
	}
	return (kinds & ~(1U << VRMS_EXTENT_SKIP)) == 0 ? VRMS_EXTENT_SKIP : VRMS_EXTENT_DATA;
}

static uint64_t round_up(uint64_t value, uint64_t unit, uint64_t limit)
{
	uint64_t rest = value % unit;

	if (rest == 0) {
		return value;
	}
	return limit - value < unit - rest ? limit : value + unit - rest;
}

int vrms_extents_align(const struct vrms_extents *extents, uint64_t block_bytes,
		       uint64_t disk_bytes, struct vrms_extents *ret_extents)
{
	uint64_t at = 0;
	size_t row = 0;

	while (at < disk_bytes) {
		const struct vrms_extent *extent;
		struct vrms_extent block = {.offset = at, .kind = VRMS_EXTENT_SKIP};
		uint64_t whole_end = disk_bytes;

		while (row < extents->count &&
		       extents->rows[row].offset + extents->rows[row].bytes <= at) {
			row++;
		}
		extent = row < extents->count ? &extents->rows[row] : NULL;
		if (extent != NULL && extent->offset <= at) {
			whole_end = extent->offset + extent->bytes;
			whole_end = whole_end >= disk_bytes ? disk_bytes
							    : whole_end - whole_end % block_bytes;
			block.kind = extent->kind;
		} else if (extent != NULL) {
			whole_end = extent->offset - extent->offset % block_bytes;
		}
		if (whole_end > at) {
			block.bytes = whole_end - at;
		} else { /* a block in which kinds meet */
			block.bytes = round_up(at + 1, block_bytes, disk_bytes) - at;
			block.kind = block_kind(kinds_in(extents, &row, at, at + block.bytes));
		}
		int rc = vrms_extents_append(ret_extents, &block);
		if (rc < 0) {
			return rc;
		}
		at += block.bytes;
	}
	return 0;
}

/* A block of a SKIP extent becomes AUDIT with the chance wanted / left, so that
 * the sample is even and comes out sorted (selection sampling, Knuth 3.4.2 S). */
struct sampling {
	uint64_t block_bytes;
	uint64_t wanted; /* blocks still to pick */
	uint64_t left;   /* blocks still to see */
	struct vrms_random *random;
};

static int sample_skip(const struct vrms_extent *skip, struct sampling *sampling,
		       struct vrms_extents *out)
{
	uint64_t block_bytes = sampling->block_bytes;
	uint64_t end = skip->offset + skip->bytes;

	for (uint64_t at = skip->offset; at < end; at += block_bytes) {
		uint64_t bytes = end - at < block_bytes ? end - at : block_bytes;
		struct vrms_extent block = {.offset = at, .bytes = bytes, .kind = VRMS_EXTENT_SKIP};
		int rc;

		if (vrms_random_below(sampling->random, sampling->left--) < sampling->wanted) {
			block.kind = VRMS_EXTENT_AUDIT;
			sampling->wanted--;
		}
		rc = vrms_extents_append(out, &block);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

int vrms_extents_sample(const struct vrms_extents *extents, uint64_t block_bytes,
			uint64_t block_count, struct vrms_random *random,
			struct vrms_extents *ret_extents)
{
	struct sampling sampling = {
	    .block_bytes = block_bytes,
	    .wanted = block_count,
	    .random = random,
	};
	int rc = 0;

	for (size_t i = 0; i < extents->count; i++) {
		if (extents->rows[i].kind == VRMS_EXTENT_SKIP) {
			sampling.left += (extents->rows[i].bytes + block_bytes - 1) / block_bytes;
		}
	}
	for (size_t i = 0; i < extents->count && rc == 0; i++) {
		rc = extents->rows[i].kind == VRMS_EXTENT_SKIP
			 ? sample_skip(&extents->rows[i], &sampling, ret_extents)
			 : vrms_extents_append(ret_extents, &extents->rows[i]);
	}
	return rc;
}
