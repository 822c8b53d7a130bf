/* command_take.c - init, take.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "backup/command_take.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/live_guard.h"
#include "backup/repository_config.h"
#include "common/file.h"

static int read_config(const struct vrms_cli *cli, struct vrms_repository_config *config,
		       struct vrms_error *error)
{
	int rc = 0;

	*config = (struct vrms_repository_config){
	    .block_bytes = VRMS_BLOCK_BYTES_DEFAULT,
	    .pack_bytes = VRMS_PACK_BYTES_DEFAULT,
	    .hash = cli->fast ? VRMS_HASH_XXH3 : VRMS_HASH_SHA256,
	    .is_compressing = true,
	    .level = cli->fast ? VRMS_LEVEL_FAST : VRMS_LEVEL_DEFAULT,
	    .is_encrypted = cli->encrypt,
	};
	if (cli->block_bytes > UINT32_MAX || cli->pack_bytes > UINT32_MAX) {
		return vrms_error_set(error, -ERANGE, "--block-size or --pack-size: too large");
	}
	config->block_bytes =
	    cli->block_bytes > 0 ? (uint32_t)cli->block_bytes : config->block_bytes;
	config->pack_bytes = cli->pack_bytes > 0 ? (uint32_t)cli->pack_bytes : config->pack_bytes;
	config->level = cli->level != INT64_MIN ? (int)cli->level : config->level;
	if (cli->hash != NULL) {
		rc = vrms_hash_parse(cli->hash, &config->hash, error);
	}
	if (cli->encrypt && (cli->fast || config->hash == VRMS_HASH_XXH3)) {
		return vrms_error_set(
		    error, -EINVAL,
		    "an encrypted repository needs a keyed hash: not with --fast or "
		    "--hash xxh3");
	}
	if (cli->encrypt && rc == 0) {
		config->hash = VRMS_HASH_HMAC_SHA256;
	}
	if (cli->compression != NULL && strcmp(cli->compression, "none") != 0 &&
	    strcmp(cli->compression, "zstd") != 0) {
		return vrms_error_set(error, -EINVAL, "unknown compression '%s' (zstd, none)",
				      cli->compression);
	}
	config->is_compressing = cli->compression == NULL || strcmp(cli->compression, "none") != 0;
	return rc;
}

int vrms_command_init(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_store_posix *posix VRMS_CLEANUP(vrms_store_posix_closep) = NULL;
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_repository_config config;
	struct vrms_secret secret;
	int rc;

	if (cli->repository == NULL) {
		return vrms_error_set(error, -EINVAL,
				      "which repository? (--repository or VRMS_BACKUP_REPOSITORY)");
	}
	rc = read_config(cli, &config, error);
	if (rc == 0 && cli->encrypt) {
		rc = vrms_cli_secret(cli->key_file, cli->key_command, &text, &secret.size, error);
		secret.data = text;
	}
	if (rc == 0) {
		rc = vrms_file_mkdir_all(cli->repository, 0700, error);
	}
	if (rc == 0) {
		rc = vrms_store_posix_open(cli->repository, &posix, error);
	}
	if (rc == 0) {
		rc = vrms_repository_create(vrms_store_posix_port(posix), &config,
					    text != NULL ? &secret : NULL, error);
	}
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "init '%s'", cli->repository);
	}
	printf("repository '%s' made: %s, %s%s\n", cli->repository, vrms_hash_name(config.hash),
	       config.is_compressing ? "zstd" : "no compression",
	       config.is_encrypted ? ", encrypted" : "");
	return 0;
}

/* Splits "NAME=VALUE"; name has 64 bytes. */
static int split(const char *option, const char *text, char *ret_name, const char **ret_value,
		 struct vrms_error *error)
{
	const char *equals = strchr(text, '=');
	size_t length = equals != NULL ? (size_t)(equals - text) : 0;

	if (length == 0 || length >= 64 || equals[1] == '\0') {
		return vrms_error_set(error, -EINVAL, "--%s '%s': not NAME=PATH", option, text);
	}
	memcpy(ret_name, text, length);
	ret_name[length] = '\0';
	*ret_value = equals + 1;
	return 0;
}

struct inputs {
	char disk_names[VRMS_CLI_LIST_MAX][64];
	char file_names[VRMS_CLI_LIST_MAX][64];
	struct vrms_take_image images[VRMS_CLI_LIST_MAX];
	struct vrms_take_files files;
};

static void inputs_done(struct inputs *inputs)
{
	vrms_take_files_done(&inputs->files);
}

