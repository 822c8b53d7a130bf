/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <libnbd.h>

#include "backup/source.h"

enum {
	CONNECTIONS_MAX = 8,
	IN_FLIGHT_PER_CONNECTION = 4,
	REAPED_MAX = CONNECTIONS_MAX * IN_FLIGHT_PER_CONNECTION,
	QUERY_BYTES_MAX =
	    1 << 30,      /* a block-status request; servers cut the answer where they like */
	WAIT_MS = 120000, /* without any answer the server is taken for dead */
};

static const char allocation[] = "base:allocation";

struct nbd_source {
	struct nbd_handle *handles[CONNECTIONS_MAX];
	unsigned int busy[CONNECTIONS_MAX]; /* reads in flight */
	unsigned int connection_count;
	uint64_t bytes;
	char *bitmap;
	bool has_allocation;
	uint64_t done[REAPED_MAX];
	size_t done_count;
	int failure; /* errno of the first read that failed */
};

static int fail(struct vrms_error *error, const char *what)
{
	int number = nbd_get_errno();

	return vrms_error_set(error, number > 0 ? -number : -EIO, "%s: %s", what, nbd_get_error());
}

struct status_query {
	struct vrms_extents *extents;
	const char *context_name;
	uint64_t end; /* of what was asked */
	bool is_bitmap;
	int rc;
};

static enum vrms_extent_kind status_kind(const struct status_query *query, uint32_t flags)
{
	if (query->is_bitmap) {
		return (flags & 1) != 0 ? VRMS_EXTENT_DATA : VRMS_EXTENT_SKIP;
	}
	return (flags & LIBNBD_STATE_ZERO) != 0 ? VRMS_EXTENT_ZERO : VRMS_EXTENT_DATA;
}

/* Servers may describe more than was asked, in the last entry. */
static int take_status(void *user_data, const char *metacontext, uint64_t offset, uint32_t *entries,
		       size_t entry_words, int *nbd_error)
{
	struct status_query *query = user_data;

	(void)nbd_error;
	if (strcmp(metacontext, query->context_name) != 0) {
		return 0;
	}
	for (size_t i = 0; i + 1 < entry_words && offset < query->end && query->rc == 0; i += 2) {
		uint64_t left = query->end - offset;
		struct vrms_extent extent = {
		    .offset = offset,
		    .bytes = entries[i] < left ? entries[i] : left,
		    .kind = status_kind(query, entries[i + 1]),
		};

		query->rc = vrms_extents_append(query->extents, &extent);
		offset += extent.bytes;
	}
	return 0;
}

static int query_status(struct nbd_source *source, struct status_query *query,
			struct vrms_error *error)
{
	struct nbd_handle *handle = source->handles[0];
	uint64_t at = 0;

	while (at < source->bytes) {
		uint64_t left = source->bytes - at;
		uint64_t size = left < QUERY_BYTES_MAX ? left : QUERY_BYTES_MAX;
		uint64_t end;

		query->end = at + size;
		if (nbd_block_status(handle, size, at,
				     (nbd_extent_callback){.callback = take_status,
							   .user_data = query},
				     0) < 0) {
			return fail(error, query->context_name);
		}
		end = vrms_extents_end(query->extents);
		if (query->rc < 0 || end <= at) {
			return vrms_error_set(error, query->rc < 0 ? query->rc : -EPROTO,
					      "%s: the server's answer makes no sense",
					      query->context_name);
		}
		at = end;
	}
	return 0;
}

static int nbd_content(void *context, struct vrms_extents *ret_extents, struct vrms_error *error)
{
	struct nbd_source *source = context;
	struct status_query query = {.extents = ret_extents, .context_name = allocation};
	struct vrms_extent all = {.bytes = source->bytes, .kind = VRMS_EXTENT_DATA};
	int rc;

	if (source->has_allocation) {
		return query_status(source, &query, error);
	}
	rc = vrms_extents_append(ret_extents, &all);
	return rc < 0 ? vrms_error_errno(error, rc, "extents") : 0;
}

