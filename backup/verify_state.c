/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/verify_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/document.h"
#include "backup/session.h"
#include "backup/verify.h"
#include "backup/walk.h"

enum { COPIES_MAX = 16 };

static const char path[] = "verified";

void vrms_verified_packs_done(struct vrms_verified_packs *packs)
{
	free(packs->rows);
	memset(packs, 0, sizeof(*packs));
}

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct vrms_id));
}

bool vrms_verified_packs_have(const struct vrms_verified_packs *packs, const struct vrms_id *pack)
{
	return packs->count > 0 &&
	       bsearch(pack, packs->rows, packs->count, sizeof(*packs->rows), compare_ids) != NULL;
}

int vrms_verified_packs_read(struct vrms_repository *repository,
			     struct vrms_verified_packs *ret_packs, struct vrms_error *error)
{
	json_t *value VRMS_CLEANUP(json_decrefp) = NULL;
	struct vrms_verified_packs packs VRMS_CLEANUP(vrms_verified_packs_done) = {0};
	json_t *row;
	size_t i;
	int rc = vrms_document_read(vrms_repository_store(repository), path,
				    vrms_repository_master(repository), &value, error);

	if (rc < 0) { /* damaged it is none: it only spares work */
		return rc == -ENOENT || vrms_store_is_damage(rc) ? 0 : rc;
	}
	packs.rows = calloc(json_array_size(value) + 1, sizeof(*packs.rows));
	if (packs.rows == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	json_array_foreach(value, i, row)
	{
		if (!json_is_string(row) ||
		    vrms_hex_parse(json_string_value(row), packs.rows[packs.count].bytes,
				   VRMS_ID_BYTES) < 0) {
			return 0;
		}
		packs.count++;
	}
	qsort(packs.rows, packs.count, sizeof(*packs.rows), compare_ids);
	*ret_packs = packs;
	memset(&packs, 0, sizeof(packs));
	return 0;
}

static int write_verified(struct vrms_repository *repository,
			  const struct vrms_verify_result *result, struct vrms_error *error)
{
	struct vrms_verified_packs known VRMS_CLEANUP(vrms_verified_packs_done) = {0};
	json_t *value VRMS_CLEANUP(json_decrefp) = json_array();
	struct vrms_index *index;
	int rc = vrms_verified_packs_read(repository, &known, error);

	if (rc == 0) {
		rc = vrms_repository_index(repository, &index, error);
	}
	for (uint32_t i = 0; rc == 0 && i < vrms_index_pack_count(index); i++) {
		struct vrms_index_pack pack = vrms_index_pack(index, i);
		bool is_verified = vrms_verified_packs_have(&known, &pack.pack);
		char text[VRMS_ID_TEXT_BYTES];

		for (size_t k = 0; k < result->verified_count && !is_verified; k++) {
			is_verified = vrms_id_is_equal(&result->verified[k], &pack.pack);
		}
		vrms_id_print(&pack.pack, text);
		if (is_verified && json_array_append_new(value, json_string(text)) != 0) {
			return vrms_error_set(error, -ENOMEM, "out of memory");
		}
	}
	return rc < 0 ? rc
		      : vrms_document_write(vrms_repository_store(repository), path,
					    vrms_repository_master(repository), value, error);
}

int vrms_verify_record(struct vrms_repository *repository, const struct vrms_verify_result *result,
		       struct vrms_error *error)
{
	size_t old_count, count;
	const struct vrms_damage *old = vrms_repository_damages(repository, &old_count);
	struct vrms_damage *all VRMS_CLEANUP(vrms_freep) =
	    calloc(old_count + result->damage_count + 1, sizeof(*all));

