/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "lab/disk.h"
#include "lab/down.h"
#include "lab/internal.h"
#include "lab/iscsi.h"
#include "lab/network.h"
#include "lab/node.h"
#include "lab/power.h"
#include "lab/powerd.h"
#include "lab/requirements.h"
#include "lab/wait.h"

void vrms_lab_options_init(struct vrms_lab_options *options)
{
	*options = (struct vrms_lab_options){
	    .node_count = 3,
	    .boot_delay_ms = 5000,
	    .timeout_ms = 300000,
	};
}

static int make_id(char id[VRMS_LAB_ID_SIZE], struct vrms_error *error)
{
	uint64_t number = 0;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number)) {
		return vrms_error_errno(error, -errno, "getrandom");
	}
	snprintf(id, VRMS_LAB_ID_SIZE, "%016llx", (unsigned long long)number);
	return 0;
}

static int check_stage(const char *stage, struct vrms_error *error)
{
	char path[VRMS_LAB_DIR_SIZE + 8];
	struct stat status;
	int rc = vrms_lab_dir_check(stage, "stage", error);

	if (rc < 0) {
		return rc;
	}
	snprintf(path, sizeof(path), "%s/usr", stage);
	if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode)) {
		return vrms_error_set(error, -ENOENT,
				      "stage \"%s\" has no folder usr: it is made by \"make "
				      "install DESTDIR=%s\" with --prefix=/usr",
				      stage, stage);
	}
	return 0;
}

/* What the options ask for; checked by the same function that reads lab.json. */
static int make_setup(const struct vrms_lab_options *options, const char *name,
		      struct vrms_lab_setup *ret_setup, struct vrms_error *error)
{
	struct vrms_lab_setup setup = {
	    .node_count = options->node_count,
	    .token_ms = options->token_ms,
	    .boot_delay_ms = options->boot_delay_ms,
	    .has_libvirt = !options->without_libvirt,
	    .has_vrmsd = options->with_vrmsd,
	    .has_iscsi = options->with_iscsi,
	    .has_locks = options->with_locks,
	    .is_shared = options->is_shared,
	};
	const char *stage = options->place.stage;
	int rc = make_id(setup.id, error);

	if (rc == 0 && stage != NULL && stage[0] != '\0') {
		rc = check_stage(stage, error);
		snprintf(setup.stage, sizeof(setup.stage), "%s", stage);
	}
	snprintf(setup.name, sizeof(setup.name), "%s", name);
	char *text VRMS_CLEANUP(vrms_freep) = rc == 0 ? vrms_lab_setup_print(&setup) : NULL;
	if (rc == 0 && text == NULL) {
		rc = vrms_error_errno(error, -ENOMEM, "lab.json");
	}
	return rc < 0 ? rc : vrms_lab_setup_parse(text, ret_setup, error);
}

/* A folder that is neither empty nor a lab is somebody else's: "down" would delete it. */
static int check_folder(const char *dir, struct vrms_error *error)
{
	DIR *folder = opendir(dir);
	bool is_lab = false;
	bool is_empty = true;

	if (folder == NULL) {
		return errno == ENOENT ? 0 : vrms_error_errno(error, -errno, "%s", dir);
	}
	for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
		is_lab = is_lab || strcmp(entry->d_name, "lab.json") == 0;
		/* "lock" alone is what an interrupted beginning leaves. */
		is_empty =
		    is_empty && (entry->d_name[0] == '.' || strcmp(entry->d_name, "lock") == 0);
	}
	closedir(folder);
	if (!is_lab && !is_empty) {
		return vrms_error_set(error, -EEXIST, "%s holds something that is no lab", dir);
	}
	return 0;
}

static bool is_up(const struct vrms_lab *lab)
{
	bool is_any_on = vrms_lab_network_is_there(lab) || vrms_lab_powerd_is_running(lab);

	for (int i = 0; !is_any_on && i < vrms_lab_node_count(lab); i++) {
		struct vrms_lab_process init;
		is_any_on = vrms_lab_node_find(lab, i, &init, NULL) == 0;
	}
	return is_any_on;
}

/* Takes over the identity of a lab that was kept, so that its nodes stay who they were. */
static int adopt_kept(const struct vrms_lab_place *place, struct vrms_lab_setup *setup,
		      bool *ret_was_kept, struct vrms_error *error)
{
	struct vrms_lab *before VRMS_CLEANUP(vrms_lab_freep) = NULL;
	int rc = vrms_lab_open(place, &before, error);

	*ret_was_kept = rc == 0;
	if (rc == -ENOENT) {
		vrms_error_clear(error);
		return 0;
	}
	if (rc < 0) {
		return rc;
	}
	if (is_up(before)) {
		return vrms_error_set(error, -EEXIST,
				      "lab \"%s\" is up already, or a crash left parts of it: "
				      "\"vrms-lab down\" first",
				      vrms_lab_name(before));
	}
	memcpy(setup->id, before->setup.id, sizeof(setup->id));
	return 0;
}

