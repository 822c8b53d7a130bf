/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/document.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/format.h"

enum { SEALED_WITH = 32 }; /* leading header bytes that the tag protects */

/* Each document has a key of its own, so its nonce may always be zero. */
static int prepare(const struct vrms_key *master, const uint8_t *bytes, struct vrms_key *key,
		   struct vrms_sealing *ret_sealing, struct vrms_error *error)
{
	struct vrms_sealing sealing = {
	    .key = key,
	    .associated = bytes,
	    .associated_bytes = SEALED_WITH,
	};

	*ret_sealing = sealing;
	return vrms_key_derive(master, bytes + 16, "document", key, error);
}

static int encode(const struct vrms_key *master, const char *text, uint8_t *bytes, size_t size,
		  struct vrms_error *error)
{
	struct vrms_document_header header = {
	    .is_encrypted = master != NULL,
	    .payload_bytes = size - VRMS_DOCUMENT_HEADER_BYTES,
	};
	uint8_t *payload = bytes + VRMS_DOCUMENT_HEADER_BYTES;
	struct vrms_sealing sealing;
	struct vrms_key key;
	int rc = vrms_random_fill(&header.salt, sizeof(header.salt), error);

	if (rc < 0) {
		return rc;
	}
	if (master == NULL) {
		memcpy(payload, text, header.payload_bytes);
	} else {
		vrms_document_header_encode(&header, bytes);
		rc = prepare(master, bytes, &key, &sealing, error);
		if (rc == 0) {
			rc = vrms_seal(&sealing, text, strlen(text), payload, error);
		}
		if (rc < 0) {
			return rc;
		}
	}
	header.payload_checksum = vrms_checksum(payload, header.payload_bytes);
	vrms_document_header_encode(&header, bytes);
	return 0;
}

int vrms_document_write(const struct vrms_store *store, const char *path,
			const struct vrms_key *master, const json_t *value,
			struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) =
	    json_dumps(value, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
	uint8_t *bytes VRMS_CLEANUP(vrms_freep) = NULL;
	size_t size;
	int rc;

	if (text == NULL) {
		return vrms_error_set(error, -ENOMEM, "%s: out of memory", path);
	}
	size = VRMS_DOCUMENT_HEADER_BYTES + strlen(text) + (master != NULL ? VRMS_TAG_BYTES : 0);
	bytes = calloc(1, size);
	if (bytes == NULL || size > VRMS_DOCUMENT_BYTES_MAX) {
		return vrms_error_set(error, -EFBIG, "%s: too large a document", path);
	}
	rc = encode(master, text, bytes, size, error);
	return rc < 0 ? vrms_error_wrap(error, rc, "%s", path)
		      : vrms_store_put(store, path, bytes, size, error);
}

static int check(const uint8_t *bytes, size_t size, struct vrms_document_header *ret_header,
		 struct vrms_error *error)
{
	int rc;

	if (size < VRMS_DOCUMENT_HEADER_BYTES) {
		return vrms_error_set(error, -EBADMSG, "not a document of a backup repository");
	}
	rc = vrms_document_header_decode(bytes, ret_header, error);
	if (rc < 0) {
		return rc;
	}
	if (ret_header->payload_bytes != size - VRMS_DOCUMENT_HEADER_BYTES ||
	    ret_header->payload_checksum !=
		vrms_checksum(bytes + VRMS_DOCUMENT_HEADER_BYTES, ret_header->payload_bytes)) {
		return vrms_error_set(error, -EBADMSG, "damaged document");
	}
	return 0;
}

static int decode(const struct vrms_key *master, uint8_t *bytes, size_t size, json_t **ret_value,
		  struct vrms_error *error)
{
	struct vrms_document_header header;
	uint8_t *payload = bytes + VRMS_DOCUMENT_HEADER_BYTES;
	struct vrms_sealing sealing;
	struct vrms_key key;
	json_error_t problem;
	size_t length;
	int rc = check(bytes, size, &header, error);

	if (rc < 0) {
		return rc;
	}
	length = header.payload_bytes;
	if (header.is_encrypted) {
		if (master == NULL) {
			return vrms_error_set(error, -ENOKEY, "encrypted, and no key was given");
		}
		rc = prepare(master, bytes, &key, &sealing, error);
		if (rc == 0) {
			rc = vrms_unseal(&sealing, payload, length, payload, error);
		}
		if (rc < 0) {
			return rc;
		}
		length -= VRMS_TAG_BYTES;
	}
	*ret_value = json_loadb((const char *)payload, length, JSON_REJECT_DUPLICATES, &problem);
	return *ret_value != NULL ? 0 : vrms_error_set(error, -EBADMSG, "%s", problem.text);
}

int vrms_document_read(const struct vrms_store *store, const char *path,
		       const struct vrms_key *master, json_t **ret_value, struct vrms_error *error)
{
	uint8_t *bytes VRMS_CLEANUP(vrms_freep) = NULL;
	size_t size;
	int rc = vrms_store_get(store, path, VRMS_DOCUMENT_BYTES_MAX, &bytes, &size);

	if (rc < 0) {
		return vrms_error_errno(error, rc, "%s", path);
	}
	rc = decode(master, bytes, size, ret_value, error);
	return rc < 0 ? vrms_error_wrap(error, rc, "%s", path) : 0;
}
