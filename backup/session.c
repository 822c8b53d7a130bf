/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COPIES_MAX = 16, KINDS = 2, WRITERS = 2, UNSAVED_MAX = 1 << 15 };

/* The packs of one kind: one is filled while the one before becomes durable. */
struct lane {
	struct vrms_pack_writer *writers[WRITERS];
	unsigned int filled; /* of the writers */
	bool is_ending;      /* the other one */
};

struct vrms_session {
	struct vrms_repository *repository;
	struct vrms_index *index;
	uint32_t generation;
	struct vrms_coder *coder;
	uint8_t *compressed; /* VRMS_BLOCK_BYTES_MAX */
	struct lane lanes[KINDS];
	size_t unsaved; /* entries that no index file has yet */
	struct vrms_session_stats stats;
};

/* Only the holder of the write lock has files in tmp/. */
static int clear_leftovers(const struct vrms_store *store, struct vrms_error *error)
{
	struct vrms_store_list list VRMS_CLEANUP(vrms_store_list_done) = {0};
	int rc = store->list(store->context, "tmp", &list, error);

	for (size_t i = 0; i < list.count && rc == 0; i++) {
		char path[8 + VRMS_ID_TEXT_BYTES];

		snprintf(path, sizeof(path), "tmp/%.32s", list.rows[i].name);
		rc = store->remove(store->context, path, error);
	}
	return rc;
}

static int open_writers(struct vrms_session *session, struct vrms_error *error)
{
	const struct vrms_repository_config *config = vrms_repository_config(session->repository);
	struct vrms_pack_options options = {
	    .repository = config->id,
	    .master = vrms_repository_master(session->repository),
	    .generation = session->generation,
	    .bytes_max = config->pack_bytes,
	};
	int rc = 0;

	for (int i = 0; i < KINDS * WRITERS && rc == 0; i++) {
		options.kind = i < WRITERS ? VRMS_PACK_DATA : VRMS_PACK_NODES;
		rc = vrms_pack_writer_new(vrms_repository_store(session->repository), &options,
					  &session->lanes[i / WRITERS].writers[i % WRITERS], error);
	}
	return rc;
}

int vrms_session_open(struct vrms_repository *repository, uint32_t generation,
		      struct vrms_session **ret_session, struct vrms_error *error)
{
	struct vrms_session *session VRMS_CLEANUP(vrms_session_closep) =
	    calloc(1, sizeof(*session));
	struct vrms_coder_config config = vrms_repository_coder_config(repository);
	int rc;

