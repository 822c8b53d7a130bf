/* repository.h - a backup repository: blocks by name, in packs, found through the index.
 *
 * What a writer stores becomes findable pack by pack; it counts only once a
 * point (backup/point.h) names it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_REPOSITORY_H
#define VRMS_BACKUP_REPOSITORY_H

#include "backup/coder.h"
#include "backup/index.h"
#include "backup/pack.h"
#include "backup/store.h"

enum {
	VRMS_BLOCK_BYTES_DEFAULT = 64 << 10,
	VRMS_BLOCK_BYTES_MIN = 4 << 10,
	VRMS_BLOCK_BYTES_MAX = 1 << 20,
	VRMS_PACK_BYTES_DEFAULT = 256 << 20,
	VRMS_LEVEL_DEFAULT = 1,
	VRMS_LEVEL_FAST = -2,
};

struct vrms_repository_config {
	struct vrms_id id;    /* set by _create */
	uint32_t block_bytes; /* a power of two */
	uint32_t pack_bytes;  /* 1 MiB .. 1 GiB */
	enum vrms_hash hash;
	bool is_compressing;
	int level; /* of zstd, -7..19 */
	bool is_encrypted;
};

/* What the user calls the key. */
struct vrms_secret {
	const void *data;
	size_t size;
};

struct vrms_repository;

/* Makes a repository in an empty folder.
 *
 * secret: NULL exactly when the configuration is not encrypted.
 * Returns -EEXIST when there is one, -ENOTEMPTY when there is something else.
 */
VRMS_MUST_CHECK int vrms_repository_create(const struct vrms_store *store,
					   const struct vrms_repository_config *config,
					   const struct vrms_secret *secret,
					   struct vrms_error *error);

/* Opens one; the caller owns the result.  The index is read when it is first needed.
 *
 * secret: NULL without a key.
 * Returns -ENOENT (no repository), -EPROTONOSUPPORT (another version), -ENOKEY
 * (encrypted, no key), -EKEYREJECTED (wrong key), -EBADMSG (damaged).
 */
VRMS_MUST_CHECK int vrms_repository_open(const struct vrms_store *store,
					 const struct vrms_secret *secret,
					 struct vrms_repository **ret_repository,
					 struct vrms_error *error);
void vrms_repository_close(struct vrms_repository *repository); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_repository *, vrms_repository_close);

/* Replaces the key that opens the repository; what is stored stays as it is. */
VRMS_MUST_CHECK int vrms_repository_rekey(struct vrms_repository *repository,
					  const struct vrms_secret *secret,
					  struct vrms_error *error);

/* Something to ask before a point appears or anything goes: is the lock still ours? */
void vrms_repository_set_guard(struct vrms_repository *repository,
			       int (*guard)(const void *context, struct vrms_error *error),
			       const void *context);
/* 0 without a guard. */
VRMS_MUST_CHECK int vrms_repository_guard(const struct vrms_repository *repository,
					  struct vrms_error *error);

const struct vrms_repository_config *vrms_repository_config(
    const struct vrms_repository *repository);
const struct vrms_store *vrms_repository_store(const struct vrms_repository *repository);
const struct vrms_key *vrms_repository_master(const struct vrms_repository *repository);
struct vrms_coder_config vrms_repository_coder_config(const struct vrms_repository *repository);

/* Borrowed. */
VRMS_MUST_CHECK int vrms_repository_index(struct vrms_repository *repository,
					  struct vrms_index **ret_index, struct vrms_error *error);

/* Records known to be damaged: never used again, for reading or for saving space. */
struct vrms_damage {
	struct vrms_id pack;
	uint32_t offset;
	struct vrms_name name;
};
bool vrms_repository_is_damaged(const struct vrms_repository *repository,
				const struct vrms_id *pack, uint32_t offset);
/* The list cannot be read: nothing may be stored or freed before all blocks are read again. */
bool vrms_repository_lost_damages(const struct vrms_repository *repository);
const struct vrms_damage *vrms_repository_damages(const struct vrms_repository *repository,
						  size_t *ret_count);
/* Replaces the list, durably. */
VRMS_MUST_CHECK int vrms_repository_set_damages(struct vrms_repository *repository,
						const struct vrms_damage *damages, size_t count,
						struct vrms_error *error);

/* Reads blocks; one per thread. */
struct vrms_block_reader;
VRMS_MUST_CHECK int vrms_block_reader_new(struct vrms_repository *repository,
					  struct vrms_block_reader **ret_reader,
					  struct vrms_error *error);
void vrms_block_reader_free(struct vrms_block_reader *reader); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_block_reader *, vrms_block_reader_free);

struct vrms_want {
	struct vrms_name name;
	uint32_t generation; /* whose copy is tried first */
	uint32_t raw_bytes;  /* how long it must be */
};

/* Reads a block from whichever copy is right.
 *
 * Every copy is read until one has the hash that names it.  After a failure ret_data holds
 * anything.
 * Returns 0, -ENOENT (no copy is stored) or -EBADMSG (all copies are damaged).
 */
VRMS_MUST_CHECK int vrms_block_reader_get(struct vrms_block_reader *reader,
					  const struct vrms_want *want, void *ret_data,
					  struct vrms_error *error);

/* Reads and checks one copy, with -EBADMSG when it is damaged; data may be NULL. */
VRMS_MUST_CHECK int vrms_block_reader_check(struct vrms_block_reader *reader,
					    const struct vrms_location *location, void *ret_data,
					    uint32_t *ret_raw_bytes, struct vrms_error *error);

#endif
