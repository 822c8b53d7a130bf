/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/beat.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#include "common/bytes.h"

enum {
	AT_MAGIC = 0,
	AT_VERSION = 8,
	AT_CHECKSUM = 508,

	AT_BLOCK_BYTES = 12,
	AT_SLOT_COUNT = 16,
	AT_HEADER_AREA_ID = 24,
	AT_CREATED = 40,
	AT_CLUSTER = 48,

	AT_NODE_ID = 12,
	AT_AREA_ID = 16,
	AT_BOOT_ID = 32,
	AT_SEQUENCE = 48,
	AT_AGE = 56,
	AT_CLAIM = 64,
	AT_STATE = 72,
	AT_INTERVAL = 76,
	AT_FRESH = 80,
	AT_LAST = 88,
	AT_SLOWEST = 92,
	AT_NAME = 96,

	MAGIC_BYTES = 8,
	INTERVAL_MS_MAX = 60000,
};

_Static_assert(AT_CHECKSUM + 4 == VRMS_BEAT_RECORD_BYTES, "the checksum ends the record");
_Static_assert(AT_CLUSTER + VRMS_BEAT_NAME_BYTES <= AT_CHECKSUM, "the cluster name fits");
_Static_assert(AT_NAME + VRMS_BEAT_NAME_BYTES <= AT_CHECKSUM, "the node name fits");

static uint32_t checksum_of(const uint8_t *record)
{
	return (uint32_t)crc32(crc32(0, NULL, 0), record, AT_CHECKSUM);
}

static void begin(uint8_t *record, const char *magic)
{
	memset(record, 0, VRMS_BEAT_RECORD_BYTES);
	memcpy(record + AT_MAGIC, magic, MAGIC_BYTES);
	vrms_le32_put(record + AT_VERSION, VRMS_BEAT_VERSION);
}

static void finish(uint8_t *record)
{
	vrms_le32_put(record + AT_CHECKSUM, checksum_of(record));
}

static bool is_name(const char *name)
{
	return name[0] != '\0' && memchr(name, '\0', VRMS_BEAT_NAME_BYTES) != NULL;
}

static bool is_zero(const uint8_t *record)
{
	for (size_t i = 0; i < VRMS_BEAT_RECORD_BYTES; i++) {
		if (record[i] != 0) {
			return false;
		}
	}
	return true;
}

/* What a header and a slot have in common. */
static int open_record(const uint8_t *record, const char *magic, const char *what,
		       struct vrms_error *error)
{
	if (is_zero(record)) {
		return vrms_error_set(error, -ENODATA, "%s: empty", what);
	}
	if (memcmp(record + AT_MAGIC, magic, MAGIC_BYTES) != 0) {
		return vrms_error_set(error, -EMEDIUMTYPE, "%s: not of a beat area", what);
	}
	if (vrms_le32_get(record + AT_VERSION) != VRMS_BEAT_VERSION) {
		return vrms_error_set(error, -EPROTONOSUPPORT,
				      "%s: version %u, this program knows version %d", what,
				      vrms_le32_get(record + AT_VERSION), VRMS_BEAT_VERSION);
	}
	if (vrms_le32_get(record + AT_CHECKSUM) != checksum_of(record)) {
		return vrms_error_set(error, -EBADMSG, "%s: wrong checksum", what);
	}
	return 0;
}

static int check_header(const struct vrms_beat_header *header, int rc, struct vrms_error *error)
{
	if (header->block_bytes != 512 && header->block_bytes != 4096) {
		return vrms_error_set(error, rc, "header: blocks of %u bytes, not 512 or 4096",
				      header->block_bytes);
	}
	if (!is_name(header->cluster)) {
		return vrms_error_set(error, rc, "header: a cluster name has 1 to %d characters",
				      VRMS_BEAT_NAME_BYTES - 1);
	}
	return 0;
}

int vrms_beat_header_encode(const struct vrms_beat_header *header,
			    uint8_t record[VRMS_BEAT_RECORD_BYTES], struct vrms_error *error)
{
	int rc = check_header(header, -EINVAL, error);

	if (rc < 0) {
		return rc;
	}
	begin(record, "VRMSAREA");
	vrms_le32_put(record + AT_BLOCK_BYTES, header->block_bytes);
	vrms_le32_put(record + AT_SLOT_COUNT, VRMS_BEAT_SLOTS);
	memcpy(record + AT_HEADER_AREA_ID, header->area_id, VRMS_BEAT_ID_BYTES);
	vrms_le64_put(record + AT_CREATED, (uint64_t)header->created_ms);
	memcpy(record + AT_CLUSTER, header->cluster, strlen(header->cluster));
	finish(record);
	return 0;
}

int vrms_beat_header_decode(const uint8_t record[VRMS_BEAT_RECORD_BYTES],
			    struct vrms_beat_header *ret_header, struct vrms_error *error)
{
	struct vrms_beat_header header = {0};
	int rc = open_record(record, "VRMSAREA", "header", error);

