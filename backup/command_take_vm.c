/* command_take_vm.c - take, of a VM that libvirt knows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/behind.h"
#include "backup/command_cluster.h"
#include "backup/command_take.h"
#include "backup/take_live.h"
#include "backup/vm_state.h"
#include "common/file.h"

void vrms_take_files_done(struct vrms_take_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		free(files->contents[i]);
	}
	memset(files, 0, sizeof(*files));
}

static int append(struct vrms_take_files *files, const char *name, char *data, size_t size,
		  struct vrms_error *error)
{
	if (files->count == VRMS_TAKE_FILES_MAX) {
		free(data);
		return vrms_error_set(error, -E2BIG, "more than %d files", VRMS_TAKE_FILES_MAX);
	}
	files->contents[files->count] = data;
	files->rows[files->count++] = (struct vrms_job_file){name, data, size};
	return 0;
}

int vrms_take_files_read(struct vrms_take_files *files, const char *name, const char *path,
			 struct vrms_error *error)
{
	char *data = NULL;
	size_t size;
	int rc = vrms_file_read(path, VRMS_TAKE_FILE_BYTES_MAX, &data, &size, error);

	return rc < 0 ? rc : append(files, name, data, size, error);
}

int vrms_take_files_add(struct vrms_take_files *files, const char *name, char *text,
			struct vrms_error *error)
{
	return append(files, name, text, strlen(text), error);
}

static void note(const char *text)
{
	fprintf(stderr, "vrms-backup: note: %s\n", text);
}

static int add_tpm(const struct vrms_vm_xml *vm, struct vrms_take_files *files,
		   struct vrms_error *error)
{
	char path[VRMS_VM_STATE_PATH_BYTES];

	vrms_vm_state_tpm_path(vm, path);
	if (access(path, F_OK) < 0) {
		note("the TPM's state is not where libvirt keeps it: not saved");
		return 0;
	}
	return vrms_take_files_read(files, "tpm", path, error);
}

/* Pacemaker's programs take as long as libvirt takes to begin a backup: they run meanwhile. */
struct cluster_file {
	struct vrms_behind *behind;
	const char *vm;
	struct vrms_take_files *files;
	char *text;
	struct vrms_error why; /* it could not be asked */
};

static void cluster_file_done(struct cluster_file *file)
{
	vrms_behind_free(file->behind);
	free(file->text);
}

static int ask_cluster(void *context, struct vrms_error *error)
{
	struct cluster_file *file = context;

	(void)error;
	/* What cannot be asked now is no reason to have no backup. */
	if (vrms_cluster_save(file->vm, &file->text, &file->why) < 0) {
		return 0;
	}
	vrms_error_clear(&file->why);
	return 0;
}

static int begin_cluster(struct cluster_file *file, struct vrms_error *error)
{
	file->behind = vrms_behind_new();
	return file->behind != NULL ? vrms_behind_start(file->behind, ask_cluster, file, error)
				    : vrms_error_set(error, -ENOMEM, "out of memory");
}

static int gather(void *context, const struct vrms_job_file **ret_files, size_t *ret_count,
		  struct vrms_error *error)
{
	struct cluster_file *file = context;
	int rc = vrms_behind_wait(file->behind, error);

	if (file->why.text[0] != '\0') {
		note(file->why.text);
	}
	if (rc == 0 && file->text != NULL) {
		rc = vrms_take_files_add(file->files, VRMS_CLUSTER_FILE, VRMS_TAKE(file->text),
					 error);
	}
	*ret_files = file->files->rows;
	*ret_count = file->files->count;
	return rc;
}

static int add_files(struct vrms_live *live, const struct vrms_vm_xml *vm,
		     struct vrms_take_files *files, struct vrms_error *error)
{
	char *xml;
	int rc = vrms_live_xml(live, true, &xml, error);

	if (rc == 0) {
		rc = vrms_take_files_add(files, "domain.xml", xml, error);
	}
	if (rc == 0 && vm->nvram[0] != '\0') {
		/* A VM that never ran has none yet. */
		rc = access(vm->nvram, F_OK) == 0
			 ? vrms_take_files_read(files, "nvram", vm->nvram, error)
			 : 0;
	}
	return rc == 0 && vm->has_tpm ? add_tpm(vm, files, error) : rc;
}

/* Who encrypts an image may not want its content elsewhere in plain. */
static void note_encrypted(const struct vrms_vm_xml *vm, const struct vrms_repository *repository)
{
	for (size_t i = 0; i < vm->disk_count; i++) {
		if (vm->disks[i].is_encrypted &&
		    !vrms_repository_config(repository)->is_encrypted) {
			fprintf(stderr,
				"vrms-backup: note: disk '%s' is encrypted in its image, its "
				"content is not in this repository (init --encrypt)\n",
				vm->disks[i].target);
		}
	}
}

