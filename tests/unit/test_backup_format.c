/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "backup/format.h"
#include "tests/unit/unit.h"

static const struct vrms_pack_header pack = {
    .pack = {{1, 2, 3}},
    .repository = {{4, 5, 6}},
    .generation = 7,
    .kind = VRMS_PACK_NODES,
    .is_encrypted = true,
};

static const struct vrms_record_header record = {
    .name = {{9, 8, 7}},
    .encoding = VRMS_ENCODING_ZSTD,
    .raw_bytes = 65536,
    .stored_bytes = 4711,
};

START_TEST(headers_come_back_as_they_were)
{
	uint8_t bytes[64];
	struct vrms_pack_header pack_again;
	struct vrms_record_header record_again;
	struct vrms_pack_trailer trailer = {12, 345, 678}, trailer_again;
	struct vrms_index_header index = {{{1}}, 14, 3, 99999, 5}, index_again;
	struct vrms_document_header document = {{{2}}, true, 17, 18}, document_again;

	vrms_pack_header_encode(&pack, bytes);
	ck_assert_int_eq(vrms_pack_header_decode(bytes, &pack_again, NULL), 0);
	ck_assert_uint_eq(pack_again.generation, 7);
	ck_assert_int_eq(pack_again.kind, VRMS_PACK_NODES);
	ck_assert(pack_again.is_encrypted);
	ck_assert(vrms_id_is_equal(&pack_again.pack, &pack.pack));
	ck_assert(vrms_id_is_equal(&pack_again.repository, &pack.repository));

	vrms_record_header_encode(&record, bytes);
	ck_assert_int_eq(vrms_record_header_decode(bytes, &record_again, NULL), 0);
	ck_assert_int_eq(vrms_name_compare(&record_again.name, &record.name), 0);
	ck_assert_uint_eq(record_again.stored_bytes, 4711);

	vrms_pack_trailer_encode(&trailer, bytes);
	ck_assert_int_eq(vrms_pack_trailer_decode(bytes, &trailer_again, NULL), 0);
	ck_assert_uint_eq(trailer_again.table_offset, 345);

	vrms_index_header_encode(&index, bytes);
	ck_assert_int_eq(vrms_index_header_decode(bytes, &index_again, NULL), 0);
	ck_assert_uint_eq(index_again.entry_count, 99999);

	vrms_document_header_encode(&document, bytes);
	ck_assert_int_eq(vrms_document_header_decode(bytes, &document_again, NULL), 0);
	ck_assert_uint_eq(document_again.payload_bytes, 17);
}
END_TEST

/* Flips each bit of a header; none may be read as good. */
#define EVERY_FLIP_FAILS(size, bytes, decode)                            \
	for (size_t bit = 0; bit < (size_t)(size)*8; bit++) {            \
		(bytes)[bit / 8] ^= (uint8_t)(1U << bit % 8);            \
		ck_assert_msg((decode) < 0, "bit %zu went unseen", bit); \
		(bytes)[bit / 8] ^= (uint8_t)(1U << bit % 8);            \
	}

START_TEST(every_flipped_bit_of_a_header_is_seen)
{
	uint8_t bytes[64];
	struct vrms_pack_header pack_again;
	struct vrms_record_header record_again;
	struct vrms_pack_trailer trailer = {12, 345, 678}, trailer_again;
	struct vrms_index_header index = {{{1}}, 14, 3, 99999, 5}, index_again;
	struct vrms_document_header document = {{{2}}, true, 17, 18}, document_again;

	vrms_pack_header_encode(&pack, bytes);
	EVERY_FLIP_FAILS(VRMS_PACK_HEADER_BYTES, bytes,
			 vrms_pack_header_decode(bytes, &pack_again, NULL));
	vrms_record_header_encode(&record, bytes);
	EVERY_FLIP_FAILS(VRMS_RECORD_HEADER_BYTES, bytes,
			 vrms_record_header_decode(bytes, &record_again, NULL));
	vrms_pack_trailer_encode(&trailer, bytes);
	EVERY_FLIP_FAILS(VRMS_PACK_TRAILER_BYTES, bytes,
			 vrms_pack_trailer_decode(bytes, &trailer_again, NULL));
	vrms_index_header_encode(&index, bytes);
	EVERY_FLIP_FAILS(VRMS_INDEX_HEADER_BYTES, bytes,
			 vrms_index_header_decode(bytes, &index_again, NULL));
	vrms_document_header_encode(&document, bytes);
	EVERY_FLIP_FAILS(VRMS_DOCUMENT_HEADER_BYTES, bytes,
			 vrms_document_header_decode(bytes, &document_again, NULL));
}
END_TEST

/* The offsets are a promise to strangers: bytes written by hand are understood. */
START_TEST(a_record_header_has_the_documented_bytes)
{
	static const uint8_t documented[48] = {'V', 'B', 'L',  'K',  1, 0, 0, 0, 0, 0,
					       1,   0,   0x67, 0x12, 0, 0, 9, 8, 7};
	uint8_t bytes[64];

	vrms_record_header_encode(&record, bytes);
	ck_assert_mem_eq(bytes, documented, sizeof(documented));
}
END_TEST

START_TEST(another_version_is_named)
{
	struct vrms_error error = {0};
	struct vrms_pack_header again;
	uint8_t bytes[64];
	uint64_t checksum;

	vrms_pack_header_encode(&pack, bytes);
	bytes[8] = 2;
	checksum = vrms_checksum(bytes, 56);
	for (int i = 0; i < 8; i++) {
		bytes[56 + i] = (uint8_t)(checksum >> 8 * i);
	}
	ck_assert_int_eq(vrms_pack_header_decode(bytes, &again, &error), -EPROTONOSUPPORT);
	ck_assert_str_eq(error.text, "pack of format version 2, this program reads 1");
}
END_TEST

START_TEST(hexadecimal_is_strict)
{
	uint8_t bytes[2];
	char text[5];

	ck_assert_int_eq(vrms_hex_parse("0aFf", bytes, 2), 0);
	vrms_hex_print(bytes, 2, text);
	ck_assert_str_eq(text, "0aff");
	ck_assert_int_eq(vrms_hex_parse("0aF", bytes, 2), -EINVAL);
	ck_assert_int_eq(vrms_hex_parse("0aFfe", bytes, 2), -EINVAL);
	ck_assert_int_eq(vrms_hex_parse("0aFx", bytes, 2), -EINVAL);
}
END_TEST

UNIT_MAIN("backup_format", headers_come_back_as_they_were, every_flipped_bit_of_a_header_is_seen,
	  a_record_header_has_the_documented_bytes, another_version_is_named, hexadecimal_is_strict)
