/* format.h - the bytes of a backup repository: packs, records, indexes, documents.
 *
 * Only the functions here know offsets.  vrms_backup_repository(5) says the same in
 * prose.  All integers are little-endian.  Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_FORMAT_H
#define VRMS_BACKUP_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

enum {
	VRMS_FORMAT_VERSION = 1,
	VRMS_ID_BYTES = 16,   /* random; names a repository, a pack, an index */
	VRMS_NAME_BYTES = 32, /* the hash that names a block */
	VRMS_PACK_HEADER_BYTES = 64,
	VRMS_RECORD_HEADER_BYTES = 56,
	VRMS_PACK_ENTRY_BYTES = 40,
	VRMS_PACK_TRAILER_BYTES = 40,
	VRMS_INDEX_HEADER_BYTES = 64,
	VRMS_INDEX_PACK_BYTES = 32,
	VRMS_INDEX_ENTRY_BYTES = 44,
	VRMS_INDEX_TAIL_BYTES = 8, /* checksum of the entries */
	VRMS_DOCUMENT_HEADER_BYTES = 56,
};

struct vrms_id {
	uint8_t bytes[VRMS_ID_BYTES];
};

/* All bytes zero: the block of zeros, which is never stored. */
struct vrms_name {
	uint8_t bytes[VRMS_NAME_BYTES];
};

bool vrms_name_is_zero(const struct vrms_name *name);
int vrms_name_compare(const struct vrms_name *a, const struct vrms_name *b); /* as memcmp */
bool vrms_id_is_equal(const struct vrms_id *a, const struct vrms_id *b);

enum { VRMS_ID_TEXT_BYTES = 2 * VRMS_ID_BYTES + 1 };

/* Lower-case hexadecimal with a final NUL; text has VRMS_ID_TEXT_BYTES. */
void vrms_id_print(const struct vrms_id *id, char *text);

/* Reads 2 * size hexadecimal digits and nothing else.  Returns 0 or -EINVAL. */
VRMS_MUST_CHECK int vrms_hex_parse(const char *text, uint8_t *ret_bytes, size_t size);
/* text has 2 * size + 1 bytes. */
void vrms_hex_print(const uint8_t *bytes, size_t size, char *text);

/* XXH3-64, seed 0.  Against accidents, not against an enemy. */
uint64_t vrms_checksum(const void *data, size_t size);

enum vrms_pack_kind {
	VRMS_PACK_DATA = 1,  /* blocks of disks and files */
	VRMS_PACK_NODES = 2, /* nodes of the trees over them */
};

struct vrms_pack_header {
	struct vrms_id pack;
	struct vrms_id repository;
	uint32_t generation;
	enum vrms_pack_kind kind;
	bool is_encrypted;
};

/*   OFFSET  SIZE  PACK HEADER
 *        0     8  magic "VRMSPAK\n"
 *        8     4  version, 1
 *       12     4  flags, bit 0: encrypted
 *       16    16  id of the pack; also salt of its key
 *       32    16  id of the repository
 *       48     4  generation
 *       52     4  kind, 1 data, 2 nodes
 *       56     8  checksum of bytes 0..55
 */
void vrms_pack_header_encode(const struct vrms_pack_header *header, uint8_t *ret_bytes);
/* Returns 0, -EBADMSG (damaged or no pack) or -EPROTONOSUPPORT (another version). */
VRMS_MUST_CHECK int vrms_pack_header_decode(const uint8_t *bytes,
					    struct vrms_pack_header *ret_header,
					    struct vrms_error *error);

enum vrms_encoding {
	VRMS_ENCODING_RAW = 0,
	VRMS_ENCODING_ZSTD = 1, /* one frame */
};

struct vrms_record_header {
	struct vrms_name name;
	enum vrms_encoding encoding;
	uint32_t raw_bytes;    /* 1..4 MiB */
	uint32_t stored_bytes; /* that follow the header; with encryption 16 more, the tag */
};

/*   OFFSET  SIZE  RECORD HEADER
 *        0     4  magic "VBLK"
 *        4     4  encoding, 0 raw, 1 zstd
 *        8     4  bytes before encoding
 *       12     4  bytes that follow this header
 *       16    32  name
 *       48     8  checksum of bytes 0..47
 */
void vrms_record_header_encode(const struct vrms_record_header *header, uint8_t *ret_bytes);
VRMS_MUST_CHECK int vrms_record_header_decode(const uint8_t *bytes,
					      struct vrms_record_header *ret_header,
					      struct vrms_error *error);

