/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/pack_window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	AHEAD_BYTES_MIN = 256 << 10, /* also what ends of reads are multiples of */
	AHEAD_BYTES_MAX = 2 << 20,
};

/* Bytes of a pack that are in memory. */
struct piece {
	struct vrms_id pack;
	uint64_t offset;
	size_t size;    /* 0: nothing */
	uint8_t *bytes; /* in the room */
	uint8_t *room;
	size_t capacity;
};

struct vrms_pack_window {
	struct piece ahead; /* as read */
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
	free(window->ahead.room);
	free(window->alone.room);
	free(window);
}

/* Room for so many bytes, of which the last `kept` of the piece become the first: what is read
 * behind them begins at a round address, as reading around the page cache needs it. */
static int reserve(struct piece *piece, size_t size, size_t kept)
{
	size_t pad = (VRMS_STORE_ALIGN - kept % VRMS_STORE_ALIGN) % VRMS_STORE_ALIGN;
	size_t capacity = (pad + size + VRMS_STORE_ALIGN - 1) / VRMS_STORE_ALIGN * VRMS_STORE_ALIGN;
	const uint8_t *tail = kept > 0 ? piece->bytes + piece->size - kept : NULL;
	uint8_t *room = piece->room;

	if (piece->capacity < capacity) {
		room = aligned_alloc(VRMS_STORE_ALIGN, capacity);
		if (room == NULL) {
			return -ENOMEM;
		}
		piece->capacity = capacity;
	}
	if (kept > 0) {
		memmove(room + pad, tail, kept);
	}
	if (room != piece->room) {
		free(piece->room);
	}
	piece->room = room;
	piece->bytes = room + pad;
	piece->size = 0;
	return 0;
}

/* Reads a piece from `offset` to `end`, but for what is kept. */
static int fill(struct piece *piece, const struct vrms_pack_reader *pack, uint64_t offset,
		uint64_t end, size_t kept)
{
	size_t size = (size_t)(end - offset);
	int rc = reserve(piece, size, kept);

	if (rc == 0) {
		rc = vrms_pack_reader_read(pack, piece->bytes + kept, size - kept, offset + kept);
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

/* Reads on when the last record ended here: from where the last read ended, so that a file is read
 * once and in order, to a round number. */
static int fill_ahead(struct vrms_pack_window *window, const struct vrms_pack_reader *pack,
		      uint64_t offset, uint64_t record_end)
{
	struct piece *ahead = &window->ahead, *alone = &window->alone;
	uint64_t end, size = AHEAD_BYTES_MIN;
	size_t kept = 0;

	if (is_of(ahead, pack) && offset > ahead->offset && offset <= ahead->offset + ahead->size) {
		kept = (size_t)(ahead->offset + ahead->size - offset);
		size = ahead->size < AHEAD_BYTES_MAX / 2 ? 2 * ahead->size : AHEAD_BYTES_MAX;
	} else if (is_of(alone, pack) && offset == alone->offset + alone->size) {
		offset -= offset % VRMS_STORE_ALIGN;
	} else {
		return -ENOENT;
	}
	end = (offset + kept + size) / AHEAD_BYTES_MIN * AHEAD_BYTES_MIN;
	if (end > vrms_pack_reader_bytes(pack)) {
		end = vrms_pack_reader_bytes(pack);
	}
	if (end < record_end) {
		return -ENOENT;
	}
	return fill(ahead, pack, offset, end, kept);
}

/* The record, as it is stored. */
static int find(struct vrms_pack_window *window, const struct vrms_pack_reader *pack,
		const struct vrms_pack_entry *entry, uint8_t **ret_record)
{
	uint64_t offset = entry->offset;
	size_t size = VRMS_RECORD_HEADER_BYTES + (size_t)entry->stored_bytes;
	bool is_held = holds(&window->ahead, pack, offset, size);
	int rc;

	/* What cannot be read behind the record is no matter of the record. */
	if (!is_held && fill_ahead(window, pack, offset, offset + size) < 0) {
		rc = fill(&window->alone, pack, offset, offset + size, 0);
		*ret_record = window->alone.bytes;
		return rc;
	}
	*ret_record = window->ahead.bytes + (offset - window->ahead.offset);
	if (!vrms_pack_reader_header(pack)->is_encrypted) {
		return 0;
	}
	/* Opening the seal changes it, and the same record may be wanted again. */
	rc = reserve(&window->alone, size, 0);
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
