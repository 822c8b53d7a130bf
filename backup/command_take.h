/* command_take.h - what the files of the command "take" share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_COMMAND_TAKE_H
#define VRMS_BACKUP_COMMAND_TAKE_H

#include "backup/cli.h"
#include "backup/take_images.h"

enum { VRMS_TAKE_FILE_BYTES_MAX = 64 << 20, VRMS_TAKE_FILES_MAX = VRMS_CLI_LIST_MAX + 8 };

struct vrms_take_files {
	struct vrms_job_file rows[VRMS_TAKE_FILES_MAX];
	char *contents[VRMS_TAKE_FILES_MAX];
	size_t count;
};

void vrms_take_files_done(struct vrms_take_files *files); /* accepts a zeroed one */
/* Reads a file of the VM to be saved with it.  name is borrowed. */
VRMS_MUST_CHECK int vrms_take_files_read(struct vrms_take_files *files, const char *name,
					 const char *path, struct vrms_error *error);
/* Adds a text, which becomes theirs to free. */
VRMS_MUST_CHECK int vrms_take_files_add(struct vrms_take_files *files, const char *name, char *text,
					struct vrms_error *error);

/* Takes a VM that libvirt knows, running or not, with its XML, NVRAM and TPM state. */
VRMS_MUST_CHECK int vrms_take_vm(const struct vrms_cli *cli, struct vrms_repository *repository,
				 const struct vrms_take *wanted, struct vrms_take_files *files,
				 struct vrms_point *ret_point, struct vrms_error *error);

/* What a run says at its end. */
void vrms_take_print(const struct vrms_point *point);
unsigned int vrms_take_thread_count(const struct vrms_cli *cli);

#endif
