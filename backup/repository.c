/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/repository.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "backup/document.h"
#include "backup/keys.h"
#include "backup/repository_config.h"
#include "backup/repository_struct.h"

static const char config_path[] = "repository";
static const char damage_path[] = "damaged";

static int make_folders(const struct vrms_store *store, struct vrms_error *error)
{
	static const char *const folders[] = {"tmp", "keys", "locks", "index", "packs", "points"};
	int rc = 0;

	for (size_t i = 0; i < VRMS_COUNT_OF(folders) && rc == 0; i++) {
		rc = store->folder(store->context, folders[i], error);
	}
	return rc;
}

static int check_empty(const struct vrms_store *store, struct vrms_error *error)
{
	struct vrms_store_list list VRMS_CLEANUP(vrms_store_list_done) = {0};
	int rc = store->list(store->context, ".", &list, error);

	for (size_t i = 0; i < list.count && rc == 0; i++) {
		if (strcmp(list.rows[i].name, config_path) == 0) {
			rc = vrms_error_set(error, -EEXIST, "there is already a repository here");
		}
	}
	if (rc == 0 && list.count > 0) {
		rc = vrms_error_set(error, -ENOTEMPTY, "the folder is not empty: it has '%s'",
				    list.rows[0].name);
	}
	return rc;
}

int vrms_repository_create(const struct vrms_store *store,
			   const struct vrms_repository_config *config,
			   const struct vrms_secret *secret, struct vrms_error *error)
{
	json_t *value VRMS_CLEANUP(json_decrefp) = NULL;
	struct vrms_repository_config ready = *config;
	struct vrms_key master;
	int rc = vrms_repository_config_check(config, error);

	if (rc == 0 && config->is_encrypted != (secret != NULL)) {
		rc = vrms_error_set(error, -EINVAL,
				    config->is_encrypted ? "no key was given"
							 : "a key without encryption");
	}
	if (rc == 0) {
		rc = check_empty(store, error);
	}
	if (rc == 0) {
		rc = make_folders(store, error);
	}
	if (rc == 0) {
		rc = vrms_random_fill(&ready.id, sizeof(ready.id), error);
	}
	if (rc == 0) {
		rc = vrms_random_fill(&master, sizeof(master), error);
	}
	if (rc == 0) {
		rc = vrms_keys_write(store, &master, secret, error);
	}
	if (rc < 0) {
		return rc;
	}
	/* This file makes it a repository, so it comes last. */
	value = vrms_repository_config_encode(&ready);
	return vrms_document_write(store, config_path, NULL, value, error);
}