static int write_state(const struct vrms_lab *lab, struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = vrms_lab_setup_print(&lab->setup);

	if (text == NULL) {
		return vrms_error_errno(error, -ENOMEM, "lab.json");
	}
	int rc =
	    vrms_file_write(vrms_lab_path(lab, "lab.json").text, text, strlen(text), 0644, error);
	rc = rc < 0 ? rc : vrms_lab_remove_tree(vrms_lab_path(lab, "run").text, error);
	rc = rc < 0 ? rc : vrms_file_mkdir_all(vrms_lab_path(lab, "run").text, 0700, error);
	return rc < 0 ? rc : vrms_file_mkdir_all(vrms_lab_path(lab, "log").text, 0755, error);
}

static int lay_disks(const struct vrms_lab *lab, const struct vrms_lab_wait *wait,
		     struct vrms_error *error)
{
	int rc = vrms_lab_san_lay(lab, error);

	for (int i = 0; rc == 0 && i < vrms_lab_node_count(lab); i++) {
		rc = vrms_lab_wait_check(wait, error);
		rc = rc < 0 ? rc : vrms_lab_disk_lay(lab, i, error);
	}
	return rc;
}

static int start_nodes(const struct vrms_lab *lab, const struct vrms_lab_wait *wait,
		       struct vrms_error *error)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < vrms_lab_node_count(lab); i++) {
		rc = vrms_lab_wait_check(wait, error);
		rc = rc < 0 ? rc : vrms_lab_power_on(lab, i, error);
	}
	return rc;
}

static int start(const struct vrms_lab *lab, const struct vrms_lab_options *options,
		 struct vrms_error *error)
{
	const struct vrms_lab_wait wait = {
	    .until_ms = vrms_clock_now_ms(vrms_clock_system()) + options->timeout_ms,
	    .interrupted = options->interrupted,
	    .progress = options->progress,
	    .progress_context = options->progress_context,
	};
	int rc = lay_disks(lab, &wait, error);

	rc = rc < 0 ? rc : vrms_lab_network_create(lab, error);
	if (rc == 0 && lab->setup.has_iscsi) {
		rc = vrms_lab_iscsi_start(lab, error);
	}
	rc = rc < 0 ? rc : vrms_lab_powerd_start(lab, error);
	rc = rc < 0 ? rc : start_nodes(lab, &wait, error);
	rc = rc < 0 ? rc : vrms_lab_wait_booted(lab, &wait, error);
	if (rc == 0 && !options->without_wait) {
		rc = vrms_lab_wait_members(lab, &wait, error);
	}
	return rc;
}

/* With the folder's lock held. */
static int up_locked(const struct vrms_lab_options *options, const struct vrms_lab *lab,
		     bool was_kept, struct vrms_error *error)
{
	int rc = write_state(lab, error);

	rc = rc < 0 ? rc : start(lab, options, error);
	if (rc < 0) {
		struct vrms_error second = {.text = ""};

		if (vrms_lab_take_down(lab, was_kept, &second) < 0) {
			return vrms_error_wrap(error, rc, "and cannot be taken down (%.200s)",
					       second.text);
		}
	}
	return rc;
}

int vrms_lab_up(const struct vrms_lab_options *options, struct vrms_lab **ret_lab,
		struct vrms_error *error)
{
	char name[VRMS_LAB_NAME_MAX + 1];
	char dir[VRMS_LAB_DIR_SIZE];
	struct vrms_lab_setup setup;
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;
	int lock VRMS_CLEANUP(vrms_closep) = -1;
	bool was_kept = false;
	int rc = vrms_lab_place_resolve(&options->place, name, dir, error);

	rc = rc < 0 ? rc : make_setup(options, name, &setup, error);
	rc = rc < 0 ? rc : vrms_lab_requirements_check(&setup, error);
	rc = rc < 0 ? rc : check_folder(dir, error);
	rc = rc < 0 ? rc : vrms_file_mkdir_all(dir, 0755, error);
	if (rc < 0) {
		return rc;
	}
	lab = vrms_lab_new(&setup, dir);
	if (lab == NULL) {
		return vrms_error_errno(error, -ENOMEM, "lab");
	}
	rc = vrms_lab_lock(vrms_lab_path(lab, "lock").text, 0, &lock, error);
	rc = rc < 0 ? rc : adopt_kept(&options->place, &lab->setup, &was_kept, error);
	rc = rc < 0 ? rc : up_locked(options, lab, was_kept, error);
	if (rc == 0) {
		*ret_lab = VRMS_TAKE(lab);
	}
	return rc;
}
