/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/lab.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "lab/internal.h"

enum { STATE_BYTES_MAX = 65536, LOCK_POLL_MS = 20 };

/* The logs by name, and where they are on a node's disk. */
static const struct {
	const char *name;
	const char *path;
} logs[VRMS_LAB_LOGS] = {
    {"pacemaker", "var/log/pacemaker/pacemaker.log"},
    {"corosync", "var/log/corosync/corosync.log"},
    {"libvirtd", "var/log/libvirt/libvirtd.log"},
    {"boot", "var/log/boot.log"},
};

struct vrms_lab_path vrms_lab_path(const struct vrms_lab *lab, const char *format, ...)
{
	struct vrms_lab_path path;
	size_t length = (size_t)snprintf(path.text, sizeof(path.text), "%s/", lab->dir);
	va_list arguments;

	va_start(arguments, format);
	int more = vsnprintf(path.text + length, sizeof(path.text) - length, format, arguments);
	va_end(arguments);
	assert(more >= 0 && length + (size_t)more < sizeof(path.text));
	return path;
}

struct vrms_lab *vrms_lab_new(const struct vrms_lab_setup *setup, const char *dir)
{
	struct vrms_lab *lab = calloc(1, sizeof(*lab));

	if (lab == NULL) {
		return NULL;
	}
	lab->setup = *setup;
	snprintf(lab->dir, sizeof(lab->dir), "%s", dir);
	lab->san = vrms_lab_path(lab, "san");
	for (int i = 0; i < setup->node_count; i++) {
		vrms_lab_node_name_print(i, lab->node_names[i]);
		for (int k = 0; k < VRMS_LAB_LOGS; k++) {
			lab->logs[i][k] =
			    vrms_lab_path(lab, "nodes/%s/%s", lab->node_names[i], logs[k].path);
		}
	}
	return lab;
}

void vrms_lab_free(struct vrms_lab *lab)
{
	free(lab);
}

int vrms_lab_place_resolve(const struct vrms_lab_place *place, char name[VRMS_LAB_NAME_MAX + 1],
			   char dir[VRMS_LAB_DIR_SIZE], struct vrms_error *error)
{
	const char *wanted = place->name != NULL ? place->name : "lab";
	char standard[VRMS_LAB_DIR_SIZE];
	int rc = vrms_lab_name_check(wanted, error);

	if (rc < 0) {
		return rc;
	}
	snprintf(standard, sizeof(standard), "/var/lib/vrms-lab/%s", wanted);
	const char *chosen = place->dir != NULL ? place->dir : standard;
	rc = vrms_lab_dir_check(chosen, "folder", error);
	if (rc < 0) {
		return rc;
	}
	snprintf(name, VRMS_LAB_NAME_MAX + 1, "%s", wanted);
	snprintf(dir, VRMS_LAB_DIR_SIZE, "%s", chosen);
	return 0;
}

int vrms_lab_open(const struct vrms_lab_place *place, struct vrms_lab **ret_lab,
		  struct vrms_error *error)
{
	char name[VRMS_LAB_NAME_MAX + 1];
	char dir[VRMS_LAB_DIR_SIZE];
	char path[VRMS_LAB_DIR_SIZE + 16];
	struct vrms_lab_setup setup;
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_lab_place_resolve(place, name, dir, error);

	if (rc < 0) {
		return rc;
	}
	snprintf(path, sizeof(path), "%s/lab.json", dir);
	rc = vrms_file_read(path, STATE_BYTES_MAX, &text, NULL, error);
	if (rc == -ENOENT) {
		return vrms_error_set(error, rc, "no lab \"%s\" in %s; \"vrms-lab up\" makes one",
				      name, dir);
	}
	if (rc < 0) {
		return rc;
	}
	rc = vrms_lab_setup_parse(text, &setup, error);
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "%s", path);
	}
	struct vrms_lab *lab = vrms_lab_new(&setup, dir);
	if (lab == NULL) {
		return vrms_error_errno(error, -ENOMEM, "%s", path);
	}
	*ret_lab = lab;
	return 0;
}

const char *vrms_lab_name(const struct vrms_lab *lab)
{
	return lab->setup.name;
}

const char *vrms_lab_dir(const struct vrms_lab *lab)
{
	return lab->dir;
}

const char *vrms_lab_san_path(const struct vrms_lab *lab)
{
	return lab->san.text;
}

bool vrms_lab_has_iscsi(const struct vrms_lab *lab)
{
	return lab->setup.has_iscsi;
}

bool vrms_lab_has_locks(const struct vrms_lab *lab)
{
	return lab->setup.has_locks;
}

bool vrms_lab_has_vrmsd(const struct vrms_lab *lab)
{
	return lab->setup.has_vrmsd;
}

bool vrms_lab_has_libvirt(const struct vrms_lab *lab)
{
	return lab->setup.has_libvirt;
}

int vrms_lab_node_count(const struct vrms_lab *lab)
{
	return lab->setup.node_count;
}

const char *vrms_lab_node_name(const struct vrms_lab *lab, int index)
{
	assert(index >= 0 && index < lab->setup.node_count);
	return lab->node_names[index];
}

int vrms_lab_node_index(const struct vrms_lab *lab, const char *name, int *ret_index,
			struct vrms_error *error)
{
	return vrms_lab_node_name_parse(name, lab->setup.node_count, ret_index, error);
}

const char *vrms_lab_node_log_path(const struct vrms_lab *lab, int index, const char *log)
{
	assert(index >= 0 && index < lab->setup.node_count);
	for (int k = 0; k < VRMS_LAB_LOGS; k++) {
		if (strcmp(logs[k].name, log) == 0) {
			return lab->logs[index][k].text;
		}
	}
	return NULL;
}

int vrms_lab_lock(const char *path, int64_t timeout_ms, int *ret_fd, struct vrms_error *error)
{
	const struct vrms_clock *clock = vrms_clock_system();
	int64_t until_ms = vrms_clock_now_ms(clock) + timeout_ms;
	int fd VRMS_CLEANUP(vrms_closep) = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			return vrms_error_errno(error, -errno, "%s", path);
		}
		if (vrms_clock_now_ms(clock) >= until_ms) {
			return vrms_error_set(error, -EBUSY,
					      "another vrms-lab is at work (%s is locked)", path);
		}
		vrms_clock_sleep_ms(clock, LOCK_POLL_MS);
	}
	*ret_fd = fd;
	fd = -1; /* ownership leaves this function */
	return 0;
}

int vrms_lab_check_open(const struct vrms_lab *lab, struct vrms_error *error)
{
	if (access(vrms_lab_path(lab, "run/closing").text, F_OK) == 0) {
		return vrms_error_set(error, -ESHUTDOWN, "lab \"%s\" is being taken down",
				      lab->setup.name);
	}
	return 0;
}

const char *const *vrms_lab_node_environment(void)
{
	static const char *const environment[] = {
	    "PATH=" VRMS_LAB_PROGRAM_PATH,
	    "HOME=/root",
	    "USER=root",
	    "LOGNAME=root",
	    "SHELL=/bin/bash",
	    "LANG=C.UTF-8",
	    NULL,
	};

	return environment;
}

const char *const *vrms_lab_service_environment(void)
{
	static const char *const environment[] = {
	    "PATH=" VRMS_LAB_PROGRAM_PATH,
	    "HOME=/root",
	    "LANG=C.UTF-8",
	    /* There is no syslog in a node. */
	    "PCMK_logfile=/var/log/pacemaker/pacemaker.log",
	    "PCMK_logfacility=none",
	    NULL,
	};

	return environment;
}
