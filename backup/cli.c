/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/cli.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/child.h"
#include "common/file.h"
#include "common/parse.h"

enum { OPTIONS_MAX = 72, KEY_BYTES_MAX = 1 << 20, KEY_COMMAND_MS = 60000 };

enum option_type { FLAG, TEXT, NUMBER, SIZE, DURATION, LIST };

struct cli_option {
	const char *name;
	enum option_type type;
	size_t offset;
	const char *value; /* as in the help */
	const char *help;
	int64_t minimum, maximum; /* of a NUMBER */
};

#define FIELD(name) offsetof(struct vrms_cli, name)

static const struct cli_option options[] = {
    {"repository", TEXT, FIELD(repository), "DIR", "the repository (or VRMS_BACKUP_REPOSITORY)"},
    {"key-file", TEXT, FIELD(key_file), "FILE",
     "key of an encrypted repository (or VRMS_BACKUP_KEY_FILE)"},
    {"key-command", TEXT, FIELD(key_command), "COMMAND", "program that prints the key"},
    {"lock-wait", DURATION, FIELD(lock_wait_ms), "TIME", "how long to wait for others (0)"},
    {"threads", NUMBER, FIELD(threads), "N", "worker threads (as many as processors)", 1, 15},
    {"json", FLAG, FIELD(json), NULL, "print JSON"},
    {"encrypt", FLAG, FIELD(encrypt), NULL, "encrypt with AES-256-GCM; needs a key"},
    {"fast", FLAG, FIELD(fast), NULL, "hash with XXH3-128 and compress with zstd -2"},
    {"hash", TEXT, FIELD(hash), "NAME", "sha256 (default) or xxh3"},
    {"compression", TEXT, FIELD(compression), "NAME", "zstd (default) or none"},
    {"level", NUMBER, FIELD(level), "N", "zstd level, -7 to 19 (1)", -7, 19},
    {"block-size", SIZE, FIELD(block_bytes), "SIZE", "4K to 1M (64K)"},
    {"pack-size", SIZE, FIELD(pack_bytes), "SIZE", "1M to 1G (256M)"},
    {"mode", TEXT, FIELD(mode), "MODE", "full, incremental, differential or auto (default)"},
    {"self-contained", FLAG, FIELD(self_contained), NULL,
     "a full that shares no block with earlier packs"},
    {"image", LIST, FIELD(images), "DISK=PATH", "disk of a VM that is off; may be repeated"},
    {"exclude", LIST, FIELD(excluded), "DISK", "leave this disk out; may be repeated"},
    {"connect", TEXT, FIELD(connect), "URI", "libvirt's (as virsh's)"},
    {"scratch", TEXT, FIELD(scratch), "DIR",
     "for what the guest overwrites meanwhile (beside each image)"},
    {"no-freeze", FLAG, FIELD(no_freeze), NULL, "do not ask the guest's agent to freeze"},
    {"file", LIST, FIELD(files), "NAME=PATH", "file to save with it; may be repeated"},
    {"rate", SIZE, FIELD(rate_bytes), "SIZE", "read at most so much per second"},
    {"socket", TEXT, FIELD(socket), "PATH", "where the server listens"},
    {"writable", FLAG, FIELD(writable), NULL, "take writes too, and forget them at the end"},
    {"no-copy", FLAG, FIELD(no_copy), NULL, "leave the disks in the repository"},
    {"whole", FLAG, FIELD(whole), NULL, "restore the disks into scratch first, every block"},
    {"wait-for", TEXT, FIELD(wait_for), "TEXT", "what its serial line must say"},
    {"timeout", DURATION, FIELD(timeout_ms), "TIME", "how long to wait for it (3min)"},
    {"to", TEXT, FIELD(to), "DIR", "the other repository"},
    {"to-key-file", TEXT, FIELD(to_key_file), "FILE", "its key"},
    {"disk", LIST, FIELD(disks), "DISK[=TARGET]",
     "only this disk, to this target; may be repeated"},
    {"format", TEXT, FIELD(format), "FORMAT", "of the new images: qcow2 or raw (as they were)"},
    {"output", TEXT, FIELD(output), "DIR", "folder for the new images"},
    {"overwrite", FLAG, FIELD(overwrite), NULL, "replace what is there"},
    {"define", FLAG, FIELD(define), NULL,
     "define the VM in libvirt, with its disks where they are now"},
    {"name", TEXT, FIELD(name), "NAME", "define it as another VM: new UUID and addresses"},
    {"chain", FLAG, FIELD(chain), NULL, "one image per point, each on top of the one before"},
    {"budget", SIZE, FIELD(budget_bytes), "SIZE",
     "read blocks in places at random until this size is reached"},
    {"new", FLAG, FIELD(only_new), NULL, "read only what no verify has read yet"},
    {"dry-run", FLAG, FIELD(dry_run), NULL, "say what would be done"},
    {"force", FLAG, FIELD(force), NULL, "go on over damaged points, or where disks may not fit"},
    {"min-live", NUMBER, FIELD(live_pct), "PERCENT", "rewrite packs with less in use (50)", 0, 100},
    {"keep-last", NUMBER, FIELD(keep[VRMS_KEEP_LAST]), "N", "keep the last N", 0, UINT32_MAX},
    {"keep-hourly", NUMBER, FIELD(keep[VRMS_KEEP_HOURLY]), "N", "keep one of each of N hours", 0,
     UINT32_MAX},
    {"keep-daily", NUMBER, FIELD(keep[VRMS_KEEP_DAILY]), "N", "... days", 0, UINT32_MAX},
    {"keep-weekly", NUMBER, FIELD(keep[VRMS_KEEP_WEEKLY]), "N", "... weeks", 0, UINT32_MAX},
    {"keep-monthly", NUMBER, FIELD(keep[VRMS_KEEP_MONTHLY]), "N", "... months", 0, UINT32_MAX},
    {"keep-yearly", NUMBER, FIELD(keep[VRMS_KEEP_YEARLY]), "N", "... years", 0, UINT32_MAX},
    {"config", TEXT, FIELD(config), "FILE", "the policies (/etc/vrms/backup.conf)"},
    {"cluster-config", FLAG, FIELD(cluster_config), NULL, "the VM's configuration in Pacemaker"},
    {"new-key-file", TEXT, FIELD(new_key_file), "FILE", "the new key"},
    {"new-key-command", TEXT, FIELD(new_key_command), "COMMAND", "program that prints the new key"},
};

