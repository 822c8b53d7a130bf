/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/down.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "lab/internal.h"
#include "lab/iscsi.h"
#include "lab/network.h"
#include "lab/node.h"
#include "lab/powerd.h"

enum { OPEN_FOLDERS_MAX = 16 };

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path) < 0 && errno != ENOENT ? -errno : 0;
}

int vrms_lab_remove_tree(const char *path, struct vrms_error *error)
{
	int rc = nftw(path, remove_entry, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);

	if (rc == -1) {
		rc = -errno; /* nftw() itself */
	}
	if (rc < 0 && rc != -ENOENT) {
		return vrms_error_errno(error, rc, "%s cannot be removed", path);
	}
	return 0;
}

/* From here on nothing in this lab is switched on any more. */
static int announce(const struct vrms_lab *lab, struct vrms_error *error)
{
	int rc = vrms_file_mkdir_all(vrms_lab_path(lab, "run").text, 0700, error);

	return rc < 0 ? rc
		      : vrms_file_write(vrms_lab_path(lab, "run/closing").text, "", 0, 0600, error);
}

static int stop_node(const struct vrms_lab *lab, int index, struct vrms_error *error)
{
	int lock VRMS_CLEANUP(vrms_closep) = -1;
	int rc = vrms_lab_node_lock(lab, index, &lock, error);

	return rc < 0 ? rc : vrms_lab_node_kill(lab, index, error);
}

/* All nodes, whatever one of them does; the first error is the one to tell. */
static int stop_nodes(const struct vrms_lab *lab, struct vrms_error *error)
{
	int first_rc = 0;

	for (int i = 0; i < vrms_lab_node_count(lab); i++) {
		int rc = stop_node(lab, i, first_rc == 0 ? error : NULL);

		first_rc = first_rc == 0 ? rc : first_rc;
	}
	return first_rc;
}

static int remove_folder(const struct vrms_lab *lab, bool keep, struct vrms_error *error)
{
	int rc = vrms_lab_remove_tree(vrms_lab_path(lab, "run").text, error);

	if (rc == 0) {
		rc = vrms_lab_remove_tree(vrms_lab_path(lab, "san/.power").text, error);
	}
	if (rc < 0 || keep) {
		return rc;
	}
	rc = vrms_lab_remove_tree(lab->dir, error);
	/* The folder of all labs goes with the last one. */
	if (rc == 0 && strncmp(lab->dir, "/var/lib/vrms-lab/", 18) == 0) {
		rmdir("/var/lib/vrms-lab");
	}
	return rc;
}

int vrms_lab_take_down(const struct vrms_lab *lab, bool keep, struct vrms_error *error)
{
	int rc = announce(lab, error);

	if (rc < 0) {
		return rc;
	}
	rc = vrms_lab_powerd_stop(lab, error);
	if (rc < 0) {
		return rc;
	}
	rc = stop_nodes(lab, error);
	rc = rc < 0 ? rc : vrms_lab_iscsi_stop(lab, error);
	if (rc < 0) {
		return rc;
	}
	rc = vrms_lab_network_remove(lab, error);
	return rc < 0 ? rc : remove_folder(lab, keep, error);
}

int vrms_lab_down(struct vrms_lab *lab, bool keep, struct vrms_error *error)
{
	int lock VRMS_CLEANUP(vrms_closep) = -1;
	int rc = vrms_lab_lock(vrms_lab_path(lab, "lock").text, 0, &lock, error);

	return rc < 0 ? rc : vrms_lab_take_down(lab, keep, error);
}
