/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/coder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <xxhash.h>
#include <zstd.h>

#include "common/bytes.h"

struct vrms_coder {
	struct vrms_coder_config config;
	EVP_MD *sha256;
	EVP_MD_CTX *digest;
	EVP_MAC *hmac;
	EVP_MAC_CTX *mac;
	ZSTD_CCtx *compressor;
	ZSTD_DCtx *expander;
};

static int open_hmac(struct vrms_coder *coder)
{
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
	    OSSL_PARAM_construct_end(),
	};

	coder->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (coder->hmac == NULL) {
		return -EIO;
	}
	coder->mac = EVP_MAC_CTX_new(coder->hmac);
	if (coder->mac == NULL || EVP_MAC_init(coder->mac, coder->config.name_key.bytes,
					       sizeof(coder->config.name_key.bytes), params) != 1) {
		return -EIO;
	}
	return 0;
}

/* zstd's own tables for its fast levels are 32 KiB, all of a first-level cache that here two
 * threads and the data share.  Measured on 64 KiB blocks of programs and texts: at level 1 a table
 * of 16 KiB is a sixth faster for 1 % more bytes; at levels below, one of 8 KiB with matches from 5
 * bytes at level -2 is faster and smaller than level -3 is by itself. */
static int tune(ZSTD_CCtx *compressor, int level)
{
	enum { HASH_LOG_FIRST = 12, HASH_LOG_FAST = 11, MATCH_FAST = 5 };
	size_t rc = 0;

	if (level == 1) {
		rc = ZSTD_CCtx_setParameter(compressor, ZSTD_c_hashLog, HASH_LOG_FIRST);
	} else if (level < 0) {
		rc = ZSTD_CCtx_setParameter(compressor, ZSTD_c_hashLog, HASH_LOG_FAST);
		if (!ZSTD_isError(rc)) {
			rc = ZSTD_CCtx_setParameter(compressor, ZSTD_c_minMatch, MATCH_FAST);
		}
	}
	return ZSTD_isError(rc) ? -EIO : 0;
}

static int open_parts(struct vrms_coder *coder)
{
	coder->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	coder->digest = EVP_MD_CTX_new();
	coder->compressor = ZSTD_createCCtx();
	coder->expander = ZSTD_createDCtx();
	if (coder->sha256 == NULL || coder->digest == NULL || coder->compressor == NULL ||
	    coder->expander == NULL) {
		return -ENOMEM;
	}
	if (ZSTD_isError(ZSTD_CCtx_setParameter(coder->compressor, ZSTD_c_compressionLevel,
						coder->config.level)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(coder->compressor, ZSTD_c_checksumFlag, 0)) ||
	    tune(coder->compressor, coder->config.level) < 0) {
		return -EIO;
	}
	return coder->config.hash == VRMS_HASH_HMAC_SHA256 ? open_hmac(coder) : 0;
}

int vrms_coder_new(const struct vrms_coder_config *config, struct vrms_coder **ret_coder,
		   struct vrms_error *error)
{
	struct vrms_coder *coder VRMS_CLEANUP(vrms_coder_freep) = calloc(1, sizeof(*coder));
	int rc;

	if (coder == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	coder->config = *config;
	rc = open_parts(coder);
	if (rc < 0) {
		return vrms_error_errno(error, rc, "hash and compression contexts");
	}
	*ret_coder = VRMS_TAKE(coder);
	return 0;
}

void vrms_coder_free(struct vrms_coder *coder)
{
	if (coder == NULL) {
		return;
	}
	EVP_MD_CTX_free(coder->digest);
	EVP_MD_free(coder->sha256);
	EVP_MAC_CTX_free(coder->mac);
	EVP_MAC_free(coder->hmac);
	ZSTD_freeCCtx(coder->compressor);
	ZSTD_freeDCtx(coder->expander);
	free(coder);
}

bool vrms_block_is_zero(const void *data, size_t size)
{
	const uint8_t *bytes = data;

	return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static bool hash_sha256(struct vrms_coder *coder, const void *data, size_t size, uint8_t *out)
{
	return EVP_DigestInit_ex2(coder->digest, coder->sha256, NULL) == 1 &&
	       EVP_DigestUpdate(coder->digest, data, size) == 1 &&
	       EVP_DigestFinal_ex(coder->digest, out, NULL) == 1;
}

static bool hash_hmac(struct vrms_coder *coder, const void *data, size_t size, uint8_t *out)
{
	size_t length = 0;

	/* Without a key the context starts again with the one it has. */
	return EVP_MAC_init(coder->mac, NULL, 0, NULL) == 1 &&
	       EVP_MAC_update(coder->mac, data, size) == 1 &&
	       EVP_MAC_final(coder->mac, out, &length, VRMS_NAME_BYTES) == 1;
}

static bool hash_xxh3(struct vrms_coder *coder, const void *data, size_t size, uint8_t *out)
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(
	    &canonical,
	    XXH3_128bits_withSeed(data, size, vrms_le64_get(coder->config.name_key.bytes)));
	memset(out, 0, VRMS_NAME_BYTES);
	memcpy(out, canonical.digest, sizeof(canonical.digest));
	return true;
}

int vrms_coder_name(struct vrms_coder *coder, const void *data, size_t size,
		    struct vrms_name *ret_name, struct vrms_error *error)
{
	static bool (*const hashes[])(struct vrms_coder *, const void *, size_t, uint8_t *) = {
	    [VRMS_HASH_SHA256] = hash_sha256,
	    [VRMS_HASH_HMAC_SHA256] = hash_hmac,
	    [VRMS_HASH_XXH3] = hash_xxh3,
	};
	struct vrms_name name = {{0}};

	if (!vrms_block_is_zero(data, size) &&
	    !hashes[coder->config.hash](coder, data, size, name.bytes)) {
		return vrms_error_set(error, -EIO, "the hash function failed");
	}
	*ret_name = name;
	return 0;
}

size_t vrms_coder_compress(struct vrms_coder *coder, const void *data, size_t size, void *out)
{
	size_t used;

	if (!coder->config.is_compressing) {
		return 0;
	}
	used = ZSTD_compress2(coder->compressor, out, size - size / 16, data, size);
	return ZSTD_isError(used) ? 0 : used;
}

int vrms_coder_expand(struct vrms_coder *coder, const struct vrms_record_header *header,
		      const void *data, size_t size, void *out)
{
	size_t used;

	if (header->encoding == VRMS_ENCODING_RAW) {
		if (size != header->raw_bytes) {
			return -EBADMSG;
		}
		memcpy(out, data, size);
		return 0;
	}
	used = ZSTD_decompressDCtx(coder->expander, out, header->raw_bytes, data, size);
	return ZSTD_isError(used) || used != header->raw_bytes ? -EBADMSG : 0;
}