/* Every command takes these. */
static const char common_options[] = " repository key-file key-command lock-wait threads ";

static bool names(const char *list, const char *name)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), " %s ", name);
	return strstr(list, wanted) != NULL;
}

static bool takes(const struct vrms_command *command, const struct cli_option *option)
{
	return names(common_options, option->name) || names(command->options, option->name);
}

static int take_list(struct vrms_cli_list *list, const char *text, struct vrms_error *error)
{
	if (list->count == VRMS_CLI_LIST_MAX) {
		return vrms_error_set(error, -E2BIG, "more than %d of them", VRMS_CLI_LIST_MAX);
	}
	list->rows[list->count++] = text;
	return 0;
}

static int take_value(const struct cli_option *option, const char *text, struct vrms_cli *cli,
		      struct vrms_error *error)
{
	void *field = (char *)cli + option->offset;
	int rc = 0;

	switch (option->type) {
	case FLAG:
		*(bool *)field = true;
		break;
	case TEXT:
		*(const char **)field = text;
		break;
	case NUMBER:
		rc = vrms_int_parse(text, option->minimum, option->maximum, field, error);
		break;
	case SIZE:
		rc = vrms_size_parse(text, field, error);
		break;
	case DURATION:
		rc = vrms_duration_parse(text, field, error);
		break;
	case LIST:
		rc = take_list(field, text, error);
		break;
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "--%s", option->name) : 0;
}

