/* bench_backup_many - a large repository that was never taken: documents of points, an index of
 * as many blocks as a large disk has, and packs that are holes.
 * usage: bench_backup_many make DIR POINTS BLOCKS PACKS
 *        bench_backup_many open DIR; prints the seconds that the index took and MiB of memory
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/index_segment.h"
#include "backup/point.h"
#include "common/bytes.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/parse.h"

enum { VMS = 100, INCREMENT_BYTES = 4 << 20, FILE_MODE = 0600 };

/* A segment whose entries are made when they are read: their names rise evenly. */
struct wide {
	uint64_t block_count;
	uint32_t pack_count;
};

static int read_entries(void *file, void *buffer, size_t size, uint64_t offset)
{
	const struct wide *wide = file;
	uint8_t *to = buffer;
	uint64_t step = UINT64_MAX / wide->block_count;
	uint64_t at = offset / VRMS_INDEX_ENTRY_BYTES;

	for (size_t i = 0; i < size / VRMS_INDEX_ENTRY_BYTES; i++, at++) {
		struct vrms_index_entry entry = {
		    .pack = (uint32_t)(at * 2654435761U % wide->pack_count),
		    .offset = (uint32_t)(at % 4096) * 45000,
		    .stored_bytes = 45000,
		};
		uint64_t name = step * at + 1;

		for (size_t k = 0; k < VRMS_NAME_BYTES; k++) {
			entry.name.bytes[k] = (uint8_t)(name >> (56 - 8 * (k % 8)));
		}
		vrms_index_entry_encode(&entry, to + i * VRMS_INDEX_ENTRY_BYTES);
	}
	return 0;
}

static void close_nothing(void *file)
{
	(void)file;
}

/* What is made here may be lost. */
static int sync_nothing(void *file, uint64_t bytes)
{
	(void)file;
	(void)bytes;
	return 0;
}

static int make_pack(const char *root, const struct vrms_index_pack *pack, struct vrms_error *error)
{
	char path[600], relative[VRMS_INDEX_PACK_BYTES * 2 + 16], text[VRMS_ID_TEXT_BYTES];
	int fd VRMS_CLEANUP(vrms_closep) = -1;

	vrms_id_print(&pack->pack, text);
	snprintf(relative, sizeof(relative), "packs/%.2s", text);
	snprintf(path, sizeof(path), "%.300s/%s", root, relative);
	(void)mkdir(path, 0700);
	snprintf(path, sizeof(path), "%.300s/%s/%s", root, relative, text);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	if (fd < 0 || ftruncate(fd, (off_t)pack->pack_bytes) < 0) {
		return vrms_error_set(error, -EIO, "%s: not made", path);
	}
	return 0;
}

static int make_index(const char *root, const struct vrms_store *store, const struct vrms_id *id,
		      const struct wide *wide, struct vrms_error *error)
{
	struct vrms_store entries = {.read = read_entries, .close = close_nothing};
	struct vrms_index_pack *packs VRMS_CLEANUP(vrms_freep) =
	    calloc(wide->pack_count, sizeof(*packs));
	uint32_t *rows VRMS_CLEANUP(vrms_freep) = calloc(wide->pack_count, sizeof(*rows));
	struct vrms_segment segment = {
	    .store = &entries,
	    .file = (void *)(uintptr_t)wide,
	    .packs = packs,
	    .rows = rows,
	    .pack_count = wide->pack_count,
	    .entry_count = wide->block_count,
	};
	struct vrms_segment *segments[] = {&segment};
	struct vrms_merge merge = {.store = store,
				   .repository = *id,
				   .segments = segments,
				   .segment_count = 1,
				   .packs = packs,
				   .pack_count = wide->pack_count};
	char name[VRMS_ID_TEXT_BYTES];
	int rc = packs == NULL || rows == NULL ? -ENOMEM : 0;

	for (uint32_t i = 0; i < wide->pack_count && rc == 0; i++) {
		rows[i] = i;
		packs[i].generation = 1;
		packs[i].kind = i % 8 == 0 ? VRMS_PACK_NODES : VRMS_PACK_DATA;
		packs[i].pack_bytes = VRMS_PACK_BYTES_DEFAULT;
		rc = vrms_random_fill(&packs[i].pack, sizeof(packs[i].pack), error);
		rc = rc == 0 ? make_pack(root, &packs[i], error) : rc;
	}
	return rc < 0 ? rc : vrms_segment_merge(&merge, name, error);
}

static int make_point(struct vrms_repository *repository, uint64_t number, uint64_t block_count,
		      struct vrms_error *error)
{
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {
	    .sequence = number / VMS + 1,
	    .time_s = 1700000000 + (int64_t)number * 600,
	    .generation = 1,
	    .mode = VRMS_MODE_AUTO,
	    .base_sequence = number / VMS,
	    .full_sequence = 1,
	    .stored_bytes = INCREMENT_BYTES,
	    .duration_ms = 1500,
	    .consistency = strdup("filesystem"),
	    .host = strdup("node1"),
	    .uuid = strdup("3b4f1a52-7e3c-4a80-9d3e-2f1c00000000"),
	    .checkpoint = strdup(""),
	};
	struct vrms_point_part *part;
	char vm[32];

