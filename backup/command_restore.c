/* command_restore.c - restore, export.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/cli.h"
#include "backup/command_cluster.h"
#include "backup/image.h"
#include "backup/live.h"
#include "backup/restore.h"
#include "backup/space.h"
#include "backup/vm_state.h"
#include "backup/vm_xml.h"
#include "common/file.h"

enum { THREADS = 4 };

struct request {
	const struct vrms_cli *cli;
	struct vrms_repository *repository;
	const struct vrms_point *point;
	struct vrms_vm_xml_move moves[VRMS_CLI_LIST_MAX]; /* where disks went; paths are ours */
	size_t move_count;
	struct vrms_cluster_pause pause;
	bool has_begun; /* to change something of the VM */
};

static void request_done(struct request *request)
{
	for (size_t i = 0; i < request->move_count; i++) {
		free((void *)(uintptr_t)request->moves[i].path);
	}
	vrms_cluster_pause_done(&request->pause);
}

/* "--disk vda=/path": the target of a disk; NULL when it names none; -ENOENT when others are
 * named and this one is not. */
static int wanted_target(const struct vrms_cli *cli, const char *disk, const char **ret_target)
{
	size_t length = strlen(disk);

	*ret_target = NULL;
	for (size_t i = 0; i < cli->disks.count; i++) {
		const char *row = cli->disks.rows[i];

		if (strncmp(row, disk, length) == 0 &&
		    (row[length] == '\0' || row[length] == '=')) {
			*ret_target = row[length] == '=' ? row + length + 1 : NULL;
			return 0;
		}
	}
	return cli->disks.count == 0 ? 0 : -ENOENT;
}

static int check_disk(const struct request *request, const char *row, struct vrms_error *error)
{
	const struct vrms_point_part *part;
	const char *equals = strchr(row, '=');
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(row, "="), row);
	part = vrms_point_find(request->point, name);
	if (part == NULL) {
		return vrms_error_set(error, -ENOENT, "%s@%" PRIu64 " has no disk '%s'",
				      request->point->vm, request->point->sequence, name);
	}
	if (request->cli->define && equals != NULL && vrms_image_is_uri(equals + 1) &&
	    (request->cli->name != NULL || strcmp(equals + 1, part->source) != 0)) {
		return vrms_error_set(error, -EINVAL,
				      "--define: only a VM that is put back keeps disks on the "
				      "network where they were ('%s')",
				      equals + 1);
	}
	return 0;
}

static int check_disks(const struct request *request, struct vrms_error *error)
{
	int rc = 0;

	for (size_t i = 0; i < request->cli->disks.count && rc == 0; i++) {
		rc = check_disk(request, request->cli->disks.rows[i], error);
	}
	return rc;
}

static const char *format_of(const struct request *request, const struct vrms_point_part *part)
{
	const char *format = request->cli->format != NULL ? request->cli->format : part->format;

	return format[0] != '\0' ? format : "raw";
}

/* A VM whose disk was a qcow2 image in there would find a raw one. */
static int open_network(const struct request *request, const struct vrms_point_part *part,
			const char *uri, struct vrms_target *ret_target, struct vrms_error *error)
{
	bool is_own = strcmp(uri, part->source) == 0;

	if ((request->cli->format != NULL || is_own) &&
	    strcmp(format_of(request, part), "raw") != 0) {
		return vrms_error_set(error, -EINVAL, "'%s': on the network only raw is written",
				      uri);
	}
	if (is_own && !request->cli->overwrite) {
		return vrms_error_set(error, -EEXIST, "'%s' exists; --overwrite replaces it", uri);
	}
	return strncmp(uri, "nbd", 3) == 0
		   ? vrms_target_nbd_open(uri, part->bytes, ret_target, error)
		   : vrms_target_uri_open(uri, part->bytes, ret_target, error);
}

