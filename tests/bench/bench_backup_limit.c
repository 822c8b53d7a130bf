/* bench_backup_limit - how fast and how small a file's blocks can be named and compressed at all:
 * all of it in memory, two threads, nothing read, looked up or written.
 * usage: bench_backup_limit FILE; prints seconds and compressed bytes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/repository.h"
#include "common/clock.h"
#include "common/file.h"

enum { THREADS = 2, BLOCK_BYTES = VRMS_BLOCK_BYTES_DEFAULT, PIECE_BLOCKS = 8 };

struct work {
	const uint8_t *data;
	uint64_t block_count;
	atomic_uint_fast64_t next;
	atomic_uint_fast64_t stored_bytes;
	atomic_bool has_failed;
};

static void *code(void *argument)
{
	struct work *work = argument;
	struct vrms_coder_config config = {.hash = VRMS_HASH_SHA256,
					   .is_compressing = true,
					   .level = VRMS_LEVEL_DEFAULT};
	struct vrms_coder *coder VRMS_CLEANUP(vrms_coder_freep) = NULL;
	uint8_t *out VRMS_CLEANUP(vrms_freep) = malloc(BLOCK_BYTES);
	uint64_t stored_bytes = 0, first;

	if (out == NULL || vrms_coder_new(&config, &coder, NULL) < 0) {
		atomic_store(&work->has_failed, true);
		return NULL;
	}
	while ((first = atomic_fetch_add(&work->next, PIECE_BLOCKS)) < work->block_count) {
		for (uint64_t i = first; i < first + PIECE_BLOCKS && i < work->block_count; i++) {
			const uint8_t *block = work->data + i * BLOCK_BYTES;
			struct vrms_name name;
			size_t size;

			if (vrms_coder_name(coder, block, BLOCK_BYTES, &name, NULL) < 0) {
				atomic_store(&work->has_failed, true);
				return NULL;
			}
			if (vrms_name_is_zero(&name)) {
				continue;
			}
			size = vrms_coder_compress(coder, block, BLOCK_BYTES, out);
			stored_bytes += size > 0 ? size : BLOCK_BYTES;
		}
	}
	atomic_fetch_add(&work->stored_bytes, stored_bytes);
	return NULL;
}

static int run(struct work *work)
{
	pthread_t threads[THREADS];
	int64_t start_ms;

	start_ms = vrms_clock_now_ms(vrms_clock_system());
	for (int i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, code, work) != 0) {
			return 1;
		}
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	printf("%.3f %llu\n", (double)(vrms_clock_now_ms(vrms_clock_system()) - start_ms) / 1e3,
	       (unsigned long long)atomic_load(&work->stored_bytes));
	return atomic_load(&work->has_failed) ? 1 : 0;
}

int main(int argc, char **argv)
{
	int fd VRMS_CLEANUP(vrms_closep) = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	struct work work = {0};
	struct stat status;
	void *data;
	int rc;

	if (fd < 0 || fstat(fd, &status) < 0) {
		fprintf(stderr, "usage: bench_backup_limit FILE\n");
		return 2;
	}
	data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (data == MAP_FAILED) {
		perror(argv[1]);
		return 1;
	}
	work.data = data;
	work.block_count = (uint64_t)status.st_size / BLOCK_BYTES;
	rc = run(&work);
	munmap(data, (size_t)status.st_size);
	return rc;
}
