/* store.h - the port through which a repository touches its folder.
 *
 * Implementations: backup/store_posix.c, tests/fakes/store_memory.c (which
 * forgets what was not synced, and fails at a chosen call).  Paths are relative
 * to the repository.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_STORE_H
#define VRMS_BACKUP_STORE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

enum { VRMS_STORE_ALIGN = 4096 }; /* writes at multiples of this may bypass the page cache */

struct vrms_store_row {
	char *name;
	uint64_t bytes;
};

struct vrms_store_list {
	struct vrms_store_row *rows; /* sorted by name */
	size_t count;
};

void vrms_store_list_done(struct vrms_store_list *list); /* accepts a zeroed one */

/* Adds one row; for implementations.  Returns 0 or -ENOMEM. */
VRMS_MUST_CHECK int vrms_store_list_add(struct vrms_store_list *list, const char *name,
					uint64_t bytes);
void vrms_store_list_sort(struct vrms_store_list *list);

struct vrms_store {
	void *context;
	/* A new empty file to write; -EEXIST when there is one. */
	int (*create)(void *context, const char *path, void **ret_file, struct vrms_error *error);
	/* An existing file to read; -ENOENT when there is none. */
	int (*open)(void *context, const char *path, void **ret_file, uint64_t *ret_bytes,
		    struct vrms_error *error);
	/* All of it or an error (-EBADMSG: the file ends before).  Safe from several threads. */
	int (*read)(void *file, void *buffer, size_t size, uint64_t offset);
	/* All of it or an error. */
	int (*write)(void *file, const void *buffer, size_t size, uint64_t offset);
	/* Cuts the file at `bytes` and returns when its content is durable. */
	int (*sync)(void *file, uint64_t bytes);
	void (*close)(void *file);
	/* Gives a synced file its final name (replacing what has it); durable on return. */
	int (*publish)(void *context, const char *from, const char *to, struct vrms_error *error);
	/* Removes a file or an empty folder; 0 when there is none.  Durable on return. */
	int (*remove)(void *context, const char *path, struct vrms_error *error);
	/* Names in a folder (without "." and ".."); an absent folder is empty.
	 * A NULL path element is never given. */
	int (*list)(void *context, const char *folder, struct vrms_store_list *ret_list,
		    struct vrms_error *error);
	/* Makes one folder, durably; an existing one is success. */
	int (*folder)(void *context, const char *path, struct vrms_error *error);
};

/* Whether a read found that something is damaged: bytes are wrong or missing (-EBADMSG), or the
 * medium does not give them (-EIO).  Other errors say nothing about what is stored. */
static inline bool vrms_store_is_damage(int rc)
{
	return rc == -EBADMSG || rc == -EIO;
}

struct vrms_store_posix;

/* A folder of this machine, or one mounted on it.  root must exist.  The caller owns the result. */
VRMS_MUST_CHECK int vrms_store_posix_open(const char *root, struct vrms_store_posix **ret_posix,
					  struct vrms_error *error);
void vrms_store_posix_close(struct vrms_store_posix *posix); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_store_posix *, vrms_store_posix_close);
/* From now on files are read from the medium: what the page cache has of one is dropped when it is
 * opened. */
void vrms_store_posix_forget(struct vrms_store_posix *posix);
const struct vrms_store *vrms_store_posix_port(struct vrms_store_posix *posix);

/* Whole small files through the port: tmp file, sync, publish. */
VRMS_MUST_CHECK int vrms_store_put(const struct vrms_store *store, const char *path,
				   const void *data, size_t size, struct vrms_error *error);
/* The caller frees *ret_data.  -EFBIG when larger than size_max. */
VRMS_MUST_CHECK int vrms_store_get(const struct vrms_store *store, const char *path,
				   size_t size_max, uint8_t **ret_data, size_t *ret_size);

#endif
