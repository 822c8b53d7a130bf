/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/crypto.h"

#include <errno.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

enum { SCRYPT_N = 16384, SCRYPT_R = 8, SCRYPT_P = 1, PIECE_MAX = 1 << 30 };

VRMS_DEFINE_CLEANUP(EVP_KDF *, EVP_KDF_free);
VRMS_DEFINE_CLEANUP(EVP_KDF_CTX *, EVP_KDF_CTX_free);
VRMS_DEFINE_CLEANUP(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free);

static int fail(struct vrms_error *error, const char *what)
{
	char text[128];

	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	ERR_clear_error();
	return vrms_error_set(error, -EIO, "%s: %s", what, text);
}

int vrms_random_fill(void *ret_bytes, size_t size, struct vrms_error *error)
{
	if (RAND_bytes(ret_bytes, (int)size) != 1) {
		return fail(error, "no random bytes");
	}
	return 0;
}

static int run_kdf(const char *algorithm, const OSSL_PARAM *params, struct vrms_key *ret_key,
		   struct vrms_error *error)
{
	EVP_KDF *kdf VRMS_CLEANUP(EVP_KDF_freep) = EVP_KDF_fetch(NULL, algorithm, NULL);
	EVP_KDF_CTX *context VRMS_CLEANUP(EVP_KDF_CTX_freep) = NULL;

	if (kdf != NULL) {
		context = EVP_KDF_CTX_new(kdf);
	}
	if (context == NULL ||
	    EVP_KDF_derive(context, ret_key->bytes, sizeof(ret_key->bytes), params) != 1) {
		return fail(error, "key derivation");
	}
	return 0;
}

int vrms_key_derive(const struct vrms_key *master, const uint8_t *salt, const char *purpose,
		    struct vrms_key *ret_key, struct vrms_error *error)
{
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)master->bytes,
					      sizeof(master->bytes)),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt,
					      VRMS_SALT_BYTES),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)purpose,
					      strlen(purpose)),
	    OSSL_PARAM_construct_end(),
	};

	return run_kdf("HKDF", params, ret_key, error);
}

int vrms_key_from_secret(const void *secret, size_t size, const uint8_t *salt,
			 struct vrms_key *ret_key, struct vrms_error *error)
{
	uint64_t n = SCRYPT_N;
	uint32_t r = SCRYPT_R, p = SCRYPT_P;
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)(uintptr_t)secret,
					      size),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt,
					      VRMS_SALT_BYTES),
	    OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
	    OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
	    OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
	    OSSL_PARAM_construct_end(),
	};

	return run_kdf("SCRYPT", params, ret_key, error);
}

int vrms_seal(const struct vrms_sealing *sealing, const void *text, size_t size, uint8_t *out,
	      struct vrms_error *error)
{
	EVP_CIPHER_CTX *context VRMS_CLEANUP(EVP_CIPHER_CTX_freep) = EVP_CIPHER_CTX_new();
	int length = 0;

	if (size > PIECE_MAX || sealing->associated_bytes > PIECE_MAX) {
		return vrms_error_set(error, -EFBIG, "a text of %zu bytes is too long to seal",
				      size);
	}
	if (context == NULL ||
	    EVP_EncryptInit_ex2(context, EVP_aes_256_gcm(), sealing->key->bytes, sealing->nonce,
				NULL) != 1 ||
	    EVP_EncryptUpdate(context, NULL, &length, sealing->associated,
			      (int)sealing->associated_bytes) != 1 ||
	    EVP_EncryptUpdate(context, out, &length, text, (int)size) != 1 ||
	    EVP_EncryptFinal_ex(context, out + size, &length) != 1 ||
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, VRMS_TAG_BYTES, out + size) != 1) {
		return fail(error, "encryption");
	}
	return 0;
}

int vrms_unseal(const struct vrms_sealing *sealing, const uint8_t *sealed, size_t size, void *out,
		struct vrms_error *error)
{
	EVP_CIPHER_CTX *context VRMS_CLEANUP(EVP_CIPHER_CTX_freep) = EVP_CIPHER_CTX_new();
	uint8_t tag[VRMS_TAG_BYTES];
	size_t text_bytes = size - VRMS_TAG_BYTES;
	int length = 0;

	if (size < VRMS_TAG_BYTES || size > PIECE_MAX) {
		return vrms_error_set(error, -EBADMSG, "sealed text of impossible length %zu",
				      size);
	}
	memcpy(tag, sealed + text_bytes, sizeof(tag));
	if (context == NULL ||
	    EVP_DecryptInit_ex2(context, EVP_aes_256_gcm(), sealing->key->bytes, sealing->nonce,
				NULL) != 1 ||
	    EVP_DecryptUpdate(context, NULL, &length, sealing->associated,
			      (int)sealing->associated_bytes) != 1 ||
	    EVP_DecryptUpdate(context, out, &length, sealed, (int)text_bytes) != 1 ||
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, VRMS_TAG_BYTES, tag) != 1) {
		return fail(error, "decryption");
	}
	if (EVP_DecryptFinal_ex(context, (uint8_t *)out + text_bytes, &length) != 1) {
		ERR_clear_error();
		return vrms_error_set(error, -EBADMSG,
				      "sealed text was changed, or the key is wrong");
	}
	return 0;
}