static int open_target(const struct request *request, const struct vrms_point_part *part,
		       const char *path, struct vrms_target *ret_target, struct vrms_error *error)
{
	const char *format = format_of(request, part);
	bool is_overwriting = request->cli->overwrite;

	if (vrms_image_is_uri(path)) {
		return open_network(request, part, path, ret_target, error);
	}
	if (strcmp(format, "qcow2") == 0) {
		struct vrms_qcow2 image = {path, part->bytes, is_overwriting, NULL};

		return vrms_target_qcow2_open(&image, ret_target, error);
	}
	if (strcmp(format, "raw") == 0) {
		return vrms_target_file_open(path, part->bytes, is_overwriting, ret_target, error);
	}
	return vrms_error_set(error, -EINVAL, "cannot write format '%s' (qcow2, raw)", format);
}

/* A VM on this or another host may have the image open that is to be replaced. */
static int refuse_held(const char *path, struct vrms_error *error)
{
	struct vrms_image image VRMS_CLEANUP(vrms_image_done) = {0};
	int rc = access(path, F_OK) == 0 ? vrms_image_inspect(path, NULL, &image, error) : 0;

	/* Another failure: it is damaged, which is why it is replaced. */
	return rc == -EBUSY ? rc : 0;
}

/* libvirt wants absolute paths. */
static int note_move(struct request *request, const struct vrms_point_part *part, const char *path,
		     struct vrms_error *error)
{
	char *absolute;

	if (!request->cli->define || request->move_count == VRMS_CLI_LIST_MAX ||
	    vrms_image_is_uri(path)) { /* stays where it was: check_disk() */
		return 0;
	}
	absolute = realpath(path, NULL);
	if (absolute == NULL) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	request->moves[request->move_count++] =
	    (struct vrms_vm_xml_move){part->name, absolute, format_of(request, part)};
	return 0;
}

static int restore_disk(struct request *request, const struct vrms_point_part *part,
			const char *path, struct vrms_error *error)
{
	struct vrms_target target VRMS_CLEANUP(vrms_target_close) = {0};
	struct vrms_restore restore = {
	    .repository = request->repository,
	    .part = part,
	    .target = &target,
	    .thread_count =
		request->cli->threads > 0 ? (unsigned int)request->cli->threads : THREADS,
	    .stop = request->cli->stop,
	};
	char size[16];
	int rc = refuse_held(path, error);

	if (rc == 0) {
		request->has_begun = true;
		rc = open_target(request, part, path, &target, error);
	}
	if (rc == 0) {
		rc = vrms_restore_run(&restore, error);
	}
	if (rc == 0) {
		rc = note_move(request, part, path, error);
	}
	if (rc == 0) {
		printf("%s: %s to %s\n", part->name, vrms_size_print(part->bytes, size), path);
	}
	return rc;
}

static int restore_file(const struct request *request, const struct vrms_point_part *part,
			const char *path, struct vrms_error *error)
{
	uint8_t *data VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = !request->cli->overwrite && access(path, F_OK) == 0
		     ? vrms_error_set(error, -EEXIST, "'%s' exists; --overwrite replaces it", path)
		     : vrms_restore_read(request->repository, part, &data, error);

	return rc < 0 ? rc : vrms_file_write(path, data, part->bytes, 0600, error);
}

static const char *vm_name(const struct request *request)
{
	return request->cli->name != NULL ? request->cli->name : request->point->vm;
}

/* Where it was, when the VM itself is put back. */
static bool is_put_back(const struct request *request)
{
	return request->cli->define && request->cli->name == NULL && request->cli->output == NULL;
}

/* DIR/VM-DISK.FORMAT, DIR/VM-NAME of a file. */
static int default_path(const struct request *request, const struct vrms_point_part *part,
			char **ret_path)
{
	char *name VRMS_CLEANUP(vrms_freep) = NULL;
	int length =
	    asprintf(&name, "%s-%s%s%s", vm_name(request), part->name, part->is_disk ? "." : "",
		     part->is_disk ? format_of(request, part) : "");

	if (length < 0) {
		name = NULL;
		return -ENOMEM;
	}
	for (char *at = name; *at != '\0'; at++) {
		*at = *at == '/' ? '_' : *at;
	}
	return asprintf(ret_path, "%s/%s", request->cli->output, name) < 0 ? -ENOMEM : 0;
}

