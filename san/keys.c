/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "san/keys.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"

enum { KIND_NODE = 1, KIND_GUESTS = 2, KIND_CLUSTER = 0xcc, KIND_SHIFT = 32, HASH_SHIFT = 40 };

static const char separators[] = ", \t\n";

static int take_node(char *word, struct vrms_san_cluster *cluster, struct vrms_error *error)
{
	char *colon = strrchr(word, ':');
	int64_t id;

	if (colon == NULL || colon == word || colon - word >= VRMS_SAN_NAME_BYTES) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not NODE:ID", word);
	}
	*colon = '\0';
	int rc = vrms_int_parse(colon + 1, 1, UINT32_MAX, &id, error);
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "%s", word);
	}
	if (cluster->node_count == VRMS_SAN_NODES_MAX) {
		return vrms_error_set(error, -E2BIG, "more than %d nodes", VRMS_SAN_NODES_MAX);
	}
	struct vrms_san_node *node = &cluster->nodes[cluster->node_count];
	*node = (struct vrms_san_node){.id = (uint32_t)id, .place = (uint32_t)cluster->node_count};
	snprintf(node->name, sizeof(node->name), "%s", word);
	cluster->node_count++;
	return 0;
}

int vrms_san_nodes_parse(const char *text, struct vrms_san_cluster *cluster,
			 struct vrms_error *error)
{
	char *copy VRMS_CLEANUP(vrms_freep) = strdup(text);
	char *rest = NULL;

	if (copy == NULL) {
		return -ENOMEM;
	}
	cluster->node_count = 0;
	for (char *word = strtok_r(copy, separators, &rest); word != NULL;
	     word = strtok_r(NULL, separators, &rest)) {
		int rc = take_node(word, cluster, error);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

const struct vrms_san_node *vrms_san_node_find(const struct vrms_san_cluster *cluster,
					       const char *name)
{
	for (size_t i = 0; i < cluster->node_count; i++) {
		if (strcmp(cluster->nodes[i].name, name) == 0) {
			return &cluster->nodes[i];
		}
	}
	return NULL;
}

/* The first bytes of a digest of the text, big-endian. */
static int digest_of(const EVP_MD *method, const char *text, size_t bytes, uint64_t *ret_value)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	uint64_t value = 0;

	if (method == NULL || EVP_Digest(text, strlen(text), digest, NULL, method, NULL) != 1) {
		return -ENOTSUP;
	}
	for (size_t i = 0; i < bytes; i++) {
		value = value << 8 | digest[i];
	}
	*ret_value = value;
	return 0;
}

/* fence_scsi reads "%.4s%.4d" as hexadecimal digits, so the place is written in decimal ones. */
static uint64_t fence_scsi_key(uint64_t digest, uint32_t place)
{
	char text[16];

	snprintf(text, sizeof(text), "%04x%.4u", (unsigned)(digest & 0xffff), place % 10000);
	return strtoull(text, NULL, 16);
}

static int derive(enum vrms_san_key_format format, struct vrms_san_cluster *cluster,
		  struct vrms_error *error)
{
	uint64_t hash = 0;
	uint64_t md5 = 0;
	int rc = digest_of(EVP_sha256(), cluster->name, 3, &hash);