	if (rc < 0) {
		return rc;
	}
	header.block_bytes = vrms_le32_get(record + AT_BLOCK_BYTES);
	memcpy(header.area_id, record + AT_HEADER_AREA_ID, VRMS_BEAT_ID_BYTES);
	header.created_ms = (int64_t)vrms_le64_get(record + AT_CREATED);
	memcpy(header.cluster, record + AT_CLUSTER, VRMS_BEAT_NAME_BYTES);
	rc = check_header(&header, -EBADMSG, error);
	if (rc < 0) {
		return rc;
	}
	if (vrms_le32_get(record + AT_SLOT_COUNT) != VRMS_BEAT_SLOTS) {
		return vrms_error_set(error, -EBADMSG, "header: %u slots, not %d",
				      vrms_le32_get(record + AT_SLOT_COUNT), VRMS_BEAT_SLOTS);
	}
	*ret_header = header;
	return 0;
}

static int check_beat(const struct vrms_beat *beat, int rc, struct vrms_error *error)
{
	if (beat->node_id == 0) {
		return vrms_error_set(error, rc, "slot: node id 0");
	}
	if (beat->state != VRMS_BEAT_BEATING && beat->state != VRMS_BEAT_STOPPED) {
		return vrms_error_set(error, rc, "slot of node %u: unknown state %d", beat->node_id,
				      (int)beat->state);
	}
	if (beat->interval_ms < 1 || beat->interval_ms > INTERVAL_MS_MAX) {
		return vrms_error_set(error, rc, "slot of node %u: interval of %lld ms",
				      beat->node_id, (long long)beat->interval_ms);
	}
	if (!is_name(beat->name)) {
		return vrms_error_set(error, rc, "slot of node %u: no node name", beat->node_id);
	}
	return 0;
}

int vrms_beat_encode(const struct vrms_beat *beat, uint8_t record[VRMS_BEAT_RECORD_BYTES],
		     struct vrms_error *error)
{
	int rc = check_beat(beat, -EINVAL, error);

	if (rc < 0) {
		return rc;
	}
	begin(record, "VRMSBEAT");
	vrms_le32_put(record + AT_NODE_ID, beat->node_id);
	memcpy(record + AT_AREA_ID, beat->area_id, VRMS_BEAT_ID_BYTES);
	memcpy(record + AT_BOOT_ID, beat->boot_id, VRMS_BEAT_ID_BYTES);
	vrms_le64_put(record + AT_SEQUENCE, beat->sequence);
	vrms_le64_put(record + AT_AGE, (uint64_t)beat->age_ms);
	vrms_le64_put(record + AT_CLAIM, beat->claim);
	vrms_le32_put(record + AT_STATE, (uint32_t)beat->state);
	vrms_le32_put(record + AT_INTERVAL, (uint32_t)beat->interval_ms);
	vrms_le64_put(record + AT_FRESH, beat->fresh_bits);
	vrms_le32_put(record + AT_LAST, beat->last_us);
	vrms_le32_put(record + AT_SLOWEST, beat->slowest_us);
	memcpy(record + AT_NAME, beat->name, strlen(beat->name));
	finish(record);
	return 0;
}

int vrms_beat_decode(const uint8_t record[VRMS_BEAT_RECORD_BYTES], struct vrms_beat *ret_beat,
		     struct vrms_error *error)
{
	struct vrms_beat beat = {0};
	int rc = open_record(record, "VRMSBEAT", "slot", error);

	if (rc < 0) {
		return rc;
	}
	beat.node_id = vrms_le32_get(record + AT_NODE_ID);
	memcpy(beat.area_id, record + AT_AREA_ID, VRMS_BEAT_ID_BYTES);
	memcpy(beat.boot_id, record + AT_BOOT_ID, VRMS_BEAT_ID_BYTES);
	beat.sequence = vrms_le64_get(record + AT_SEQUENCE);
	beat.age_ms = (int64_t)vrms_le64_get(record + AT_AGE);
	beat.claim = vrms_le64_get(record + AT_CLAIM);
	beat.state = (enum vrms_beat_state)vrms_le32_get(record + AT_STATE);
	beat.interval_ms = vrms_le32_get(record + AT_INTERVAL);
	beat.fresh_bits = vrms_le64_get(record + AT_FRESH);
	beat.last_us = vrms_le32_get(record + AT_LAST);
	beat.slowest_us = vrms_le32_get(record + AT_SLOWEST);
	memcpy(beat.name, record + AT_NAME, VRMS_BEAT_NAME_BYTES);
	rc = check_beat(&beat, -EBADMSG, error);
	if (rc < 0) {
		return rc;
	}
	*ret_beat = beat;
	return 0;
}

uint64_t vrms_beat_boot_digest(const uint8_t boot_id[VRMS_BEAT_ID_BYTES])
{
	uint64_t digest = vrms_le64_get(boot_id) ^ vrms_le64_get(boot_id + 8);

	return digest == 0 ? 1 : digest;
}
