/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "agents/san_lun.h"
#include "common/file.h"

enum { BLOCK_BYTES = 4096, WWID_BYTES = 256 };

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void add(struct vrms_san_lun_look *look, const struct vrms_lun_reading *reading,
		const struct vrms_san_lun_config *config)
{
	struct vrms_error why = {""};
	enum vrms_lun_health health = vrms_lun_judge(reading, &config->limits, &why);

	if (health > look->health) {
		look->health = health;
		look->why = why;
	}
	if (reading->latency_us > look->latency_us) {
		look->latency_us = reading->latency_us;
	}
	look->good_count += reading->good_count;
	look->path_count += reading->path_count;
}

/* The slowest read over a path; -1 when one failed. */
static int64_t time_reads(struct vrms_iscsi *session, int64_t reads, struct vrms_error *error)
{
	int64_t slowest_us = -1;

	for (int64_t i = 0; i < reads; i++) {
		int64_t begin_us = now_us();

		if (vrms_iscsi_read(session, error) < 0) {
			return -1;
		}
		int64_t took_us = now_us() - begin_us;
		slowest_us = took_us > slowest_us ? took_us : slowest_us;
	}
	return slowest_us;
}

static void look_over(const struct vrms_san *san, const struct vrms_san_lun *lun, unsigned path,
		      const struct vrms_san_lun_config *config, struct vrms_lun_reading *reading,
		      struct vrms_error *trouble)
{
	struct vrms_iscsi *session VRMS_CLEANUP(vrms_iscsi_closep) = NULL;
	struct vrms_pr_view view;
	int rc = vrms_san_open(lun, path, &san->access, VRMS_PR_NODE, &session, trouble);

	if (rc == 0 && config->registers) {
		rc = vrms_san_look(session, &view, trouble);
	}
	int64_t latency_us = rc < 0 ? -1 : time_reads(session, config->reads, trouble);
	if (latency_us < 0) {
		reading->trouble = trouble->text;
		return;
	}
	if (config->registers) {
		reading->has_reservation = vrms_pr_view_shuts_out(&view);
		reading->has_key = vrms_pr_view_has(&view, san->node->key);
	}
	if (reading->good_count++ == 0 || latency_us < reading->latency_us) {
		reading->latency_us = latency_us;
	}
}

static void look_at_luns(const struct vrms_san *san, const struct vrms_san_lun_config *config,
			 struct vrms_san_lun_look *look)
{
	for (size_t i = 0; i < san->luns.count; i++) {
		const struct vrms_san_lun *lun = &san->luns.luns[i];
		char name[VRMS_ISCSI_ID_BYTES * 2];
		struct vrms_error trouble = {""};
		struct vrms_lun_reading reading = {
		    .name = vrms_san_lun_name(lun, name, sizeof(name)),
		    .path_count = lun->path_count,
		    .latency_us = -1,
		    .needs_key = config->registers,
		};

		for (unsigned path = 0; path < lun->path_count; path++) {
			look_over(san, lun, path, config, &reading, &trouble);
		}
		add(look, &reading, config);
	}
}

/* wwid of a SCSI or NVMe disk, or the UUID of a device-mapper device. */
static int read_wwid(dev_t device, char **ret_wwid, struct vrms_error *error)
{
	static const char *const names[] = {"device/wwid", "wwid", "dm/uuid"};
	int rc = -ENOENT;

	for (size_t i = 0; i < VRMS_COUNT_OF(names) && rc < 0; i++) {
		char path[128];

		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(device),
			 minor(device), names[i]);
		rc = vrms_file_read(path, WWID_BYTES, ret_wwid, NULL, error);
	}
	if (rc == 0) {
		(*ret_wwid)[strcspn(*ret_wwid, "\n")] = '\0';
	}
	return rc;
}

static int check_wwid(int fd, const char *wanted, struct vrms_error *error)
{
	char *wwid VRMS_CLEANUP(vrms_freep) = NULL;
	struct stat status;

	if (fstat(fd, &status) < 0 || !S_ISBLK(status.st_mode)) {
		return vrms_error_set(error, -ENOTBLK, "not a block device: it has no identifier");
	}
	int rc = read_wwid(status.st_rdev, &wwid, error);
	if (rc == 0 && strcmp(wwid, wanted) != 0) {
		rc = vrms_error_set(error, -ESTALE, "the device is %s, not %s", wwid, wanted);
	}
	return rc;
}

/* Past the page cache, where the file system can do that. */
static int open_path(const char *path, struct vrms_error *error)
{
	int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);

	if (fd < 0 && errno == EINVAL) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	return fd >= 0 ? fd : vrms_error_errno(error, -errno, "open");
}

static int64_t time_path(const char *path, const char *id, int64_t reads, struct vrms_error *error)
{
	void *block VRMS_CLEANUP(vrms_freep) = aligned_alloc(BLOCK_BYTES, BLOCK_BYTES);
	int fd VRMS_CLEANUP(vrms_closep) = block != NULL ? open_path(path, error) : -ENOMEM;
	int64_t slowest_us = -1;

	if (fd < 0 || (id != NULL && check_wwid(fd, id, error) < 0)) {
		return -1;
	}
	for (int64_t i = 0; i < reads; i++) {
		int64_t begin_us = now_us();

		if (pread(fd, block, BLOCK_BYTES, 0) < 0) {
			vrms_error_errno(error, -errno, "read");
			return -1;
		}
		int64_t took_us = now_us() - begin_us;
		slowest_us = took_us > slowest_us ? took_us : slowest_us;
	}
	return slowest_us;
}

static int look_at_paths(const struct vrms_san_lun_config *config, struct vrms_san_lun_look *look)
{
	char *text VRMS_CLEANUP(vrms_freep) = strdup(config->paths != NULL ? config->paths : "");
	char *rest = NULL;

	if (text == NULL) {
		return -ENOMEM;
	}
	for (char *path = strtok_r(text, " \t\n", &rest); path != NULL;
	     path = strtok_r(NULL, " \t\n", &rest)) {
		char *hash = strchr(path, '#');
		struct vrms_error trouble = {""};

		if (hash != NULL) {
			*hash++ = '\0';
		}
		struct vrms_lun_reading reading = {.name = path, .path_count = 1};
		reading.latency_us = time_path(path, hash, config->reads, &trouble);
		reading.good_count = reading.latency_us >= 0;
		reading.trouble = trouble.text;
		struct vrms_san_lun_config one = *config;
		one.limits.paths_min = 1;
		add(look, &reading, &one);
	}
	return 0;
}

int vrms_san_lun_make(const struct vrms_san_lun_config *config, struct vrms_san *san,
		      struct vrms_error *error)
{
	char self[VRMS_SAN_NAME_BYTES];

	memset(san, 0, sizeof(*san));
	vrms_san_self(self);
	return config->san.luns == NULL ? 0 : vrms_san_make(&config->san, self, san, error);
}

int vrms_san_lun_take_look(const struct vrms_san_lun_config *config, struct vrms_san_lun_look *look,
			   struct vrms_error *error)
{
	struct vrms_san san VRMS_CLEANUP(vrms_san_done);
	int rc = vrms_san_lun_make(config, &san, error);

	*look = (struct vrms_san_lun_look){.health = VRMS_LUN_GREEN, .latency_us = -1};
	if (rc < 0) {
		return rc;
	}
	look_at_luns(&san, config, look);
	return look_at_paths(config, look);
}
