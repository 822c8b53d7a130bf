/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/pack.h"
#include "common/bytes.h"

struct vrms_pack_reader {
	const struct vrms_store *store;
	void *file;
	uint64_t bytes;
	struct vrms_pack_header header;
	struct vrms_key key;
};

static int read_header(struct vrms_pack_reader *reader, const struct vrms_id *pack,
		       const struct vrms_key *master, struct vrms_error *error)
{
	uint8_t bytes[VRMS_PACK_HEADER_BYTES];
	int rc = reader->store->read(reader->file, bytes, sizeof(bytes), 0);

	if (rc < 0) {
		return vrms_error_errno(error, rc, "header");
	}
	rc = vrms_pack_header_decode(bytes, &reader->header, error);
	if (rc < 0) {
		return rc;
	}
	if (!vrms_id_is_equal(&reader->header.pack, pack)) {
		return vrms_error_set(error, -EBADMSG, "the header names another pack");
	}
	if (!reader->header.is_encrypted) {
		return 0;
	}
	if (master == NULL) {
		return vrms_error_set(error, -ENOKEY, "encrypted, and no key was given");
	}
	return vrms_key_derive(master, pack->bytes, "pack", &reader->key, error);
}

int vrms_pack_reader_open(const struct vrms_store *store, const struct vrms_id *pack,
			  const struct vrms_key *master, struct vrms_pack_reader **ret_reader,
			  struct vrms_error *error)
{
	struct vrms_pack_reader *reader VRMS_CLEANUP(vrms_pack_reader_closep) =
	    calloc(1, sizeof(*reader));
	char path[VRMS_PACK_PATH_BYTES];
	int rc;

	if (reader == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	vrms_pack_path(pack, path);
	reader->store = store;
	rc = store->open(store->context, path, &reader->file, &reader->bytes, error);
	if (rc < 0) {
		reader->file = NULL;
		return rc;
	}
	rc = read_header(reader, pack, master, error);
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "%s", path);
	}
	*ret_reader = VRMS_TAKE(reader);
	return 0;
}

void vrms_pack_reader_close(struct vrms_pack_reader *reader)
{
	if (reader == NULL) {
		return;
	}
	if (reader->file != NULL) {
		reader->store->close(reader->file);
	}
	free(reader);
}

const struct vrms_pack_header *vrms_pack_reader_header(const struct vrms_pack_reader *reader)
{
	return &reader->header;
}

uint64_t vrms_pack_reader_bytes(const struct vrms_pack_reader *reader)
{
	return reader->bytes;
}

static int unseal(const struct vrms_pack_reader *reader, const struct vrms_pack_entry *entry,
		  uint8_t *buffer, struct vrms_block *block, struct vrms_error *error)
{
	uint8_t *data = buffer + VRMS_RECORD_HEADER_BYTES;
	struct vrms_sealing sealing = {
	    .key = &reader->key,
	    .associated = buffer,
	    .associated_bytes = VRMS_RECORD_HEADER_BYTES,
	};
	int rc;

	vrms_le64_put(sealing.nonce, entry->offset);
	rc = vrms_unseal(&sealing, data, block->size, data, error);
	if (rc == 0) {
		block->size -= VRMS_TAG_BYTES;
	}
	return rc;
}

int vrms_pack_reader_read(const struct vrms_pack_reader *reader, uint8_t *buffer, size_t size,
			  uint64_t offset)
{
	return reader->store->read(reader->file, buffer, size, offset);
}

int vrms_pack_reader_decode(const struct vrms_pack_reader *reader,
			    const struct vrms_pack_entry *entry, uint8_t *record,
			    struct vrms_block *ret_block, struct vrms_error *error)
{
	struct vrms_record_header header;
	struct vrms_block block;
	int rc = vrms_record_header_decode(record, &header, error);

	if (rc < 0) {
		return vrms_error_wrap(error, rc, "record at %u", entry->offset);
	}
	if (header.stored_bytes != entry->stored_bytes ||
	    vrms_name_compare(&header.name, &entry->name) != 0) {
		return vrms_error_set(error, -EBADMSG, "record at %u: is another block",
				      entry->offset);
	}
	block.name = header.name;
	block.encoding = header.encoding;
	block.raw_bytes = header.raw_bytes;
	block.size = header.stored_bytes;
	block.data = record + VRMS_RECORD_HEADER_BYTES;
	if (reader->header.is_encrypted) {
		rc = unseal(reader, entry, record, &block, error);
		if (rc < 0) {
			return vrms_error_wrap(error, rc, "record at %u", entry->offset);
		}
	}
	*ret_block = block;
	return 0;
}

