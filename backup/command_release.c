/* command_release.c - release: our bitmaps out of a VM's images.
 *
 * QEMU reverts no internal snapshot while an image has a bitmap, whosever: libvirt's revert of a
 * running VM then ends with the VM off.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/cli.h"
#include "backup/image.h"
#include "backup/live_base.h"
#include "backup/take.h"

struct release {
	struct vrms_live *live;
	unsigned int count;
};

static int release_names(const struct vrms_image *image, char *const *names,
			 struct release *release, struct vrms_error *error)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && names[i] != NULL; i++) {
		if (strncmp(names[i], VRMS_TAKE_BITMAP_PREFIX, strlen(VRMS_TAKE_BITMAP_PREFIX)) ==
		    0) {
			rc = vrms_image_bitmap_remove(image, names[i], error);
			release->count += rc == 0;
		}
	}
	return rc;
}

static int release_image(const char *path, const char *format, struct release *release,
			 struct vrms_error *error)
{
	struct vrms_image image VRMS_CLEANUP(vrms_image_done) = {0};
	int rc = vrms_image_inspect(path, format, &image, error);

	if (rc == 0) {
		rc = release_names(&image, image.bitmaps, release, error);
	}
	if (rc == 0) {
		rc = release_names(&image, image.broken, release, error);
	}
	return rc;
}

static int remove_one(void *context, const char *name, struct vrms_error *error)
{
	struct release *release = context;
	int rc = vrms_live_remove(release->live, name, true, error);

	release->count += rc == 0;
	return rc;
}

/* libvirt removes only what it knows: it is told of all that the points name first. */
static int release_running(struct vrms_repository *repository, const struct vrms_vm_xml *vm,
			   struct release *release, struct vrms_error *error)
{
	struct vrms_point_list points VRMS_CLEANUP(vrms_point_list_done) = {0};
	struct vrms_live_bases *bases VRMS_CLEANUP(vrms_freep) =
	    calloc(vm->disk_count + 1, sizeof(*bases));
	int rc = bases != NULL ? vrms_points_read(repository, vm->name, &points, error)
			       : vrms_error_set(error, -ENOMEM, "out of memory");

	if (rc == 0) {
		rc = vrms_live_bases_find(release->live, vm, &points, bases, error);
	}
	return rc < 0 ? rc
		      : vrms_live_each(release->live, VRMS_TAKE_BITMAP_PREFIX, remove_one, release,
				       error);
}

static int release_vm(const struct vrms_cli *cli, struct vrms_repository *repository,
		      struct release *release, struct vrms_error *error)
{
	struct vrms_live *live VRMS_CLEANUP(vrms_live_closep) = NULL;
	struct vrms_vm_xml vm VRMS_CLEANUP(vrms_vm_xml_done) = {0};
	char *xml VRMS_CLEANUP(vrms_freep) = NULL;
	bool is_active = false;
	int rc = vrms_live_open(cli->connect, cli->arguments[0], &live, error);

	if (rc == 0) {
		rc = vrms_live_is_active(live, &is_active, error);
	}
	if (rc == 0) {
		rc = vrms_live_xml(live, false, &xml, error);
	}
	if (rc == 0) {
		rc = vrms_vm_xml_parse(xml, &vm, error);
	}
	release->live = live;
	if (rc == 0 && is_active) {
		return release_running(repository, &vm, release, error);
	}
	for (size_t i = 0; i < vm.disk_count && rc == 0; i++) {
		if (vm.disks[i].path[0] != '\0' && strcmp(vm.disks[i].format, "qcow2") == 0) {
			rc = release_image(vm.disks[i].path, vm.disks[i].format, release, error);
		}
	}
	return rc;
}

int vrms_command_release(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct release release = {0};
	/* No backup of the VM can run meanwhile. */
	int rc = vrms_open_repository(cli, VRMS_LOCK_WRITER, "release", &open, error);

	for (size_t i = 0; i < cli->images.count && rc == 0; i++) {
		const char *equals = strchr(cli->images.rows[i], '=');

		rc = equals == NULL ? vrms_error_set(error, -EINVAL, "--image '%s': not DISK=PATH",
						     cli->images.rows[i])
				    : release_image(equals + 1, NULL, &release, error);
	}
	if (rc == 0 && cli->images.count == 0) {
		rc = release_vm(cli, open.repository, &release, error);
	}
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "release of '%s'", cli->arguments[0]);
	}
	printf("bitmaps removed: %u; the next backup of '%s' reads everything, storing only "
	       "changes\n",
	       release.count, cli->arguments[0]);
	return 0;
}
