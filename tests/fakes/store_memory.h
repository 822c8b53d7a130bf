/* store_memory.h - a repository's folder in memory that can lose power.
 *
 * It keeps two states: what a program sees, and what a disk would have kept.
 * Only sync, publish, remove and folder move something from the first to the
 * second; what was merely written may be kept, cut or lost.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_TESTS_FAKES_STORE_MEMORY_H
#define VRMS_TESTS_FAKES_STORE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "backup/store.h"

struct store_memory;

struct store_memory *store_memory_new(void);
void store_memory_free(struct store_memory *memory);
const struct vrms_store *store_memory_port(struct store_memory *memory);

/* From the call number `call` on (1 is the next), every change fails with -EIO; 0: never.
 * A write that fails may have happened in part. */
void store_memory_fail_at(struct store_memory *memory, uint64_t call);
/* Changes asked for since the start. */
uint64_t store_memory_calls(const struct store_memory *memory);

/* Power lost and back: unsynced content and names are kept, cut or lost, by the seed. */
void store_memory_crash(struct store_memory *memory, uint64_t seed);

/* Flips one bit of a file whose path begins with prefix (the nth of them, in order of creation);
 * returns its path, or NULL. offset counts from the end when negative. */
const char *store_memory_damage(struct store_memory *memory, const char *prefix, unsigned int nth,
				int64_t offset);
/* From now on one byte of such a file cannot be read: -EIO for whoever wants it among others.
 * False, and all can be read: the file has no such byte. */
bool store_memory_spoil(struct store_memory *memory, const char *prefix, unsigned int nth,
			uint64_t offset);
/* Bytes of all files whose path begins with prefix. */
uint64_t store_memory_bytes(struct store_memory *memory, const char *prefix);
unsigned int store_memory_count(struct store_memory *memory, const char *prefix);
/* Whether any file holds this text. */
bool store_memory_contains(struct store_memory *memory, const char *text);
/* Removes the nth such file. */
void store_memory_lose(struct store_memory *memory, const char *prefix, unsigned int nth);

#endif