struct vrms_pack_entry {
	struct vrms_name name;
	uint32_t offset;       /* of the record header in the pack */
	uint32_t stored_bytes; /* without the record header */
};

/*   OFFSET  SIZE  PACK ENTRY, sorted by name
 *        0    32  name
 *       32     4  offset of the record header
 *       36     4  bytes stored after the record header
 */
void vrms_pack_entry_encode(const struct vrms_pack_entry *entry, uint8_t *ret_bytes);
void vrms_pack_entry_decode(const uint8_t *bytes, struct vrms_pack_entry *ret_entry);

struct vrms_pack_trailer {
	uint32_t entry_count;
	uint64_t table_offset;
	uint64_t table_checksum;
};

/*   OFFSET  SIZE  PACK TRAILER, the last bytes of the file
 *        0     8  magic "VRMSEND\n"
 *        8     4  number of entries
 *       12     4  zero
 *       16     8  offset of the table of entries
 *       24     8  checksum of that table
 *       32     8  checksum of bytes 0..31
 */
void vrms_pack_trailer_encode(const struct vrms_pack_trailer *trailer, uint8_t *ret_bytes);
VRMS_MUST_CHECK int vrms_pack_trailer_decode(const uint8_t *bytes,
					     struct vrms_pack_trailer *ret_trailer,
					     struct vrms_error *error);

struct vrms_index_header {
	struct vrms_id repository;
	uint32_t fan_bits; /* 0..24: leading bits of a name that select a bucket */
	uint32_t pack_count;
	uint64_t entry_count;
	uint64_t tables_checksum; /* of the pack table and the fan-out table */
};

/*   OFFSET  SIZE  INDEX HEADER
 *        0     8  magic "VRMSIDX\n"
 *        8     4  version, 1
 *       12     4  fan bits, F
 *       16    16  id of the repository
 *       32     4  number of packs, P
 *       36     4  zero
 *       40     8  number of entries, N
 *       48     8  checksum of the two tables that follow
 *       56     8  checksum of bytes 0..55
 *       64  32*P  pack table
 *        +  4*(2^F+1)  fan-out: first entry of each bucket, then N
 *        +  44*N  entries, sorted by name, then by pack
 *        +     8  checksum of the entries
 */
void vrms_index_header_encode(const struct vrms_index_header *header, uint8_t *ret_bytes);
VRMS_MUST_CHECK int vrms_index_header_decode(const uint8_t *bytes,
					     struct vrms_index_header *ret_header,
					     struct vrms_error *error);

struct vrms_index_pack {
	struct vrms_id pack;
	uint32_t generation;
	enum vrms_pack_kind kind;
	uint64_t pack_bytes; /* size of the file: an index and a pack that disagree do not match */
};

/*   OFFSET  SIZE  PACK OF AN INDEX
 *        0    16  id of the pack
 *       16     4  generation
 *       20     4  kind
 *       24     8  size of the pack file in bytes
 */
void vrms_index_pack_encode(const struct vrms_index_pack *pack, uint8_t *ret_bytes);
void vrms_index_pack_decode(const uint8_t *bytes, struct vrms_index_pack *ret_pack);

struct vrms_index_entry {
	struct vrms_name name;
	uint32_t pack; /* row of the pack table */
	uint32_t offset;
	uint32_t stored_bytes;
};

/*   OFFSET  SIZE  INDEX ENTRY
 *        0    32  name
 *       32     4  row of the pack table
 *       36     4  offset of the record header
 *       40     4  bytes stored after the record header
 */
void vrms_index_entry_encode(const struct vrms_index_entry *entry, uint8_t *ret_bytes);
void vrms_index_entry_decode(const uint8_t *bytes, struct vrms_index_entry *ret_entry);

struct vrms_document_header {
	struct vrms_id salt; /* of the document's key */
	bool is_encrypted;
	uint64_t payload_bytes; /* that follow; with encryption 16 more than the text, the tag */
	uint64_t payload_checksum;
};

/*   OFFSET  SIZE  DOCUMENT HEADER, followed by JSON (sealed when encrypted)
 *        0     8  magic "VRMSDOC\n"
 *        8     4  version, 1
 *       12     4  flags, bit 0: encrypted
 *       16    16  salt
 *       32     8  payload bytes
 *       40     8  checksum of the payload
 *       48     8  checksum of bytes 0..47
 */
void vrms_document_header_encode(const struct vrms_document_header *header, uint8_t *ret_bytes);
VRMS_MUST_CHECK int vrms_document_header_decode(const uint8_t *bytes,
						struct vrms_document_header *ret_header,
						struct vrms_error *error);

#endif
