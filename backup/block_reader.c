/* block_reader.c - blocks by name, from whichever copy is right.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/pack_window.h"
#include "backup/repository_struct.h"

enum { COPIES_MAX = 16 };

struct vrms_block_reader {
	struct vrms_repository *repository;
	struct vrms_index *index;
	struct vrms_coder *coder;
	struct vrms_pack_window *window;
	uint8_t *block; /* decoded, VRMS_BLOCK_BYTES_MAX */
};

/* A free handle for this pack, or the one that has been idle longest; lock held. */
static struct vrms_handle *pick_handle(struct vrms_repository *repository,
				       const struct vrms_id *pack)
{
	struct vrms_handle *oldest = NULL;

	for (size_t i = 0; i < VRMS_HANDLES; i++) {
		struct vrms_handle *handle = &repository->handles[i];

		if (handle->reader != NULL && vrms_id_is_equal(&handle->pack, pack)) {
			return handle;
		}
		if (handle->users == 0 && (oldest == NULL || handle->used < oldest->used)) {
			oldest = handle;
		}
	}
	return oldest;
}

static int take_handle(struct vrms_repository *repository, const struct vrms_id *pack,
		       struct vrms_handle **ret_handle, struct vrms_error *error)
{
	struct vrms_handle *handle;
	int rc = 0;

	pthread_mutex_lock(&repository->lock);
	handle = pick_handle(repository, pack);
	if (handle == NULL) {
		rc = vrms_error_set(error, -EBUSY, "too many threads read");
	} else if (handle->reader == NULL || !vrms_id_is_equal(&handle->pack, pack)) {
		vrms_pack_reader_close(handle->reader);
		handle->reader = NULL;
		handle->used = 0;
		rc = vrms_pack_reader_open(repository->store, pack,
					   vrms_repository_master(repository), &handle->reader,
					   error);
		handle->pack = *pack;
	}
	if (rc == 0) {
		handle->users++;
		handle->used = ++repository->clock;
		*ret_handle = handle;
	}
	pthread_mutex_unlock(&repository->lock);
	return rc;
}

static void give_handle(struct vrms_repository *repository, struct vrms_handle *handle)
{
	pthread_mutex_lock(&repository->lock);
	handle->users--;
	pthread_mutex_unlock(&repository->lock);
}

int vrms_block_reader_new(struct vrms_repository *repository, struct vrms_block_reader **ret_reader,
			  struct vrms_error *error)
{
	struct vrms_block_reader *reader VRMS_CLEANUP(vrms_block_reader_freep) =
	    calloc(1, sizeof(*reader));
	struct vrms_coder_config config = vrms_repository_coder_config(repository);
	int rc;

