/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fakes/source_memory.h"

#include <errno.h>
#include <string.h>

#include "backup/coder.h"

static int content(void *context, struct vrms_extents *ret_extents, struct vrms_error *error)
{
	struct source_memory *memory = context;
	int rc = 0;

	(void)error;
	for (uint64_t at = 0; at < memory->bytes && rc == 0; at += SOURCE_MEMORY_GRAIN) {
		uint64_t left = memory->bytes - at;
		uint64_t size = left < SOURCE_MEMORY_GRAIN ? left : SOURCE_MEMORY_GRAIN;
		struct vrms_extent extent = {
		    .offset = at,
		    .bytes = size,
		    .kind = vrms_block_is_zero(memory->data + at, size) ? VRMS_EXTENT_ZERO
									: VRMS_EXTENT_DATA,
		};

		rc = vrms_extents_append(ret_extents, &extent);
	}
	return rc;
}

static int dirty(void *context, struct vrms_extents *ret_extents, struct vrms_error *error)
{
	struct source_memory *memory = context;
	int rc = 0;

	(void)error;
	for (uint64_t at = 0; at < memory->bytes && rc == 0; at += SOURCE_MEMORY_GRAIN) {
		uint64_t left = memory->bytes - at;
		struct vrms_extent extent = {
		    .offset = at,
		    .bytes = left < SOURCE_MEMORY_GRAIN ? left : SOURCE_MEMORY_GRAIN,
		    .kind = memory->dirty[at / SOURCE_MEMORY_GRAIN] != 0 ? VRMS_EXTENT_DATA
									 : VRMS_EXTENT_SKIP,
		};

		rc = vrms_extents_append(ret_extents, &extent);
	}
	return rc;
}

static int submit(void *context, const struct vrms_source_read *read, struct vrms_error *error)
{
	struct source_memory *memory = context;

	if (memory->fail_offset > 0 && read->offset + read->size > memory->fail_offset) {
		return vrms_error_set(error, -EIO, "the export has gone");
	}
	memcpy(read->buffer, memory->data + read->offset, read->size);
	memory->cookies[memory->cookie_count++] = read->cookie;
	return 0;
}

static int reap(void *context, uint64_t *ret_cookies, size_t max, struct vrms_error *error)
{
	struct source_memory *memory = context;

	(void)error;
	if (max == 0 || memory->cookie_count == 0) {
		return 0;
	}
	ret_cookies[0] = memory->cookies[--memory->cookie_count];
	return 1;
}

struct vrms_source source_memory_port(struct source_memory *memory)
{
	return (struct vrms_source){
	    .context = memory,
	    .bytes = memory->bytes,
	    .in_flight_max = 8,
	    .content = content,
	    .dirty = memory->dirty != NULL ? dirty : NULL,
	    .submit = submit,
	    .reap = reap,
	};
}