	snprintf(vm, sizeof(vm), "vm%llu", (unsigned long long)(number % VMS));
	point.vm = strdup(vm);
	part = vrms_point_add(&point, "vda", true);
	if (part == NULL || point.vm == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	part->mode = number < VMS ? VRMS_MODE_FULL : VRMS_MODE_INCREMENTAL;
	part->tree.block_count = block_count;
	part->tree.generation = 1;
	part->bytes = block_count * VRMS_BLOCK_BYTES_DEFAULT;
	memset(part->tree.root.bytes, (int)(number % 255 + 1), VRMS_NAME_BYTES);
	return vrms_point_commit(repository, &point, error);
}

static int make(char **arguments, struct vrms_error *error)
{
	struct vrms_store_posix *posix VRMS_CLEANUP(vrms_store_posix_closep) = NULL;
	struct vrms_repository *repository VRMS_CLEANUP(vrms_repository_closep) = NULL;
	struct vrms_repository_config config = {.block_bytes = VRMS_BLOCK_BYTES_DEFAULT,
						.pack_bytes = VRMS_PACK_BYTES_DEFAULT,
						.hash = VRMS_HASH_SHA256,
						.is_compressing = true,
						.level = VRMS_LEVEL_DEFAULT};
	int64_t points = 0, blocks = 0, packs = 0;
	struct vrms_store store;
	struct wide wide;
	int rc = vrms_int_parse(arguments[1], 1, INT32_MAX, &points, error);

	rc = rc == 0 ? vrms_int_parse(arguments[2], 1, UINT32_MAX, &blocks, error) : rc;
	rc = rc == 0 ? vrms_int_parse(arguments[3], 1, INT32_MAX, &packs, error) : rc;
	rc = rc == 0 ? vrms_store_posix_open(arguments[0], &posix, error) : rc;
	if (rc < 0) {
		return rc;
	}
	store = *vrms_store_posix_port(posix);
	store.sync = sync_nothing;
	rc = vrms_repository_create(vrms_store_posix_port(posix), &config, NULL, error);
	rc = rc == 0 ? vrms_repository_open(&store, NULL, &repository, error) : rc;
	if (rc < 0) {
		return rc;
	}
	wide = (struct wide){(uint64_t)blocks, (uint32_t)packs};
	rc = make_index(arguments[0], vrms_store_posix_port(posix),
			&vrms_repository_config(repository)->id, &wide, error);
	for (int64_t i = 0; i < points && rc == 0; i++) {
		rc = make_point(repository, (uint64_t)i, (uint64_t)blocks, error);
	}
	return rc;
}

static int open_index(char **arguments, struct vrms_error *error)
{
	struct vrms_store_posix *posix VRMS_CLEANUP(vrms_store_posix_closep) = NULL;
	struct vrms_repository *repository VRMS_CLEANUP(vrms_repository_closep) = NULL;
	struct vrms_location location;
	struct vrms_index *index;
	struct rusage usage;
	int64_t start_ms = vrms_clock_now_ms(vrms_clock_system());
	struct vrms_name name;
	int rc = vrms_store_posix_open(arguments[0], &posix, error);

	rc = rc == 0 ? vrms_repository_open(vrms_store_posix_port(posix), NULL, &repository, error)
		     : rc;
	rc = rc == 0 ? vrms_repository_index(repository, &index, error) : rc;
	if (rc < 0) {
		return rc;
	}
	memset(&name, 0x77, sizeof(name)); /* is not there: the whole bucket is read */
	if (vrms_index_find(index, &name, &location, 1) != 0) {
		return vrms_error_set(error, -EIO, "found what is not there");
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("%.3f %.0f\n", (double)(vrms_clock_now_ms(vrms_clock_system()) - start_ms) / 1e3,
	       (double)usage.ru_maxrss / 1024.0);
	return 0;
}

int main(int argc, char **argv)
{
	struct vrms_error error = {0};
	int rc;

	if (argc == 6 && strcmp(argv[1], "make") == 0) {
		rc = make(argv + 2, &error);
	} else if (argc == 3 && strcmp(argv[1], "open") == 0) {
		rc = open_index(argv + 2, &error);
	} else {
		fprintf(stderr,
			"usage: bench_backup_many make DIR POINTS BLOCKS PACKS | open DIR\n");
		return 2;
	}
	if (rc < 0) {
		fprintf(stderr, "bench_backup_many: %s\n", error.text);
		return 1;
	}
	return 0;
}