static int read_damages(struct vrms_repository *repository, struct vrms_error *error)
{
	json_t *value VRMS_CLEANUP(json_decrefp) = NULL;
	json_t *row;
	size_t i;
	int rc = vrms_document_read(repository->store, damage_path,
				    vrms_repository_master(repository), &value, error);

	if (rc == -ENOENT) {
		return 0;
	}
	if (rc < 0) {
		return rc;
	}
	repository->damages = calloc(json_array_size(value) + 1, sizeof(*repository->damages));
	if (repository->damages == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	json_array_foreach(value, i, row)
	{
		struct vrms_damage *damage = &repository->damages[i];
		const char *pack, *name;
		json_int_t offset;

		if (json_unpack(row, "{s:s,s:I,s:s}", "pack", &pack, "offset", &offset, "name",
				&name) != 0 ||
		    vrms_hex_parse(pack, damage->pack.bytes, sizeof(damage->pack.bytes)) < 0 ||
		    vrms_hex_parse(name, damage->name.bytes, sizeof(damage->name.bytes)) < 0) {
			return vrms_error_set(error, -EBADMSG, "%s: row %zu is damaged",
					      damage_path, i);
		}
		damage->offset = (uint32_t)offset;
		repository->damage_count++;
	}
	return 0;
}

/* Without these notes everything is still there: no restore is refused for them. */
static int load_damages(struct vrms_repository *repository, struct vrms_error *error)
{
	int rc = read_damages(repository, error);

	if (vrms_store_is_damage(rc)) {
		vrms_error_clear(error);
		repository->damage_count = 0;
		repository->lost_damages = true;
		rc = 0;
	}
	return rc;
}

static int load_config(struct vrms_repository *repository, struct vrms_error *error)
{
	json_t *value VRMS_CLEANUP(json_decrefp) = NULL;
	int rc = vrms_document_read(repository->store, config_path, NULL, &value, error);

	if (rc == -ENOENT) {
		return vrms_error_set(error, -ENOENT, "not a backup repository (no file '%s')",
				      config_path);
	}
	return rc < 0 ? rc : vrms_repository_config_decode(value, &repository->config, error);
}

int vrms_repository_open(const struct vrms_store *store, const struct vrms_secret *secret,
			 struct vrms_repository **ret_repository, struct vrms_error *error)
{
	struct vrms_repository *repository VRMS_CLEANUP(vrms_repository_closep) =
	    calloc(1, sizeof(*repository));
	static const uint8_t no_salt[VRMS_SALT_BYTES];
	int rc;

	if (repository == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	repository->store = store;
	pthread_mutex_init(&repository->lock, NULL);
	rc = load_config(repository, error);
	if (rc == 0 && repository->config.is_encrypted && secret == NULL) {
		rc = vrms_error_set(error, -ENOKEY, "the repository is encrypted: a key is needed");
	}
	if (rc == 0) {
		rc = vrms_keys_read(store, repository->config.is_encrypted ? secret : NULL,
				    &repository->master, error);
	}
	if (rc == 0) {
		rc = vrms_key_derive(&repository->master, no_salt, "name", &repository->name_key,
				     error);
	}
	if (rc == 0) {
		rc = load_damages(repository, error);
	}
	if (rc == 0) {
		*ret_repository = VRMS_TAKE(repository);
	}
	return rc;
}

void vrms_repository_close(struct vrms_repository *repository)
{
	if (repository == NULL) {
		return;
	}
	for (size_t i = 0; i < VRMS_HANDLES; i++) {
		vrms_pack_reader_close(repository->handles[i].reader);
	}
	vrms_index_free(repository->index);
	free(repository->damages);
	pthread_mutex_destroy(&repository->lock);
	explicit_bzero(&repository->master, sizeof(repository->master));
	free(repository);
}

void vrms_repository_set_guard(struct vrms_repository *repository,
			       int (*guard)(const void *context, struct vrms_error *error),
			       const void *context)
{
	repository->guard = guard;
	repository->guard_context = context;
}

int vrms_repository_guard(const struct vrms_repository *repository, struct vrms_error *error)
{
	return repository->guard == NULL ? 0 : repository->guard(repository->guard_context, error);
}

int vrms_repository_rekey(struct vrms_repository *repository, const struct vrms_secret *secret,
			  struct vrms_error *error)
{
	if (!repository->config.is_encrypted) {
		return vrms_error_set(error, -EINVAL, "the repository is not encrypted");
	}
	return vrms_keys_write(repository->store, &repository->master, secret, error);
}

const struct vrms_repository_config *vrms_repository_config(
    const struct vrms_repository *repository)
{
	return &repository->config;
}

const struct vrms_store *vrms_repository_store(const struct vrms_repository *repository)
{
	return repository->store;
}

const struct vrms_key *vrms_repository_master(const struct vrms_repository *repository)
{
	return repository->config.is_encrypted ? &repository->master : NULL;
}

struct vrms_coder_config vrms_repository_coder_config(const struct vrms_repository *repository)
{
	struct vrms_coder_config config = {
	    .hash = repository->config.hash,
	    .name_key = repository->name_key,
	    .is_compressing = repository->config.is_compressing,
	    .level = repository->config.level,
	};

	return config;
}

int vrms_repository_index(struct vrms_repository *repository, struct vrms_index **ret_index,
			  struct vrms_error *error)
{
	int rc = 0;

	if (repository->index == NULL) {
		rc = vrms_index_open(repository->store, &repository->config.id, &repository->index,
				     error);
	}
	*ret_index = repository->index;
	return rc;
}

bool vrms_repository_is_damaged(const struct vrms_repository *repository,
				const struct vrms_id *pack, uint32_t offset)
{
	for (size_t i = 0; i < repository->damage_count; i++) {
		if (repository->damages[i].offset == offset &&
		    vrms_id_is_equal(&repository->damages[i].pack, pack)) {
			return true;
		}
	}
	return false;
}

bool vrms_repository_lost_damages(const struct vrms_repository *repository)
{
	return repository->lost_damages;
}

const struct vrms_damage *vrms_repository_damages(const struct vrms_repository *repository,
						  size_t *ret_count)
{
	*ret_count = repository->damage_count;
	return repository->damages;
}

static json_t *encode_damage(const struct vrms_damage *damage)
{
	char pack[VRMS_ID_TEXT_BYTES], name[2 * VRMS_NAME_BYTES + 1];

	vrms_id_print(&damage->pack, pack);
	vrms_hex_print(damage->name.bytes, VRMS_NAME_BYTES, name);
	return json_pack("{s:s,s:I,s:s}", "pack", pack, "offset", (json_int_t)damage->offset,
			 "name", name);
}

int vrms_repository_set_damages(struct vrms_repository *repository,
				const struct vrms_damage *damages, size_t count,
				struct vrms_error *error)
{
	json_t *value VRMS_CLEANUP(json_decrefp) = json_array();
	struct vrms_damage *copy VRMS_CLEANUP(vrms_freep) = calloc(count + 1, sizeof(*copy));
	int rc;

	for (size_t i = 0; i < count; i++) {
		if (json_array_append_new(value, encode_damage(&damages[i])) != 0) {
			return vrms_error_set(error, -ENOMEM, "out of memory");
		}
	}
	if (value == NULL || copy == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = vrms_document_write(repository->store, damage_path, vrms_repository_master(repository),
				 value, error);
	if (rc < 0) {
		return rc;
	}
	if (count > 0) {
		memcpy(copy, damages, count * sizeof(*copy));
	}
	free(repository->damages);
	repository->damages = VRMS_TAKE(copy);
	repository->damage_count = count;
	repository->lost_damages = false;
	return 0;
}