	if (all == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	if (vrms_repository_lost_damages(repository) && !result->is_complete) {
		return 0; /* a part of the list would look like all of it */
	}
	if (old_count > 0) {
		memcpy(all, old, old_count * sizeof(*all));
	}
	count = old_count;
	for (size_t i = 0; i < result->damage_count; i++) {
		if (!vrms_repository_is_damaged(repository, &result->damages[i].pack,
						result->damages[i].offset)) {
			all[count++] = result->damages[i];
		}
	}
	if (count > old_count || vrms_repository_lost_damages(repository)) {
		int rc = vrms_repository_set_damages(repository, all, count, error);

		if (rc < 0) {
			return rc;
		}
	}
	return write_verified(repository, result, error);
}

/* Repair: a damaged copy whose generation has no other good one gets a new one,
 * out of any generation. */
struct repair {
	struct vrms_repository *repository;
	struct vrms_block_reader *reader;
	uint8_t *data;
	struct vrms_repair_result result;
};

static void repair_done(struct repair *repair)
{
	vrms_block_reader_free(repair->reader);
	free(repair->data);
}

/* Any good copy's bytes. Returns 1 with them, 0 without. */
static int read_good(struct repair *repair, struct vrms_index *index, const struct vrms_name *name,
		     struct vrms_location *ret_location, uint32_t *ret_bytes)
{
	struct vrms_location locations[COPIES_MAX];
	int count = vrms_index_find(index, name, locations, COPIES_MAX);

	for (int i = 0; i < count; i++) {
		struct vrms_index_pack pack = vrms_index_pack(index, locations[i].pack);

		if (!vrms_repository_is_damaged(repair->repository, &pack.pack,
						locations[i].entry.offset) &&
		    vrms_block_reader_check(repair->reader, &locations[i], repair->data, ret_bytes,
					    NULL) == 0) {
			*ret_location = locations[i];
			return 1;
		}
	}
	return count < 0 ? count : 0;
}

static int heal(struct repair *repair, struct vrms_index *index, const struct vrms_damage *damage,
		struct vrms_error *error)
{
	struct vrms_session *session VRMS_CLEANUP(vrms_session_closep) = NULL;
	struct vrms_location good;
	uint32_t generation = 0, raw_bytes;
	enum vrms_pack_kind kind = VRMS_PACK_DATA;
	int rc = read_good(repair, index, &damage->name, &good, &raw_bytes);

	if (rc <= 0) {
		repair->result.lost_blocks += rc == 0;
		return rc < 0 ? vrms_error_errno(error, rc, "index") : 0;
	}
	for (uint32_t row = 0; row < vrms_index_pack_count(index); row++) {
		struct vrms_index_pack pack = vrms_index_pack(index, row);

		if (vrms_id_is_equal(&pack.pack, &damage->pack)) {
			generation = pack.generation;
			kind = pack.kind;
		}
	}
	if (generation == 0) {
		return 0; /* the pack has gone, and with it the damage */
	}
	rc = vrms_session_open(repair->repository, generation, &session, error);
	if (rc == 0) {
		rc = vrms_session_has(session, &damage->name);
		if (rc == 0) {
			rc = vrms_session_put_again(session, kind, repair->data, raw_bytes, error);
			repair->result.healed_blocks += rc == 0;
		} else {
			rc = rc > 0 ? 0 : vrms_error_errno(error, rc, "index");
		}
	}
	return rc == 0 ? vrms_session_flush(session, error) : rc;
}

int vrms_repair_run(struct vrms_repository *repository, struct vrms_repair_result *ret_result,
		    struct vrms_error *error)
{
	struct repair repair VRMS_CLEANUP(repair_done) = {.repository = repository};
	const struct vrms_damage *damages;
	struct vrms_index *index;
	size_t count;
	int rc = vrms_repository_index(repository, &index, error);

	if (rc == 0) {
		rc = vrms_index_rewrite(index, NULL, error);
	}
	if (rc == 0) {
		rc = vrms_block_reader_new(repository, &repair.reader, error);
	}
	repair.data = malloc(VRMS_BLOCK_BYTES_MAX);
	if (rc == 0 && repair.data == NULL) {
		rc = vrms_error_set(error, -ENOMEM, "out of memory");
	}
	damages = vrms_repository_damages(repository, &count);
	for (size_t i = 0; i < count && rc == 0; i++) {
		rc = heal(&repair, index, &damages[i], error);
	}
	*ret_result = repair.result;
	return rc;
}
