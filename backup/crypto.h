/* crypto.h - OpenSSL behind five functions: random, key derivation, sealing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_CRYPTO_H
#define VRMS_BACKUP_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

enum {
	VRMS_KEY_BYTES = 32, /* AES-256 */
	VRMS_NONCE_BYTES = 12,
	VRMS_TAG_BYTES = 16,
	VRMS_SALT_BYTES = 16,
};

struct vrms_key {
	uint8_t bytes[VRMS_KEY_BYTES];
};

/* Bytes that nobody can guess.  Returns 0 or -EIO. */
VRMS_MUST_CHECK int vrms_random_fill(void *ret_bytes, size_t size, struct vrms_error *error);

/* HKDF-SHA-256 (RFC 5869) of a master key.
 *
 * salt: VRMS_SALT_BYTES.  purpose: a short word, so that one key never has two uses.
 */
VRMS_MUST_CHECK int vrms_key_derive(const struct vrms_key *master, const uint8_t *salt,
				    const char *purpose, struct vrms_key *ret_key,
				    struct vrms_error *error);

/* scrypt (RFC 7914), N = 16384, r = 8, p = 1, of what the user calls a key: file or pass phrase. */
VRMS_MUST_CHECK int vrms_key_from_secret(const void *secret, size_t size, const uint8_t *salt,
					 struct vrms_key *ret_key, struct vrms_error *error);

/* One text to seal or to open, and what is protected with it but not hidden. */
struct vrms_sealing {
	const struct vrms_key *key;
	uint8_t nonce[VRMS_NONCE_BYTES]; /* never twice with one key */
	const void *associated;
	size_t associated_bytes;
};

/* AES-256-GCM; out gets size + VRMS_TAG_BYTES. */
VRMS_MUST_CHECK int vrms_seal(const struct vrms_sealing *sealing, const void *text, size_t size,
			      uint8_t *out, struct vrms_error *error);

/* The reverse; size includes the tag, out gets size - VRMS_TAG_BYTES.
 * Returns -EBADMSG when anything was changed or the key is another one.
 */
VRMS_MUST_CHECK int vrms_unseal(const struct vrms_sealing *sealing, const uint8_t *sealed,
				size_t size, void *out, struct vrms_error *error);

#endif
