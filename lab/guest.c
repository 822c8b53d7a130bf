/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/child.h"
#include "common/file.h"

enum { RECORD_LBA = 1, ORDER_LBA = 2, BUILD_TIMEOUT_MS = 300000 };

/* lab/guest/bootsector.S and lab/guest/files.S */
extern const char vrms_guest_bootsector[];
extern const char vrms_guest_linux_init[];
extern const char vrms_guest_linux_script[];

/* What a guest reads; bootsector.S knows the same letters. */
static const char letters[VRMS_GUEST_ORDER_COUNT] = {
    [VRMS_GUEST_OBEY] = '\0',    [VRMS_GUEST_DEAF] = 'D',   [VRMS_GUEST_PANIC] = 'P',
    [VRMS_GUEST_WATCHDOG] = 'W', [VRMS_GUEST_REBOOT] = 'R', [VRMS_GUEST_OFF] = 'O',
    [VRMS_GUEST_HANG] = 'H',
};

int vrms_guest_record_read(const char *path, struct vrms_guest_record *ret_record,
			   struct vrms_error *error)
{
	char sector[VRMS_GUEST_SECTOR_BYTES];
	int fd VRMS_CLEANUP(vrms_closep) = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	ssize_t got = pread(fd, sector, sizeof(sector), RECORD_LBA * VRMS_GUEST_SECTOR_BYTES);
	if (got < 0) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	if (got < (ssize_t)sizeof(sector) || vrms_guest_record_decode(sector, ret_record) < 0) {
		return vrms_error_set(error, -ENODATA, "%s: no guest has written to it", path);
	}
	return 0;
}

static int write_sector(int fd, const char *path, const char *sector, int lba,
			struct vrms_error *error)
{
	ssize_t done =
	    pwrite(fd, sector, VRMS_GUEST_SECTOR_BYTES, (off_t)lba * VRMS_GUEST_SECTOR_BYTES);

	if (done != VRMS_GUEST_SECTOR_BYTES) {
		return vrms_error_errno(error, done < 0 ? -errno : -EIO, "%s", path);
	}
	return 0;
}

int vrms_guest_order_write(const char *path, enum vrms_guest_order order, struct vrms_error *error)
{
	char sector[VRMS_GUEST_SECTOR_BYTES] = {letters[order]};
	int fd VRMS_CLEANUP(vrms_closep) = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	int rc = write_sector(fd, path, sector, ORDER_LBA, error);
	/* QEMU reads past the page cache. */
	if (rc == 0 && fdatasync(fd) < 0) {
		rc = vrms_error_errno(error, -errno, "%s", path);
	}
	return rc;
}

int vrms_guest_disk_create(const char *path, struct vrms_error *error)
{
	int fd VRMS_CLEANUP(vrms_closep) =
	    open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EEXIST) {
		return 0;
	}
	if (fd < 0) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	int rc = write_sector(fd, path, vrms_guest_bootsector, 0, error);
	/* Blocks of its own, so that only a disk that is meant to be full can be full. */
	if (rc == 0) {
		rc = -posix_fallocate(fd, 0, VRMS_GUEST_DISK_BYTES);
		rc = rc < 0 ? vrms_error_errno(error, rc, "%s", path) : 0;
	}
	if (rc < 0) {
		unlink(path);
	}
	return rc;
}

static bool is_file(const char *folder, const char *name)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

int vrms_guest_linux_build(const char *folder, struct vrms_error *error)
{
	char *init VRMS_CLEANUP(vrms_freep) = NULL;
	const char *argv[] = {"sh", "-s", folder, NULL};
	const char *path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

	if (is_file(folder, "vmlinuz") && is_file(folder, "initrd.gz")) {
		return 0;
	}
	if (asprintf(&init, "GUEST_INIT=%s", vrms_guest_linux_init) < 0) {
		init = NULL;
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	const char *envp[] = {path, init, NULL};
	const struct vrms_child_spec spec = {
	    .argv = argv,
	    .envp = envp,
	    .input = vrms_guest_linux_script,
	    .timeout_ms = BUILD_TIMEOUT_MS,
	};
	int rc = vrms_child_check(&spec, error);
	return rc < 0 ? vrms_error_wrap(error, rc, "linux guest") : 0;
}
