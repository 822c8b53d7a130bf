/* file.h - whole files, read with a limit and written so that readers see the old or the new one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_COMMON_FILE_H
#define VRMS_COMMON_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"

/* Reads a whole file into a NUL-terminated heap buffer.
 *
 * size_max:  -EFBIG when the file is larger, in bytes.
 * ret_size:  bytes without the NUL; may be NULL.
 * Works on /proc files, whose size is reported as 0.
 * Errors: -errno of open(2) and read(2); the text names the path.
 */
VRMS_MUST_CHECK int vrms_file_read(const char *path, size_t size_max, char **ret_text,
				   size_t *ret_size, struct vrms_error *error);

/* Replaces a file: temporary file beside it, fsync, rename, fsync of the folder.
 *
 * After a crash at any moment `path` holds the old or the new content.  The
 * temporary file is removed on failure.  A device or pipe is written to instead.
 */
VRMS_MUST_CHECK int vrms_file_write(const char *path, const void *data, size_t size, mode_t mode,
				    struct vrms_error *error);

/* rename() that outlives a power cut: the folder of `to` is synced too.  When only that fails the
 * file has its new name all the same.  Both are of one folder. */
VRMS_MUST_CHECK int vrms_file_rename(const char *from, const char *to, struct vrms_error *error);

/* mkdir -p; an existing folder is success. */
VRMS_MUST_CHECK int vrms_file_mkdir_all(const char *path, mode_t mode, struct vrms_error *error);

/* Closes the descriptor when >= 0; for VRMS_CLEANUP. */
void vrms_closep(int *fd);

#endif
