/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/furnish.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "lab/disk.h"
#include "lab/internal.h"

struct filesystem {
	const char *type;
	const char *target;
	unsigned long flags;
	const char *options;
};

static const struct filesystem filesystems[] = {
    {"proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
    /* The node's own view of /sys/class/net, and no control groups below it. */
    {"sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
    {"tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777,size=2g"},
    {"tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=755,size=256m"},
};

/* Mounted last: the lab's folder and the stage may be below it. */
static const struct filesystem scratch = {
    "tmpfs",
    "/tmp",
    MS_NOSUID | MS_NODEV,
    "mode=1777",
};

struct run_folder {
	const char *path;
	mode_t mode;
};

/* What systemd-tmpfiles makes on a real machine. */
static const struct run_folder run_folders[] = {
    {"/run/lock", 01777},   {"/run/resource-agents", 01755}, {"/run/fence-agents", 01755},
    {"/run/libvirt", 0755}, {"/run/vrms-lab", 0755},         {"/run/user", 0755},
    {"/run/vrms", 0755},
};

/* The switches of all labs are mounts too: a copy of one in here would keep it alive after
 * its lab is gone.  Collected first, because unmounting changes what is being read. */
static int drop_namespace_mounts(struct vrms_error *error)
{
	char *targets VRMS_CLEANUP(vrms_freep) = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&targets, &size);
	FILE *mounts = setmntent("/proc/self/mounts", "r");

	for (struct mntent *entry = NULL;
	     out != NULL && mounts != NULL && (entry = getmntent(mounts)) != NULL;) {
		if (strcmp(entry->mnt_type, "nsfs") == 0) {
			fprintf(out, "%s%c", entry->mnt_dir, '\0');
		}
	}
	if (mounts != NULL) {
		endmntent(mounts);
	}
	if (out == NULL || mounts == NULL || fclose(out) != 0) {
		return vrms_error_errno(error, -errno, "/proc/self/mounts");
	}
	for (const char *at = targets; at < targets + size; at += strlen(at) + 1) {
		if (umount2(at, MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT) {
			return vrms_error_errno(error, -errno, "umount %s", at);
		}
	}
	return 0;
}

static int mount_filesystem(const struct filesystem *fs, struct vrms_error *error)
{
	if (mount(fs->type, fs->target, fs->type, fs->flags, fs->options) < 0) {
		return vrms_error_errno(error, -errno, "mount %s on %s", fs->type, fs->target);
	}
	return 0;
}

static int mount_filesystems(struct vrms_error *error)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < VRMS_COUNT_OF(filesystems); i++) {
		rc = mount_filesystem(&filesystems[i], error);
	}
	return rc;
}

static int make_run_folders(struct vrms_error *error)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(run_folders); i++) {
		const struct run_folder *folder = &run_folders[i];

		if (mkdir(folder->path, 0755) < 0 || chmod(folder->path, folder->mode) < 0) {
			return vrms_error_errno(error, -errno, "%s", folder->path);
		}
	}
	return 0;
}

static int bind(const char *source, const char *target, bool is_optional, struct vrms_error *error)
{
	if (is_optional && access(target, F_OK) < 0) {
		return 0;
	}
	if (mount(source, target, NULL, MS_BIND, NULL) < 0) {
		return vrms_error_errno(error, -errno, "mount %s on %s", source, target);
	}
	return 0;
}

static int bind_disk(const struct vrms_lab *lab, int index, struct vrms_error *error)
{
	size_t count = 0;
	const struct vrms_lab_disk_mount *mounts = vrms_lab_disk_mounts(&count);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		char target[64];

		snprintf(target, sizeof(target), "/%s", mounts[i].path);
		rc = bind(vrms_lab_path(lab, "nodes/%s/%s", vrms_lab_node_name(lab, index),
					mounts[i].path)
			      .text,
			  target, mounts[i].is_optional, error);
	}
	return rc < 0 ? rc : bind(vrms_lab_san_path(lab), "/srv", false, error);
}

/* The stage over the installed programs: read-only, so no upper layer is needed and any
 * file system will do. */
static int lay_stage(const struct vrms_lab *lab, struct vrms_error *error)
{
	char options[VRMS_LAB_DIR_SIZE + 32];

	if (lab->setup.stage[0] == '\0') {
		return 0;
	}
	snprintf(options, sizeof(options), "lowerdir=%s/usr:/usr", lab->setup.stage);
	if (mount("vrms-lab-stage", "/usr", "overlay", MS_RDONLY, options) < 0) {
		return vrms_error_errno(error, -errno, "overlay of %s/usr on /usr",
					lab->setup.stage);
	}
	return 0;
}

/* Root in a node is root of this machine: sbd, when it takes its pill, would reset all of it.  What
 * it does next, reboot(2), ends the node's pid 1 only. */
static int cover_sysrq(struct vrms_error *error)
{
	return bind("/dev/null", "/proc/sysrq-trigger", true, error);
}

static int turn_off_ipv6(struct vrms_error *error)
{
	int fd VRMS_CLEANUP(vrms_closep) =
	    open("/proc/sys/net/ipv6/conf/all/disable_ipv6", O_WRONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		return 0; /* a kernel without it */
	}
	if (fd < 0 || write(fd, "1", 1) != 1) {
		return vrms_error_errno(error, -errno, "disable_ipv6");
	}
	return 0;
}

int vrms_lab_furnish(const struct vrms_lab *lab, int index, struct vrms_error *error)
{
	const char *name = vrms_lab_node_name(lab, index);
	const struct rlimit no_core = {0, 0};

	if (sethostname(name, strlen(name)) < 0) {
		return vrms_error_errno(error, -errno, "sethostname");
	}
	/* From here on nothing that is mounted here is seen outside, nor the other way round. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		return vrms_error_errno(error, -errno, "private mounts");
	}
	int rc = drop_namespace_mounts(error);
	rc = rc < 0 ? rc : lay_stage(lab, error);
	rc = rc < 0 ? rc : mount_filesystems(error);
	rc = rc < 0 ? rc : cover_sysrq(error);
	rc = rc < 0 ? rc : make_run_folders(error);
	rc = rc < 0 ? rc : bind_disk(lab, index, error);
	rc = rc < 0 ? rc : turn_off_ipv6(error);
	rc = rc < 0 ? rc : mount_filesystem(&scratch, error);
	setrlimit(RLIMIT_CORE, &no_core);
	umask(022);
	return rc;
}
