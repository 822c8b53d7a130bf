/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/requirements.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/internal.h"
#include "lab/node.h"

enum need { ALWAYS, LIBVIRT, ISCSI, LOCKS };

struct program {
	const char *name;
	const char *package;
	enum need when;
};

static const struct program programs[] = {
    {"ip", "iproute2", ALWAYS},
    {"nft", "nftables", ALWAYS},
    {"corosync", "corosync", ALWAYS},
    {"corosync-cfgtool", "corosync", ALWAYS},
    {"pacemakerd", "pacemaker", ALWAYS},
    {"crm_mon", "pacemaker-cli-utils", ALWAYS},
    {"libvirtd", "libvirt-daemon", LIBVIRT},
    {"qemu-system-x86_64", "qemu-system-x86", LIBVIRT},
    {"tgtd", "tgt", ISCSI},
    {"tc", "iproute2", ISCSI},
    {"virtlockd", "libvirt-daemon", LOCKS},
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

static bool is_needed(const struct program *program, const struct vrms_lab_setup *setup)
{
	const bool needed[] = {
	    [ALWAYS] = true,
	    [LIBVIRT] = setup->has_libvirt,
	    [ISCSI] = setup->has_iscsi,
	    [LOCKS] = setup->has_locks,
	};

	return needed[program->when];
}

static int check_programs(const struct vrms_lab_setup *setup, struct vrms_error *error)
{
	char missing[400] = "";

	for (size_t i = 0; i < VRMS_COUNT_OF(programs); i++) {
		const struct program *program = &programs[i];
		size_t length = strlen(missing);

		if (!is_needed(program, setup) || is_installed(program->name)) {
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

int vrms_lab_requirements_check(const struct vrms_lab_setup *setup, struct vrms_error *error)
{
	int rc = vrms_lab_requirements_root(error);

	rc = rc < 0 ? rc : check_programs(setup, error);
	return rc < 0 ? rc : check_namespaces(error);
}
