/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/file_io.h"
#include "backup/store.h"
#include "common/file.h"

struct vrms_store_posix {
	struct vrms_store port;
	char *root;
	int folder;
	bool forgets; /* what the page cache has of a file that is opened */
};

enum { AROUND_BYTES_MIN = 128 << 10, NOT_OPEN = -1, REFUSED = -2 };

struct file {
	int fd;
	bool is_direct;
	atomic_int around; /* for reads around the page cache */
};

static int open_at(struct vrms_store_posix *posix, const char *path, int flags, struct file **ret)
{
	struct file *file VRMS_CLEANUP(vrms_freep) = calloc(1, sizeof(*file));

	if (file == NULL) {
		return -ENOMEM;
	}
	atomic_init(&file->around, NOT_OPEN);
	file->fd = openat(posix->folder, path, flags | O_CLOEXEC, 0600);
	if (file->fd < 0) {
		return -errno;
	}
	*ret = VRMS_TAKE(file);
	return 0;
}

static int create_file(void *context, const char *path, void **ret_file, struct vrms_error *error)
{
	struct vrms_store_posix *posix = context;
	struct file *file;
	int rc = open_at(posix, path, O_WRONLY | O_CREAT | O_EXCL, &file);

	if (rc < 0) {
		return vrms_error_errno(error, rc, "%s/%s", posix->root, path);
	}
	*ret_file = file;
	return 0;
}

static int open_file(void *context, const char *path, void **ret_file, uint64_t *ret_bytes,
		     struct vrms_error *error)
{
	struct vrms_store_posix *posix = context;
	struct stat status;
	struct file *file;
	int rc = open_at(posix, path, O_RDONLY, &file);

	if (rc < 0) {
		return vrms_error_errno(error, rc, "%s/%s", posix->root, path);
	}
	if (fstat(file->fd, &status) < 0) {
		rc = -errno;
		close(file->fd);
		free(file);
		return vrms_error_errno(error, rc, "%s/%s", posix->root, path);
	}
	if (posix->forgets) {
		posix_fadvise(file->fd, 0, 0, POSIX_FADV_DONTNEED);
	}
	*ret_bytes = (uint64_t)status.st_size;
	*ret_file = file;
	return 0;
}

/* The file once more, for reads around the page cache, or REFUSED. */
static int open_around(struct file *file)
{
	int around = atomic_load(&file->around), none = NOT_OPEN;
	char path[40];

	if (around != NOT_OPEN) {
		return around;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file->fd);
	around = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	around = around < 0 ? REFUSED : around;
	if (!atomic_compare_exchange_strong(&file->around, &none, around)) {
		vrms_closep(&around); /* another thread was first */
		around = none;
	}
	return around;
}

/* Large reads are those of a whole restore or verification: each byte is wanted once, and must not
 * push out of memory what others have there. */
static int read_around(struct file *file, void *buffer, size_t size, uint64_t offset)
{
	bool is_aligned = (((uintptr_t)buffer | size | offset) & (VRMS_STORE_ALIGN - 1)) == 0;
	int around = is_aligned && size >= AROUND_BYTES_MIN ? open_around(file) : REFUSED;

	return around >= 0 ? vrms_io_read(around, buffer, size, offset) : -EINVAL;
}

static int read_file(void *context, void *buffer, size_t size, uint64_t offset)
{
	struct file *file = context;
	int rc = read_around(file, buffer, size, offset);

	/* Some file systems refuse only at the first read; the end of a file is no whole sector. An
	 * I/O error stays one: the page cache may still have what the disk does not. */
	if (rc == -EINVAL || rc == -EOPNOTSUPP || rc == -ENODATA) {
		rc = vrms_io_read(file->fd, buffer, size, offset);
	}
	return rc == -ENODATA ? -EBADMSG : rc;
}

/* Direct when it can be; some file systems (tmpfs, some NFS) refuse it, at the
 * change of the flag or at the first write. */
static void choose_direct(struct file *file, const void *buffer, size_t size, uint64_t offset)
{
	bool want = (((uintptr_t)buffer | size | offset) & (VRMS_STORE_ALIGN - 1)) == 0;

	if (want != file->is_direct && fcntl(file->fd, F_SETFL, want ? O_DIRECT : 0) == 0) {
		file->is_direct = want;
	}
}

static int write_file(void *context, const void *buffer, size_t size, uint64_t offset)
{
	struct file *file = context;
	int rc;

	choose_direct(file, buffer, size, offset);
	rc = vrms_io_write(file->fd, buffer, size, offset);
	if (rc == -EINVAL && file->is_direct) {
		if (fcntl(file->fd, F_SETFL, 0) < 0) {
			return -errno;
		}
		file->is_direct = false;
		rc = vrms_io_write(file->fd, buffer, size, offset);
	}
	return rc;
}

