/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/index_segment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "common/bytes.h"

enum { BUCKET_ENTRIES = 16, FAN_BITS_MAX = 24, CHUNK_ENTRIES = 64 };
/* Up to 1.4 MiB: what joining leaves of these takes a few MiB, and every block looks into each. */
enum { ENTRIES_IN_MEMORY = 1 << 15 };

uint32_t vrms_segment_bucket(const struct vrms_name *name, uint32_t fan_bits)
{
	uint32_t leading = (uint32_t)name->bytes[0] << 24 | (uint32_t)name->bytes[1] << 16 |
			   (uint32_t)name->bytes[2] << 8 | name->bytes[3];

	return fan_bits == 0 ? 0 : leading >> (32 - fan_bits);
}

uint32_t vrms_segment_fan_bits(uint64_t entry_count)
{
	uint32_t bits = 0;

	while (bits < FAN_BITS_MAX && entry_count >> bits > BUCKET_ENTRIES) {
		bits++;
	}
	return bits;
}

void vrms_segment_free(struct vrms_segment *segment)
{
	if (segment == NULL) {
		return;
	}
	if (segment->file != NULL) {
		segment->store->close(segment->file);
	}
	free(segment->memory);
	free(segment->fan);
	free(segment->packs);
	free(segment->rows);
	free(segment);
}

static int decode_tables(struct vrms_segment *segment, const uint8_t *tables)
{
	size_t fan_count = ((size_t)1 << segment->fan_bits) + 1;
	const uint8_t *fan = tables + (size_t)segment->pack_count * VRMS_INDEX_PACK_BYTES;

	segment->packs = calloc(segment->pack_count + 1, sizeof(*segment->packs));
	segment->rows = calloc(segment->pack_count + 1, sizeof(*segment->rows));
	segment->fan = malloc(fan_count * sizeof(*segment->fan));
	if (segment->packs == NULL || segment->rows == NULL || segment->fan == NULL) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < segment->pack_count; i++) {
		vrms_index_pack_decode(tables + (size_t)i * VRMS_INDEX_PACK_BYTES,
				       &segment->packs[i]);
	}
	for (size_t i = 0; i < fan_count; i++) {
		segment->fan[i] = vrms_le32_get(fan + 4 * i);
		if (segment->fan[i] > segment->entry_count ||
		    (i > 0 && segment->fan[i] < segment->fan[i - 1])) {
			return -EBADMSG;
		}
	}
	return segment->fan[fan_count - 1] == segment->entry_count ? 0 : -EBADMSG;
}

static int load_entries(struct vrms_segment *segment)
{
	size_t size = (size_t)segment->entry_count * VRMS_INDEX_ENTRY_BYTES;
	int rc;

	segment->memory = malloc(size + 1);
	if (segment->memory == NULL) {
		return -ENOMEM;
	}
	rc = segment->store->read(segment->file, segment->memory, size, segment->entries_offset);
	return rc == 0 && vrms_checksum(segment->memory, size) != segment->entries_checksum
		   ? -EBADMSG
		   : rc;
}

static int read_tail(struct vrms_segment *segment)
{
	uint8_t tail[VRMS_INDEX_TAIL_BYTES];
	int rc = segment->store->read(segment->file, tail, sizeof(tail),
				      segment->entries_offset +
					  segment->entry_count * VRMS_INDEX_ENTRY_BYTES);

	segment->entries_checksum = rc == 0 ? vrms_le64_get(tail) : 0;
	return rc;
}

static int load(struct vrms_segment *segment, uint64_t bytes, const struct vrms_id *repository,
		struct vrms_error *error)
{
	uint8_t head[VRMS_INDEX_HEADER_BYTES];
	struct vrms_index_header header;
	uint8_t *tables VRMS_CLEANUP(vrms_freep) = NULL;
	uint64_t size;
	int rc = segment->store->read(segment->file, head, sizeof(head), 0);

	if (rc < 0) {
		return vrms_error_errno(error, rc, "header");
	}
	rc = vrms_index_header_decode(head, &header, error);
	if (rc < 0) {
		return rc;
	}
	size = (uint64_t)header.pack_count * VRMS_INDEX_PACK_BYTES +
	       4 * (((uint64_t)1 << header.fan_bits) + 1);
	segment->entries_offset = sizeof(head) + size;
	segment->fan_bits = header.fan_bits;
	segment->pack_count = header.pack_count;
	segment->entry_count = header.entry_count;
	if (bytes != segment->entries_offset + header.entry_count * VRMS_INDEX_ENTRY_BYTES +
			 VRMS_INDEX_TAIL_BYTES ||
	    !vrms_id_is_equal(&header.repository, repository)) {
		return vrms_error_set(error, -EBADMSG, "cut short, or of another repository");
	}
	tables = malloc(size);
	if (tables == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = segment->store->read(segment->file, tables, size, sizeof(head));
	if (rc == 0 && vrms_checksum(tables, size) != header.tables_checksum) {
		rc = -EBADMSG;
	}
	if (rc == 0) {
		rc = decode_tables(segment, tables);
	}
	if (rc == 0) {
		rc = read_tail(segment);
	}
	if (rc == 0 && segment->entry_count <= ENTRIES_IN_MEMORY) {
		rc = load_entries(segment);
	}
	return rc < 0 ? vrms_error_errno(error, rc, "tables") : 0;
}

int vrms_segment_open(const struct vrms_store *store, const struct vrms_id *repository,
		      const char *name, struct vrms_segment **ret_segment, struct vrms_error *error)
{
	struct vrms_segment *segment VRMS_CLEANUP(vrms_segment_freep) = calloc(1, sizeof(*segment));
	char path[8 + VRMS_ID_TEXT_BYTES];
	uint64_t bytes;
	int rc;

	if (segment == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	segment->store = store;
	snprintf(segment->name, sizeof(segment->name), "%s", name);
	snprintf(path, sizeof(path), "index/%s", segment->name);
	rc = store->open(store->context, path, &segment->file, &bytes, error);
	if (rc < 0) {
		segment->file = NULL;
		return rc;
	}
	rc = load(segment, bytes, repository, error);
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "%s", path);
	}
	*ret_segment = VRMS_TAKE(segment);
	return 0;
}

