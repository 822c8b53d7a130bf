/* command.h - the commands of vrms-lab: one row each, usage and --help made from it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_COMMAND_H
#define VRMS_LAB_COMMAND_H

#include <signal.h>

#include "lab/lab.h"

enum {
	VRMS_LAB_EXIT_OK = 0,
	VRMS_LAB_EXIT_FAILED = 1,
	VRMS_LAB_EXIT_USAGE = 2,
};

struct vrms_lab_option {
	char letter;          /* short option, or 0 */
	const char *name;     /* long option */
	const char *argument; /* how the usage names it; NULL: takes none */
	const char *help;
};

/* What every command is given. */
struct vrms_lab_context {
	struct vrms_lab_place place;
	/* Set by SIGINT and SIGTERM. */
	const volatile sig_atomic_t *interrupted;
};

struct vrms_lab_command {
	const char *name;
	const char *arguments; /* usage behind the options; "" when there are none */
	const char *summary;   /* one line */
	const char *details;   /* for --help; NULL: none */
	const struct vrms_lab_option *options;
	size_t option_count;
	int argument_min, argument_max; /* behind the options; max -1: any number */
	/* argc, argv: the arguments behind the options; argv is NULL-terminated.
	 * options is the receiver's own structure, filled by set_option.
	 * Returns the exit status; what went wrong is in error->text, printed by the caller. */
	int (*run)(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		   struct vrms_error *error);
	/* One option that was given, by its long name.  -EINVAL or -ERANGE are usage errors. */
	int (*set_option)(void *settings, const char *name, const char *value,
			  struct vrms_error *error);
	size_t settings_size;  /* zeroed memory handed to both, at most VRMS_LAB_SETTINGS_MAX */
	bool options_anywhere; /* options may follow arguments; else the first argument ends them */
	bool internal;         /* not shown: the lab's own processes */
};

enum { VRMS_LAB_SETTINGS_MAX = 512 };

/* The rows.  main.c gathers them. */
typedef const struct vrms_lab_command *vrms_lab_command_row(void);
vrms_lab_command_row vrms_lab_up_command, vrms_lab_down_command, vrms_lab_status_command,
    vrms_lab_wait_command, vrms_lab_exec_command, vrms_lab_shell_command, vrms_lab_power_command,
    vrms_lab_freeze_command, vrms_lab_thaw_command, vrms_lab_partition_command,
    vrms_lab_heal_command, vrms_lab_logs_command, vrms_lab_powerd_command,
    vrms_lab_node_init_command, vrms_lab_vm_command, vrms_lab_demo_command, vrms_lab_unplug_command,
    vrms_lab_plug_command, vrms_lab_slow_command, vrms_lab_bmc_command, vrms_lab_demo_san_command;

/* Reads the options of one command by its table and runs it.
 *
 * argv[0] is the command's name.  Handles --help.  Returns the exit status.
 */
int vrms_lab_command_run(const struct vrms_lab_command *command,
			 const struct vrms_lab_context *context, int argc, char **argv);

/* Prints "vrms-lab: <text>" on stderr. */
void vrms_lab_complain(const char *text);

#endif
