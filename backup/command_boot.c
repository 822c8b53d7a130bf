/* command_boot.c - serve, boot.
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
#include "backup/live.h"
#include "backup/overlay.h"
#include "backup/restore.h"
#include "backup/space.h"
#include "backup/vm_state.h"
#include "common/clock.h"
#include "common/file.h"

enum { LOOK_MS = 200 };

static const char *disk_of(const struct vrms_cli *cli)
{
	return cli->disks.count > 0 ? cli->disks.rows[0] : NULL;
}

static int check_served(const struct vrms_cli *cli, const struct vrms_point *point,
			struct vrms_error *error)
{
	const char *disk = disk_of(cli);
	size_t count = 0;

	if (cli->disks.count > 1) {
		return vrms_error_set(error, -EINVAL, "--disk: one, or none for all");
	}
	for (size_t i = 0; i < point->part_count; i++) {
		const struct vrms_point_part *part = &point->parts[i];

		count += part->is_disk && (disk == NULL || strcmp(disk, part->name) == 0);
	}
	if (count == 0) {
		return vrms_error_set(error, -ENOENT, "%s@%" PRIu64 " has no disk '%s'", point->vm,
				      point->sequence, disk != NULL ? disk : "");
	}
	if (count > 1 && cli->writable) {
		return vrms_error_set(error, -EINVAL, "--writable: which disk? (--disk NAME)");
	}
	return 0;
}

static void print_exports(const struct vrms_point *point, const struct vrms_serve *serve)
{
	for (size_t i = 0; i < point->part_count; i++) {
		const struct vrms_point_part *part = &point->parts[i];

		if (part->is_disk &&
		    (serve->disk == NULL || strcmp(serve->disk, part->name) == 0)) {
			printf("nbd+unix:///%s?socket=%s\n", part->name, serve->socket);
		}
	}
	fflush(stdout);
}

static struct vrms_serve serve_of(const struct vrms_cli *cli, const struct vrms_point *point)
{
	return (struct vrms_serve){
	    .repository = cli->repository,
	    .key_file = cli->key_file,
	    .key_command = cli->key_command,
	    .vm = point->vm,
	    .sequence = point->sequence,
	    .disk = disk_of(cli),
	    .socket = cli->socket,
	    .is_writable = cli->writable,
	    .outlives = true,
	};
}

int vrms_command_serve(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {0};
	char socket[VRMS_SERVE_SOCKET_BYTES];
	struct vrms_serve serve;
	int rc = vrms_open_repository(cli, VRMS_LOCK_READER, "serve", &open, error);

	if (rc == 0) {
		rc = vrms_point_read(open.repository, cli->arguments[0], &point, error);
	}
	if (rc == 0) {
		rc = check_served(cli, &point, error);
	}
	if (rc == 0 && cli->socket == NULL) {
		rc = vrms_serve_socket(point.vm, point.sequence, socket, error);
	}
	if (rc < 0) {
		return rc;
	}
	serve = serve_of(cli, &point);
	serve.socket = cli->socket != NULL ? cli->socket : socket;
	print_exports(&point, &serve);
	vrms_open_done(&open); /* the server has a lock of its own */
	return vrms_serve_exec(&serve, error);
}

/* Booting. */

struct boot {
	const struct vrms_cli *cli;
	struct vrms_repository *repository;
	struct vrms_point point;
	struct vrms_overlays overlays;
	const char *name;
	char *folder;  /* absolute */
	char *old_xml; /* of the VM that has the name; NULL: none */
	struct vrms_live *live;
	int64_t start_ms;
};

static void boot_done(struct boot *boot)
{
	vrms_live_close(boot->live);
	vrms_overlays_done(&boot->overlays);
	vrms_point_done(&boot->point);
	free(boot->folder);
	free(boot->old_xml);
}

static double seconds_since(int64_t start_ms)
{
	return (double)(vrms_clock_now_ms(vrms_clock_system()) - start_ms) / 1e3;
}

static int refuse_running(struct boot *boot, struct vrms_error *error)
{
	struct vrms_live *live VRMS_CLEANUP(vrms_live_closep) = NULL;
	bool is_active = false;
	int rc = vrms_cluster_refuse_active(boot->name, error);

	if (rc == 0) {
		rc = vrms_live_open(boot->cli->connect, boot->name, &live, error);
	}
	if (rc == -ENOENT) {
		return 0;
	}
	if (rc == 0) {
		rc = vrms_live_is_active(live, &is_active, error);
	}
	if (rc == 0 && is_active) {
		rc = vrms_error_set(error, -EBUSY,
				    "VM '%s' is running: stop it first, or boot it as another "
				    "(--name)",
				    boot->name);
	}
	return rc < 0 ? rc : vrms_live_xml(live, true, &boot->old_xml, error);
}

static int open_folder(struct boot *boot, struct vrms_error *error)
{
	const char *output = boot->cli->output;
	int rc = output == NULL
		     ? vrms_error_set(error, -EINVAL, "where may its disks grow? (--output DIR)")
		     : vrms_file_mkdir_all(output, 0711, error);

	if (rc == 0) {
		boot->folder = realpath(output, NULL);
		rc = boot->folder == NULL ? vrms_error_errno(error, -errno, "%s", output) : 0;
	}
	return rc;
}

static int check_startable(const struct boot *boot, struct vrms_error *error)
{
	const struct vrms_point_part *part = vrms_point_find(&boot->point, "domain.xml");

	return part != NULL && !part->is_disk
		   ? 0
		   : vrms_error_set(error, -ENOENT, "the point has no 'domain.xml' to start");
}