static int nbd_dirty(void *context, struct vrms_extents *ret_extents, struct vrms_error *error)
{
	struct nbd_source *source = context;
	struct status_query query = {
	    .extents = ret_extents,
	    .context_name = source->bitmap,
	    .is_bitmap = true,
	};

	return query_status(source, &query, error);
}

/* What a read's completion needs; freed by libnbd through the callback's free. */
struct ticket {
	struct nbd_source *source;
	unsigned int connection;
	uint64_t cookie;
};

static int read_done(void *user_data, int *nbd_error)
{
	struct ticket *ticket = user_data;
	struct nbd_source *source = ticket->source;

	source->busy[ticket->connection]--;
	if (*nbd_error != 0) {
		source->failure = source->failure != 0 ? source->failure : *nbd_error;
	} else {
		source->done[source->done_count++] = ticket->cookie;
	}
	return 1; /* the command may be forgotten */
}

static int nbd_submit(void *context, const struct vrms_source_read *read, struct vrms_error *error)
{
	struct nbd_source *source = context;
	struct ticket *ticket = malloc(sizeof(*ticket));
	unsigned int idle = 0;

	if (ticket == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	for (unsigned int i = 1; i < source->connection_count; i++) {
		idle = source->busy[i] < source->busy[idle] ? i : idle;
	}
	*ticket = (struct ticket){source, idle, read->cookie};
	source->busy[idle]++;
	if (nbd_aio_pread(
		source->handles[idle], read->buffer, read->size, read->offset,
		(nbd_completion_callback){.callback = read_done, .user_data = ticket, .free = free},
		0) < 0) {
		source->busy[idle]--;
		return fail(error, "reading from the NBD server");
	}
	return 0;
}

static short wanted_events(struct nbd_handle *handle)
{
	unsigned int direction = nbd_aio_get_direction(handle);

	return (short)(((direction & LIBNBD_AIO_DIRECTION_READ) != 0 ? POLLIN : 0) |
		       ((direction & LIBNBD_AIO_DIRECTION_WRITE) != 0 ? POLLOUT : 0));
}

static int notify(struct nbd_handle *handle, const struct pollfd *fd)
{
	unsigned int direction = nbd_aio_get_direction(handle);

	if ((fd->revents & (POLLIN | POLLHUP | POLLERR)) != 0 &&
	    (direction & LIBNBD_AIO_DIRECTION_READ) != 0) {
		return nbd_aio_notify_read(handle);
	}
	if ((fd->revents & POLLOUT) != 0 && (direction & LIBNBD_AIO_DIRECTION_WRITE) != 0) {
		return nbd_aio_notify_write(handle);
	}
	return 0;
}

static int wait_once(struct nbd_source *source, struct vrms_error *error)
{
	struct pollfd fds[CONNECTIONS_MAX];
	int count;

	for (unsigned int i = 0; i < source->connection_count; i++) {
		fds[i] = (struct pollfd){.fd = nbd_aio_get_fd(source->handles[i]),
					 .events = wanted_events(source->handles[i])};
	}
	count = poll(fds, source->connection_count, WAIT_MS);
	if (count < 0 && errno != EINTR) {
		return vrms_error_errno(error, -errno, "poll");
	}
	if (count == 0) {
		return vrms_error_set(error, -ETIMEDOUT, "the NBD server did not answer for %d s",
				      WAIT_MS / 1000);
	}
	for (unsigned int i = 0; i < source->connection_count && count > 0; i++) {
		if (notify(source->handles[i], &fds[i]) < 0) {
			return fail(error, "the NBD connection");
		}
	}
	return 0;
}

static int nbd_reap(void *context, uint64_t *ret_cookies, size_t max, struct vrms_error *error)
{
	struct nbd_source *source = context;
	size_t count;

	while (source->done_count == 0 && source->failure == 0) {
		int rc = wait_once(source, error);

		if (rc < 0) {
			return rc;
		}
	}
	if (source->failure != 0) {
		return vrms_error_errno(error, -source->failure, "reading from the NBD server");
	}
	count = source->done_count < max ? source->done_count : max;
	memcpy(ret_cookies, source->done, count * sizeof(*ret_cookies));
	source->done_count -= count;
	memmove(source->done, source->done + count, source->done_count * sizeof(*source->done));
	return (int)count;
}

static void nbd_source_close(void *context)
{
	struct nbd_source *source = context;

	for (unsigned int i = 0; i < CONNECTIONS_MAX; i++) {
		nbd_close(source->handles[i]); /* also a NULL one */
	}
	free(source->bitmap);
	free(source);
}

static int open_handle(const struct vrms_nbd_options *options, struct nbd_handle **ret_handle,
		       struct vrms_error *error)
{
	struct nbd_handle *handle = nbd_create();

	if (handle == NULL) {
		return fail(error, options->uri);
	}
	*ret_handle = handle; /* the caller closes it in any case */
	/* Every byte is read or the read fails: no need to fill buffers with zeros before. */
	if (nbd_set_pread_initialize(handle, false) < 0 ||
	    nbd_add_meta_context(handle, allocation) < 0 ||
	    (options->dirty_bitmap != NULL &&
	     nbd_add_meta_context(handle, options->dirty_bitmap) < 0) ||
	    nbd_connect_uri(handle, options->uri) < 0) {
		return fail(error, options->uri);
	}
	return 0;
}

static int open_first(struct nbd_source *source, const struct vrms_nbd_options *options,
		      struct vrms_error *error)
{
	int rc = open_handle(options, &source->handles[0], error);
	int64_t bytes;

	if (rc < 0) {
		return rc;
	}
	source->connection_count = 1;
	bytes = nbd_get_size(source->handles[0]);
	if (bytes < 0) {
		return fail(error, options->uri);
	}
	source->bytes = (uint64_t)bytes;
	source->has_allocation = nbd_can_meta_context(source->handles[0], allocation) == 1;
	if (options->dirty_bitmap != NULL) {
		if (nbd_can_meta_context(source->handles[0], options->dirty_bitmap) != 1) {
			return vrms_error_set(error, -ENOENT, "the NBD server has no '%s'",
					      options->dirty_bitmap);
		}
		source->bitmap = strdup(options->dirty_bitmap);
		if (source->bitmap == NULL) {
			return vrms_error_set(error, -ENOMEM, "out of memory");
		}
	}
	return 0;
}

static int open_all(struct nbd_source *source, const struct vrms_nbd_options *options,
		    struct vrms_error *error)
{
	unsigned int wanted = options->connections;
	int rc = open_first(source, options, error);

	wanted = wanted > CONNECTIONS_MAX ? CONNECTIONS_MAX : wanted;
	if (rc < 0 || nbd_can_multi_conn(source->handles[0]) != 1) {
		return rc;
	}
	while (source->connection_count < wanted && rc == 0) {
		rc = open_handle(options, &source->handles[source->connection_count], error);
		source->connection_count += rc == 0;
	}
	return rc;
}

int vrms_source_nbd_open(const struct vrms_nbd_options *options, struct vrms_source *ret_source,
			 struct vrms_error *error)
{
	struct nbd_source *source = calloc(1, sizeof(*source));
	int rc;

	if (source == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = open_all(source, options, error);
	if (rc < 0) {
		nbd_source_close(source);
		return rc;
	}
	*ret_source = (struct vrms_source){
	    .context = source,
	    .bytes = source->bytes,
	    .in_flight_max = source->connection_count * IN_FLIGHT_PER_CONNECTION,
	    .content = nbd_content,
	    .dirty = source->bitmap != NULL ? nbd_dirty : NULL,
	    .submit = nbd_submit,
	    .reap = nbd_reap,
	    .close = nbd_source_close,
	};
	return 0;
}