/* Where a part goes: *ret_path is the caller's to free, NULL when the part is not wanted. */
static int find_target(const struct request *request, const struct vrms_point_part *part,
		       char **ret_path, struct vrms_error *error)
{
	const char *path;
	int rc = 0;

	*ret_path = NULL;
	if (wanted_target(request->cli, part->name, &path) < 0) {
		return 0;
	}
	if (path == NULL && request->cli->output != NULL) {
		rc = default_path(request, part, ret_path);
		return rc < 0 ? vrms_error_set(error, rc, "out of memory") : 0;
	}
	if (path == NULL && part->is_disk && is_put_back(request) && part->source[0] != '\0') {
		path = part->source;
	}
	if (path == NULL) {
		return part->is_disk ? vrms_error_set(error, -EINVAL,
						      "disk '%s': where to? (--disk %s=PATH or "
						      "--output DIR)",
						      part->name, part->name)
				     : 0;
	}
	*ret_path = strdup(path);
	return *ret_path == NULL ? vrms_error_set(error, -ENOMEM, "out of memory") : 0;
}

/* Before anything is changed, and all disks together. */
static int check_space(const struct request *request, struct vrms_error *error)
{
	struct vrms_space_want wants[VRMS_SPACE_WANTS_MAX];
	size_t count = 0;
	int rc = 0;

	for (size_t i = 0; i < request->point->part_count && rc == 0; i++) {
		const struct vrms_point_part *part = &request->point->parts[i];
		char *path = NULL;

		rc = part->is_disk && count < VRMS_SPACE_WANTS_MAX
			 ? find_target(request, part, &path, error)
			 : 0;
		if (path != NULL) {
			wants[count++] = (struct vrms_space_want){path, part};
		}
	}
	if (rc == 0 && !request->cli->force) {
		rc = vrms_space_check(request->repository, wants, count, error);
	}
	for (size_t i = 0; i < count; i++) {
		free((void *)(uintptr_t)wants[i].path);
	}
	return rc;
}

static int restore_part(struct request *request, const struct vrms_point_part *part,
			struct vrms_error *error)
{
	char *path VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = find_target(request, part, &path, error);

	if (rc < 0 || path == NULL) {
		return rc;
	}
	return part->is_disk ? restore_disk(request, part, path, error)
			     : restore_file(request, part, path, error);
}

/* A VM that runs must not lose its disks; one that libvirt of this host does not know is not
 * refused, but its images are looked at one by one. */
static int refuse_running(const struct request *request, struct vrms_error *error)
{
	const struct vrms_cli *cli = request->cli;
	struct vrms_live *live VRMS_CLEANUP(vrms_live_closep) = NULL;
	bool is_active = false;
	int rc = vrms_live_open(cli->connect, vm_name(request), &live, error);

	if (rc < 0) {
		return rc == -ENOENT || !cli->define ? 0 : rc;
	}
	rc = vrms_live_is_active(live, &is_active, error);
	if (rc == 0 && is_active) {
		rc = vrms_error_set(error, -EBUSY,
				    "VM '%s' is running: stop it first, or restore to another name",
				    vm_name(request));
	}
	return rc;
}

static const struct vrms_point_part *find_file(const struct request *request, const char *name)
{
	const struct vrms_point_part *part = vrms_point_find(request->point, name);

	return part != NULL && !part->is_disk ? part : NULL;
}

static int define(const struct request *request, struct vrms_error *error)
{
	const struct vrms_point_part *part = find_file(request, "domain.xml");
	struct vrms_vm_xml_change change = {request->cli->name, request->moves,
					    request->move_count};
	uint8_t *saved VRMS_CLEANUP(vrms_freep) = NULL;
	char *xml VRMS_CLEANUP(vrms_freep) = NULL;
	int rc;

	if (part == NULL) {
		return vrms_error_set(error, -ENOENT, "the point has no 'domain.xml' to define");
	}
	rc = vrms_restore_read(request->repository, part, &saved, error);
	if (rc == 0) {
		rc = vrms_vm_xml_edit((const char *)saved, &change, &xml, error);
	}
	if (rc == 0) {
		rc = vrms_vm_state_put(request->repository, request->point, xml,
				       request->cli->overwrite ? VRMS_VM_STATE_REPLACE
							       : VRMS_VM_STATE_REFUSE,
				       error);
	}
	if (rc == 0) {
		rc = vrms_live_define(request->cli->connect, xml, error);
	}
	if (rc == 0) {
		printf("VM '%s' defined\n", vm_name(request));
	}
	return rc;
}

