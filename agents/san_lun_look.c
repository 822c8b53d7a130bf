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

/* What one LUN's thread finds out. */
struct seen {
	struct vrms_lun_reading reading;
	struct vrms_error trouble; /* of the first path that does not work */
	char name[VRMS_ISCSI_ID_BYTES * 2];
	char id[VRMS_ISCSI_ID_BYTES]; /* of several portals: the first one's; "": not known */
};

struct looking {
	const struct vrms_san_lun_config *config;
	struct seen *seen; /* by LUN */
};

/* A LUN that the cluster keeps for its registrants needs the key, whoever registers it. */
static bool is_ours(const struct vrms_san *san, const struct vrms_pr_view *view)
{
	bool is_ours = view->holder == san->cluster.key;

	for (size_t i = 0; i < san->cluster.node_count * VRMS_SAN_KEYS_PER_NODE; i++) {
		is_ours = is_ours || view->holder == san->cluster.known[i];
	}
	return is_ours && vrms_pr_view_shuts_out(view);
}

static int look_at_key(const struct vrms_san *san, struct vrms_iscsi *session, bool registers,
		       struct vrms_lun_reading *reading, struct vrms_error *error)
{
	struct vrms_pr_view view;
	int rc = vrms_san_look(session, &view, error);

	if (rc < 0) {
		return rc == -ENOTSUP && !registers ? 0 : rc;
	}
	bool has_key = vrms_pr_view_has(&view, san->node->key);
	bool is_reserved = vrms_pr_view_shuts_out(&view);
	bool is_first = reading->good_count == 0;

	reading->has_key = has_key && (is_first || reading->has_key);
	reading->has_reservation = is_reserved && (is_first || reading->has_reservation);
	reading->needs_key = registers || reading->needs_key || is_ours(san, &view);
	return 0;
}

/* All portals lead to one LUN; with an identifier given, each was compared with that. */
static int look_at_identity(const struct vrms_san_lun *lun, struct vrms_iscsi *session,
			    struct seen *seen, struct vrms_error *error)
{
	struct vrms_error ignored;
	char id[VRMS_ISCSI_ID_BYTES];

	if (lun->id != NULL || lun->path_count == 1 ||
	    vrms_iscsi_identify(session, id, &ignored) < 0) {
		return 0;
	}
	if (seen->id[0] == '\0') {
		snprintf(seen->id, sizeof(seen->id), "%s", id);
	}
	return strcmp(seen->id, id) == 0
		   ? 0
		   : vrms_error_set(error, -ESTALE, "the LUN is %s, not %s", id, seen->id);
}

static int look_over(const struct vrms_san *san, size_t index, unsigned path,
		     const struct looking *looking, struct vrms_error *error)
{
	const struct vrms_san_lun *lun = &san->luns.luns[index];
	struct seen *seen = &looking->seen[index];
	struct vrms_iscsi *session VRMS_CLEANUP(vrms_iscsi_closep) = NULL;
	struct vrms_lun_reading *reading = &seen->reading;
	int rc = vrms_san_open(lun, path, &san->access, VRMS_PR_NODE, &session, error);

	rc = rc < 0 ? rc : look_at_identity(lun, session, seen, error);
	rc = rc < 0 ? rc : look_at_key(san, session, looking->config->registers, reading, error);
	int64_t latency_us = rc < 0 ? -1 : time_reads(session, looking->config->reads, error);
	if (latency_us < 0) {
		return rc < 0 ? rc : -EIO;
	}
	if (reading->good_count++ == 0 || latency_us < reading->latency_us) {
		reading->latency_us = latency_us;
	}
	return 0;
}

static int look_at_lun(const struct vrms_san *san, size_t index, void *looking_,
		       struct vrms_error *error)
{
	struct looking *looking = looking_;
	const struct vrms_san_lun *lun = &san->luns.luns[index];
	struct seen *seen = &looking->seen[index];

	(void)error; /* what is wrong is judged, not failed */
	seen->reading = (struct vrms_lun_reading){
	    .name = vrms_san_lun_name(lun, seen->name, sizeof(seen->name)),
	    .path_count = lun->path_count,
	    .latency_us = -1,
	};
	for (unsigned path = 0; path < lun->path_count; path++) {
		struct vrms_error trouble = {""};

		if (look_over(san, index, path, looking, &trouble) < 0 &&
		    seen->reading.trouble == NULL) {
			seen->trouble = trouble;
			seen->reading.trouble = seen->trouble.text;
		}
	}
	return 0;
}

static int look_at_luns(const struct vrms_san *san, const struct vrms_san_lun_config *config,
			struct vrms_san_lun_look *look, struct vrms_error *error)
{
	struct seen *seen VRMS_CLEANUP(vrms_freep) = calloc(VRMS_SAN_LUNS_MAX, sizeof(*seen));
	struct looking looking = {config, seen};

	if (seen == NULL) {
		return vrms_error_set(error, -ENOMEM, "no memory");
	}
	int rc = vrms_san_each(san, look_at_lun, &looking, error);
	for (size_t i = 0; rc == 0 && i < san->luns.count; i++) {
		add(look, &seen[i].reading, config);
	}
	return rc;
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

		ssize_t size = pread(fd, block, BLOCK_BYTES, 0);
		if (size < 0) {
			vrms_error_errno(error, -errno, "read");
			return -1;
		}
		if (size == 0) {
			vrms_error_set(error, -ENODATA, "it is empty");
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
	if (san.luns.count > 0) {
		rc = look_at_luns(&san, config, look, error);
	}
	return rc < 0 ? rc : look_at_paths(config, look);
}
