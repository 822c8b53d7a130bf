/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/seen.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "common/bytes.h"
#include "common/file.h"

enum { AT_READ = 8, AT_ROWS = 16, ROW_BYTES = 24, AT_CHECKSUM = 1552 };

_Static_assert(AT_ROWS + VRMS_BEAT_SLOTS * ROW_BYTES == AT_CHECKSUM, "the rows fill the file");
_Static_assert(AT_CHECKSUM + 4 == VRMS_SEEN_BYTES, "the checksum ends the file");

static const char magic[8] = "VRMSSEEN";

static uint32_t checksum_of(const uint8_t *bytes)
{
	return (uint32_t)crc32(crc32(0, NULL, 0), bytes, AT_CHECKSUM);
}

void vrms_seen_encode(const struct vrms_seen *seen, uint8_t bytes[VRMS_SEEN_BYTES])
{
	memcpy(bytes, magic, sizeof(magic));
	vrms_le64_put(bytes + AT_READ, (uint64_t)seen->read_ms);
	for (unsigned slot = 0; slot < VRMS_BEAT_SLOTS; slot++) {
		uint8_t *row = bytes + AT_ROWS + slot * ROW_BYTES;

		vrms_le64_put(row, seen->rows[slot].node_id);
		vrms_le64_put(row + 8, seen->rows[slot].sequence);
		vrms_le64_put(row + 16, (uint64_t)seen->rows[slot].changed_ms);
	}
	vrms_le32_put(bytes + AT_CHECKSUM, checksum_of(bytes));
}

int vrms_seen_decode(const uint8_t bytes[VRMS_SEEN_BYTES], struct vrms_seen *ret_seen,
		     struct vrms_error *error)
{
	if (memcmp(bytes, magic, sizeof(magic)) != 0 ||
	    vrms_le32_get(bytes + AT_CHECKSUM) != checksum_of(bytes)) {
		return vrms_error_set(error, -EBADMSG, "seen beats: wrong magic or checksum");
	}
	ret_seen->read_ms = (int64_t)vrms_le64_get(bytes + AT_READ);
	for (unsigned slot = 0; slot < VRMS_BEAT_SLOTS; slot++) {
		const uint8_t *row = bytes + AT_ROWS + slot * ROW_BYTES;

		ret_seen->rows[slot] = (struct vrms_seen_row){
		    .node_id = (uint32_t)vrms_le64_get(row),
		    .sequence = vrms_le64_get(row + 8),
		    .changed_ms = (int64_t)vrms_le64_get(row + 16),
		};
	}
	return 0;
}

int vrms_seen_load(const char *path, struct vrms_seen *ret_seen, struct vrms_error *error)
{
	char *bytes VRMS_CLEANUP(vrms_freep) = NULL;
	size_t size;
	int rc = vrms_file_read(path, VRMS_SEEN_BYTES, &bytes, &size, error);

	if (rc < 0) {
		return rc;
	}
	if (size != VRMS_SEEN_BYTES) {
		return vrms_error_set(error, -EBADMSG, "%s: has %zu bytes, not %d", path, size,
				      VRMS_SEEN_BYTES);
	}
	rc = vrms_seen_decode((const uint8_t *)bytes, ret_seen, error);
	return rc < 0 ? vrms_error_wrap(error, rc, "%s", path) : 0;
}

int64_t vrms_seen_unchanged_ms(const struct vrms_seen *seen, uint32_t node_id, uint64_t sequence,
			       int64_t now_ms, int64_t young_ms)
{
	if (now_ms < seen->read_ms || now_ms - seen->read_ms > young_ms) {
		return -1;
	}
	for (unsigned slot = 0; slot < VRMS_BEAT_SLOTS; slot++) {
		const struct vrms_seen_row *row = &seen->rows[slot];

		if (row->node_id != 0 && row->node_id == node_id && row->sequence == sequence &&
		    row->changed_ms <= seen->read_ms) {
			/* Up to the daemon's last look: later it may have changed again. */
			return seen->read_ms - row->changed_ms;
		}
	}
	return -1;
}