	if (session == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	if (vrms_repository_lost_damages(repository)) { /* one of them might be built on */
		return vrms_error_set(error, -EBADMSG,
				      "the list of damaged blocks cannot be read: run \"verify\"");
	}
	session->repository = repository;
	session->generation = generation;
	session->compressed = malloc(VRMS_BLOCK_BYTES_MAX);
	if (session->compressed == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = clear_leftovers(vrms_repository_store(repository), error);
	if (rc == 0) {
		rc = vrms_repository_index(repository, &session->index, error);
	}
	if (rc == 0) {
		rc = vrms_index_settle(session->index, error);
	}
	if (rc == 0) {
		rc = vrms_coder_new(&config, &session->coder, error);
	}
	if (rc == 0) {
		rc = open_writers(session, error);
	}
	if (rc == 0) {
		*ret_session = VRMS_TAKE(session);
	}
	return rc;
}

void vrms_session_close(struct vrms_session *session)
{
	if (session == NULL) {
		return;
	}
	for (int i = 0; i < KINDS * WRITERS; i++) {
		vrms_pack_writer_free(session->lanes[i / WRITERS].writers[i % WRITERS]);
	}
	vrms_coder_free(session->coder);
	free(session->compressed);
	free(session);
}

static bool is_open(struct vrms_session *session, const struct vrms_name *name)
{
	bool has = false;

	for (int i = 0; i < KINDS * WRITERS && !has; i++) {
		has = vrms_pack_writer_has(session->lanes[i / WRITERS].writers[i % WRITERS], name);
	}
	return has;
}

int vrms_session_has(struct vrms_session *session, const struct vrms_name *name)
{
	struct vrms_location locations[COPIES_MAX];
	int count;

	if (vrms_name_is_zero(name) || is_open(session, name)) {
		return 1;
	}
	count = vrms_index_find(session->index, name, locations, COPIES_MAX);
	for (int i = 0; i < count; i++) {
		struct vrms_index_pack pack;

		if (locations[i].generation != session->generation) {
			continue;
		}
		pack = vrms_index_pack(session->index, locations[i].pack);
		if (!vrms_repository_is_damaged(session->repository, &pack.pack,
						locations[i].entry.offset)) {
			return 1;
		}
	}
	return count < 0 ? count : 0;
}

/* Waits for the lane's pack that is ending: once it is published the index names it, never the
 * other way round. */
static int settle(struct vrms_session *session, struct lane *lane, struct vrms_error *error)
{
	struct vrms_pack_writer *writer = lane->writers[1 - lane->filled];
	const struct vrms_pack_entry *entries;
	struct vrms_index_pack pack;
	size_t count;
	int rc;

	if (!lane->is_ending) {
		return 0;
	}
	rc = vrms_pack_writer_wait(writer, &pack, error);
	if (rc < 0) {
		return rc;
	}
	entries = vrms_pack_writer_entries(writer, &count);
	rc = vrms_index_add(session->index, &pack, entries, count, error);
	if (rc < 0) {
		return rc;
	}
	session->unsaved += count;
	vrms_pack_writer_reset(writer);
	lane->is_ending = false;
	return 0;
}

/* Index files come for many packs at once, and at the end. */
static int save_index(struct vrms_session *session, size_t unsaved_max, struct vrms_error *error)
{
	int rc = session->unsaved > unsaved_max ? vrms_index_save(session->index, error) : 0;

	session->unsaved = session->unsaved > unsaved_max && rc == 0 ? 0 : session->unsaved;
	return rc;
}

/* Has the lane's pack end; the next block begins another one. */
static int end_pack(struct vrms_session *session, struct lane *lane, struct vrms_error *error)
{
	int rc = settle(session, lane, error);

	if (rc == 0) {
		rc = save_index(session, UNSAVED_MAX, error);
	}
	if (rc == 0) {
		rc = vrms_pack_writer_finish(lane->writers[lane->filled], error);
	}
	if (rc == 0) {
		lane->filled = 1 - lane->filled;
		lane->is_ending = true;
	}
	return rc;
}

static void count_block(struct vrms_session *session, enum vrms_pack_kind kind,
			const struct vrms_block *block)
{
	uint64_t stored = block->size + VRMS_RECORD_HEADER_BYTES;

	if (kind == VRMS_PACK_NODES) {
		session->stats.node_stored_bytes += stored;
		return;
	}
	session->stats.new_blocks++;
	session->stats.new_raw_bytes += block->raw_bytes;
	session->stats.new_stored_bytes += stored;
}

static int append(struct vrms_session *session, enum vrms_pack_kind kind,
		  const struct vrms_block *block, struct vrms_error *error)
{
	struct lane *lane = &session->lanes[kind == VRMS_PACK_DATA ? 0 : 1];
	struct vrms_pack_writer *writer = lane->writers[lane->filled];
	int rc;

	rc = vrms_pack_writer_append(writer, block, error);
	if (rc == 0) {
		count_block(session, kind, block);
	}
	return rc == 0 && vrms_pack_writer_is_full(writer) ? end_pack(session, lane, error) : rc;
}

int vrms_session_put(struct vrms_session *session, enum vrms_pack_kind kind,
		     const struct vrms_block *block, struct vrms_error *error)
{
	int rc = vrms_session_has(session, &block->name);

	if (rc < 0) {
		return vrms_error_errno(error, rc, "index");
	}
	if (rc > 0) {
		session->stats.known_blocks += kind == VRMS_PACK_DATA;
		return 0;
	}
	return append(session, kind, block, error);
}

static void compress(struct vrms_session *session, struct vrms_block *block)
{
	size_t size =
	    vrms_coder_compress(session->coder, block->data, block->raw_bytes, session->compressed);

	if (size > 0) {
		block->encoding = VRMS_ENCODING_ZSTD;
		block->data = session->compressed;
		block->size = (uint32_t)size;
	}
}

int vrms_session_put_again(struct vrms_session *session, enum vrms_pack_kind kind, const void *data,
			   uint32_t size, struct vrms_error *error)
{
	struct vrms_block block = {.raw_bytes = size, .data = data, .size = size};
	int rc = vrms_coder_name(session->coder, data, size, &block.name, error);

	if (rc < 0 || is_open(session, &block.name)) {
		return rc;
	}
	compress(session, &block);
	return append(session, kind, &block, error);
}

int vrms_session_put_raw(struct vrms_session *session, enum vrms_pack_kind kind, const void *data,
			 uint32_t size, struct vrms_name *ret_name, struct vrms_error *error)
{
	struct vrms_block block = {.raw_bytes = size, .data = data, .size = size};
	int rc = vrms_coder_name(session->coder, data, size, &block.name, error);

	if (rc < 0) {
		return rc;
	}
	*ret_name = block.name;
	rc = vrms_session_has(session, &block.name);
	if (rc != 0) {
		session->stats.known_blocks += rc > 0 && kind == VRMS_PACK_DATA;
		return rc < 0 ? vrms_error_errno(error, rc, "index") : 0;
	}
	compress(session, &block);
	return append(session, kind, &block, error);
}

int vrms_session_flush(struct vrms_session *session, struct vrms_error *error)
{
	int rc = 0;

	for (int i = 0; i < KINDS && rc == 0; i++) {
		struct lane *lane = &session->lanes[i];

		if (!vrms_pack_writer_is_empty(lane->writers[lane->filled])) {
			rc = end_pack(session, lane, error);
		}
	}
	for (int i = 0; i < KINDS && rc == 0; i++) {
		rc = settle(session, &session->lanes[i], error);
	}
	return rc == 0 ? save_index(session, 0, error) : rc;
}

uint32_t vrms_session_generation(const struct vrms_session *session)
{
	return session->generation;
}

struct vrms_repository *vrms_session_repository(struct vrms_session *session)
{
	return session->repository;
}

struct vrms_session_stats vrms_session_stats(const struct vrms_session *session)
{
	return session->stats;
}
