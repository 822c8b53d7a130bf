/* command.h - the commands of `vrms`: one table row each.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_CLI_COMMAND_H
#define VRMS_CLI_COMMAND_H

#include "placement/model.h"

enum {
	VRMS_EXIT_OK = 0,     /* done, and what was asked for holds */
	VRMS_EXIT_ERROR = 1,  /* could not be done */
	VRMS_EXIT_NOT_SO = 2, /* done, and what was asked for does not hold */
};

struct vrms_command {
	const char *name;
	const char *arguments; /* for the usage line */
	const char *summary;   /* one line */
	/* argv[0] is the command's name; returns an exit status. */
	int (*run)(int argc, char **argv);
	const char *program; /* instead of run: exec()ed with the same words; NULL: none */
};

int vrms_command_plan(int argc, char **argv);
int vrms_command_drain(int argc, char **argv);
int vrms_command_undrain(int argc, char **argv);
int vrms_command_rebalance(int argc, char **argv);
int vrms_command_place(int argc, char **argv);
int vrms_command_status(int argc, char **argv);
int vrms_command_tune(int argc, char **argv);
int vrms_command_announce(int argc, char **argv);
int vrms_command_events(int argc, char **argv);
int vrms_command_explain(int argc, char **argv);
int vrms_command_san(int argc, char **argv);

/* Prints "vrms COMMAND: text" on standard error; returns VRMS_EXIT_ERROR. */
int vrms_command_fail(const char *command, const struct vrms_error *error);

/* Prints the usage of a command on standard error, or of all on standard output for NULL. */
void vrms_command_usage(const char *command);

#endif
