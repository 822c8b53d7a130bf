/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/keys.h"

#include <errno.h>
#include <string.h>

#include "backup/twin.h"

static const char path[] = VRMS_KEYS_PATH;

enum { LOCKED_BYTES = VRMS_KEY_BYTES + VRMS_TAG_BYTES };

static int lock_key(const struct vrms_key *master, const struct vrms_secret *secret, json_t **ret,
		    struct vrms_error *error)
{
	struct vrms_key key;
	struct vrms_sealing sealing = {.key = &key, .associated = "master", .associated_bytes = 6};
	uint8_t salt[VRMS_SALT_BYTES], locked[LOCKED_BYTES];
	char salt_text[2 * sizeof(salt) + 1], locked_text[2 * sizeof(locked) + 1];
	int rc = vrms_random_fill(salt, sizeof(salt), error);

	if (rc == 0) {
		rc = vrms_key_from_secret(secret->data, secret->size, salt, &key, error);
	}
	if (rc == 0) {
		rc = vrms_seal(&sealing, master->bytes, sizeof(master->bytes), locked, error);
	}
	if (rc < 0) {
		return rc;
	}
	vrms_hex_print(salt, sizeof(salt), salt_text);
	vrms_hex_print(locked, sizeof(locked), locked_text);
	*ret = json_pack("{s:s,s:s,s:s}", "kdf", "scrypt-16384-8-1", "salt", salt_text, "locked",
			 locked_text);
	return 0;
}

int vrms_keys_write(const struct vrms_store *store, const struct vrms_key *master,
		    const struct vrms_secret *secret, struct vrms_error *error)
{
	json_t *value VRMS_CLEANUP(json_decrefp) = NULL;
	char text[2 * VRMS_KEY_BYTES + 1];
	int rc = 0;

	if (secret == NULL) {
		vrms_hex_print(master->bytes, sizeof(master->bytes), text);
		value = json_pack("{s:s,s:s}", "kdf", "none", "open", text);
	} else {
		rc = lock_key(master, secret, &value, error);
	}
	return rc < 0 ? rc : vrms_twin_write(store, path, value, error);
}

static int unlock_key(const json_t *value, const struct vrms_secret *secret,
		      struct vrms_key *ret_master, struct vrms_error *error)
{
	struct vrms_key key;
	struct vrms_sealing sealing = {.key = &key, .associated = "master", .associated_bytes = 6};
	uint8_t salt[VRMS_SALT_BYTES], locked[LOCKED_BYTES];
	const char *salt_text = json_string_value(json_object_get(value, "salt"));
	const char *locked_text = json_string_value(json_object_get(value, "locked"));
	int rc;

	if (salt_text == NULL || locked_text == NULL ||
	    vrms_hex_parse(salt_text, salt, sizeof(salt)) < 0 ||
	    vrms_hex_parse(locked_text, locked, sizeof(locked)) < 0) {
		return vrms_error_set(error, -EBADMSG, "%s: damaged", path);
	}
	rc = vrms_key_from_secret(secret->data, secret->size, salt, &key, error);
	if (rc == 0) {
		rc = vrms_unseal(&sealing, locked, sizeof(locked), ret_master->bytes, error);
	}
	if (rc == -EBADMSG) {
		rc = vrms_error_set(error, -EKEYREJECTED, "wrong key for this repository");
	}
	return rc;
}

int vrms_keys_read(const struct vrms_store *store, const struct vrms_secret *secret,
		   struct vrms_key *ret_master, struct vrms_error *error)
{
	json_t *value VRMS_CLEANUP(json_decrefp) = NULL;
	const char *text;
	int rc = vrms_twin_read(store, path, &value, error);

	if (rc < 0) {
		return rc;
	}
	if (secret != NULL) {
		return unlock_key(value, secret, ret_master, error);
	}
	text = json_string_value(json_object_get(value, "open"));
	if (text == NULL || vrms_hex_parse(text, ret_master->bytes, VRMS_KEY_BYTES) < 0) {
		return vrms_error_set(error, -EBADMSG, "%s: damaged, or locked by a key", path);
	}
	return 0;
}