/* Is the VM itself put back, or one of its disks? */
static bool touches_vm(const struct request *request)
{
	const struct vrms_cli *cli = request->cli;

	if (cli->name != NULL) {
		return false;
	}
	for (size_t i = 0; i < request->point->part_count; i++) {
		const struct vrms_point_part *part = &request->point->parts[i];
		const char *path = NULL;

		if (part->is_disk && wanted_target(cli, part->name, &path) == 0 && path != NULL &&
		    strcmp(path, part->source) == 0) {
			return true;
		}
	}
	return cli->define || cli->cluster_config;
}

/* The saved configuration, when it is wanted. */
static int read_cluster(const struct request *request, uint8_t **ret_text, struct vrms_error *error)
{
	const struct vrms_point_part *part = find_file(request, VRMS_CLUSTER_FILE);

	if (!request->cli->cluster_config) {
		return 0;
	}
	if (request->cli->name != NULL) {
		return vrms_error_set(error, -EINVAL,
				      "--cluster-config is for the VM itself: not with --name");
	}
	return part != NULL
		   ? vrms_restore_read(request->repository, part, ret_text, error)
		   : vrms_error_set(error, -ENOENT,
				    "the point has no cluster configuration: the VM was in none");
}

static int restore_all(struct request *request, struct vrms_error *error)
{
	int rc = 0;

	for (size_t i = 0; i < request->point->part_count && rc == 0; i++) {
		rc = restore_part(request, &request->point->parts[i], error);
	}
	return rc == 0 && request->cli->define ? define(request, error) : rc;
}

/* Pacemaker must neither start the VM meanwhile, nor afterwards what is half restored. */
static int restore_in_cluster(struct request *request, struct vrms_error *error)
{
	uint8_t *config VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = read_cluster(request, &config, error);

	if (rc == 0 && touches_vm(request)) {
		rc = vrms_cluster_pause_begin(request->point->vm, &request->pause, error);
	}
	if (rc == 0) {
		rc = restore_all(request, error);
	}
	if (rc == 0) {
		rc = vrms_cluster_pause_end(&request->pause, (const char *)config, error);
	}
	if (rc < 0) {
		vrms_cluster_pause_fail(&request->pause, !request->has_begun);
	}
	return rc;
}

static int run(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {0};
	struct request request VRMS_CLEANUP(request_done) = {.cli = cli, .point = &point};
	char purpose[80];
	int rc;

	snprintf(purpose, sizeof(purpose), "a restore of %.50s", cli->arguments[0]);
	rc = vrms_open_repository(cli, VRMS_LOCK_READER, purpose, &open, error);
	if (rc == 0) {
		request.repository = open.repository;
		rc = vrms_point_read(open.repository, cli->arguments[0], &point, error);
	}
	if (rc == 0) {
		rc = check_disks(&request, error);
	}
	if (rc == 0 && (cli->define || touches_vm(&request))) {
		rc = refuse_running(&request, error);
	}
	if (rc == 0 && cli->output != NULL) {
		rc = vrms_file_mkdir_all(cli->output, 0700, error);
	}
	if (rc == 0) {
		rc = check_space(&request, error);
	}
	if (rc == 0) {
		rc = restore_in_cluster(&request, error);
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "'%s'", cli->arguments[0]) : 0;
}

int vrms_command_restore(const struct vrms_cli *cli, struct vrms_error *error)
{
	return run(cli, error);
}

int vrms_command_export(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_cli plain = *cli;

	if (cli->output == NULL) {
		return vrms_error_set(error, -EINVAL, "where to? (--output DIR)");
	}
	plain.format = "qcow2";
	return cli->chain ? vrms_export_chain(&plain, error) : run(&plain, error);
}