static int edited_xml(const struct boot *boot, char **ret_xml, struct vrms_error *error)
{
	const struct vrms_point_part *part = vrms_point_find(&boot->point, "domain.xml");
	struct vrms_vm_xml_change change = {
	    .name = boot->cli->name,
	    .disks = boot->overlays.moves,
	    .disk_count = boot->overlays.count,
	};
	uint8_t *saved VRMS_CLEANUP(vrms_freep) = NULL;
	int rc;

	rc = vrms_restore_read(boot->repository, part, &saved, error);
	return rc < 0 ? rc : vrms_vm_xml_edit((const char *)saved, &change, ret_xml, error);
}

/* Its images go, so what was defined must not stay. */
static int take_back(const struct boot *boot)
{
	return boot->old_xml != NULL ? vrms_live_define(boot->cli->connect, boot->old_xml, NULL)
				     : vrms_live_undefine(boot->live, NULL);
}

static int start_vm(struct boot *boot, struct vrms_error *error)
{
	char *xml VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = edited_xml(boot, &xml, error);

	if (rc == 0) {
		rc = vrms_vm_state_put(boot->repository, &boot->point, xml, VRMS_VM_STATE_KEEP,
				       error);
	}
	if (rc == 0) {
		rc = vrms_live_define(boot->cli->connect, xml, error);
	}
	if (rc == 0) {
		rc = vrms_live_open(boot->cli->connect, boot->name, &boot->live, error);
	}
	if (rc < 0) {
		return rc;
	}
	rc = vrms_live_start(boot->live, error);
	if (rc < 0) {
		return take_back(boot) < 0
			   ? vrms_error_wrap(error, rc, "VM '%s' stays defined", boot->name)
			   : rc;
	}
	vrms_overlays_keep(&boot->overlays);
	printf("VM '%s' runs from %s@%" PRIu64 " after %.2f s\n", boot->name, boot->point.vm,
	       boot->point.sequence, seconds_since(boot->start_ms));
	fflush(stdout);
	return 0;
}

static int not_copied(const char *disk, int rc, struct vrms_error *error)
{
	return vrms_error_wrap(error, rc, "disk '%s' still needs the repository (virsh blockpull)",
			       disk);
}

/* All at once: then QEMU goes on by itself with each of them, also without us. */
static int start_copies(struct boot *boot, struct vrms_error *error)
{
	for (size_t i = 0; i < boot->overlays.count; i++) {
		const char *disk = boot->overlays.moves[i].target;
		uint64_t rate = boot->cli->rate_bytes / boot->overlays.count;
		uint64_t rate_mib = (rate + (1 << 20) - 1) >> 20;
		int rc = vrms_live_pull(boot->live, disk, rate_mib, error);

		if (rc < 0) {
			return not_copied(disk, rc, error);
		}
	}
	return 0;
}

static int wait_copied(struct boot *boot, const char *disk, struct vrms_error *error)
{
	uint64_t left = 1;
	int rc = vrms_live_pull_left(boot->live, disk, &left, error);

	while (rc == 0 && left > 0) {
		if (atomic_load(boot->cli->stop)) {
			printf("%s: QEMU goes on copying\n", disk);
			return 0;
		}
		vrms_clock_sleep_ms(vrms_clock_system(), LOOK_MS);
		rc = vrms_live_pull_left(boot->live, disk, &left, error);
	}
	if (rc == 0) {
		printf("%s: copied after %.1f s\n", disk, seconds_since(boot->start_ms));
		fflush(stdout);
	}
	return rc < 0 ? not_copied(disk, rc, error) : 0;
}

/* A copy that failed in QEMU looks ended, too: does an image still stand on the server? */
static int check_copied(const struct boot *boot, struct vrms_error *error)
{
	char *xml VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_live_xml(boot->live, false, &xml, error);

	if (rc == 0 && strstr(xml, boot->overlays.serve.socket) != NULL) {
		rc = vrms_error_set(error, -EIO,
				    "QEMU did not copy all: VM '%s' still needs the repository "
				    "(virsh blockpull)",
				    boot->name);
	}
	return rc;
}

static int copy_disks(struct boot *boot, struct vrms_error *error)
{
	int rc = start_copies(boot, error);

	for (size_t i = 0; i < boot->overlays.count && rc == 0; i++) {
		rc = wait_copied(boot, boot->overlays.moves[i].target, error);
	}
	return rc == 0 && !atomic_load(boot->cli->stop) ? check_copied(boot, error) : rc;
}

int vrms_command_boot(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct boot boot VRMS_CLEANUP(boot_done) = {
	    .cli = cli,
	    .start_ms = vrms_clock_now_ms(vrms_clock_system()),
	};
	struct vrms_serve serve;
	int rc = vrms_open_repository(cli, VRMS_LOCK_READER, "boot", &open, error);

	if (rc == 0) {
		boot.repository = open.repository;
		rc = vrms_point_read(open.repository, cli->arguments[0], &boot.point, error);
	}
	boot.name = cli->name != NULL ? cli->name : boot.point.vm;
	if (rc == 0) {
		rc = check_startable(&boot, error);
	}
	if (rc == 0) {
		rc = refuse_running(&boot, error);
	}
	if (rc == 0) {
		rc = open_folder(&boot, error);
	}
	if (rc == 0 && !cli->no_copy && !cli->force) {
		rc = vrms_space_check_folder(open.repository, &boot.point, boot.folder, error);
	}
	if (rc == 0) {
		serve = serve_of(cli, &boot.point);
		rc = vrms_overlays_make(&boot.point, &serve, boot.folder, boot.name, &boot.overlays,
					error);
	}
	if (rc == 0) {
		rc = start_vm(&boot, error);
	}
	if (rc == 0 && !cli->no_copy) {
		rc = copy_disks(&boot, error);
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "'%s'", cli->arguments[0]) : 0;
}