static void list_options(const struct vrms_command *command, struct option *ret_list)
{
	size_t count = 0;

	for (size_t i = 0; i < VRMS_COUNT_OF(options); i++) {
		if (takes(command, &options[i])) {
			ret_list[count].name = options[i].name;
			ret_list[count].has_arg =
			    options[i].type == FLAG ? no_argument : required_argument;
			ret_list[count++].val = (int)(1000 + i);
		}
	}
	if (command->summary != NULL) {
		ret_list[count] =
		    (struct option){.name = "help", .has_arg = no_argument, .val = 'h'};
	}
}

static void set_defaults(struct vrms_cli *cli)
{
	memset(cli, 0, sizeof(*cli));
	cli->repository = getenv("VRMS_BACKUP_REPOSITORY");
	cli->key_file = getenv("VRMS_BACKUP_KEY_FILE");
	cli->level = INT64_MIN;
	cli->live_pct = 50;
	cli->timeout_ms = 180000;
}

int vrms_cli_parse(const struct vrms_command *command, int argc, char **argv,
		   struct vrms_cli *ret_cli, struct vrms_error *error)
{
	struct option list[OPTIONS_MAX] = {{0}};
	int found, rc = 0;

	set_defaults(ret_cli);
	list_options(command, list);
	opterr = 0;
	optind = 1;
	while (rc == 0 && (found = getopt_long(argc, argv, ":r:", list, NULL)) != -1) {
		if (found == 'r') {
			ret_cli->repository = optarg;
		} else if (found == 'h') {
			ret_cli->help = true;
			return 0;
		} else if (found == ':') {
			rc = vrms_error_set(error, -EINVAL, "%s: needs a value", argv[optind - 1]);
		} else if (found == '?') {
			rc = vrms_error_set(error, -EINVAL, "%s: no such option of '%s'",
					    argv[optind - 1], command->name);
		} else {
			rc = take_value(&options[found - 1000], optarg, ret_cli, error);
		}
	}
	ret_cli->arguments = argv + optind;
	ret_cli->argument_count = argc - optind;
	if (rc == 0 && (ret_cli->argument_count < command->minimum ||
			ret_cli->argument_count > command->maximum)) {
		rc = vrms_error_set(error, -EINVAL, "usage: vrms-backup %s [OPTION]... %s",
				    command->name, command->arguments);
	}
	return rc;
}

void vrms_cli_print_usage(const struct vrms_command *command)
{
	printf("  %-12s %-15s %s\n", command->name, command->arguments, command->summary);
}

void vrms_cli_print_options(const struct vrms_command *command)
{
	printf("Usage: vrms-backup %s [OPTION]... %s\n%s.\n\n", command->name, command->arguments,
	       command->summary);
	for (size_t i = 0; i < VRMS_COUNT_OF(options); i++) {
		char text[48];

		if (takes(command, &options[i])) {
			snprintf(text, sizeof(text), "--%s%s%s", options[i].name,
				 options[i].value != NULL ? " " : "",
				 options[i].value != NULL ? options[i].value : "");
			printf("  %-26s %s\n", text, options[i].help);
		}
	}
}

static int run_key_command(const char *command, char **ret_secret, size_t *ret_size,
			   struct vrms_error *error)
{
	const char *const argv[] = {"/bin/sh", "-c", command, NULL};
	struct vrms_child_spec spec = {.argv = argv, .timeout_ms = KEY_COMMAND_MS};
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	int rc = vrms_child_run(&spec, &result, error);

	if (rc < 0) {
		return rc;
	}
	if (result.exit_code != 0) {
		return vrms_error_set(error, -EIO, "key command '%s' ended with %d", command,
				      result.exit_code);
	}
	*ret_secret = strdup(result.output);
	*ret_size = *ret_secret != NULL ? strlen(*ret_secret) : 0;
	return *ret_secret != NULL ? 0 : -ENOMEM;
}

