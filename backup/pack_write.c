/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/behind.h"
#include "backup/pack.h"
#include "common/bytes.h"

enum { STAGING_BYTES = 2 << 20, STAGINGS = 2, ENTRIES_MAX = 1 << 16, SLOTS = 2 * ENTRIES_MAX };

struct vrms_pack_writer {
	const struct vrms_store *store;
	struct vrms_pack_options options;
	struct vrms_id pack;
	struct vrms_key key; /* of this pack */
	void *file;          /* NULL: nothing written yet */
	char temporary[8 + VRMS_ID_TEXT_BYTES];
	uint8_t *stagings[STAGINGS]; /* one is filled while another is written */
	uint8_t *staging;            /* the one that is filled: bytes at file_bytes */
	size_t staged_bytes;
	uint64_t file_bytes; /* written, or being written */
	struct {
		const uint8_t *data;
		size_t size;
		uint64_t offset;
	} writing;
	struct vrms_behind *behind;
	uint8_t *sealed; /* scratch for one record */
	size_t sealed_capacity;
	pthread_mutex_t lock;            /* over the table below: others look while one writes */
	struct vrms_pack_entry *entries; /* ENTRIES_MAX */
	size_t entry_count;
	uint32_t *slots; /* open addressing: 1 + row of entries; 0 is free */
};

void vrms_pack_path(const struct vrms_id *pack, char *ret_path)
{
	char text[VRMS_ID_TEXT_BYTES];

	vrms_id_print(pack, text);
	snprintf(ret_path, VRMS_PACK_PATH_BYTES, "packs/%.2s/%s", text, text);
}

int vrms_pack_writer_new(const struct vrms_store *store, const struct vrms_pack_options *options,
			 struct vrms_pack_writer **ret_writer, struct vrms_error *error)
{
	struct vrms_pack_writer *writer VRMS_CLEANUP(vrms_pack_writer_freep) =
	    calloc(1, sizeof(*writer));

	if (writer != NULL) {
		pthread_mutex_init(&writer->lock, NULL);
		writer->store = store;
		writer->options = *options;
		writer->behind = vrms_behind_new();
		for (size_t i = 0; i < STAGINGS; i++) {
			writer->stagings[i] = aligned_alloc(VRMS_STORE_ALIGN, STAGING_BYTES);
		}
		writer->staging = writer->stagings[0];
		writer->entries = malloc(ENTRIES_MAX * sizeof(*writer->entries));
		writer->slots = calloc(SLOTS, sizeof(*writer->slots));
	}
	if (writer == NULL || writer->behind == NULL || writer->stagings[0] == NULL ||
	    writer->stagings[1] == NULL || writer->entries == NULL || writer->slots == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	*ret_writer = VRMS_TAKE(writer);
	return 0;
}

static void drop_file(struct vrms_pack_writer *writer)
{
	if (writer->file == NULL) {
		return;
	}
	writer->store->close(writer->file);
	writer->file = NULL;
	if (writer->store->remove(writer->store->context, writer->temporary, NULL) < 0) {
		return; /* the next writer clears tmp/ */
	}
}

void vrms_pack_writer_free(struct vrms_pack_writer *writer)
{
	if (writer == NULL) {
		return;
	}
	vrms_behind_free(writer->behind);
	drop_file(writer);
	for (size_t i = 0; i < STAGINGS; i++) {
		free(writer->stagings[i]);
	}
	free(writer->sealed);
	free(writer->entries);
	free(writer->slots);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}

void vrms_pack_writer_reset(struct vrms_pack_writer *writer)
{
	vrms_behind_reset(writer->behind);
	drop_file(writer);
	writer->staged_bytes = 0;
	writer->file_bytes = 0;
	pthread_mutex_lock(&writer->lock);
	writer->entry_count = 0;
	memset(writer->slots, 0, SLOTS * sizeof(*writer->slots));
	pthread_mutex_unlock(&writer->lock);
}

/* The slot that holds the name, or the free one where it belongs. */
static size_t find_slot(const struct vrms_pack_writer *writer, const struct vrms_name *name)
{
	size_t slot = vrms_le32_get(name->bytes) % SLOTS;

	while (writer->slots[slot] != 0 &&
	       vrms_name_compare(&writer->entries[writer->slots[slot] - 1].name, name) != 0) {
		slot = (slot + 1) % SLOTS;
	}
	return slot;
}

bool vrms_pack_writer_has(struct vrms_pack_writer *writer, const struct vrms_name *name)
{
	bool has;

	pthread_mutex_lock(&writer->lock);
	has = writer->slots[find_slot(writer, name)] != 0;
	pthread_mutex_unlock(&writer->lock);
	return has;
}

static uint64_t position(const struct vrms_pack_writer *writer)
{
	return writer->file_bytes + writer->staged_bytes;
}

bool vrms_pack_writer_is_full(const struct vrms_pack_writer *writer)
{
	return writer->entry_count == ENTRIES_MAX || position(writer) >= writer->options.bytes_max;
}

bool vrms_pack_writer_is_empty(const struct vrms_pack_writer *writer)
{
	return writer->entry_count == 0;
}

static int write_behind(void *context, struct vrms_error *error)
{
	struct vrms_pack_writer *writer = context;
	int rc = writer->store->write(writer->file, writer->writing.data, writer->writing.size,
				      writer->writing.offset);

	return rc < 0 ? vrms_error_errno(error, rc, "%s", writer->temporary) : 0;
}

/* Begins to write what is staged, once the last write has ended, and goes on with the other
 * buffer. */
static int flush(struct vrms_pack_writer *writer, size_t size, struct vrms_error *error)
{
	int rc = vrms_behind_wait(writer->behind, error);

	if (rc < 0) {
		return rc;
	}
	writer->writing.data = writer->staging;
	writer->writing.size = size;
	writer->writing.offset = writer->file_bytes;
	rc = vrms_behind_start(writer->behind, write_behind, writer, error);
	if (rc < 0) {
		return rc;
	}
	writer->staging = writer->stagings[writer->staging == writer->stagings[0]];
	writer->file_bytes += size;
	writer->staged_bytes = 0;
	return 0;
}

static int stage(struct vrms_pack_writer *writer, const void *data, size_t size,
		 struct vrms_error *error)
{
	const uint8_t *from = data;

