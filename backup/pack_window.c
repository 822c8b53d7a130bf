/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/pack_window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { AHEAD_BYTES_MIN = 256 << 10, AHEAD_BYTES_MAX = 1 << 20 };

/* Bytes of a pack that are in memory. */
struct piece {
	struct vrms_id pack;
	uint64_t offset;
	size_t size; /* 0: nothing */
	uint8_t *bytes;
	size_t capacity;
};

struct vrms_pack_window {
	struct piece ahead; /* never changed once read */
	struct piece alone; /* one record */
};

struct vrms_pack_window *vrms_pack_window_new(void)
{
	return calloc(1, sizeof(struct vrms_pack_window));
}

void vrms_pack_window_free(struct vrms_pack_window *window)
{
	if (window == NULL) {
		return;
	}
	free(window->ahead.bytes);
	free(window->alone.bytes);
	free(window);
}

/* Empty afterwards, with room for so much. */
static int reserve(struct piece *piece, size_t size)
{
	piece->size = 0;
	if (piece->capacity < size) {
		free(piece->bytes);
		piece->capacity = 0;
		piece->bytes = malloc(size);
		if (piece->bytes == NULL) {
			return -ENOMEM;
		}
		piece->capacity = size;
	}
	return 0;
}

static int fill(struct piece *piece, const struct vrms_pack_reader *pack, uint64_t offset,
		size_t size)
{
	int rc = reserve(piece, size);

	if (rc == 0) {
		rc = vrms_pack_reader_read(pack, piece->bytes, size, offset);
	}
	if (rc == 0) {
		piece->pack = vrms_pack_reader_header(pack)->pack;
		piece->offset = offset;
		piece->size = size;
	}
	return rc;
}

static bool is_of(const struct piece *piece, const struct vrms_pack_reader *pack)
{
	return piece->size > 0 &&
	       vrms_id_is_equal(&piece->pack, &vrms_pack_reader_header(pack)->pack);
}

static bool holds(const struct piece *piece, const struct vrms_pack_reader *pack, uint64_t offset,
		  size_t size)
{
	return is_of(piece, pack) && offset >= piece->offset &&
	       offset + size <= piece->offset + piece->size;
}

/* How much to read from here: 0 when nobody reads on from where the last record ended. */
static size_t ahead_bytes(const struct vrms_pack_window *window,
			  const struct vrms_pack_reader *pack, uint64_t offset)
{
	const struct piece *ahead = &window->ahead, *alone = &window->alone;
	uint64_t left = vrms_pack_reader_bytes(pack) - offset;
	size_t size = 0;

	if (is_of(ahead, pack) && offset > ahead->offset && offset <= ahead->offset + ahead->size) {
		size = ahead->size < AHEAD_BYTES_MAX / 2 ? 2 * ahead->size : AHEAD_BYTES_MAX;
	} else if (is_of(alone, pack) && offset == alone->offset + alone->size) {
		size = AHEAD_BYTES_MIN;
	}
	return size < left ? size : (size_t)left;
}

/* The record, as it is stored. */
static int find(struct vrms_pack_window *window, const struct vrms_pack_reader *pack,
		const struct vrms_pack_entry *entry, uint8_t **ret_record)
{
	uint64_t offset = entry->offset;
	size_t size = VRMS_RECORD_HEADER_BYTES + (size_t)entry->stored_bytes;
	bool is_held = holds(&window->ahead, pack, offset, size);
	size_t more;
	int rc;

	if (!is_held && offset <= vrms_pack_reader_bytes(pack)) {
		more = ahead_bytes(window, pack, offset);
		/* What cannot be read behind the record is no matter of the record. */
		is_held = more > size && fill(&window->ahead, pack, offset, more) == 0;
	}
	if (!is_held) {
		rc = fill(&window->alone, pack, offset, size);
		*ret_record = window->alone.bytes;
		return rc;
	}
	*ret_record = window->ahead.bytes + (offset - window->ahead.offset);
	if (!vrms_pack_reader_header(pack)->is_encrypted) {
		return 0;
	}
	/* Opening the seal changes it, and the same record may be wanted again. */
	rc = reserve(&window->alone, size);
	if (rc == 0) {
		memcpy(window->alone.bytes, *ret_record, size);
		*ret_record = window->alone.bytes;
	}
	return rc;
}

int vrms_pack_window_get(struct vrms_pack_window *window, const struct vrms_pack_reader *pack,
			 const struct vrms_pack_entry *entry, struct vrms_block *ret_block,
			 struct vrms_error *error)
{
	uint8_t *record;
	int rc = find(window, pack, entry, &record);

	return rc < 0 ? vrms_error_errno(error, rc, "record at %u", entry->offset)
		      : vrms_pack_reader_decode(pack, entry, record, ret_block, error);
}