static int sync_file(void *context, uint64_t bytes)
{
	struct file *file = context;

	if (ftruncate(file->fd, (off_t)bytes) < 0 || fsync(file->fd) < 0) {
		return -errno;
	}
	return 0;
}

static void close_file(void *context)
{
	struct file *file = context;
	int around = atomic_load(&file->around);

	vrms_closep(&around);
	close(file->fd);
	free(file);
}

static int publish_file(void *context, const char *from, const char *to, struct vrms_error *error)
{
	struct vrms_store_posix *posix = context;
	int rc = renameat(posix->folder, from, posix->folder, to) < 0 ? -errno : 0;

	if (rc == 0) {
		rc = vrms_io_sync_parent(posix->folder, to);
	}
	return rc < 0 ? vrms_error_errno(error, rc, "%s/%s", posix->root, to) : 0;
}

static int remove_file(void *context, const char *path, struct vrms_error *error)
{
	struct vrms_store_posix *posix = context;
	int rc = unlinkat(posix->folder, path, 0) < 0 ? -errno : 0;

	if (rc == -EISDIR) {
		rc = unlinkat(posix->folder, path, AT_REMOVEDIR) < 0 ? -errno : 0;
	}
	if (rc == -ENOENT) {
		return 0;
	}
	if (rc == 0) {
		rc = vrms_io_sync_parent(posix->folder, path);
	}
	return rc < 0 ? vrms_error_errno(error, rc, "%s/%s", posix->root, path) : 0;
}

static int list_into(DIR *stream, struct vrms_store_list *list)
{
	for (const struct dirent *row = readdir(stream); row != NULL; row = readdir(stream)) {
		struct stat status;
		int rc;

		if (strcmp(row->d_name, ".") == 0 || strcmp(row->d_name, "..") == 0) {
			continue;
		}
		if (fstatat(dirfd(stream), row->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno == ENOENT) { /* removed since */
				continue;
			}
			return -errno;
		}
		rc = vrms_store_list_add(list, row->d_name, (uint64_t)status.st_size);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

static int list_folder(void *context, const char *folder, struct vrms_store_list *ret_list,
		       struct vrms_error *error)
{
	struct vrms_store_posix *posix = context;
	int fd = openat(posix->folder, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream;
	int rc;

	memset(ret_list, 0, sizeof(*ret_list));
	if (fd < 0 && errno == ENOENT) {
		return 0;
	}
	stream = fd < 0 ? NULL : fdopendir(fd);
	if (stream == NULL) {
		rc = -errno;
		vrms_closep(&fd);
		return vrms_error_errno(error, rc, "%s/%s", posix->root, folder);
	}
	rc = list_into(stream, ret_list);
	closedir(stream);
	if (rc < 0) {
		vrms_store_list_done(ret_list);
		return vrms_error_errno(error, rc, "%s/%s", posix->root, folder);
	}
	vrms_store_list_sort(ret_list);
	return 0;
}

static int make_folder(void *context, const char *path, struct vrms_error *error)
{
	struct vrms_store_posix *posix = context;
	int rc;

	if (mkdirat(posix->folder, path, 0700) < 0 && errno != EEXIST) {
		return vrms_error_errno(error, -errno, "%s/%s", posix->root, path);
	}
	/* Also of one that is there: who made it may have been killed before this. */
	rc = vrms_io_sync_parent(posix->folder, path);
	return rc < 0 ? vrms_error_errno(error, rc, "%s/%s", posix->root, path) : 0;
}

int vrms_store_posix_open(const char *root, struct vrms_store_posix **ret_posix,
			  struct vrms_error *error)
{
	struct vrms_store_posix *posix VRMS_CLEANUP(vrms_store_posix_closep) =
	    calloc(1, sizeof(*posix));

	if (posix == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	posix->folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (posix->folder < 0) {
		return vrms_error_errno(error, -errno, "repository '%s'", root);
	}
	posix->root = strdup(root);
	if (posix->root == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	posix->port = (struct vrms_store){
	    .context = posix,
	    .create = create_file,
	    .open = open_file,
	    .read = read_file,
	    .write = write_file,
	    .sync = sync_file,
	    .close = close_file,
	    .publish = publish_file,
	    .remove = remove_file,
	    .list = list_folder,
	    .folder = make_folder,
	};
	*ret_posix = VRMS_TAKE(posix);
	return 0;
}

void vrms_store_posix_close(struct vrms_store_posix *posix)
{
	if (posix == NULL) {
		return;
	}
	vrms_closep(&posix->folder);
	free(posix->root);
	free(posix);
}

void vrms_store_posix_forget(struct vrms_store_posix *posix)
{
	posix->forgets = true;
}

const struct vrms_store *vrms_store_posix_port(struct vrms_store_posix *posix)
{
	return &posix->port;
}
