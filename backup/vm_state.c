/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/vm_state.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/restore.h"
#include "common/file.h"

void vrms_vm_state_tpm_path(const struct vrms_vm_xml *vm, char *ret_path)
{
	snprintf(ret_path, VRMS_VM_STATE_PATH_BYTES,
		 "/var/lib/libvirt/swtpm/%.40s/tpm2/tpm2-00.permall", vm->uuid);
}

static int put_file(struct vrms_repository *repository, const struct vrms_point_part *part,
		    const char *path, enum vrms_vm_state_old old, struct vrms_error *error)
{
	uint8_t *data VRMS_CLEANUP(vrms_freep) = NULL;
	char *folder VRMS_CLEANUP(vrms_freep) = strdup(path);
	bool is_there = access(path, F_OK) == 0;
	int rc;

	if (is_there && old == VRMS_VM_STATE_KEEP) {
		return 0;
	}
	if (is_there && old == VRMS_VM_STATE_REFUSE) {
		return vrms_error_set(error, -EEXIST, "'%s' is there (--overwrite)", path);
	}
	rc = folder == NULL ? vrms_error_set(error, -ENOMEM, "out of memory")
			    : vrms_file_mkdir_all(dirname(folder), 0711, error);
	if (rc == 0) {
		rc = vrms_restore_read(repository, part, &data, error);
	}
	return rc < 0 ? rc : vrms_file_write(path, data, part->bytes, 0600, error);
}

static const struct vrms_point_part *find_file(const struct vrms_point *point, const char *name)
{
	const struct vrms_point_part *part = vrms_point_find(point, name);

	return part != NULL && !part->is_disk ? part : NULL;
}

int vrms_vm_state_put(struct vrms_repository *repository, const struct vrms_point *point,
		      const char *xml, enum vrms_vm_state_old old, struct vrms_error *error)
{
	const struct vrms_point_part *nvram = find_file(point, "nvram");
	const struct vrms_point_part *tpm = find_file(point, "tpm");
	struct vrms_vm_xml vm VRMS_CLEANUP(vrms_vm_xml_done) = {0};
	char path[VRMS_VM_STATE_PATH_BYTES];
	int rc = vrms_vm_xml_parse(xml, &vm, error);

	if (rc == 0 && nvram != NULL && vm.nvram[0] != '\0') {
		rc = put_file(repository, nvram, vm.nvram, old, error);
	}
	if (rc == 0 && tpm != NULL && vm.has_tpm && vm.uuid[0] != '\0') {
		vrms_vm_state_tpm_path(&vm, path);
		rc = put_file(repository, tpm, path, old, error);
	}
	return rc;
}