	if (rc == 0 && format == VRMS_SAN_KEYS_FENCE_SCSI) {
		rc = digest_of(EVP_md5(), cluster->name, 2, &md5);
	}
	if (rc < 0) {
		return vrms_error_set(error, rc, "no digest of the cluster's name");
	}
	hash <<= HASH_SHIFT;
	cluster->families[0] =
	    (struct vrms_pr_family){.mask = UINT64_MAX << HASH_SHIFT, .value = hash};
	if (format == VRMS_SAN_KEYS_FENCE_SCSI) {
		const uint64_t mask = UINT64_MAX << 16;

		cluster->families[1] =
		    (struct vrms_pr_family){.mask = mask, .value = fence_scsi_key(md5, 0) & mask};
	}
	cluster->key = hash | (uint64_t)KIND_CLUSTER << KIND_SHIFT;
	for (size_t i = 0; i < cluster->node_count; i++) {
		struct vrms_san_node *node = &cluster->nodes[i];

		node->key = format == VRMS_SAN_KEYS_FENCE_SCSI
				? fence_scsi_key(md5, node->place)
				: hash | (uint64_t)KIND_NODE << KIND_SHIFT | node->id;
		node->guests_key = hash | (uint64_t)KIND_GUESTS << KIND_SHIFT | node->id;
	}
	return 0;
}

static int take_given(char *word, struct vrms_san_cluster *cluster, struct vrms_error *error)
{
	char *equals = strchr(word, '=');
	char *end = NULL;

	if (equals == NULL) {
		return vrms_error_set(error, -EINVAL, "keys: \"%s\" is not NODE=KEY", word);
	}
	*equals = '\0';
	struct vrms_san_node *node = (struct vrms_san_node *)vrms_san_node_find(cluster, word);
	if (node == NULL) {
		return vrms_error_set(error, -EINVAL, "keys: no node \"%s\" in the cluster", word);
	}
	errno = 0;
	node->key = strtoull(equals + 1, &end, 16);
	if (errno != 0 || end == equals + 1 || *end != '\0' || node->key == 0) {
		return vrms_error_set(error, -EINVAL,
				      "keys: \"%s\" of %s is not a hexadecimal number above 0",
				      equals + 1, word);
	}
	return 0;
}

static int read_given(const char *given, struct vrms_san_cluster *cluster, struct vrms_error *error)
{
	char *copy VRMS_CLEANUP(vrms_freep) = strdup(given);
	char *rest = NULL;

	if (copy == NULL) {
		return -ENOMEM;
	}
	for (char *word = strtok_r(copy, separators, &rest); word != NULL;
	     word = strtok_r(NULL, separators, &rest)) {
		int rc = take_given(word, cluster, error);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

static const char *name_of(const struct vrms_san_cluster *cluster, size_t known)
{
	return cluster->nodes[known / VRMS_SAN_KEYS_PER_NODE].name;
}

static int check_unique(const struct vrms_san_cluster *cluster, struct vrms_error *error)
{
	size_t count = cluster->node_count * VRMS_SAN_KEYS_PER_NODE;

	for (size_t i = 0; i < count; i++) {
		if (cluster->known[i] == 0) {
			return vrms_error_set(
			    error, -EINVAL,
			    "%s: its derived key is 0, which is none: give another one in keys",
			    name_of(cluster, i));
		}
		if (cluster->known[i] == cluster->key) {
			return vrms_error_set(
			    error, -EEXIST, "key collision: %s has the key of the cluster, 0x%llx",
			    name_of(cluster, i), (unsigned long long)cluster->key);
		}
		for (size_t j = 0; j < i; j++) {
			if (cluster->known[i] == cluster->known[j]) {
				return vrms_error_set(error, -EEXIST,
						      "key collision: %s and %s both have 0x%llx",
						      name_of(cluster, j), name_of(cluster, i),
						      (unsigned long long)cluster->known[i]);
			}
		}
	}
	return 0;
}

int vrms_san_keys_make(enum vrms_san_key_format format, const char *given,
		       struct vrms_san_cluster *cluster, struct vrms_error *error)
{
	int rc = derive(format, cluster, error);

	if (rc == 0 && given != NULL) {
		rc = read_given(given, cluster, error);
	}
	if (rc < 0) {
		return rc;
	}
	for (size_t i = 0; i < cluster->node_count; i++) {
		cluster->known[i * VRMS_SAN_KEYS_PER_NODE] = cluster->nodes[i].key;
		cluster->known[i * VRMS_SAN_KEYS_PER_NODE + 1] = cluster->nodes[i].guests_key;
	}
	return check_unique(cluster, error);
}