int vrms_cli_secret(const char *file, const char *command, char **ret_secret, size_t *ret_size,
		    struct vrms_error *error)
{
	int rc = 0;

	*ret_secret = NULL;
	*ret_size = 0;
	if (command != NULL) {
		rc = run_key_command(command, ret_secret, ret_size, error);
	} else if (file != NULL) {
		rc = vrms_file_read(file, KEY_BYTES_MAX, ret_secret, ret_size, error);
	}
	/* An editor's final newline is not part of the key. */
	if (rc == 0 && *ret_size > 0 && (*ret_secret)[*ret_size - 1] == '\n') {
		(*ret_size)--;
	}
	if (rc == 0 && *ret_secret != NULL && *ret_size == 0) {
		rc = vrms_error_set(error, -EINVAL, "the key is empty");
	}
	if (rc < 0) {
		free(*ret_secret);
		*ret_secret = NULL;
	}
	return rc;
}

void vrms_open_done(struct vrms_open *open)
{
	vrms_repository_close(open->repository);
	vrms_lock_release(open->lock);
	vrms_store_posix_close(open->posix);
	if (open->secret != NULL) {
		explicit_bzero(open->secret, open->secret_size);
	}
	free(open->secret);
	memset(open, 0, sizeof(*open));
}

static int ask_lock(const void *context, struct vrms_error *error)
{
	return vrms_lock_check(context, error);
}

int vrms_open_repository(const struct vrms_cli *cli, enum vrms_lock_kind kind, const char *purpose,
			 struct vrms_open *ret_open, struct vrms_error *error)
{
	struct vrms_secret secret;
	int rc;

	memset(ret_open, 0, sizeof(*ret_open));
	if (cli->repository == NULL) {
		return vrms_error_set(error, -EINVAL,
				      "which repository? (--repository or VRMS_BACKUP_REPOSITORY)");
	}
	rc = vrms_store_posix_open(cli->repository, &ret_open->posix, error);
	if (rc == 0) {
		rc = vrms_cli_secret(cli->key_file, cli->key_command, &ret_open->secret,
				     &ret_open->secret_size, error);
	}
	if (rc < 0) {
		return rc;
	}
	secret = (struct vrms_secret){ret_open->secret, ret_open->secret_size};
	rc = vrms_repository_open(vrms_store_posix_port(ret_open->posix),
				  ret_open->secret != NULL ? &secret : NULL, &ret_open->repository,
				  error);
	if (rc == 0) {
		rc = vrms_lock_take(cli->repository, kind, purpose, cli->lock_wait_ms,
				    &ret_open->lock, error);
	}
	if (rc == 0) {
		vrms_repository_set_guard(ret_open->repository, ask_lock, ret_open->lock);
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "repository '%s'", cli->repository) : 0;
}

int vrms_open_second(const struct vrms_cli *cli, enum vrms_lock_kind kind, const char *purpose,
		     struct vrms_open *ret_open, struct vrms_error *error)
{
	struct vrms_cli second = {
	    .repository = cli->to,
	    .key_file = cli->to_key_file,
	    .lock_wait_ms = cli->lock_wait_ms,
	};

	memset(ret_open, 0, sizeof(*ret_open));
	if (cli->to == NULL) {
		return vrms_error_set(error, -EINVAL, "to which repository? (--to DIR)");
	}
	return vrms_open_repository(&second, kind, purpose, ret_open, error);
}

const char *vrms_size_print(uint64_t bytes, char *text)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1023.95 && unit + 1 < VRMS_COUNT_OF(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(text, 16, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
	return text;
}

const char *vrms_time_print(int64_t time_s, char *text)
{
	time_t time = time_s;
	struct tm parts;

	if (localtime_r(&time, &parts) == NULL || strftime(text, 24, "%F %T", &parts) == 0) {
		snprintf(text, 24, "%" PRId64, time_s);
	}
	return text;
}
