/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/format.h"

#include <errno.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common/bytes.h"

enum { FLAG_ENCRYPTED = 1, FAN_BITS_MAX = 24, RAW_BYTES_MAX = 4 << 20 };

static const char pack_magic[8] = "VRMSPAK\n";
static const char pack_end_magic[8] = "VRMSEND\n";
static const char index_magic[8] = "VRMSIDX\n";
static const char document_magic[8] = "VRMSDOC\n";
static const char record_magic[4] = "VBLK";

bool vrms_name_is_zero(const struct vrms_name *name)
{
	static const struct vrms_name zero;

	return memcmp(name, &zero, sizeof(zero)) == 0;
}

int vrms_name_compare(const struct vrms_name *a, const struct vrms_name *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool vrms_id_is_equal(const struct vrms_id *a, const struct vrms_id *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void vrms_hex_print(const uint8_t *bytes, size_t size, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * size] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int vrms_hex_parse(const char *text, uint8_t *ret_bytes, size_t size)
{
	if (strlen(text) != 2 * size) {
		return -EINVAL;
	}
	for (size_t i = 0; i < 2 * size; i++) {
		if (hex_digit(text[i]) < 0) {
			return -EINVAL;
		}
	}
	for (size_t i = 0; i < size; i++) {
		ret_bytes[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	}
	return 0;
}

void vrms_id_print(const struct vrms_id *id, char *text)
{
	vrms_hex_print(id->bytes, sizeof(id->bytes), text);
}

uint64_t vrms_checksum(const void *data, size_t size)
{
	return XXH3_64bits(data, size);
}

static bool is_sealed(const uint8_t *bytes, size_t size)
{
	return vrms_le64_get(bytes + size) == vrms_checksum(bytes, size);
}

/* Magic first: a stranger's file must not be called damaged. */
static int check_start(const uint8_t *bytes, const char *magic, size_t checked, const char *what,
		       struct vrms_error *error)
{
	if (memcmp(bytes, magic, 8) != 0) {
		return vrms_error_set(error, -EBADMSG, "not a %s of a backup repository", what);
	}
	if (!is_sealed(bytes, checked)) {
		return vrms_error_set(error, -EBADMSG, "damaged %s header", what);
	}
	return 0;
}

static int check_version(const uint8_t *bytes, const char *what, struct vrms_error *error)
{
	uint32_t version = vrms_le32_get(bytes + 8);

	if (version != VRMS_FORMAT_VERSION) {
		return vrms_error_set(error, -EPROTONOSUPPORT,
				      "%s of format version %u, this program reads %u", what,
				      version, VRMS_FORMAT_VERSION);
	}
	return 0;
}

enum {
	PACK_FLAGS = 12,
	PACK_ID = 16,
	PACK_REPOSITORY = 32,
	PACK_GENERATION = 48,
	PACK_KIND = 52,
	PACK_CHECKSUM = 56,
};
_Static_assert(PACK_CHECKSUM + 8 == VRMS_PACK_HEADER_BYTES, "the checksum ends the pack header");

void vrms_pack_header_encode(const struct vrms_pack_header *header, uint8_t *ret_bytes)
{
	memcpy(ret_bytes, pack_magic, sizeof(pack_magic));
	vrms_le32_put(ret_bytes + 8, VRMS_FORMAT_VERSION);
	vrms_le32_put(ret_bytes + PACK_FLAGS, header->is_encrypted ? FLAG_ENCRYPTED : 0);
	memcpy(ret_bytes + PACK_ID, header->pack.bytes, VRMS_ID_BYTES);
	memcpy(ret_bytes + PACK_REPOSITORY, header->repository.bytes, VRMS_ID_BYTES);
	vrms_le32_put(ret_bytes + PACK_GENERATION, header->generation);
	vrms_le32_put(ret_bytes + PACK_KIND, header->kind);
	vrms_le64_put(ret_bytes + PACK_CHECKSUM, vrms_checksum(ret_bytes, PACK_CHECKSUM));
}

static bool is_pack_kind(uint32_t kind)
{
	return kind == VRMS_PACK_DATA || kind == VRMS_PACK_NODES;
}

int vrms_pack_header_decode(const uint8_t *bytes, struct vrms_pack_header *ret_header,
			    struct vrms_error *error)
{
	int rc = check_start(bytes, pack_magic, PACK_CHECKSUM, "pack", error);

	if (rc == 0) {
		rc = check_version(bytes, "pack", error);
	}
	if (rc < 0) {
		return rc;
	}
	if (!is_pack_kind(vrms_le32_get(bytes + PACK_KIND))) {
		return vrms_error_set(error, -EBADMSG, "pack of unknown kind %u",
				      vrms_le32_get(bytes + PACK_KIND));
	}
	ret_header->is_encrypted = (vrms_le32_get(bytes + PACK_FLAGS) & FLAG_ENCRYPTED) != 0;
	memcpy(ret_header->pack.bytes, bytes + PACK_ID, VRMS_ID_BYTES);
	memcpy(ret_header->repository.bytes, bytes + PACK_REPOSITORY, VRMS_ID_BYTES);
	ret_header->generation = vrms_le32_get(bytes + PACK_GENERATION);
	ret_header->kind = vrms_le32_get(bytes + PACK_KIND);
	return 0;
}

enum {
	RECORD_ENCODING = 4,
	RECORD_RAW = 8,
	RECORD_STORED = 12,
	RECORD_NAME = 16,
	RECORD_CHECKSUM = 48
};
_Static_assert(RECORD_CHECKSUM + 8 == VRMS_RECORD_HEADER_BYTES,
	       "the checksum ends the record header");

void vrms_record_header_encode(const struct vrms_record_header *header, uint8_t *ret_bytes)
{
	memcpy(ret_bytes, record_magic, sizeof(record_magic));
	vrms_le32_put(ret_bytes + RECORD_ENCODING, header->encoding);
	vrms_le32_put(ret_bytes + RECORD_RAW, header->raw_bytes);
	vrms_le32_put(ret_bytes + RECORD_STORED, header->stored_bytes);
	memcpy(ret_bytes + RECORD_NAME, header->name.bytes, VRMS_NAME_BYTES);
	vrms_le64_put(ret_bytes + RECORD_CHECKSUM, vrms_checksum(ret_bytes, RECORD_CHECKSUM));
}

int vrms_record_header_decode(const uint8_t *bytes, struct vrms_record_header *ret_header,
			      struct vrms_error *error)
{
	uint32_t encoding = vrms_le32_get(bytes + RECORD_ENCODING);
	uint32_t raw = vrms_le32_get(bytes + RECORD_RAW);
	uint32_t stored = vrms_le32_get(bytes + RECORD_STORED);

	if (memcmp(bytes, record_magic, sizeof(record_magic)) != 0 ||
	    !is_sealed(bytes, RECORD_CHECKSUM)) {
		return vrms_error_set(error, -EBADMSG, "damaged record header");
	}
	if (encoding > VRMS_ENCODING_ZSTD || raw == 0 || raw > RAW_BYTES_MAX ||
	    stored > RAW_BYTES_MAX + 64) {
		return vrms_error_set(error, -EBADMSG, "record header with impossible values");
	}
	ret_header->encoding = encoding;
	ret_header->raw_bytes = raw;
	ret_header->stored_bytes = stored;
	memcpy(ret_header->name.bytes, bytes + RECORD_NAME, VRMS_NAME_BYTES);
	return 0;
}

void vrms_pack_entry_encode(const struct vrms_pack_entry *entry, uint8_t *ret_bytes)
{
	memcpy(ret_bytes, entry->name.bytes, VRMS_NAME_BYTES);
	vrms_le32_put(ret_bytes + 32, entry->offset);
	vrms_le32_put(ret_bytes + 36, entry->stored_bytes);
}

void vrms_pack_entry_decode(const uint8_t *bytes, struct vrms_pack_entry *ret_entry)
{
	memcpy(ret_entry->name.bytes, bytes, VRMS_NAME_BYTES);
	ret_entry->offset = vrms_le32_get(bytes + 32);
	ret_entry->stored_bytes = vrms_le32_get(bytes + 36);
}

enum {
	TRAILER_COUNT = 8,
	TRAILER_ZERO = 12,
	TRAILER_TABLE = 16,
	TRAILER_SUM = 24,
	TRAILER_CHECKSUM = 32
};
_Static_assert(TRAILER_CHECKSUM + 8 == VRMS_PACK_TRAILER_BYTES, "the checksum ends the trailer");

void vrms_pack_trailer_encode(const struct vrms_pack_trailer *trailer, uint8_t *ret_bytes)
{
	memcpy(ret_bytes, pack_end_magic, sizeof(pack_end_magic));
	vrms_le32_put(ret_bytes + TRAILER_COUNT, trailer->entry_count);
	vrms_le32_put(ret_bytes + TRAILER_ZERO, 0);
	vrms_le64_put(ret_bytes + TRAILER_TABLE, trailer->table_offset);
	vrms_le64_put(ret_bytes + TRAILER_SUM, trailer->table_checksum);
	vrms_le64_put(ret_bytes + TRAILER_CHECKSUM, vrms_checksum(ret_bytes, TRAILER_CHECKSUM));
}

int vrms_pack_trailer_decode(const uint8_t *bytes, struct vrms_pack_trailer *ret_trailer,
			     struct vrms_error *error)
{
	int rc = check_start(bytes, pack_end_magic, TRAILER_CHECKSUM, "pack trailer", error);

	if (rc < 0) {
		return rc;
	}
	ret_trailer->entry_count = vrms_le32_get(bytes + TRAILER_COUNT);
	ret_trailer->table_offset = vrms_le64_get(bytes + TRAILER_TABLE);
	ret_trailer->table_checksum = vrms_le64_get(bytes + TRAILER_SUM);
	return 0;
}

enum {
	INDEX_FAN_BITS = 12,
	INDEX_REPOSITORY = 16,
	INDEX_PACKS = 32,
	INDEX_ZERO = 36,
	INDEX_ENTRIES = 40,
	INDEX_TABLES_SUM = 48,
	INDEX_CHECKSUM = 56,
};
_Static_assert(INDEX_CHECKSUM + 8 == VRMS_INDEX_HEADER_BYTES, "the checksum ends the index header");

void vrms_index_header_encode(const struct vrms_index_header *header, uint8_t *ret_bytes)
{
	memcpy(ret_bytes, index_magic, sizeof(index_magic));
	vrms_le32_put(ret_bytes + 8, VRMS_FORMAT_VERSION);
	vrms_le32_put(ret_bytes + INDEX_FAN_BITS, header->fan_bits);
	memcpy(ret_bytes + INDEX_REPOSITORY, header->repository.bytes, VRMS_ID_BYTES);
	vrms_le32_put(ret_bytes + INDEX_PACKS, header->pack_count);
	vrms_le32_put(ret_bytes + INDEX_ZERO, 0);
	vrms_le64_put(ret_bytes + INDEX_ENTRIES, header->entry_count);
	vrms_le64_put(ret_bytes + INDEX_TABLES_SUM, header->tables_checksum);
	vrms_le64_put(ret_bytes + INDEX_CHECKSUM, vrms_checksum(ret_bytes, INDEX_CHECKSUM));
}

int vrms_index_header_decode(const uint8_t *bytes, struct vrms_index_header *ret_header,
			     struct vrms_error *error)
{
	int rc = check_start(bytes, index_magic, INDEX_CHECKSUM, "index", error);

	if (rc == 0) {
		rc = check_version(bytes, "index", error);
	}
	if (rc < 0) {
		return rc;
	}
	if (vrms_le32_get(bytes + INDEX_FAN_BITS) > FAN_BITS_MAX ||
	    vrms_le64_get(bytes + INDEX_ENTRIES) > UINT32_MAX) {
		return vrms_error_set(error, -EBADMSG, "index header with impossible values");
	}
	ret_header->fan_bits = vrms_le32_get(bytes + INDEX_FAN_BITS);
	memcpy(ret_header->repository.bytes, bytes + INDEX_REPOSITORY, VRMS_ID_BYTES);
	ret_header->pack_count = vrms_le32_get(bytes + INDEX_PACKS);
	ret_header->entry_count = vrms_le64_get(bytes + INDEX_ENTRIES);
	ret_header->tables_checksum = vrms_le64_get(bytes + INDEX_TABLES_SUM);
	return 0;
}

void vrms_index_pack_encode(const struct vrms_index_pack *pack, uint8_t *ret_bytes)
{
	memcpy(ret_bytes, pack->pack.bytes, VRMS_ID_BYTES);
	vrms_le32_put(ret_bytes + 16, pack->generation);
	vrms_le32_put(ret_bytes + 20, pack->kind);
	vrms_le64_put(ret_bytes + 24, pack->pack_bytes);
}

void vrms_index_pack_decode(const uint8_t *bytes, struct vrms_index_pack *ret_pack)
{
	memcpy(ret_pack->pack.bytes, bytes, VRMS_ID_BYTES);
	ret_pack->generation = vrms_le32_get(bytes + 16);
	ret_pack->kind = vrms_le32_get(bytes + 20);
	ret_pack->pack_bytes = vrms_le64_get(bytes + 24);
}

void vrms_index_entry_encode(const struct vrms_index_entry *entry, uint8_t *ret_bytes)
{
	memcpy(ret_bytes, entry->name.bytes, VRMS_NAME_BYTES);
	vrms_le32_put(ret_bytes + 32, entry->pack);
	vrms_le32_put(ret_bytes + 36, entry->offset);
	vrms_le32_put(ret_bytes + 40, entry->stored_bytes);
}

void vrms_index_entry_decode(const uint8_t *bytes, struct vrms_index_entry *ret_entry)
{
	memcpy(ret_entry->name.bytes, bytes, VRMS_NAME_BYTES);
	ret_entry->pack = vrms_le32_get(bytes + 32);
	ret_entry->offset = vrms_le32_get(bytes + 36);
	ret_entry->stored_bytes = vrms_le32_get(bytes + 40);
}

enum { DOC_FLAGS = 12, DOC_SALT = 16, DOC_BYTES = 32, DOC_SUM = 40, DOC_CHECKSUM = 48 };
_Static_assert(DOC_CHECKSUM + 8 == VRMS_DOCUMENT_HEADER_BYTES, "the checksum ends the header");

void vrms_document_header_encode(const struct vrms_document_header *header, uint8_t *ret_bytes)
{
	memcpy(ret_bytes, document_magic, sizeof(document_magic));
	vrms_le32_put(ret_bytes + 8, VRMS_FORMAT_VERSION);
	vrms_le32_put(ret_bytes + DOC_FLAGS, header->is_encrypted ? FLAG_ENCRYPTED : 0);
	memcpy(ret_bytes + DOC_SALT, header->salt.bytes, VRMS_ID_BYTES);
	vrms_le64_put(ret_bytes + DOC_BYTES, header->payload_bytes);
	vrms_le64_put(ret_bytes + DOC_SUM, header->payload_checksum);
	vrms_le64_put(ret_bytes + DOC_CHECKSUM, vrms_checksum(ret_bytes, DOC_CHECKSUM));
}

int vrms_document_header_decode(const uint8_t *bytes, struct vrms_document_header *ret_header,
				struct vrms_error *error)
{
	int rc = check_start(bytes, document_magic, DOC_CHECKSUM, "document", error);

	if (rc == 0) {
		rc = check_version(bytes, "document", error);
	}
	if (rc < 0) {
		return rc;
	}
	ret_header->is_encrypted = (vrms_le32_get(bytes + DOC_FLAGS) & FLAG_ENCRYPTED) != 0;
	memcpy(ret_header->salt.bytes, bytes + DOC_SALT, VRMS_ID_BYTES);
	ret_header->payload_bytes = vrms_le64_get(bytes + DOC_BYTES);
	ret_header->payload_checksum = vrms_le64_get(bytes + DOC_SUM);
	return 0;
}
