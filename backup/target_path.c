/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/target_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/file_io.h"

int vrms_target_path_init(struct vrms_target_path *path, const char *final, bool is_overwriting,
			  struct vrms_error *error)
{
	struct stat status;
	bool is_there = stat(final, &status) == 0;

	if (!is_there && errno != ENOENT) {
		return vrms_error_errno(error, -errno, "'%s'", final);
	}
	if (!is_there && strncmp(final, "/dev/", 5) == 0 && strncmp(final, "/dev/shm/", 9) != 0) {
		return vrms_error_set(error, -ENODEV, "'%s': no such device", final);
	}
	if (is_there && !is_overwriting) {
		return vrms_error_set(error, -EEXIST, "'%s' exists; --overwrite replaces it",
				      final);
	}
	if (is_there && !S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
		return vrms_error_set(error, -EINVAL, "'%s' is neither a file nor a block device",
				      final);
	}
	path->is_device = is_there && S_ISBLK(status.st_mode);
	path->final = strdup(final);
	if (path->final == NULL ||
	    (!path->is_device && asprintf(&path->partial, "%s" VRMS_TARGET_PARTIAL, final) < 0)) {
		path->partial = NULL;
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	path->has_old = is_there;
	path->mode = is_there ? status.st_mode & 07777 : 0;
	path->owner = is_there ? status.st_uid : 0;
	path->group = is_there ? status.st_gid : 0;
	return 0;
}

int vrms_target_path_publish(struct vrms_target_path *path, struct vrms_error *error)
{
	int rc;

	if (path->is_device) {
		return 0;
	}
	if (path->has_old && (chown(path->partial, path->owner, path->group) < 0 ||
			      chmod(path->partial, path->mode) < 0)) {
		return vrms_error_errno(error, -errno, "'%s'", path->partial);
	}
	if (rename(path->partial, path->final) < 0) {
		return vrms_error_errno(error, -errno, "'%s'", path->final);
	}
	path->is_published = true;
	rc = vrms_io_sync_parent(AT_FDCWD, path->final);
	return rc < 0 ? vrms_error_errno(error, rc, "'%s'", path->final) : 0;
}

void vrms_target_path_done(struct vrms_target_path *path)
{
	if (path->partial != NULL && !path->is_published) {
		unlink(path->partial);
	}
	free(path->final);
	free(path->partial);
	memset(path, 0, sizeof(*path));
}
