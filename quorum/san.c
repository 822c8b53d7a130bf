/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/san.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"

enum { BUFFER_ALIGN = 4096, BLOCK_BYTES_MAX = 4096, PROBE_BYTES = 1 << 20 };

struct vrms_san {
	int fd;
	char *path;
	struct vrms_beat_header header;
	uint8_t *buffer; /* header and all slots */
	uint8_t *block;  /* one slot, to write */
};

uint64_t vrms_san_area_bytes(uint32_t block_bytes)
{
	return (uint64_t)block_bytes * (1 + VRMS_BEAT_SLOTS);
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static uint8_t *new_buffer(uint64_t bytes)
{
	uint8_t *buffer =
	    aligned_alloc(BUFFER_ALIGN, (bytes + BUFFER_ALIGN - 1) / BUFFER_ALIGN * BUFFER_ALIGN);

	if (buffer != NULL) {
		memset(buffer, 0, bytes);
	}
	return buffer;
}

struct piece {
	uint8_t *bytes;
	size_t count;
	off_t offset; /* in the area */
};

/* The whole of it or an error: a short transfer of a few kilobytes is one. */
static int read_all(int fd, const char *path, struct piece piece, struct vrms_error *error)
{
	ssize_t got;

	do {
		got = pread(fd, piece.bytes, piece.count, piece.offset);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		return vrms_error_errno(error, -errno, "%s: read", path);
	}
	if ((size_t)got != piece.count) {
		return vrms_error_set(error, -EIO, "%s: read %zd of %zu bytes", path, got,
				      piece.count);
	}
	return 0;
}

static int write_all(int fd, const char *path, struct piece piece, struct vrms_error *error)
{
	ssize_t put;

	do {
		put = pwrite(fd, piece.bytes, piece.count, piece.offset);
	} while (put < 0 && errno == EINTR);
	if (put < 0) {
		return vrms_error_errno(error, -errno, "%s: write", path);
	}
	if ((size_t)put != piece.count) {
		return vrms_error_set(error, -EIO, "%s: wrote %zd of %zu bytes", path, put,
				      piece.count);
	}
	return 0;
}

/* Size of a device or file; block_bytes: the least that can be written to it at once. */
static int measure(int fd, const char *path, uint64_t *ret_bytes, uint32_t *ret_block_bytes,
		   struct vrms_error *error)
{
	struct stat status;
	int block_bytes = 512;

	if (fstat(fd, &status) < 0) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	if (S_ISREG(status.st_mode)) {
		*ret_bytes = (uint64_t)status.st_size;
		/* O_DIRECT on a file wants the blocks of the device below, which may be of 4 KiB.
		 */
		*ret_block_bytes = BLOCK_BYTES_MAX;
		return 0;
	}
	if (!S_ISBLK(status.st_mode)) {
		return vrms_error_set(error, -EINVAL, "%s: neither a file nor a block device",
				      path);
	}
	if (ioctl(fd, BLKGETSIZE64, ret_bytes) < 0 || ioctl(fd, BLKSSZGET, &block_bytes) < 0) {
		return vrms_error_errno(error, -errno, "%s: size", path);
	}
	*ret_block_bytes = block_bytes <= 512 ? 512 : BLOCK_BYTES_MAX;
	return 0;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
	return count == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

/* File systems, partition tables and LVM announce themselves at the start, md and DRBD also at
 * the end. */
static int refuse_used(int fd, const char *path, uint64_t bytes, struct vrms_error *error)
{
	uint8_t *probe VRMS_CLEANUP(vrms_freep) = new_buffer(PROBE_BYTES);
	size_t length = bytes < PROBE_BYTES ? (size_t)(bytes / 512 * 512) : PROBE_BYTES;
	struct vrms_beat_header header;

	if (probe == NULL) {
		return vrms_error_set(error, -ENOMEM, "%s: out of memory", path);
	}
	int rc = read_all(fd, path, (struct piece){probe, length, 0}, error);

	if (rc < 0) {
		return rc;
	}
	if (length >= VRMS_BEAT_RECORD_BYTES &&
	    vrms_beat_header_decode(probe, &header, NULL) == 0) {
		return vrms_error_set(error, -EEXIST, "%s: is the beat area of cluster \"%s\"",
				      path, header.cluster);
	}
	if (!is_zero(probe, length)) {
		return vrms_error_set(error, -EEXIST, "%s: looks used: its start is not all zeros",
				      path);
	}
	rc = read_all(fd, path, (struct piece){probe, length, (off_t)(bytes / 512 * 512 - length)},
		      error);
	if (rc < 0) {
		return rc;
	}
	if (!is_zero(probe, length)) {
		return vrms_error_set(error, -EEXIST, "%s: looks used: its end is not all zeros",
				      path);
	}
	return 0;
}

static int open_for_init(const char *path, int *ret_fd, struct vrms_error *error)
{
	struct stat status;
	bool is_new = stat(path, &status) < 0 && errno == ENOENT;
	/* O_EXCL on a block device: refused while it is mounted or held. */
	int flags = O_RDWR | O_CLOEXEC | (is_new || S_ISBLK(status.st_mode) ? O_EXCL : 0);
	int fd VRMS_CLEANUP(vrms_closep) = open(path, flags | (is_new ? O_CREAT : 0), 0600);

	if (fd < 0) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	if (is_new && ftruncate(fd, (off_t)vrms_san_area_bytes(BLOCK_BYTES_MAX)) < 0) {
		int rc = vrms_error_errno(error, -errno, "%s", path);

		unlink(path);
		return rc;
	}
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static int fill_header(struct vrms_beat_header *header, const char *cluster,
		       struct vrms_error *error)
{
	struct timespec now;

	if (strlen(cluster) >= VRMS_BEAT_NAME_BYTES) {
		return vrms_error_set(error, -EINVAL, "cluster name \"%s\": longer than %d bytes",
				      cluster, VRMS_BEAT_NAME_BYTES - 1);
	}
	memcpy(header->cluster, cluster, strlen(cluster) + 1);
	clock_gettime(CLOCK_REALTIME, &now);
	header->created_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (getrandom(header->area_id, sizeof(header->area_id), 0) !=
	    (ssize_t)sizeof(header->area_id)) {
		return vrms_error_errno(error, -errno, "random numbers");
	}
	return 0;
}

int vrms_san_init(const char *path, const char *cluster, bool force, struct vrms_error *error)
{
	struct vrms_beat_header header = {0};
	int fd VRMS_CLEANUP(vrms_closep) = -1;
	uint64_t bytes;
	int rc = fill_header(&header, cluster, error);

	if (rc < 0) {
		return rc;
	}
	rc = open_for_init(path, &fd, error);
	if (rc < 0) {
		return rc;
	}
	rc = measure(fd, path, &bytes, &header.block_bytes, error);
	if (rc < 0) {
		return rc;
	}
	uint64_t area_bytes = vrms_san_area_bytes(header.block_bytes);

	if (bytes < area_bytes) {
		return vrms_error_set(error, -ENOSPC, "%s: has %llu bytes, a beat area needs %llu",
				      path, (unsigned long long)bytes,
				      (unsigned long long)area_bytes);
	}
	if (!force) {
		rc = refuse_used(fd, path, bytes, error);
		if (rc < 0) {
			return rc;
		}
	}
	uint8_t *area VRMS_CLEANUP(vrms_freep) = new_buffer(area_bytes);

	if (area == NULL) {
		return vrms_error_set(error, -ENOMEM, "%s: out of memory", path);
	}
	rc = vrms_beat_header_encode(&header, area, error);
	if (rc < 0) {
		return rc;
	}
	rc = write_all(fd, path, (struct piece){area, area_bytes, 0}, error);
	if (rc < 0) {
		return rc;
	}
	return fsync(fd) < 0 ? vrms_error_errno(error, -errno, "%s: fsync", path) : 0;
}

void vrms_san_free(struct vrms_san *san)
{
	if (san == NULL) {
		return;
	}
	vrms_closep(&san->fd);
	free(san->path);
	free(san->buffer);
	free(san->block);
	free(san);
}

/* The header decides how long a block is, so it is read before the rest, in the largest unit. */
static int read_header(struct vrms_san *san, const char *cluster, struct vrms_error *error)
{
	uint64_t bytes;
	uint32_t block_bytes;
	int rc = measure(san->fd, san->path, &bytes, &block_bytes, error);

	if (rc < 0) {
		return rc;
	}
	if (bytes < vrms_san_area_bytes(VRMS_BEAT_RECORD_BYTES)) {
		return vrms_error_set(error, -ENOSPC, "%s: too small for a beat area", san->path);
	}
	rc = read_all(san->fd, san->path, (struct piece){san->buffer, BLOCK_BYTES_MAX, 0}, error);
	if (rc < 0) {
		return rc;
	}
	rc = vrms_beat_header_decode(san->buffer, &san->header, error);
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "%s", san->path);
	}
	if (cluster != NULL && strcmp(cluster, san->header.cluster) != 0) {
		return vrms_error_set(error, -ENXIO,
				      "%s: is the beat area of cluster \"%s\", not of \"%s\"",
				      san->path, san->header.cluster, cluster);
	}
	if (bytes < vrms_san_area_bytes(san->header.block_bytes)) {
		return vrms_error_set(error, -ENOSPC, "%s: shorter than its header says",
				      san->path);
	}
	return 0;
}

int vrms_san_open(const char *path, const char *cluster, bool for_writing,
		  struct vrms_san **ret_san, struct vrms_error *error)
{
	struct vrms_san *san VRMS_CLEANUP(vrms_san_freep) = calloc(1, sizeof(*san));

	if (san == NULL) {
		return vrms_error_set(error, -ENOMEM, "%s: out of memory", path);
	}
	/* O_DSYNC: a beat that the array's cache has not got is no beat. */
	san->fd = open(path, (for_writing ? O_RDWR | O_DSYNC : O_RDONLY) | O_DIRECT | O_CLOEXEC);
	if (san->fd < 0) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	san->path = strdup(path);
	san->buffer = new_buffer(vrms_san_area_bytes(BLOCK_BYTES_MAX));
	san->block = new_buffer(BLOCK_BYTES_MAX);
	if (san->path == NULL || san->buffer == NULL || san->block == NULL) {
		return vrms_error_set(error, -ENOMEM, "%s: out of memory", path);
	}
	int rc = read_header(san, cluster, error);

	if (rc < 0) {
		return rc;
	}
	*ret_san = VRMS_TAKE(san);
	return 0;
}

const struct vrms_beat_header *vrms_san_header(const struct vrms_san *san)
{
	return &san->header;
}

static enum vrms_slot_state decode_slot(const struct vrms_san *san, const uint8_t *record,
					struct vrms_beat *beat)
{
	int rc = vrms_beat_decode(record, beat, NULL);

	if (rc == -ENODATA) {
		return VRMS_SLOT_FREE;
	}
	if (rc < 0) {
		return VRMS_SLOT_BROKEN;
	}
	return memcmp(beat->area_id, san->header.area_id, VRMS_BEAT_ID_BYTES) == 0
		   ? VRMS_SLOT_VALID
		   : VRMS_SLOT_FOREIGN;
}

int vrms_san_read(struct vrms_san *san, struct vrms_san_view *view, struct vrms_error *error)
{
	uint32_t block_bytes = san->header.block_bytes;
	struct vrms_beat_header header;
	int64_t begin_us = now_us();
	int rc = read_all(san->fd, san->path,
			  (struct piece){san->buffer, vrms_san_area_bytes(block_bytes), 0}, error);

	if (rc < 0) {
		return rc;
	}
	view->latency_us = now_us() - begin_us;
	rc = vrms_beat_header_decode(san->buffer, &header, error);
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "%s", san->path);
	}
	if (memcmp(header.area_id, san->header.area_id, VRMS_BEAT_ID_BYTES) != 0) {
		return vrms_error_set(error, -ESTALE, "%s: the beat area was made anew", san->path);
	}
	for (unsigned slot = 0; slot < VRMS_BEAT_SLOTS; slot++) {
		const uint8_t *record = san->buffer + (size_t)block_bytes * (1 + slot);

		view->states[slot] = decode_slot(san, record, &view->beats[slot]);
	}
	return 0;
}

