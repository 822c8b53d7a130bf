/* vrms-backup - full, incremental and differential backups of VMs, and their restore.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "backup/cli.h"
#include "backup/live_guard.h"
#include "config.h"

static atomic_bool stop; /* set by signals, read by whatever takes long */

static const struct vrms_command commands[] = {
    {"init", "", "Make a repository in an empty folder",
     " encrypt fast hash compression level block-size pack-size ", 0, 0, vrms_command_init},
    {"take", "VM", "Back a VM up",
     " mode self-contained exclude rate no-freeze scratch connect image file json ", 1, 1,
     vrms_command_take},
    {"list", "[VM]", "List restore points", " json ", 0, 1, vrms_command_list},
    {"show", "POINT", "Show one point in full", " json cluster-config ", 1, 1, vrms_command_show},
    {"diff", "POINT POINT", "Compare two points, disk by disk", " json ", 2, 2, vrms_command_diff},
    {"restore", "POINT", "Write a point's disks to new images, and define the VM",
     " disk format output overwrite force define name connect cluster-config ", 1, 1,
     vrms_command_restore},
    {"serve", "POINT", "Serve a point's disks over NBD, each under its name",
     " disk socket writable ", 1, 1, vrms_command_serve},
    {"boot", "POINT", "Start the VM from a point at once; its disks are copied while it runs",
     " name output connect rate no-copy force socket ", 1, 1, vrms_command_boot},
    {"test-restore", "POINT", "Start the VM from a point, apart from all, and see that it comes up",
     " wait-for timeout scratch whole force connect ", 1, 1, vrms_command_test_restore},
    {"export", "POINT", "Write a point as plain qcow2 images", " disk output overwrite force chain ", 1,
     1, vrms_command_export},
    {"copy", "[VM|POINT]...", "Copy points to another repository, only what it lacks",
     " to to-key-file ", 0, 1000, vrms_command_copy},
    {"verify", "", "Read blocks back and check them", " budget new json ", 0, 0,
     vrms_command_verify},
    {"check", "", "Check that every point has all it needs, without reading blocks", " json ", 0, 0,
     vrms_command_check},
    {"repair", "", "Make the index anew, replace damaged copies by good ones", "  ", 0, 0,
     vrms_command_repair},
    {"prune", "[VM]", "Remove points by rules and free their space",
     " keep-last keep-hourly keep-daily keep-weekly keep-monthly keep-yearly dry-run force "
     "min-live ",
     0, 1, vrms_command_prune},
    {"remove", "POINT", "Remove one point; prune frees its space", " dry-run ", 1, 1,
     vrms_command_remove},
    {"release", "VM", "Take our bitmaps out of a VM's images, for a snapshot to be reverted",
     " connect image ", 1, 1, vrms_command_release},
    {"schedule", "run|next|install-timers", "Take what the policies have due",
     " config connect scratch dry-run json output ", 1, 1, vrms_command_schedule},
    {"status", "[VM]", "Ages, sizes, verification and alarms per VM", " config connect json ", 0, 1,
     vrms_command_status},
    {"stats", "", "Sizes and savings", " json ", 0, 0, vrms_command_stats},
    {"rekey", "", "Replace the key", " new-key-file new-key-command ", 0, 0, vrms_command_rekey},
    /* Of our own: not for people. */
    {"guard", "", NULL, "  ", VRMS_LIVE_GUARD_ARGUMENTS, 1000, vrms_command_guard},
    {"unlock", "", "Remove all locks, when their holders are known to be dead", "  ", 0, 0,
     vrms_command_unlock},
};

static void on_signal(int number)
{
	(void)number;
	atomic_store(&stop, true);
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static const struct vrms_command *find_command(const char *name)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(commands); i++) {
		if (strcmp(commands[i].name, name) == 0) {
			return &commands[i];
		}
	}
	return NULL;
}

static void print_help(void)
{
	printf("Usage: vrms-backup COMMAND [OPTION]... [ARGUMENT]...\n"
	       "Full, incremental and differential backups of VMs, and their restore.\n\n");
	for (size_t i = 0; i < VRMS_COUNT_OF(commands); i++) {
		if (commands[i].summary != NULL) {
			vrms_cli_print_usage(&commands[i]);
		}
	}
	printf("\nA POINT is VM@NUMBER, VM@latest, or VM for the latest.\n"
	       "\"vrms-backup COMMAND --help\" lists the options of a command.\n");
}

int main(int argc, char **argv)
{
	const struct vrms_command *command = argc > 1 ? find_command(argv[1]) : NULL;
	struct vrms_error error = {0};
	struct vrms_cli cli;
	int rc;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		print_help();
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		printf("vrms-backup %s\n", PACKAGE_VERSION);
		return 0;
	}
	if (command == NULL) {
		fprintf(stderr, "vrms-backup: %s%s%s (\"vrms-backup --help\" lists the commands)\n",
			argc > 1 ? "no command '" : "which command?", argc > 1 ? argv[1] : "",
			argc > 1 ? "'" : "");
		return 2;
	}
	rc = vrms_cli_parse(command, argc - 1, argv + 1, &cli, &error);
	if (rc == 0 && cli.help) {
		vrms_cli_print_options(command);
		return 0;
	}
	if (rc == 0) {
		catch_signals();
		cli.stop = &stop;
		rc = command->run(&cli, &error);
		if (fflush(stdout) != 0 && rc >= 0) {
			rc = vrms_error_errno(&error, -errno, "standard output");
		}
	} else {
		fprintf(stderr, "vrms-backup: %s\n", error.text);
		return 2;
	}
	if (rc < 0) {
		fprintf(stderr, "vrms-backup: %s\n", error.text);
		return 1;
	}
	return rc; /* a positive one: findings */
}