static int read_inputs(const struct vrms_cli *cli, struct inputs *inputs, struct vrms_error *error)
{
	/* Of those that are named, each is wanted. */
	int rc = cli->images.count > 0 && cli->excluded.count > 0
		     ? vrms_error_set(error, -EINVAL, "--exclude '%s': not with --image",
				      cli->excluded.rows[0])
		     : 0;

	for (size_t i = 0; i < cli->images.count && rc == 0; i++) {
		rc = split("image", cli->images.rows[i], inputs->disk_names[i],
			   &inputs->images[i].path, error);
		inputs->images[i].disk = inputs->disk_names[i];
		for (size_t k = 0; k < i && rc == 0; k++) {
			if (strcmp(inputs->disk_names[k], inputs->disk_names[i]) == 0) {
				rc = vrms_error_set(error, -EINVAL, "--image: disk '%s' twice",
						    inputs->disk_names[i]);
			}
		}
	}
	for (size_t i = 0; i < cli->files.count && rc == 0; i++) {
		const char *path;

		rc = split("file", cli->files.rows[i], inputs->file_names[i], &path, error);
		if (rc == 0) {
			rc = vrms_take_files_read(&inputs->files, inputs->file_names[i], path,
						  error);
		}
	}
	return rc;
}

void vrms_take_print(const struct vrms_point *point)
{
	char size[16];

	printf("%s@%" PRIu64 ": stored %s in %.1f s, consistency: %s\n", point->vm, point->sequence,
	       vrms_size_print(point->stored_bytes, size), (double)point->duration_ms / 1000,
	       point->consistency);
	for (size_t i = 0; i < point->part_count; i++) {
		const struct vrms_point_part *part = &point->parts[i];
		char read[16], changed[16];

		if (part->is_disk) {
			printf("  %s: %s%s%s%s, read %s, %s %s\n", part->name,
			       vrms_mode_name(part->mode), part->reason[0] != '\0' ? " (" : "",
			       part->reason, part->reason[0] != '\0' ? ")" : "",
			       vrms_size_print(part->read_bytes, read),
			       part->mode == VRMS_MODE_FULL ? "data" : "changed",
			       vrms_size_print(part->changed_bytes, changed));
		}
	}
}

unsigned int vrms_take_thread_count(const struct vrms_cli *cli)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (cli->threads > 0) {
		return (unsigned int)cli->threads;
	}
	return processors < 1 ? 1 : processors > 8 ? 8 : (unsigned int)processors;
}

int vrms_command_take(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {0};
	struct inputs inputs VRMS_CLEANUP(inputs_done) = {0};
	struct vrms_take take = {
	    .vm = cli->arguments[0],
	    .is_self_contained = cli->self_contained,
	    .thread_count = vrms_take_thread_count(cli),
	    .rate_bytes = cli->rate_bytes,
	    .stop = cli->stop,
	};
	char purpose[80];
	int rc = cli->mode != NULL ? vrms_mode_parse(cli->mode, &take.mode, error) : 0;

	if (rc == 0 && cli->self_contained && take.mode != VRMS_MODE_AUTO &&
	    take.mode != VRMS_MODE_FULL) {
		rc = vrms_error_set(error, -EINVAL,
				    "--self-contained is a full: not with --mode %s", cli->mode);
	}
	if (rc == 0) {
		rc = read_inputs(cli, &inputs, error);
	}
	if (rc < 0) {
		return rc;
	}
	take.files = inputs.files.rows;
	take.file_count = inputs.files.count;
	snprintf(purpose, sizeof(purpose), "a backup of %.50s", take.vm);
	rc = vrms_open_repository(cli, VRMS_LOCK_WRITER, purpose, &open, error);
	if (rc == 0 && cli->images.count > 0) {
		rc = vrms_take_images(open.repository, &take, inputs.images, cli->images.count,
				      &point, error);
	} else if (rc == 0) {
		rc = vrms_take_vm(cli, open.repository, &take, &inputs.files, &point, error);
	}
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "backup of '%s'", cli->arguments[0]);
	}
	if (cli->json) {
		json_t *value VRMS_CLEANUP(json_decrefp) = vrms_point_encode(&point);

		json_dumpf(value, stdout, JSON_INDENT(1));
		printf("\n");
	} else {
		vrms_take_print(&point);
	}
	return 0;
}

int vrms_command_guard(const struct vrms_cli *cli, struct vrms_error *error)
{
	return vrms_live_guard_run(cli->arguments, cli->argument_count, error);
}
