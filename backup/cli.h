/* cli.h - what vrms-backup's commands share: options, the open repository, output.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_CLI_H
#define VRMS_BACKUP_CLI_H

#include <stdatomic.h>

#include "backup/lock.h"
#include "backup/point.h"
#include "backup/repository.h"
#include "backup/retention.h"

enum { VRMS_CLI_LIST_MAX = 32 };

struct vrms_cli_list {
	const char *rows[VRMS_CLI_LIST_MAX];
	size_t count;
};

/* One field per option of the table in cli.c. */
struct vrms_cli {
	const char *repository, *key_file, *key_command;
	const char *new_key_file, *new_key_command;
	const char *mode, *hash, *compression, *format, *name, *output, *to, *to_key_file;
	const char *connect, *scratch, *config, *socket, *wait_for;
	struct vrms_cli_list images, files, disks, excluded;
	uint64_t block_bytes, pack_bytes, rate_bytes, budget_bytes;
	int64_t level, threads, lock_wait_ms, timeout_ms, keep[VRMS_KEEP_COUNT], live_pct;
	bool encrypt, fast, self_contained, json, dry_run, overwrite, only_new, chain, force,
	    no_freeze, define, cluster_config, writable, no_copy, whole;
	bool help; /* asked for; the rest is then of no use */
	char **arguments;
	int argument_count;
	const atomic_bool *stop;
};

struct vrms_command {
	const char *name;
	const char *arguments; /* as in the usage line */
	const char *summary;
	const char *options;  /* names of the options it takes, between blanks */
	int minimum, maximum; /* arguments */
	int (*run)(const struct vrms_cli *cli, struct vrms_error *error);
};

/* Reads the options of one command; --help may stand anywhere.  Returns -EINVAL with a text. */
VRMS_MUST_CHECK int vrms_cli_parse(const struct vrms_command *command, int argc, char **argv,
				   struct vrms_cli *ret_cli, struct vrms_error *error);
void vrms_cli_print_usage(const struct vrms_command *command);
void vrms_cli_print_options(const struct vrms_command *command);

/* The repository that --repository or VRMS_BACKUP_REPOSITORY names, open and locked. */
struct vrms_open {
	struct vrms_store_posix *posix;
	struct vrms_lock *lock;
	struct vrms_repository *repository;
	char *secret;
	size_t secret_size;
};
void vrms_open_done(struct vrms_open *open);
VRMS_MUST_CHECK int vrms_open_repository(const struct vrms_cli *cli, enum vrms_lock_kind kind,
					 const char *purpose, struct vrms_open *ret_open,
					 struct vrms_error *error);

/* As above for one that --to and --to-key-file name. */
VRMS_MUST_CHECK int vrms_open_second(const struct vrms_cli *cli, enum vrms_lock_kind kind,
				     const char *purpose, struct vrms_open *ret_open,
				     struct vrms_error *error);

/* Reads a key; ret_secret stays NULL when neither is given. */
VRMS_MUST_CHECK int vrms_cli_secret(const char *file, const char *command, char **ret_secret,
				    size_t *ret_size, struct vrms_error *error);

/* "1.5 GiB", "512 B". text: 16 bytes. */
const char *vrms_size_print(uint64_t bytes, char *text);
/* Local time, "2024-05-01 13:00:00". text: 24 bytes. */
const char *vrms_time_print(int64_t time_s, char *text);

/* The commands, each in its file. */
int vrms_command_init(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_take(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_guard(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_list(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_show(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_diff(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_restore(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_serve(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_boot(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_test_restore(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_copy(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_export(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_export_chain(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_verify(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_check(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_repair(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_prune(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_remove(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_stats(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_rekey(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_unlock(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_release(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_schedule(const struct vrms_cli *cli, struct vrms_error *error);
int vrms_command_status(const struct vrms_cli *cli, struct vrms_error *error);

#endif