/* Takes disks that were excluded out of the list. */
static int exclude(const struct vrms_cli *cli, struct vrms_vm_xml *vm, struct vrms_error *error)
{
	for (size_t i = 0; i < cli->excluded.count; i++) {
		size_t k = 0;

		while (k < vm->disk_count &&
		       strcmp(vm->disks[k].target, cli->excluded.rows[i]) != 0) {
			k++;
		}
		if (k == vm->disk_count) {
			return vrms_error_set(error, -ENOENT, "--exclude: the VM has no disk '%s'",
					      cli->excluded.rows[i]);
		}
		struct vrms_vm_disk gone = vm->disks[k];
		memmove(&vm->disks[k], &vm->disks[k + 1],
			(vm->disk_count - k - 1) * sizeof(*vm->disks));
		vm->disks[--vm->disk_count] = (struct vrms_vm_disk){0};
		free(gone.target);
		free(gone.path);
		free(gone.format);
	}
	return vm->disk_count > 0 ? 0 : vrms_error_set(error, -EINVAL, "no disk is left to take");
}

static int take_shut_off(struct vrms_repository *repository, const struct vrms_take *take,
			 const struct vrms_vm_xml *vm, struct vrms_point *ret_point,
			 struct vrms_error *error)
{
	struct vrms_take_image *images VRMS_CLEANUP(vrms_freep) =
	    calloc(vm->disk_count, sizeof(*images));

	int rc = images != NULL ? vrms_cluster_refuse_active(vm->name, error)
				: vrms_error_set(error, -ENOMEM, "out of memory");

	if (rc < 0) {
		return rc;
	}
	for (size_t i = 0; i < vm->disk_count; i++) {
		const struct vrms_vm_disk *disk = &vm->disks[i];

		if (disk->path[0] == '\0') {
			return vrms_error_set(
			    error, -EOPNOTSUPP,
			    "disk '%s' is neither a file, a device, nor on NBD or "
			    "iSCSI without password: it can be taken only while "
			    "the VM runs (or --exclude %s)",
			    disk->target, disk->target);
		}
		images[i] = (struct vrms_take_image){
		    .disk = disk->target,
		    .path = disk->path,
		    .format = disk->format[0] != '\0' ? disk->format : NULL,
		};
	}
	return vrms_take_images(repository, take, images, vm->disk_count, ret_point, error);
}

int vrms_take_vm(const struct vrms_cli *cli, struct vrms_repository *repository,
		 const struct vrms_take *wanted, struct vrms_take_files *files,
		 struct vrms_point *ret_point, struct vrms_error *error)
{
	struct vrms_take take = *wanted;
	struct vrms_live *live VRMS_CLEANUP(vrms_live_closep) = NULL;
	struct vrms_vm_xml vm VRMS_CLEANUP(vrms_vm_xml_done) = {0};
	char *xml VRMS_CLEANUP(vrms_freep) = NULL;
	struct cluster_file cluster VRMS_CLEANUP(cluster_file_done) = {.files = files};
	struct vrms_take_live request = {
	    .take = &take,
	    .uri = cli->connect,
	    .vm = &vm,
	    .scratch_folder = cli->scratch,
	    .no_freeze = cli->no_freeze,
	    .note = note,
	};
	bool is_active = false;
	int rc = vrms_live_open(cli->connect, take.vm, &live, error);

	if (rc == 0) {
		rc = vrms_live_is_active(live, &is_active, error);
	}
	if (rc == 0) {
		rc = vrms_live_xml(live, false, &xml, error);
	}
	if (rc == 0) {
		rc = vrms_vm_xml_parse(xml, &vm, error);
	}
	if (rc == 0) {
		rc = exclude(cli, &vm, error);
	}
	if (rc == 0) {
		cluster.vm = vm.name;
		rc = begin_cluster(&cluster, error);
	}
	if (rc == 0) {
		rc = add_files(live, &vm, files, error);
	}
	if (rc < 0) {
		return rc;
	}
	take.gather = gather;
	take.gather_context = &cluster;
	take.vm = vm.name;
	take.uuid = vm.uuid;
	take.files = files->rows;
	take.file_count = files->count;
	request.live = live;
	note_encrypted(&vm, repository);
	return is_active ? vrms_take_live(repository, &request, ret_point, error)
			 : take_shut_off(repository, &take, &vm, ret_point, error);
}
