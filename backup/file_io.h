/* file_io.h - reads and writes of files that end or fail, but are never short.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_FILE_IO_H
#define VRMS_BACKUP_FILE_IO_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* All of it; -ENODATA when the file ends before, or another -errno. */
VRMS_MUST_CHECK int vrms_io_read(int fd, void *buffer, size_t size, uint64_t offset);

/* All of it, or -errno. */
VRMS_MUST_CHECK int vrms_io_write(int fd, const void *buffer, size_t size, uint64_t offset);

/* Makes the names in the folder that holds `path` durable.
 * folder: an open one that path is relative to, or AT_FDCWD. */
VRMS_MUST_CHECK int vrms_io_sync_parent(int folder, const char *path);

#endif