static int read_table(const struct vrms_pack_reader *reader, struct vrms_pack_entry **ret_entries,
		      size_t *ret_count)
{
	struct vrms_pack_entry *entries VRMS_CLEANUP(vrms_freep) = NULL;
	uint8_t *table VRMS_CLEANUP(vrms_freep) = NULL;
	uint8_t bytes[VRMS_PACK_TRAILER_BYTES];
	struct vrms_pack_trailer trailer;
	uint64_t end, size;
	int rc;

	if (reader->bytes < VRMS_PACK_HEADER_BYTES + VRMS_PACK_TRAILER_BYTES) {
		return -EBADMSG;
	}
	end = reader->bytes - VRMS_PACK_TRAILER_BYTES;
	rc = reader->store->read(reader->file, bytes, sizeof(bytes), end);
	if (rc == 0) {
		rc = vrms_pack_trailer_decode(bytes, &trailer, NULL);
	}
	if (rc < 0) {
		return rc;
	}
	size = (uint64_t)trailer.entry_count * VRMS_PACK_ENTRY_BYTES;
	if (trailer.table_offset > end || size != end - trailer.table_offset) {
		return -EBADMSG;
	}
	table = malloc(size + 1);
	entries = calloc(trailer.entry_count + 1, sizeof(*entries));
	if (table == NULL || entries == NULL) {
		return -ENOMEM;
	}
	rc = reader->store->read(reader->file, table, size, trailer.table_offset);
	if (rc < 0 || vrms_checksum(table, size) != trailer.table_checksum) {
		return rc < 0 ? rc : -EBADMSG;
	}
	for (size_t i = 0; i < trailer.entry_count; i++) {
		vrms_pack_entry_decode(table + i * VRMS_PACK_ENTRY_BYTES, &entries[i]);
	}
	*ret_entries = VRMS_TAKE(entries);
	*ret_count = trailer.entry_count;
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	return vrms_name_compare(&((const struct vrms_pack_entry *)a)->name,
				 &((const struct vrms_pack_entry *)b)->name);
}

/* Follows the records from the start as far as their headers are good. */
static int scan(const struct vrms_pack_reader *reader, struct vrms_pack_entry **ret_entries,
		size_t *ret_count)
{
	struct vrms_pack_entry *entries VRMS_CLEANUP(vrms_freep) = NULL;
	uint64_t at = VRMS_PACK_HEADER_BYTES;
	size_t count = 0;

	while (at + VRMS_RECORD_HEADER_BYTES <= reader->bytes && at <= UINT32_MAX) {
		uint8_t bytes[VRMS_RECORD_HEADER_BYTES];
		struct vrms_record_header header;

		if (reader->store->read(reader->file, bytes, sizeof(bytes), at) < 0 ||
		    vrms_record_header_decode(bytes, &header, NULL) < 0) {
			break;
		}
		if ((count & (count - 1)) == 0) { /* room grows at powers of two */
			size_t capacity = count == 0 ? 1 : count * 2;
			struct vrms_pack_entry *larger =
			    realloc(entries, capacity * sizeof(*larger));

			if (larger == NULL) {
				return -ENOMEM;
			}
			entries = larger;
		}
		entries[count].name = header.name;
		entries[count].offset = (uint32_t)at;
		entries[count++].stored_bytes = header.stored_bytes;
		at += VRMS_RECORD_HEADER_BYTES + header.stored_bytes;
	}
	if (count > 0) {
		qsort(entries, count, sizeof(*entries), compare_entries);
	}
	*ret_entries = VRMS_TAKE(entries);
	*ret_count = count;
	return 0;
}

int vrms_pack_reader_table(const struct vrms_pack_reader *reader,
			   struct vrms_pack_entry **ret_entries, size_t *ret_count,
			   struct vrms_error *error)
{
	int rc = read_table(reader, ret_entries, ret_count);

	if (vrms_store_is_damage(rc)) {
		rc = scan(reader, ret_entries, ret_count);
	}
	return rc < 0 ? vrms_error_errno(error, rc, "table of entries") : 0;
}