	while (size > 0) {
		size_t room = STAGING_BYTES - writer->staged_bytes;
		size_t part = size < room ? size : room;

		memcpy(writer->staging + writer->staged_bytes, from, part);
		writer->staged_bytes += part;
		from += part;
		size -= part;
		if (writer->staged_bytes == STAGING_BYTES) {
			int rc = flush(writer, STAGING_BYTES, error);

			if (rc < 0) {
				return rc;
			}
		}
	}
	return 0;
}

static int begin(struct vrms_pack_writer *writer, struct vrms_error *error)
{
	const struct vrms_pack_options *options = &writer->options;
	struct vrms_pack_header header = {
	    .repository = options->repository,
	    .generation = options->generation,
	    .kind = options->kind,
	    .is_encrypted = options->master != NULL,
	};
	uint8_t bytes[VRMS_PACK_HEADER_BYTES];
	char text[VRMS_ID_TEXT_BYTES];
	int rc = vrms_random_fill(&header.pack, sizeof(header.pack), error);

	if (rc == 0 && options->master != NULL) {
		rc = vrms_key_derive(options->master, header.pack.bytes, "pack", &writer->key,
				     error);
	}
	if (rc < 0) {
		return rc;
	}
	writer->pack = header.pack;
	vrms_id_print(&header.pack, text);
	snprintf(writer->temporary, sizeof(writer->temporary), "tmp/%s", text);
	rc = writer->store->create(writer->store->context, writer->temporary, &writer->file, error);
	if (rc < 0) {
		writer->file = NULL;
		return rc;
	}
	vrms_pack_header_encode(&header, bytes);
	return stage(writer, bytes, sizeof(bytes), error);
}

/* A pack's key is used with the offset as nonce, and no offset is written twice. */
static int seal_record(struct vrms_pack_writer *writer, const uint8_t *header,
		       const struct vrms_block *block, struct vrms_error *error)
{
	struct vrms_sealing sealing = {
	    .key = &writer->key,
	    .associated = header,
	    .associated_bytes = VRMS_RECORD_HEADER_BYTES,
	};

	if (writer->sealed_capacity < block->size + VRMS_TAG_BYTES) {
		free(writer->sealed);
		writer->sealed_capacity = block->size + VRMS_TAG_BYTES;
		writer->sealed = malloc(writer->sealed_capacity);
		if (writer->sealed == NULL) {
			writer->sealed_capacity = 0;
			return vrms_error_set(error, -ENOMEM, "out of memory");
		}
	}
	vrms_le64_put(sealing.nonce, position(writer));
	return vrms_seal(&sealing, block->data, block->size, writer->sealed, error);
}

static int stage_record(struct vrms_pack_writer *writer, const struct vrms_block *block,
			struct vrms_error *error)
{
	struct vrms_record_header header = {
	    .name = block->name,
	    .encoding = block->encoding,
	    .raw_bytes = block->raw_bytes,
	    .stored_bytes = block->size + (writer->options.master != NULL ? VRMS_TAG_BYTES : 0),
	};
	uint8_t bytes[VRMS_RECORD_HEADER_BYTES];
	const void *data = block->data;
	int rc = 0;

	vrms_record_header_encode(&header, bytes);
	if (writer->options.master != NULL) {
		rc = seal_record(writer, bytes, block, error);
		data = writer->sealed;
	}
	if (rc == 0) {
		rc = stage(writer, bytes, sizeof(bytes), error);
	}
	return rc < 0 ? rc : stage(writer, data, header.stored_bytes, error);
}

int vrms_pack_writer_append(struct vrms_pack_writer *writer, const struct vrms_block *block,
			    struct vrms_error *error)
{
	struct vrms_pack_entry entry;
	int rc = 0;

