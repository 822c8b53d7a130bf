/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/repository_config.h"

#include <errno.h>
#include <string.h>

enum { PACK_BYTES_MIN = 1 << 20, PACK_BYTES_MAX = 1 << 30, LEVEL_MIN = -7, LEVEL_MAX = 19 };

static const char *const hashes[] = {
    [VRMS_HASH_SHA256] = "sha256",
    [VRMS_HASH_HMAC_SHA256] = "hmac-sha256",
    [VRMS_HASH_XXH3] = "xxh3",
};

const char *vrms_hash_name(enum vrms_hash hash)
{
	return hashes[hash];
}

int vrms_hash_parse(const char *text, enum vrms_hash *ret_hash, struct vrms_error *error)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(hashes); i++) {
		if (strcmp(text, hashes[i]) == 0) {
			*ret_hash = (enum vrms_hash)i;
			return 0;
		}
	}
	return vrms_error_set(error, -EINVAL, "unknown hash '%s'", text);
}

int vrms_repository_config_check(const struct vrms_repository_config *config,
				 struct vrms_error *error)
{
	if (config->block_bytes < VRMS_BLOCK_BYTES_MIN ||
	    config->block_bytes > VRMS_BLOCK_BYTES_MAX ||
	    (config->block_bytes & (config->block_bytes - 1)) != 0) {
		return vrms_error_set(error, -EINVAL,
				      "block size %u: must be a power of two from 4 KiB to 1 MiB",
				      config->block_bytes);
	}
	if (config->pack_bytes < PACK_BYTES_MIN || config->pack_bytes > PACK_BYTES_MAX) {
		return vrms_error_set(error, -EINVAL, "pack size %u: must be 1 MiB to 1 GiB",
				      config->pack_bytes);
	}
	if (config->level < LEVEL_MIN || config->level > LEVEL_MAX) {
		return vrms_error_set(error, -EINVAL, "compression level %d: must be %d to %d",
				      config->level, LEVEL_MIN, LEVEL_MAX);
	}
	if (config->is_encrypted != (config->hash == VRMS_HASH_HMAC_SHA256)) {
		return vrms_error_set(error, -EINVAL,
				      "an encrypted repository names its blocks by hmac-sha256, "
				      "and only that one does");
	}
	return 0;
}

json_t *vrms_repository_config_encode(const struct vrms_repository_config *config)
{
	char id[VRMS_ID_TEXT_BYTES];

	vrms_id_print(&config->id, id);
	return json_pack("{s:s,s:i,s:s,s:i,s:i,s:s,s:s,s:i,s:s}", "format", "vrms-backup",
			 "version", VRMS_FORMAT_VERSION, "id", id, "block_bytes",
			 (int)config->block_bytes, "pack_bytes", (int)config->pack_bytes, "hash",
			 vrms_hash_name(config->hash), "compression",
			 config->is_compressing ? "zstd" : "none", "level", config->level,
			 "encryption", config->is_encrypted ? "aes-256-gcm" : "none");
}

int vrms_repository_config_decode(const json_t *value, struct vrms_repository_config *ret_config,
				  struct vrms_error *error)
{
	struct vrms_repository_config config = {0};
	const char *format, *id, *hash, *compression, *encryption;
	int version, block_bytes, pack_bytes, rc;
	json_error_t problem;

	if (json_unpack_ex((json_t *)(uintptr_t)value, &problem, 0,
			   "{s:s,s:i,s:s,s:i,s:i,s:s,s:s,s:i,s:s}", "format", &format, "version",
			   &version, "id", &id, "block_bytes", &block_bytes, "pack_bytes",
			   &pack_bytes, "hash", &hash, "compression", &compression, "level",
			   &config.level, "encryption", &encryption) != 0) {
		return vrms_error_set(error, -EBADMSG, "repository: %s", problem.text);
	}
	if (strcmp(format, "vrms-backup") != 0 || version != VRMS_FORMAT_VERSION) {
		return vrms_error_set(error, -EPROTONOSUPPORT,
				      "repository of format '%s' version %d, this program reads "
				      "'vrms-backup' version %d",
				      format, version, VRMS_FORMAT_VERSION);
	}
	if (vrms_hex_parse(id, config.id.bytes, sizeof(config.id.bytes)) < 0 || block_bytes < 0 ||
	    pack_bytes < 0) {
		return vrms_error_set(error, -EBADMSG, "repository: damaged values");
	}
	rc = vrms_hash_parse(hash, &config.hash, error);
	if (rc < 0) {
		return rc;
	}
	config.block_bytes = (uint32_t)block_bytes;
	config.pack_bytes = (uint32_t)pack_bytes;
	config.is_compressing = strcmp(compression, "none") != 0;
	config.is_encrypted = strcmp(encryption, "none") != 0;
	rc = vrms_repository_config_check(&config, error);
	if (rc == 0) {
		*ret_config = config;
	}
	return rc;
}