int vrms_san_find_slot(const struct vrms_san_view *view, uint32_t node_id, unsigned *ret_slot,
		       struct vrms_error *error)
{
	unsigned free_slot = VRMS_BEAT_SLOTS;

	for (unsigned slot = 0; slot < VRMS_BEAT_SLOTS; slot++) {
		bool is_valid = view->states[slot] == VRMS_SLOT_VALID;

		if (is_valid && view->beats[slot].node_id == node_id) {
			*ret_slot = slot;
			return 0;
		}
		if (!is_valid && free_slot == VRMS_BEAT_SLOTS) {
			free_slot = slot;
		}
	}
	if (free_slot == VRMS_BEAT_SLOTS) {
		return vrms_error_set(error, -ENOSPC, "node %u: all %d slots are taken", node_id,
				      VRMS_BEAT_SLOTS);
	}
	*ret_slot = free_slot;
	return 0;
}

int vrms_san_write(struct vrms_san *san, unsigned slot, struct vrms_beat *beat,
		   int64_t *ret_latency_us, struct vrms_error *error)
{
	uint32_t block_bytes = san->header.block_bytes;

	memcpy(beat->area_id, san->header.area_id, VRMS_BEAT_ID_BYTES);
	int rc = vrms_beat_encode(beat, san->block, error);

	if (rc < 0) {
		return rc;
	}
	int64_t begin_us = now_us();

	rc = write_all(san->fd, san->path,
		       (struct piece){san->block, block_bytes,
				      (off_t)block_bytes * (1 + (off_t)slot)},
		       error);
	if (rc < 0) {
		return rc;
	}
	*ret_latency_us = now_us() - begin_us;
	return 0;
}