int vrms_segment_check(const struct vrms_segment *segment)
{
	enum { CHECK_BYTES = 1 << 18 };
	uint64_t left = segment->entry_count * VRMS_INDEX_ENTRY_BYTES;
	uint64_t at = segment->entries_offset;
	uint8_t *bytes VRMS_CLEANUP(vrms_freep) = malloc(CHECK_BYTES);
	XXH3_state_t *checksum = XXH3_createState();
	int rc = bytes == NULL || checksum == NULL ? -ENOMEM : 0;

	if (rc == 0) {
		XXH3_64bits_reset(checksum);
	}
	while (rc == 0 && segment->memory == NULL && left > 0) {
		size_t part = left < CHECK_BYTES ? (size_t)left : CHECK_BYTES;

		rc = segment->store->read(segment->file, bytes, part, at);
		if (rc == 0) {
			XXH3_64bits_update(checksum, bytes, part);
		}
		at += part;
		left -= part;
	}
	if (rc == 0 && segment->memory == NULL &&
	    XXH3_64bits_digest(checksum) != segment->entries_checksum) {
		rc = -EBADMSG;
	}
	XXH3_freeState(checksum);
	return rc;
}

/* Counts entries per bucket, then sums them up. */
static void fill_fan(struct vrms_segment *segment, const struct vrms_pack_entry *entries,
		     size_t count)
{
	size_t buckets = (size_t)1 << segment->fan_bits;

	for (size_t i = 0; i < count; i++) {
		segment->fan[vrms_segment_bucket(&entries[i].name, segment->fan_bits) + 1]++;
	}
	for (size_t i = 0; i < buckets; i++) {
		segment->fan[i + 1] += segment->fan[i];
	}
}

int vrms_segment_from_pack(const struct vrms_index_pack *pack,
			   const struct vrms_pack_entry *entries, size_t count,
			   struct vrms_segment **ret_segment)
{
	struct vrms_segment *segment VRMS_CLEANUP(vrms_segment_freep) = calloc(1, sizeof(*segment));

	if (segment == NULL) {
		return -ENOMEM;
	}
	segment->fan_bits = vrms_segment_fan_bits(count);
	segment->fan = calloc(((size_t)1 << segment->fan_bits) + 1, sizeof(*segment->fan));
	segment->memory = malloc(count * VRMS_INDEX_ENTRY_BYTES + 1);
	segment->packs = calloc(1, sizeof(*segment->packs));
	segment->rows = calloc(1, sizeof(*segment->rows));
	if (segment->fan == NULL || segment->memory == NULL || segment->packs == NULL ||
	    segment->rows == NULL) {
		return -ENOMEM;
	}
	segment->packs[0] = *pack;
	segment->pack_count = 1;
	segment->entry_count = count;
	fill_fan(segment, entries, count);
	for (size_t i = 0; i < count; i++) {
		struct vrms_index_entry entry = {
		    .name = entries[i].name,
		    .offset = entries[i].offset,
		    .stored_bytes = entries[i].stored_bytes,
		};

		vrms_index_entry_encode(&entry, segment->memory + i * VRMS_INDEX_ENTRY_BYTES);
	}
	*ret_segment = VRMS_TAKE(segment);
	return 0;
}

int vrms_segment_read(const struct vrms_segment *segment, uint64_t first, size_t count,
		      struct vrms_index_entry *ret_entries)
{
	uint8_t bytes[CHUNK_ENTRIES * VRMS_INDEX_ENTRY_BYTES];

	while (count > 0) {
		size_t part = count < CHUNK_ENTRIES ? count : CHUNK_ENTRIES;
		const uint8_t *from = bytes;

		if (segment->memory != NULL) {
			from = segment->memory + first * VRMS_INDEX_ENTRY_BYTES;
		} else {
			int rc = segment->store->read(segment->file, bytes,
						      part * VRMS_INDEX_ENTRY_BYTES,
						      segment->entries_offset +
							  first * VRMS_INDEX_ENTRY_BYTES);
			if (rc < 0) {
				return rc;
			}
		}
		for (size_t i = 0; i < part; i++) {
			vrms_index_entry_decode(from + i * VRMS_INDEX_ENTRY_BYTES, ret_entries++);
		}
		first += part;
		count -= part;
	}
	return 0;
}

int vrms_segment_find(const struct vrms_segment *segment, const struct vrms_name *name,
		      uint64_t *ret_first)
{
	struct vrms_index_entry entries[CHUNK_ENTRIES];
	uint32_t bucket = vrms_segment_bucket(name, segment->fan_bits);
	uint64_t at = segment->fan[bucket];
	uint64_t end = segment->fan[bucket + 1];

	while (at < end) {
		size_t part = end - at < CHUNK_ENTRIES ? end - at : CHUNK_ENTRIES;
		int rc = vrms_segment_read(segment, at, part, entries);

		if (rc < 0) {
			return rc;
		}
		for (size_t i = 0; i < part; i++) {
			int order = vrms_name_compare(&entries[i].name, name);

			if (order >= 0) {
				*ret_first = order == 0 ? at + i : segment->entry_count;
				return 0;
			}
		}
		at += part;
	}
	*ret_first = segment->entry_count;
	return 0;
}
