/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/requirements.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/internal.h"
#include "lab/node.h"

struct program {
	const char *name;
	const char *package;
	bool is_libvirt;
};

static const struct program programs[] = {
    {"ip", "iproute2", false},
    {"nft", "nftables", false},
    {"corosync", "corosync", false},
    {"corosync-cfgtool", "corosync", false},
    {"pacemakerd", "pacemaker", false},
    {"crm_mon", "pacemaker-cli-utils", false},
    {"libvirtd", "libvirt-daemon", true},
    {"qemu-system-x86_64", "qemu-system-x86", true},
};

static bool is_installed(const char *program)
{
	char folders[] = VRMS_LAB_PROGRAM_PATH;
	char *rest = NULL;

	for (const char *folder = strtok_r(folders, ":", &rest); folder != NULL;
	     folder = strtok_r(NULL, ":", &rest)) {
		char path[256];

		snprintf(path, sizeof(path), "%s/%s", folder, program);
		if (access(path, X_OK) == 0) {
			return true;
		}
	}
	return false;
}

static int check_programs(bool with_libvirt, struct vrms_error *error)
{
	char missing[400] = "";

	for (size_t i = 0; i < VRMS_COUNT_OF(programs); i++) {
		const struct program *program = &programs[i];
		size_t length = strlen(missing);

		if ((program->is_libvirt && !with_libvirt) || is_installed(program->name)) {
			continue;
		}
		snprintf(missing + length, sizeof(missing) - length, "%s%s (Debian package: %s)",
			 length > 0 ? ", " : "", program->name, program->package);
	}
	if (missing[0] != '\0') {
		return vrms_error_set(error, -ENOENT, "a lab needs %s", missing);
	}
	return 0;
}

/* Tried in a child: what a container forbids cannot be read off anything. */
static int check_namespaces(struct vrms_error *error)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		_exit(unshare(VRMS_LAB_NODE_NAMESPACES) < 0 ? errno : 0);
	}
	if (child < 0) {
		return vrms_error_errno(error, -errno, "fork");
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		return vrms_error_set(
		    error, -EPERM,
		    "this machine or container does not let root make namespaces (unshare: %s)",
		    WIFEXITED(status) ? strerror(WEXITSTATUS(status)) : "killed");
	}
	return 0;
}

int vrms_lab_requirements_root(struct vrms_error *error)
{
	if (geteuid() != 0) {
		return vrms_error_set(error, -EPERM,
				      "a lab needs root, because it makes namespaces; try sudo");
	}
	return 0;
}

int vrms_lab_requirements_check(bool with_libvirt, struct vrms_error *error)
{
	int rc = vrms_lab_requirements_root(error);

	rc = rc < 0 ? rc : check_programs(with_libvirt, error);
	return rc < 0 ? rc : check_namespaces(error);
}
