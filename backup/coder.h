/* coder.h - names (hashes) and compresses blocks; one per thread.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_CODER_H
#define VRMS_BACKUP_CODER_H

#include <stdbool.h>
#include <stddef.h>

#include "backup/crypto.h"
#include "backup/format.h"

enum vrms_hash {
	VRMS_HASH_SHA256,      /* SHA-256 */
	VRMS_HASH_HMAC_SHA256, /* keyed, in encrypted repositories: names must not tell contents */
	VRMS_HASH_XXH3,        /* XXH3-128 with a secret seed, then 16 zero bytes: fast mode */
};

struct vrms_coder_config {
	enum vrms_hash hash;
	struct vrms_key name_key; /* HMAC: the key; XXH3: its first 8 bytes are the seed */
	bool is_compressing;
	int level; /* zstd: negative is faster */
};

struct vrms_coder;

/* The caller owns the result.  Returns 0, -ENOMEM or -EIO. */
VRMS_MUST_CHECK int vrms_coder_new(const struct vrms_coder_config *config,
				   struct vrms_coder **ret_coder, struct vrms_error *error);
void vrms_coder_free(struct vrms_coder *coder); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_coder *, vrms_coder_free);

/* True when all bytes are zero. */
bool vrms_block_is_zero(const void *data, size_t size);

/* The name of a block; all zeros have the zero name.  Returns 0 or -EIO. */
VRMS_MUST_CHECK int vrms_coder_name(struct vrms_coder *coder, const void *data, size_t size,
				    struct vrms_name *ret_name, struct vrms_error *error);

/* Compresses into out, which has room for `size` bytes.
 *
 * Returns the bytes used, or 0 when the result would be larger than 15/16 of
 * the block: it is then better stored raw.
 */
size_t vrms_coder_compress(struct vrms_coder *coder, const void *data, size_t size, void *out);

/* Undoes vrms_coder_compress(); out gets exactly raw_bytes.  Returns 0 or -EBADMSG. */
VRMS_MUST_CHECK int vrms_coder_expand(struct vrms_coder *coder,
				      const struct vrms_record_header *header, const void *data,
				      size_t size, void *out);

#endif
