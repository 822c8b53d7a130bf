/* source_memory.h - a disk in memory as a backup source, with a bitmap.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_TESTS_FAKES_SOURCE_MEMORY_H
#define VRMS_TESTS_FAKES_SOURCE_MEMORY_H

#include "backup/source.h"

struct source_memory {
	const uint8_t *data;
	uint64_t bytes;
	const uint8_t *dirty; /* one per 4 KiB; NULL: no bitmap */
	uint64_t fail_offset; /* reads that reach it fail with -EIO; 0: none */
	uint64_t cookies[16]; /* done, not reaped */
	size_t cookie_count;
};

enum { SOURCE_MEMORY_GRAIN = 4096 };

/* The port over it; depth reads are held back and end in reverse order. */
struct vrms_source source_memory_port(struct source_memory *memory);

#endif
