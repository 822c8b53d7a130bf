/* pack.h - pack files: blocks written one behind the other, and read back one by one.
 *
 * A pack gets its final name when it is complete and durable; it never changes
 * after that.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_PACK_H
#define VRMS_BACKUP_PACK_H

#include "backup/crypto.h"
#include "backup/format.h"
#include "backup/store.h"

/* "packs/ab/abcdef...": where a pack is. */
enum { VRMS_PACK_PATH_BYTES = 9 + VRMS_ID_TEXT_BYTES };
void vrms_pack_path(const struct vrms_id *pack, char *ret_path);

/* A block on its way into a pack. */
struct vrms_block {
	struct vrms_name name;
	enum vrms_encoding encoding;
	uint32_t raw_bytes;
	uint32_t size; /* of data */
	const void *data;
};

struct vrms_pack_writer;

struct vrms_pack_options {
	struct vrms_id repository;
	const struct vrms_key *master; /* NULL: not encrypted */
	uint32_t generation;
	enum vrms_pack_kind kind;
	uint32_t bytes_max; /* a pack is full beyond this */
};

/* Nothing is created before the first block.  The caller owns the result. */
VRMS_MUST_CHECK int vrms_pack_writer_new(const struct vrms_store *store,
					 const struct vrms_pack_options *options,
					 struct vrms_pack_writer **ret_writer,
					 struct vrms_error *error);
/* Drops what is not finished.  Accepts NULL. */
void vrms_pack_writer_free(struct vrms_pack_writer *writer);
VRMS_DEFINE_CLEANUP(struct vrms_pack_writer *, vrms_pack_writer_free);

/* A failure may be that of a write begun earlier. */
VRMS_MUST_CHECK int vrms_pack_writer_append(struct vrms_pack_writer *writer,
					    const struct vrms_block *block,
					    struct vrms_error *error);
/* True when the unfinished pack holds the block.  Thread-safe, and waits for no disk. */
bool vrms_pack_writer_has(struct vrms_pack_writer *writer, const struct vrms_name *name);
bool vrms_pack_writer_is_full(const struct vrms_pack_writer *writer);
bool vrms_pack_writer_is_empty(const struct vrms_pack_writer *writer);

/* Begins to write the table and the trailer, to sync and to publish. */
VRMS_MUST_CHECK int vrms_pack_writer_finish(struct vrms_pack_writer *writer,
					    struct vrms_error *error);
/* Returns when the pack is published, or why it is not.  Then the entries are valid and sorted
 * until vrms_pack_writer_reset(). */
VRMS_MUST_CHECK int vrms_pack_writer_wait(struct vrms_pack_writer *writer,
					  struct vrms_index_pack *ret_pack,
					  struct vrms_error *error);
const struct vrms_pack_entry *vrms_pack_writer_entries(const struct vrms_pack_writer *writer,
						       size_t *ret_count);
/* Ready for the first block of the next pack. */
void vrms_pack_writer_reset(struct vrms_pack_writer *writer);

/* Reading. */
struct vrms_pack_reader;

/* Opens a pack and checks that its header has this id and repository.
 * Returns -ENOENT, -EBADMSG, -EPROTONOSUPPORT, -ENOKEY (encrypted, master is NULL). */
VRMS_MUST_CHECK int vrms_pack_reader_open(const struct vrms_store *store,
					  const struct vrms_id *pack, const struct vrms_key *master,
					  struct vrms_pack_reader **ret_reader,
					  struct vrms_error *error);
void vrms_pack_reader_close(struct vrms_pack_reader *reader); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_pack_reader *, vrms_pack_reader_close);
const struct vrms_pack_header *vrms_pack_reader_header(const struct vrms_pack_reader *reader);
uint64_t vrms_pack_reader_bytes(const struct vrms_pack_reader *reader);

/* Reads bytes of the file as they are, for records that lie side by side.  Thread-safe.
 * Returns -EBADMSG when the file ends before, or -errno. */
VRMS_MUST_CHECK int vrms_pack_reader_read(const struct vrms_pack_reader *reader, uint8_t *buffer,
					  size_t size, uint64_t offset);

/* Opens a record's seal, in place; what it returns is still encoded.  Thread-safe.
 *
 * record:    the entry's header and stored bytes; ret_block->data points into it.
 * Returns -EBADMSG when the record is damaged.
 */
VRMS_MUST_CHECK int vrms_pack_reader_decode(const struct vrms_pack_reader *reader,
					    const struct vrms_pack_entry *entry, uint8_t *record,
					    struct vrms_block *ret_block, struct vrms_error *error);

/* Reads the table of entries; the caller frees *ret_entries.
 * A pack whose end is damaged is scanned record by record instead. */
VRMS_MUST_CHECK int vrms_pack_reader_table(const struct vrms_pack_reader *reader,
					   struct vrms_pack_entry **ret_entries, size_t *ret_count,
					   struct vrms_error *error);

#endif