	if (writer->entry_count == ENTRIES_MAX) {
		return vrms_error_set(error, -EOVERFLOW, "a pack takes %d blocks", ENTRIES_MAX);
	}
	if (writer->file == NULL) {
		rc = begin(writer, error);
	}
	if (rc < 0) {
		return rc;
	}
	entry.name = block->name;
	entry.offset = (uint32_t)position(writer);
	entry.stored_bytes = block->size + (writer->options.master != NULL ? VRMS_TAG_BYTES : 0);
	rc = stage_record(writer, block, error);
	if (rc < 0) {
		return rc;
	}
	pthread_mutex_lock(&writer->lock);
	writer->entries[writer->entry_count] = entry;
	writer->slots[find_slot(writer, &block->name)] = (uint32_t)++writer->entry_count;
	pthread_mutex_unlock(&writer->lock);
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	return vrms_name_compare(&((const struct vrms_pack_entry *)a)->name,
				 &((const struct vrms_pack_entry *)b)->name);
}

/* Also afterwards the table is looked into: until the index has the pack. */
static void sort_entries(struct vrms_pack_writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	qsort(writer->entries, writer->entry_count, sizeof(*writer->entries), compare_entries);
	memset(writer->slots, 0, SLOTS * sizeof(*writer->slots));
	for (size_t i = 0; i < writer->entry_count; i++) {
		writer->slots[find_slot(writer, &writer->entries[i].name)] = (uint32_t)i + 1;
	}
	pthread_mutex_unlock(&writer->lock);
}

static int stage_table(struct vrms_pack_writer *writer, struct vrms_error *error)
{
	size_t size = writer->entry_count * VRMS_PACK_ENTRY_BYTES;
	uint8_t *table VRMS_CLEANUP(vrms_freep) = malloc(size);
	uint8_t bytes[VRMS_PACK_TRAILER_BYTES];
	struct vrms_pack_trailer trailer = {
	    .entry_count = (uint32_t)writer->entry_count,
	    .table_offset = position(writer),
	};
	int rc;

	if (table == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < writer->entry_count; i++) {
		vrms_pack_entry_encode(&writer->entries[i], table + i * VRMS_PACK_ENTRY_BYTES);
	}
	trailer.table_checksum = vrms_checksum(table, size);
	vrms_pack_trailer_encode(&trailer, bytes);
	rc = stage(writer, table, size, error);
	return rc < 0 ? rc : stage(writer, bytes, sizeof(bytes), error);
}

/* The last piece is padded to the alignment and the file then cut: it may still go around the
 * page cache. */
static int write_end(struct vrms_pack_writer *writer, struct vrms_error *error)
{
	size_t rest = writer->staged_bytes % VRMS_STORE_ALIGN;
	size_t padded = writer->staged_bytes + (rest > 0 ? VRMS_STORE_ALIGN - rest : 0);
	int rc = 0;

	memset(writer->staging + writer->staged_bytes, 0, padded - writer->staged_bytes);
	if (padded > 0) {
		rc =
		    writer->store->write(writer->file, writer->staging, padded, writer->file_bytes);
	}
	if (rc == 0) {
		rc = writer->store->sync(writer->file, position(writer));
	}
	return rc < 0 ? vrms_error_errno(error, rc, "%s", writer->temporary) : 0;
}

static int publish(struct vrms_pack_writer *writer, struct vrms_error *error)
{
	const struct vrms_store *store = writer->store;
	char path[VRMS_PACK_PATH_BYTES];
	char folder[] = "packs/00";
	int rc;

	vrms_pack_path(&writer->pack, path);
	memcpy(folder, path, sizeof(folder) - 1);
	rc = store->folder(store->context, folder, error);
	return rc < 0 ? rc : store->publish(store->context, writer->temporary, path, error);
}

static int end_behind(void *context, struct vrms_error *error)
{
	struct vrms_pack_writer *writer = context;
	int rc = write_end(writer, error);

	return rc < 0 ? rc : publish(writer, error);
}

int vrms_pack_writer_finish(struct vrms_pack_writer *writer, struct vrms_error *error)
{
	int rc;

	sort_entries(writer);
	rc = stage_table(writer, error);
	return rc < 0 ? rc : vrms_behind_start(writer->behind, end_behind, writer, error);
}

int vrms_pack_writer_wait(struct vrms_pack_writer *writer, struct vrms_index_pack *ret_pack,
			  struct vrms_error *error)
{
	int rc = vrms_behind_wait(writer->behind, error);

	if (rc < 0) {
		return rc;
	}
	writer->store->close(writer->file);
	writer->file = NULL;
	ret_pack->pack = writer->pack;
	ret_pack->generation = writer->options.generation;
	ret_pack->kind = writer->options.kind;
	ret_pack->pack_bytes = position(writer);
	return 0;
}

const struct vrms_pack_entry *vrms_pack_writer_entries(const struct vrms_pack_writer *writer,
						       size_t *ret_count)
{
	*ret_count = writer->entry_count;
	return writer->entries;
}
