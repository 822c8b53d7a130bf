/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/disk.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "lab/internal.h"
#include "lab/render.h"
#include "lab/vm.h"

enum owner { ROOT, CLUSTER };

struct folder {
	const char *path;
	mode_t mode;
	enum owner owner;
};

/* Owners and modes are those of the Debian packages. */
static const struct folder folders[] = {
    {"etc/corosync", 0755, ROOT},
    {"etc/corosync/uidgid.d", 0755, ROOT},
    {"etc/pacemaker", 0755, ROOT},
    {"etc/libvirt", 0755, ROOT},
    {"root", 0700, ROOT},
    {"var/lib/corosync", 0755, ROOT},
    {"var/lib/pacemaker", 0755, ROOT},
    {"var/lib/pacemaker/blackbox", 0750, CLUSTER},
    {"var/lib/pacemaker/cib", 0750, CLUSTER},
    {"var/lib/pacemaker/cores", 0750, CLUSTER},
    {"var/lib/pacemaker/pengine", 0750, CLUSTER},
    {"var/lib/libvirt", 0755, ROOT},
    {"var/lib/libvirt/boot", 0711, ROOT},
    {"var/lib/libvirt/images", 0711, ROOT},
    {"var/lib/libvirt/qemu", 0750, ROOT},
    {"var/cache/libvirt", 0711, ROOT},
    {"var/cache/libvirt/qemu", 0711, ROOT},
    {"var/log", 0755, ROOT},
    {"var/log/corosync", 0755, ROOT},
    {"var/log/crmsh", 0770, CLUSTER},
    {"var/log/pacemaker", 0770, CLUSTER},
    {"var/log/pacemaker/bundles", 0770, CLUSTER},
    {"var/log/libvirt", 0755, ROOT},
    {"var/log/libvirt/qemu", 0755, ROOT},
};

struct file {
	const char *path;
	mode_t mode;
	enum owner owner;
	bool is_once; /* the node's own from then on */
	vrms_lab_render *render;
};

static const struct file files[] = {
    {"etc/corosync/corosync.conf", 0644, ROOT, false, vrms_lab_render_corosync},
    {"etc/corosync/vrmsd.conf", 0644, ROOT, false, vrms_lab_render_vrmsd},
    {"etc/hosts", 0644, ROOT, false, vrms_lab_render_hosts},
    {"etc/hostname", 0644, ROOT, false, vrms_lab_render_hostname},
    {"etc/machine-id", 0444, ROOT, false, vrms_lab_render_machine_id},
    {"etc/libvirt/libvirtd.conf", 0644, ROOT, false, vrms_lab_render_libvirtd},
    {"etc/libvirt/qemu.conf", 0600, ROOT, false, vrms_lab_render_qemu},
    {"etc/libvirt/qemu-lockd.conf", 0644, ROOT, false, vrms_lab_render_lockd},
    /* No signature beside it: Pacemaker takes it as it is. */
    {"var/lib/pacemaker/cib/cib.xml", 0600, CLUSTER, true, vrms_lab_render_cib},
};

static const struct vrms_lab_disk_mount mounts[] = {
    {"etc/corosync", false},   {"etc/pacemaker", false},    {"etc/libvirt", true},
    {"etc/hosts", false},      {"etc/hostname", true},      {"etc/machine-id", true},
    {"root", false},           {"var/lib/corosync", false}, {"var/lib/pacemaker", false},
    {"var/lib/libvirt", true}, {"var/cache/libvirt", true}, {"var/log", false},
};

const struct vrms_lab_disk_mount *vrms_lab_disk_mounts(size_t *ret_count)
{
	*ret_count = VRMS_COUNT_OF(mounts);
	return mounts;
}

struct ids {
	uid_t uid;
	gid_t gid;
};

/* Source: Pacemaker's CRM_DAEMON_USER and CRM_DAEMON_GROUP as Debian builds it. */
static int find_cluster_ids(struct ids *ret_ids, struct vrms_error *error)
{
	const struct passwd *user = getpwnam("hacluster");
	const struct group *group = getgrnam("haclient");

	if (user == NULL || group == NULL) {
		return vrms_error_set(error, -ENOENT,
				      "no user hacluster or group haclient (Debian package: "
				      "pacemaker)");
	}
	ret_ids->uid = user->pw_uid;
	ret_ids->gid = group->gr_gid;
	return 0;
}

static int own(const char *path, mode_t mode, enum owner owner, struct vrms_error *error)
{
	struct ids ids = {0, 0};

	if (owner == CLUSTER) {
		int rc = find_cluster_ids(&ids, error);
		if (rc < 0) {
			return rc;
		}
	}
	if (chown(path, ids.uid, ids.gid) < 0 || chmod(path, mode) < 0) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	return 0;
}

static int lay_folder(const struct vrms_lab *lab, int index, const struct folder *folder,
		      struct vrms_error *error)
{
	struct vrms_lab_path path =
	    vrms_lab_path(lab, "nodes/%s/%s", vrms_lab_node_name(lab, index), folder->path);
	int rc = vrms_file_mkdir_all(path.text, 0755, error);

	return rc < 0 ? rc : own(path.text, folder->mode, folder->owner, error);
}

static int lay_file(const struct vrms_lab *lab, int index, const struct file *file,
		    struct vrms_error *error)
{
	struct vrms_lab_path path =
	    vrms_lab_path(lab, "nodes/%s/%s", vrms_lab_node_name(lab, index), file->path);

	if (file->is_once && access(path.text, F_OK) == 0) {
		return 0;
	}
	char *text VRMS_CLEANUP(vrms_freep) = file->render(&lab->setup, index);
	if (text == NULL) {
		return vrms_error_errno(error, -ENOMEM, "%s", path.text);
	}
	int rc = vrms_file_write(path.text, text, strlen(text), file->mode, error);
	return rc < 0 ? rc : own(path.text, file->mode, file->owner, error);
}

int vrms_lab_disk_lay(const struct vrms_lab *lab, int index, struct vrms_error *error)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < VRMS_COUNT_OF(folders); i++) {
		rc = lay_folder(lab, index, &folders[i], error);
	}
	for (size_t i = 0; rc == 0 && i < VRMS_COUNT_OF(files); i++) {
		rc = lay_file(lab, index, &files[i], error);
	}
	return rc;
}

int vrms_lab_san_lay(const struct vrms_lab *lab, struct vrms_error *error)
{
	static const char *const names[] = {"san/vm", "san/disk",
					    "san" VRMS_LAB_LEASES_BELOW_SAN "/" VRMS_LAB_LOCKSPACE};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < VRMS_COUNT_OF(names); i++) {
		rc = vrms_file_mkdir_all(vrms_lab_path(lab, "%s", names[i]).text, 0755, error);
	}
	return rc;
}
