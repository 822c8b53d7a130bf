/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "config.h"

static const struct vrms_command commands[] = {
    {
	.name = "plan",
	.arguments = "[--state FILE] [--fail NODE]... [--survive K] [--max-moves N] [--json]\n"
		     "       vrms plan --apply [--exclusive] [--survive K] [--dry-run] [--json]\n"
		     "       vrms plan --clear|--keep [--dry-run]\n"
		     "       vrms plan --state CIB --write FILE [--exclusive] [--clear]",
	.summary = "where VMs go when hosts fail, and which failures the cluster survives",
	.run = vrms_command_plan,
    },
    {
	.name = "drain",
	.arguments = "NODE [--state FILE] [--parallel N] [--timeout TIME] [--dry-run] [--json]",
	.summary = "VMs leave a node in the right order, and it goes into standby",
	.run = vrms_command_drain,
    },
    {
	.name = "undrain",
	.arguments = "NODE [--dry-run]",
	.summary = "a drained node takes VMs again",
	.run = vrms_command_undrain,
    },
    {
	.name = "rebalance",
	.arguments = "[--state FILE] [--max-moves N] [--fill NODE] [--parallel N]\n"
		     "            [--timeout TIME] [--dry-run] [--json]",
	.summary = "the few live migrations that level the load",
	.run = vrms_command_rebalance,
    },
    {
	.name = "place",
	.arguments = "VM... [--state FILE] [--timeout TIME] [--dry-run] [--json]",
	.summary = "hosts for VMs that run nowhere, making room where needed",
	.run = vrms_command_place,
    },
    {
	.name = "status",
	.arguments = "[--json]",
	.summary = "this node's vrmsd: membership, quorum, token in force and why, beats, VMs",
	.run = vrms_command_status,
    },
    {
	.name = "tune",
	.arguments = "on|off|status",
	.summary = "switch the tuning of corosync's token on or off",
	.run = vrms_command_tune,
    },
    {
	.name = "announce",
	.arguments = "TIME WHAT",
	.summary = "lengthen the token ahead of load for a time; 0: it is over",
	.run = vrms_command_announce,
    },
    {
	.name = "events",
	.arguments = "[--since TIME] [--follow] [--json] [--file JOURNAL]",
	.summary = "what the flight recorder of this node holds",
	.run = vrms_command_events,
    },
    {
	.name = "explain",
	.arguments = "fence NODE|vm NAME [--since TIME] [--json] [--file JOURNAL]",
	.summary = "what was seen and decided about a node or VM, in order",
	.run = vrms_command_explain,
    },
    {
	.name = "san",
	.arguments = "init DEVICE [--cluster NAME] [--force]|show DEVICE",
	.summary = "make or look at the area that the nodes beat in",
	.run = vrms_command_san,
    },
    {
	.name = "backup",
	.arguments = "COMMAND [ARGUMENT]...",
	.summary = "back virtual machines up and restore them: vrms-backup with the same words",
	.program = "vrms-backup",
    },
};

int vrms_command_fail(const char *command, const struct vrms_error *error)
{
	fprintf(stderr, "vrms %s: %s\n", command, error->text);
	return VRMS_EXIT_ERROR;
}

void vrms_command_usage(const char *command)
{
	if (command == NULL) {
		printf("Usage: vrms COMMAND [ARGUMENT]...\n\n");
	}
	for (size_t i = 0; i < VRMS_COUNT_OF(commands); i++) {
		if (command == NULL) {
			printf("  %-10s %s\n", commands[i].name, commands[i].summary);
		} else if (strcmp(commands[i].name, command) == 0) {
			fprintf(stderr, "Usage: vrms %s %s\n", command, commands[i].arguments);
		}
	}
}

/* `vrms COMMAND --help`: asked for, so on standard output. */
static int help(const struct vrms_command *command)
{
	printf("Usage: vrms %s %s\n\n%s.  More: man vrms\n", command->name, command->arguments,
	       command->summary);
	return VRMS_EXIT_OK;
}

static int run(const struct vrms_command *command, int argc, char **argv)
{
	struct vrms_error error = {""};

	if (command->program != NULL) {
		argv[0] = (char *)(uintptr_t)command->program;
		execvp(command->program, argv);
		vrms_error_errno(&error, -errno, "'%s'", command->program);
		return vrms_command_fail(command->name, &error);
	}
	return argc == 2 && strcmp(argv[1], "--help") == 0 ? help(command)
							   : command->run(argc, argv);
}

int main(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		vrms_command_usage(NULL);
		return argc < 2 ? VRMS_EXIT_ERROR : VRMS_EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("vrms %s\n", PACKAGE_VERSION);
		return VRMS_EXIT_OK;
	}
	for (size_t i = 0; i < VRMS_COUNT_OF(commands); i++) {
		if (strcmp(commands[i].name, argv[1]) == 0) {
			return run(&commands[i], argc - 1, argv + 1);
		}
	}
	fprintf(stderr, "vrms: unknown command '%s'; \"vrms --help\" lists them\n", argv[1]);
	return VRMS_EXIT_ERROR;
}
