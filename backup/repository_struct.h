/* repository_struct.h - what is inside a repository, for repository.c and block_reader.c only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_REPOSITORY_STRUCT_H
#define VRMS_BACKUP_REPOSITORY_STRUCT_H

#include <pthread.h>

#include "backup/repository.h"

enum { VRMS_HANDLES = 64 };

/* Packs held open, so that a block costs one read. */
struct vrms_handle {
	struct vrms_pack_reader *reader;
	struct vrms_id pack;
	unsigned int users;
	uint64_t used; /* the larger, the later */
};

struct vrms_repository {
	const struct vrms_store *store;
	struct vrms_repository_config config;
	struct vrms_key master;
	struct vrms_key name_key;
	struct vrms_index *index;
	struct vrms_damage *damages;
	size_t damage_count;
	bool lost_damages;    /* notes of them cannot be read */
	pthread_mutex_t lock; /* over the handles */
	struct vrms_handle handles[VRMS_HANDLES];
	uint64_t clock;
	int (*guard)(const void *context, struct vrms_error *error);
	const void *guard_context;
};

#endif