	if (reader == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	reader->repository = repository;
	reader->window = vrms_pack_window_new();
	reader->block = malloc(VRMS_BLOCK_BYTES_MAX);
	if (reader->window == NULL || reader->block == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = vrms_repository_index(repository, &reader->index, error);
	if (rc == 0) {
		rc = vrms_coder_new(&config, &reader->coder, error);
	}
	if (rc == 0) {
		*ret_reader = VRMS_TAKE(reader);
	}
	return rc;
}

void vrms_block_reader_free(struct vrms_block_reader *reader)
{
	if (reader == NULL) {
		return;
	}
	vrms_coder_free(reader->coder);
	vrms_pack_window_free(reader->window);
	free(reader->block);
	free(reader);
}

/* Expands a block and compares its hash with its name. */
static int decode_block(struct vrms_block_reader *reader, const struct vrms_block *block,
			uint8_t *ret_data, struct vrms_error *error)
{
	struct vrms_record_header header = {.encoding = block->encoding,
					    .raw_bytes = block->raw_bytes};
	struct vrms_name name;
	int rc;

	if (vrms_coder_expand(reader->coder, &header, block->data, block->size, ret_data) < 0) {
		return vrms_error_set(error, -EBADMSG, "the block does not expand");
	}
	rc = vrms_coder_name(reader->coder, ret_data, block->raw_bytes, &name, error);
	if (rc == 0 && vrms_name_compare(&name, &block->name) != 0) {
		rc = vrms_error_set(error, -EBADMSG, "the block has another hash");
	}
	return rc;
}

/* Reads and checks one copy.  ret_data has room for *raw_bytes; it must be exactly as long when
 * is_exact. */
static int read_copy(struct vrms_block_reader *reader, const struct vrms_location *location,
		     bool is_exact, uint8_t *ret_data, uint32_t *raw_bytes,
		     struct vrms_error *error)
{
	struct vrms_index_pack pack = vrms_index_pack(reader->index, location->pack);
	char text[VRMS_ID_TEXT_BYTES];
	struct vrms_handle *handle = NULL;
	struct vrms_block block;
	int rc = take_handle(reader->repository, &pack.pack, &handle, error);

	if (rc < 0) {
		return rc;
	}
	rc = vrms_pack_window_get(reader->window, handle->reader, &location->entry, &block, error);
	give_handle(reader->repository, handle);
	if (rc == 0 &&
	    (block.raw_bytes > *raw_bytes || (is_exact && block.raw_bytes != *raw_bytes))) {
		rc = vrms_error_set(error, -EBADMSG, "the block has another length");
	}
	if (rc == 0) {
		rc = decode_block(reader, &block, ret_data, error);
		*raw_bytes = block.raw_bytes;
	}
	if (rc < 0) {
		vrms_id_print(&pack.pack, text);
		return vrms_error_wrap(error, rc, "pack %s", text);
	}
	return 0;
}

int vrms_block_reader_check(struct vrms_block_reader *reader, const struct vrms_location *location,
			    void *ret_data, uint32_t *ret_raw_bytes, struct vrms_error *error)
{
	uint32_t raw_bytes = VRMS_BLOCK_BYTES_MAX;
	int rc = read_copy(reader, location, false, reader->block, &raw_bytes, error);

	if (rc < 0) {
		return rc;
	}
	if (ret_data != NULL) {
		memcpy(ret_data, reader->block, raw_bytes);
	}
	*ret_raw_bytes = raw_bytes;
	return 0;
}

/* The wanted generation's copies first. */
static void prefer(struct vrms_location *locations, size_t count, uint32_t generation)
{
	size_t front = 0;

	for (size_t i = 0; i < count; i++) {
		if (locations[i].generation == generation) {
			struct vrms_location moved = locations[i];

			locations[i] = locations[front];
			locations[front++] = moved;
		}
	}
}

int vrms_block_reader_get(struct vrms_block_reader *reader, const struct vrms_want *want,
			  void *ret_data, struct vrms_error *error)
{
	struct vrms_location locations[COPIES_MAX];
	char text[2 * VRMS_NAME_BYTES + 1];
	int count, rc = -ENOENT;

	if (vrms_name_is_zero(&want->name)) {
		memset(ret_data, 0, want->raw_bytes);
		return 0;
	}
	count = vrms_index_find(reader->index, &want->name, locations, COPIES_MAX);
	if (count < 0) {
		return vrms_error_errno(error, count, "index");
	}
	prefer(locations, (size_t)count, want->generation);
	for (int i = 0; i < count; i++) {
		uint32_t raw_bytes = want->raw_bytes;

		if (read_copy(reader, &locations[i], true, ret_data, &raw_bytes, error) == 0) {
			return 0;
		}
		rc = -EBADMSG; /* also one that cannot be read: the next may be good */
	}
	vrms_hex_print(want->name.bytes, VRMS_NAME_BYTES, text);
	return rc == -ENOENT
		   ? vrms_error_set(error, rc, "block %s is not stored", text)
		   : vrms_error_wrap(error, rc, "block %s: no good copy of %d", text, count);
}
